"""Logging in by CA certificate, as the two clients do it that agree with nobody on the details. Reference: anaplan 2.2, 2.5."""

import base64
import secrets

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import pkcs12

BAD_CREDENTIAL, BAD_HEADER = (401, "FAILURE_BAD_CREDENTIAL"), (400, "FAILURE_BAD_HEADER")


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _pem_header(certificate: str) -> str:
    return f"CACertificate {_b64(certificate.encode())}"


def _der_header(certificate: str) -> str:
    der = x509.load_pem_x509_certificate(certificate.encode()).public_bytes(serialization.Encoding.DER)
    return f"CACertificate {_b64(der)}"


def _body(private_key: str, payload: bytes, form: str | None = None) -> dict[str, str]:
    key = serialization.load_pem_private_key(private_key.encode(), None)
    signature = key.sign(payload, padding.PKCS1v15(), hashes.SHA512())
    body = {"encodedData": _b64(payload), "encodedSignedData": _b64(signature)}
    return body if form is None else {"encodedDataFormat": form, **body}


def _stamped(seconds: float, length: int = 92) -> bytes:
    return int(seconds).to_bytes(8, "big") + secrets.token_bytes(length)


@pytest.fixture
def knock(caller):
    """Knocks with a header and a body; gives status and code, and the user whom the new token belongs to."""

    def send(header, body):
        answer = caller.http.post("/token/authenticate", headers={"Authorization": header}, json=body)
        if answer.status_code == 201:
            caller.token = answer.json()["tokenInfo"]["tokenValue"]
            return 201, caller.get("/token/validate").json()["userInfo"]["userId"]
        return answer.status_code, answer.json()["status"]

    return send


@pytest.mark.parametrize("header", [_pem_header, _der_header])
def test_both_encodings_of_the_header_open_the_door(caller, knock, header):
    """Base64 of the PEM text, or of the DER bytes; v1 signs any random bytes, and they may come again for ever."""
    body = _body(caller.info["private_key"], secrets.token_bytes(150))
    for _ in range(2):
        assert (201, caller.info["username"]) == knock(header(caller.info["certificate"]), body)


@pytest.mark.parametrize(("form", "other"), [("pem", _der_header), ("der", _pem_header)])
def test_a_tenant_may_know_one_encoding_only(caller, tenant, knock, form, other):
    """By switch; the other one is a malformed header."""
    tenant.set_switches({"certificate_header": form})
    body = _body(caller.info["private_key"], secrets.token_bytes(100))
    assert BAD_HEADER == knock(other(caller.info["certificate"]), body)


@pytest.mark.parametrize(("factor", "length"), [(1, 92), (1000, 100)])
def test_version_2_begins_with_the_time_in_either_unit_and_is_good_once(caller, clock, knock, factor, length):
    """Eight bytes big-endian, seconds or milliseconds; the same payload again is 401."""
    header = _pem_header(caller.info["certificate"])
    body = _body(caller.info["private_key"], _stamped(clock.now().timestamp() * factor, length), "v2")
    assert [(201, caller.info["username"]), BAD_CREDENTIAL] == [knock(header, body), knock(header, body)]


@pytest.mark.parametrize(("unit", "wrong"), [("seconds", 1000), ("milliseconds", 1)])
def test_the_unit_can_be_a_matter_of_one_kind(caller, tenant, clock, knock, unit, wrong):
    """By switch."""
    tenant.set_switches({"certificate_v2_unit": unit})
    body = _body(caller.info["private_key"], _stamped(clock.now().timestamp() * wrong), "v2")
    assert BAD_CREDENTIAL == knock(_pem_header(caller.info["certificate"]), body)


@pytest.mark.parametrize("off", [-600, 600])
def test_version_2_is_refused_when_its_time_is_far_off(caller, clock, knock, off):
    """More than a few minutes."""
    body = _body(caller.info["private_key"], _stamped(clock.now().timestamp() + off), "v2")
    assert BAD_CREDENTIAL == knock(_pem_header(caller.info["certificate"]), body)


