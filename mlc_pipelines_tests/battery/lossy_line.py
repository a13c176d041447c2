"""A load over a line that loses, repeats and turns around packets (fault A19), to be started in a network of its own.

    unshare --net python -m mlc_pipelines_tests.battery.lossy_line HOME FAULTS_OF_A_HUNDRED

The line is a device of the kernel whose packets come to this program: it sends each on with its two addresses exchanged, so that who calls the far
address reaches the sandbox at the near one, and checksums stay right. Prints one line of JSON: what became of the load, of the packets, and how often
an import was started.
"""

import fcntl
import ipaddress
import json
import os
import random
import select
import struct
import subprocess
import sys
import threading

NEAR, FAR, DEVICE = "10.213.0.1", "10.213.0.2", "mlc0"
_SET, _PLAIN_TUN = 0x400454CA, 0x0001 | 0x1000  # TUNSETIFF; IFF_TUN, IFF_NO_PI


class Line:
    """Carries packets until the process ends. faults: how many of a hundred are lost, as many come twice, and as many behind the next one."""

    def __init__(self, faults: int) -> None:
        self.fates = {"lost": 0, "repeated": 0, "turned": 0, "carried": 0}
        self._faults, self._chance = faults / 100, random.Random(2026)
        self._device = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(self._device, _SET, struct.pack("16sH", DEVICE.encode(), _PLAIN_TUN))
        for command in (f"addr add {NEAR}/24 dev {DEVICE}", f"link set {DEVICE} up", "link set lo up"):
            subprocess.run(["ip", *command.split()], check=True)
        threading.Thread(target=self._carry_all, daemon=True).start()

    def _carry_all(self) -> None:
        behind: list[bytes] = []  # what the next packet overtakes, or ten milliseconds
        while True:
            if select.select([self._device], [], [], 0.01)[0]:
                packet = os.read(self._device, 1 << 16)
                fate = self._fate() if packet[0] >> 4 == 4 else "lost"
                if fate == "lost":
                    continue
                exchanged = packet[:12] + packet[16:20] + packet[12:16] + packet[20:]
                if fate == "turned":
                    behind.append(exchanged)
                    continue
                behind[:0] = [exchanged] * (2 if fate == "repeated" else 1)
            for one in behind:
                os.write(self._device, one)
            behind.clear()

    def _fate(self) -> str:
        drawn = int(self._chance.random() / self._faults) if self._faults else 3
        fate = ("lost", "repeated", "turned", "carried")[min(drawn, 3)]
        self.fates[fate] += 1
        return fate


def main(home: str, faults: str) -> None:
    line = Line(int(faults))
    os.environ["MLC_HOME"] = home
    from mlc_pipelines.flows.actuals import load_actuals
    from mlc_pipelines.flows.reference import refresh_reference
    from mlc_pipelines.sandbox import tls
    from mlc_pipelines.sandbox.server import Sandbox
    from mlc_pipelines.store.home import Store
    from mlc_pipelines.wiring.connections import find
    from mlc_pipelines_tests.battery.houses import PERIOD, Meridian, expected_cells, held_cells, opened
    from mlc_pipelines_tests.conftest import store_demo_credentials

    tls.ADDRESS = ipaddress.IPv4Address(FAR)  # a password goes to another host over TLS only
    with Sandbox.start(host=NEAR, tls=True) as sandbox:
        os.environ["MLC_SANDBOX_URL"] = sandbox.url.replace(NEAR, FAR)
        store_demo_credentials(sandbox, Store.open())
        house, trusted = Meridian(find("demo"), sandbox), {"ca_file": sandbox.info["ca_file"]}
        settings = house.named.settings
        sections = {name: getattr(settings, name).model_copy(update=trusted) for name in ("erp", "anaplan")}
        with opened(house, **sections) as desk:
            refresh_reference(desk)
            load_actuals(desk, PERIOD)
        tasks = [row for row in sandbox.traffic.requests if row.method == "POST" and row.path.endswith("/tasks")]
        equal = expected_cells(house, PERIOD) == held_cells(house, PERIOD)
    told = {"equal": equal, "tasks": [row.path for row in tasks], "packets": line.fates}
    sys.stdout.write(f"{json.dumps(told)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
