"""Log-in by certificate: every form of key, header and payload in use, and everything that can be known before calling said before calling."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import pkcs12

from mlc_pipelines.anaplan.certificate import CertificateLogIn
from mlc_pipelines.anaplan.client import Anaplan
from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.sandbox.anaplan import mishaps
from mlc_pipelines.sandbox.server import Sandbox
from mlc_pipelines.sandbox.traffic import Request
from mlc_pipelines.transport.secret import Secret

Connect = Callable[..., Anaplan]
Pair = Callable[..., CertificateLogIn]
LOG_IN = "POST /token/authenticate"


@pytest.fixture
def pair(sandbox: Sandbox) -> Pair:
    """The registered certificate of the sandbox's user, or another issued one, with some fields changed."""

    def build(other: dict[str, str] | None = None, **changes: Any) -> CertificateLogIn:
        said = other or sandbox.info["anaplan"]
        plain = CertificateLogIn(
            private_key=Secret(said["private_key"], "private_key"),
            certificate=Secret(said["certificate"], "certificate"),
            passphrase=Secret("", "passphrase"),
            name="acme-plan",
            now=sandbox.clock.now,
        )
        texts = {name: Secret(value, name) for name, value in changes.items() if name in secrets}
        return replace(plain, **{**changes, **texts})

    secrets = ("private_key", "certificate", "passphrase")
    return build


def issued(sandbox: Sandbox, **how: Any) -> dict[str, str]:
    """Another certificate of the same user, with a key of its own."""
    return asdict(mishaps.issue_certificate(sandbox.tenant, **how))


def key_forms(sandbox: Sandbox) -> dict[str, dict[str, str]]:
    """The same key in every form that people have it in, as the fields that differ."""
    info = sandbox.info["anaplan"]
    key = serialization.load_pem_private_key(info["private_key"].encode(), None)
    plain, traditional = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
    none, locked = serialization.NoEncryption(), serialization.BestAvailableEncryption(b"p\xc3\xa4ss")
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    certificate = x509.load_pem_x509_certificate(info["certificate"].encode())
    return {
        "pkcs8": {},
        "pkcs8 locked": {"private_key": info["private_key_encrypted"], "passphrase": info["certificate_password"]},
        "traditional": {"private_key": key.private_bytes(pem, traditional, none).decode()},
        "traditional locked": {
            "private_key": key.private_bytes(pem, traditional, locked).decode(),
            "passphrase": "päss",
        },
        "der": {"private_key": base64.b64encode(key.private_bytes(der, plain, none)).decode()},
        "pkcs12": {
            "private_key": info["pkcs12"],
            "passphrase": info["certificate_password"],
            "certificate": "",
        },
        "pkcs12 beside": {
            "private_key": base64.encodebytes(
                pkcs12.serialize_key_and_certificates(b"me", key, None, None, none)
            ).decode(),
        },
        "one file": {"private_key": info["certificate"] + info["private_key"], "certificate": ""},
        "one file, key first": {
            "private_key": info["private_key_encrypted"] + info["certificate"],
            "certificate": " ",
            "passphrase": info["certificate_password"],
        },
        "der certificate": {"certificate": base64.b64encode(certificate.public_bytes(der)).decode()},
    }


def test_every_form_of_key_opens(pair: Pair, sandbox: Sandbox) -> None:
    """PEM, DER and PKCS#12, locked or not, together with the certificate or beside it: the same key, the same certificate."""
    expected, _ = pair().opened()
    for form, fields in key_forms(sandbox).items():
        certificate, key = pair(**fields).opened()
        assert (form, expected) == (form, certificate)
        assert certificate.public_key() == key.public_key()