@pytest.mark.parametrize(
    ("payloads", "body_form"), [("v2", None), ("v1", "v2"), ("both", "v3")], ids=["no v1", "no v2", "unknown"]
)
def test_a_version_can_be_refused(caller, tenant, clock, knock, payloads, body_form):
    """v1 is to be phased out; what comes after v2 is not known."""
    tenant.set_switches({"certificate_payload": payloads})
    body = _body(caller.info["private_key"], _stamped(clock.now().timestamp()), body_form)
    assert BAD_CREDENTIAL == knock(_pem_header(caller.info["certificate"]), body)


@pytest.mark.parametrize(
    "wish",
    [{"days_from": -30, "days": 10}, {"days_from": 5}, {"registered": False}],
    ids=["expired", "not yet valid", "unknown"],
)
def test_a_certificate_that_is_not_good_is_refused(caller, knock, wish):
    """Whatever is wrong with it, the answer is the same."""
    issued = caller.http.post("/control/anaplan/certificate", json=wish).json()
    body = _body(issued["private_key"], secrets.token_bytes(100))
    assert BAD_CREDENTIAL == knock(_pem_header(issued["certificate"]), body)


def test_a_certificate_ends_by_the_clock_and_belongs_to_its_user(caller, tenant, clock, knock):
    """Valid for the planner today, and for nobody after its last day."""
    planner = tenant.world.users[1].email
    issued = caller.http.post("/control/anaplan/certificate", json={"user": planner, "days": 2}).json()
    header, body = _pem_header(issued["certificate"]), _body(issued["private_key"], secrets.token_bytes(100))
    assert (201, planner) == knock(header, body)
    clock.advance(2 * 86400)
    assert BAD_CREDENTIAL == knock(header, body)


def test_the_signature_must_be_of_these_bytes_and_by_this_key(caller, knock):
    """Another key, other bytes, the base64 text signed instead of the bytes, too few bytes, nothing at all: 401."""
    key, header = caller.info["private_key"], _pem_header(caller.info["certificate"])
    payload = secrets.token_bytes(100)
    strange = caller.http.post("/control/anaplan/certificate", json={}).json()["private_key"]
    good = _body(key, payload)
    over_text = {**_body(key, _b64(payload).encode()), "encodedData": _b64(payload)}
    bodies = [
        _body(strange, payload),
        {**good, "encodedData": _b64(secrets.token_bytes(100))},
        over_text,
        _body(key, payload[:99]),
        {},
        {"encodedData": "???", "encodedSignedData": "???"},
    ]
    assert [BAD_CREDENTIAL] * len(bodies) == [knock(header, body) for body in bodies]


@pytest.mark.parametrize("value", ["???", base64.b64encode(b"no certificate").decode()])
def test_a_header_without_a_certificate_is_malformed(caller, knock, value):
    """Not base64, or not a certificate: 400."""
    assert BAD_HEADER == knock(f"CACertificate {value}", {})


def test_the_header_is_not_to_be_encoded_twice(caller, knock):
    """A known mistake of a client: the base64 text encoded again."""
    once = _b64(caller.info["certificate"].encode())
    assert BAD_HEADER == knock(f"CACertificate {_b64(once.encode())}", {})


def test_the_key_comes_in_every_form_that_clients_read(caller):
    """PEM as it is, PEM under a password, PKCS#12: the same key each time."""
    info = caller.info
    word = info["certificate_password"].encode()
    bundle = pkcs12.load_pkcs12(base64.b64decode(info["pkcs12"]), word)
    keys = [
        serialization.load_pem_private_key(info["private_key"].encode(), None),
        serialization.load_pem_private_key(info["private_key_encrypted"].encode(), word),
        bundle.key,
    ]
    assert 1 == len({key.private_numbers() for key in keys})
    assert info["certificate"].encode() == bundle.cert.certificate.public_bytes(serialization.Encoding.PEM)


def test_a_reset_keeps_the_certificate_and_forgets_the_others(caller, tenant, knock):
    """What a client was told at the start stays true."""
    before = tenant.certificates.main
    issued = caller.http.post("/control/anaplan/certificate", json={}).json()
    tenant.reset()
    assert before == tenant.certificates.main
    body = _body(issued["private_key"], secrets.token_bytes(100))
    assert BAD_CREDENTIAL == knock(_pem_header(issued["certificate"]), body)
