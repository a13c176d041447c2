"""Log-in by CA certificate: what was registered for whom, and whether a signed payload proves its key.

The header carries the certificate, the body random bytes and their signature: RSA, SHA-512, PKCS#1 v1.5, over the raw
bytes. Two encodings of the header and two forms of the payload are in the wild. Reference: anaplan 2.2 [S, C].
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from mlc_pipelines.sandbox.anaplan.logins import Ticking, User
from mlc_pipelines.sandbox.anaplan.switches import Switches

PASSWORD = "Lock-5-Certificate!"
PEM_BEGINNING = b"-----BEGIN CERTIFICATE-----"
PAYLOAD_BYTES_MIN = 100
STAMP_BYTES = 8
STAMP_UNITS = {"seconds": 1, "milliseconds": 1000}
YEARS_3 = 3 * 365
"""Anaplan's certificates may be valid for three years [S]."""


class BadHeaderError(Exception):
    """The header holds no certificate."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its key as a client wants them: PEM texts, and PKCS#12 as base64 text."""

    certificate: str
    private_key: str
    private_key_encrypted: str
    pkcs12: str
    certificate_password: str = PASSWORD


class Certificates:
    """The certificates that the tenant's administrator has registered, each for one user."""

    def __init__(self, clock: Ticking, switches: Switches, owner: User) -> None:
        """Issue and register the one that a client is told of, valid since yesterday for three years."""
        self.clock, self.switches = clock, switches
        self._seen: set[bytes] = set()
        self._users: dict[bytes, User] = {}
        self.main = self._issued(owner, key=_key("main"))
        self._main_users = dict(self._users)

    def reset(self) -> None:
        """Only the first certificate is registered, and no payload was seen."""
        self._users = dict(self._main_users)
        self._seen.clear()

    def issue(self, user: User, days_from: float = -1, days: float = YEARS_3, *, registered: bool = True) -> Issued:
        """Another certificate for a user, valid from so many days from now for so many days, with a key of its own."""
        return self._issued(user, days_from, days, registered=registered, key=_key("other"))

    def user_of(self, header: str, body: Mapping[str, Any]) -> User | None:
        """Who proves to be whom, None when the proof fails. Raises BadHeaderError when the header is no certificate."""
        certificate = self._certificate(header)
        user = self._users.get(certificate.fingerprint(hashes.SHA256()))
        valid = certificate.not_valid_before_utc <= self.clock.now() < certificate.not_valid_after_utc
        payload = _signed(certificate, body)
        if user is None or not valid or payload is None or not self._fresh(payload, body.get("encodedDataFormat")):
            return None
        return user

    def _certificate(self, header: str) -> x509.Certificate:
        """Base64 of the PEM text, or of the DER bytes; a switch can insist on either."""
        try:
            content = base64.b64decode(header, validate=True)
            form = "pem" if content.startswith(PEM_BEGINNING) else "der"
            if self.switches["certificate_header"] not in ("both", form):
                raise BadHeaderError
            return x509.load_pem_x509_certificate(content) if form == "pem" else x509.load_der_x509_certificate(content)
        except (binascii.Error, ValueError) as error:
            raise BadHeaderError from error

    def _fresh(self, payload: bytes, form: object) -> bool:
        """Version 1 may be used for ever; version 2 begins with the present instant and is good for one log-in."""
        version = "v1" if form is None else form
        if self.switches["certificate_payload"] not in ("both", version) or len(payload) < PAYLOAD_BYTES_MIN:
            return False
        if version == "v1":
            return True
        if version != "v2" or payload in self._seen or not self._timely(int.from_bytes(payload[:STAMP_BYTES], "big")):
            return False
        self._seen.add(payload)
        return True

    def _timely(self, stamp: int) -> bool:
        """Whether a number, as seconds or milliseconds since 1970, is about now."""
        unit, now = self.switches["certificate_v2_unit"], self.clock.now().timestamp()
        readings = [stamp / parts for name, parts in STAMP_UNITS.items() if unit in ("either", name)]
        return any(abs(reading - now) <= self.switches["certificate_v2_seconds"] for reading in readings)

    def _issued(
        self,
        user: User,
        days_from: float = -1,
        days: float = YEARS_3,
        *,
        key: rsa.RSAPrivateKey,
        registered: bool = True,
    ) -> Issued:
        begin = self.clock.now() + timedelta(days=days_from)
        certificate = _made(user.email, key, begin, begin + timedelta(days=days))
        if registered:
            self._users[certificate.fingerprint(hashes.SHA256())] = user
        return _packed(certificate, key)


def _signed(certificate: x509.Certificate, body: Mapping[str, Any]) -> bytes | None:
    """The payload, if the key of the certificate has signed it."""
    try:
        payload = base64.b64decode(body["encodedData"], validate=True)
        signature = base64.b64decode(body["encodedSignedData"], validate=True)
    except (KeyError, TypeError, ValueError):
        return None
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    try:
        key.verify(signature, payload, padding.PKCS1v15(), hashes.SHA512())
    except InvalidSignature:
        return None
    return payload


@cache
def _key(_name: str) -> rsa.RSAPrivateKey:
    """A key of this process: making one takes a tenth of a second."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _made(email: str, key: rsa.RSAPrivateKey, begin: datetime, end: datetime) -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, email), x509.NameAttribute(NameOID.EMAIL_ADDRESS, email)]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sandbox client authority")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .sign(_key("authority"), hashes.SHA256())
    )


def _packed(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> Issued:
    lock = serialization.BestAvailableEncryption(PASSWORD.encode())
    open_pem, locked_pem = (
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how).decode()
        for how in (serialization.NoEncryption(), lock)
    )
    bundle = pkcs12.serialize_key_and_certificates(b"anaplan", key, certificate, None, lock)
    text = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return Issued(text, open_pem, locked_pem, base64.b64encode(bundle).decode())