@pytest.mark.parametrize("header", ["pem", "der"])
@pytest.mark.parametrize(("payload", "timestamp"), [("v2", "seconds"), ("v2", "milliseconds"), ("v1", "seconds")])
def test_each_header_and_payload_logs_in(
    connect: Connect, pair: Pair, sandbox: Sandbox, header: str, payload: str, timestamp: str
) -> None:
    """A server that takes this form alone takes ours; the run ends with a log-out as after any log-in."""
    sandbox.set_switches(
        anaplan={"certificate_header": header, "certificate_payload": payload, "certificate_v2_unit": timestamp}
    )
    with connect(credential=pair(header=header, payload=payload, timestamp=timestamp)) as plan:
        assert sandbox.info["anaplan"]["model_id"] == plan.key()
    assert [] == list(sandbox.tenant.logins.tokens)


def test_b01_a_new_log_in_signs_a_new_message(
    connect: Connect, pair: Pair, sandbox: Sandbox, calls: Callable[[str], list[Request]]
) -> None:
    """A v2 message is good once: after 35 minutes another one is signed, and the run goes on."""
    with connect(credential=pair()) as plan:
        plan.key()
        sandbox.clock.advance(35 * 60)
        assert len(plan.read_members("Accounts")) > 100
    assert [201, 201] == [one.status for one in calls(LOG_IN)]


def test_b04_two_processes_with_one_user_both_come_through(
    connect: Connect, pair: Pair, sandbox: Sandbox, calls: Callable[[str], list[Request]]
) -> None:
    """Each log-in ends the other's token: both finish, each call with a few log-ins at most."""
    sandbox.set_switches(anaplan={"login_ends_others": True})
    with connect(credential=pair()) as ours, connect(credential=pair()) as theirs:
        for _ in range(2):
            assert len(ours.read_members("Accounts")) == len(theirs.read_members("Accounts"))
    assert len(calls(LOG_IN)) <= 4 * len(calls("GET .*/lists"))


def test_what_is_sent_is_what_the_sheet_says(pair: Pair, sandbox: Sandbox) -> None:
    """Default: base64 of the whole PEM text; 100 bytes that begin with the seconds; RSA PKCS#1 v1.5 SHA-512 over the raw bytes."""
    authorization, body = pair().request()
    scheme, _, value = authorization.partition(" ")
    shown = base64.b64decode(value)
    assert ("CACertificate", True) == (scheme, shown.startswith(b"-----BEGIN CERTIFICATE-----\n"))
    assert b"-----END CERTIFICATE-----\n" == shown[-26:]
    said = json.loads(body)
    assert ["encodedDataFormat", "encodedData", "encodedSignedData"] == list(said)
    message, signature = (base64.b64decode(said[name]) for name in ("encodedData", "encodedSignedData"))
    assert ("v2", 100) == (said["encodedDataFormat"], len(message))
    assert abs(int.from_bytes(message[:8], "big") - sandbox.clock.now().timestamp()) < 5
    certificate = x509.load_pem_x509_certificate(shown)
    certificate.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA512())


def test_the_other_forms_differ_as_the_sheet_says(pair: Pair) -> None:
    """DER on one line without PEM lines; v1 without a format and at least 100 random bytes; milliseconds in 108 bytes."""
    authorization, body = pair(header="der", payload="v1").request()
    assert b"\x30" == base64.b64decode(authorization.partition(" ")[2])[:1]
    said = json.loads(body)
    assert (["encodedData", "encodedSignedData"], 150) == (list(said), len(base64.b64decode(said["encodedData"])))
    stamped = base64.b64decode(json.loads(pair(timestamp="milliseconds").request()[1])["encodedData"])
    assert (108, 13) == (len(stamped), len(str(int.from_bytes(stamped[:8], "big"))))
    assert pair().request()[1] != pair().request()[1]


@pytest.mark.parametrize(
    ("days_from", "days", "said"),
    [(-30, 10, r"expired on \d{4}-\d\d-\d\d"), (5, 10, r"not valid before \d{4}-\d\d-\d\d")],
)
def test_a_certificate_out_of_date_is_refused_here(
    connect: Connect, pair: Pair, sandbox: Sandbox, days_from: int, days: int, said: str
) -> None:
    """Subject and date are named, and nothing is called."""
    other = issued(sandbox, days_from=days_from, days=days)
    with connect(credential=pair(other)) as plan, pytest.raises(SetupError, match=said) as caught:
        plan.key()
    assert "subject E=integration@meridian.example,CN=" in caught.value.what
    assert "Nothing was called." == caught.value.holds
    assert [] == sandbox.traffic.requests


