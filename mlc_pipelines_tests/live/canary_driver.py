"""mlc commands one after the other in one process, with everything as talkative as it can be made, and no waiting.

Reads a JSON list of words and what is typed from each line of standard input; answers with the exit code on descriptor 3. Whatever
the commands, their logs and tracebacks say goes to standard output and error.
"""

import atexit
import json
import logging
import os
import sys
import time
import traceback

_sleep = time.sleep
time.sleep = lambda seconds: _sleep(min(seconds, 0.01))  # before anybody takes it as a default
logging.basicConfig(level=1, stream=sys.stderr, format="%(name)s %(message)s")
for name in ("sqlalchemy.engine", "sqlalchemy.pool", "urllib3", "httpx", "httpcore", "asyncio", "alembic"):
    logging.getLogger(name).setLevel(1)

from click.testing import CliRunner  # noqa: E402

from mlc_pipelines.cli import cli  # noqa: E402
from mlc_pipelines.transport.logs import caught  # noqa: E402


def main() -> None:
    with os.fdopen(3, "w") as answers:
        atexit.register(lambda: sys.stdout.write(f"the net under the logs caught {caught()}\n"))
        for line in sys.stdin:
            words, typed, environment = json.loads(line)
            os.environ.update(environment)
            done = CliRunner().invoke(cli, words, input=typed)
            sys.stdout.write(f"{words[:2]}\n{done.output}\n")
            if done.exc_info:
                traceback.print_exception(*done.exc_info)
            sys.stdout.write(repr(done.exception) + repr(getattr(done.exception, "__dict__", {})) + "\n")
            sys.stdout.flush()
            answers.write(f"{0 if done.exception is None else 1}\n")
            answers.flush()


if __name__ == "__main__":
    main()