def test_the_last_second_still_counts(pair: Pair) -> None:
    """The dates of a certificate are part of its life [RFC 5280, 4.1.2.5]."""
    certificate, _ = pair().opened()
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    for moment in (first, last):
        assert certificate == pair(now=lambda moment=moment: moment).opened()[0]
    for moment in (first - timedelta(seconds=1), last + timedelta(seconds=1)):
        with pytest.raises(SetupError):
            pair(now=lambda moment=moment: moment).opened()


def test_of_several_certificates_the_one_of_the_key_is_used(pair: Pair, sandbox: Sandbox) -> None:
    """A file may hold the whole chain, in any order."""
    other = issued(sandbox, registered=False)["certificate"]
    own = sandbox.info["anaplan"]["certificate"]
    expected, _ = pair().opened()
    assert [expected] * 2 == [pair(certificate=chain).opened()[0] for chain in (other + own, own + other)]


def ec_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


BROKEN = {
    "a key of another certificate": (lambda own, other: {"private_key": other()["private_key"]}, "does not belong to"),
    "no passphrase": (lambda own, other: {"private_key": own["private_key_encrypted"]}, "cannot be opened"),
    "a wrong passphrase": (
        lambda own, other: {"private_key": own["private_key_encrypted"], "passphrase": "wrong-4711"},
        "cannot be opened",
    ),
    "a passphrase for an open key": (lambda own, other: {"passphrase": "needless-4711"}, "cannot be opened"),
    "a wrong passphrase for PKCS#12": (
        lambda own, other: {"private_key": own["pkcs12"], "passphrase": "wrong-4711"},
        "cannot be opened",
    ),
    "a certificate as key": (lambda own, other: {"private_key": own["certificate"]}, "cannot be opened"),
    "nonsense as key": (lambda own, other: {"private_key": "canary-key"}, "cannot be opened"),
    "an empty key": (lambda own, other: {"private_key": ""}, "cannot be opened"),
    "a key that is not RSA": (lambda own, other: {"private_key": ec_key()}, "not RSA"),
    "nonsense as certificate": (lambda own, other: {"certificate": "canary-certificate"}, "cannot be read"),
    "a key as certificate": (lambda own, other: {"certificate": own["private_key"]}, "cannot be read"),
    "no certificate": (lambda own, other: {"certificate": ""}, "has no certificate"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_work_is_refused_before_anything_is_sent(
    connect: Connect, pair: Pair, sandbox: Sandbox, case: str
) -> None:
    """The credential is named and what to do; no part of key or passphrase is told."""
    fields, said = BROKEN[case]
    changes = fields(sandbox.info["anaplan"], lambda: issued(sandbox, registered=False))
    with connect(credential=pair(**changes)) as plan, pytest.raises(SetupError, match=said) as caught:
        plan.key()
    assert "'acme-plan'" in caught.value.what
    assert caught.value.next_step
    assert [] == [secret for secret in ("canary", "4711", "BEGIN") if secret in str(caught.value)]
    assert [] == sandbox.traffic.requests


def test_a_certificate_that_anaplan_does_not_know_is_told_with_its_subject(
    connect: Connect, pair: Pair, sandbox: Sandbox, calls: Callable[[str], list[Request]]
) -> None:
    """Asked once; who must register it, and which settings may be at fault."""
    other = issued(sandbox, registered=False)
    with connect(credential=pair(other)) as plan, pytest.raises(SetupError, match="refused the certificate") as caught:
        plan.key()
    assert "subject E=integration@meridian.example,CN=" in caught.value.what
    assert "administrator" in caught.value.next_step
    assert 1 == len(calls(LOG_IN))


def test_the_clock_of_this_machine_is_used_by_default() -> None:
    """Aware and in UTC."""
    login = CertificateLogIn(Secret("", "k"), Secret("", "c"), Secret("", "p"))
    assert abs(datetime.now(UTC) - login.now()) < timedelta(minutes=1)
