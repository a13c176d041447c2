"""Log-in by CA certificate: a message signed with the certificate's private key, in the forms that are in use against the real service.

The signature is RSA, SHA-512, PKCS#1 v1.5, over the raw bytes [C SDK, official Java client, orm, AUD4, HERM]. Which of the two header
forms and payloads a tenant takes is a setting; everything that can be known here is checked before anything is sent.
"""

import base64
import binascii
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from mlc_pipelines.ledger.errors import SetupError
from mlc_pipelines.transport.answers import encode
from mlc_pipelines.transport.secret import Secret

Header = Literal["pem", "der"]
Payload = Literal["v2", "v1"]
Unit = Literal["seconds", "milliseconds"]

_RANDOM_BYTES = {"seconds": 92, "milliseconds": 100}  # 100 bytes in all [C AUD4; S COMM-cert], or 108 [C HERM]
_V1_BYTES = 150  # at least 100 [C SDK, JAVA]
_PEM = "-----BEGIN "


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class CertificateLogIn:
    """A user's certificate and key. Files as they are: PEM text, or base64 text of a binary file (DER, PKCS#12).

    certificate: may be empty where the PKCS#12 file holds it. Of several certificates the one that fits the key is used.
    header: what the Authorization header carries: "pem" the base64 of the whole PEM text [C JAVA, SDK], "der" of the certificate alone [C orm, AUD4; S COMM-cert].
    payload: "v2" begins with the time and is good once, as Anaplan recommends now [S COMM-cert]; "v1" is random only.
    timestamp: its unit; two working clients disagree [C AUD4 seconds, HERM milliseconds].
    name: of the credential, for messages.
    """

    private_key: Secret
    certificate: Secret
    passphrase: Secret
    header: Header = "pem"
    payload: Payload = "v2"
    timestamp: Unit = "seconds"
    name: str = ""
    now: Callable[[], datetime] = _now

    def request(self) -> tuple[str, bytes]:
        """Authorization header and JSON body of one log-in; a new message each time, since v2 may not be repeated.

        Raises SetupError when certificate and key cannot be read, do not belong together, or are out of date.
        """
        certificate, key = self.opened()
        message = self._message()
        said = {
            "encodedData": base64.b64encode(message).decode(),
            "encodedSignedData": base64.b64encode(key.sign(message, PKCS1v15(), hashes.SHA512())).decode(),
        }
        if self.payload == "v2":
            said = {"encodedDataFormat": "v2", **said}
        shown = certificate.public_bytes(Encoding.PEM if self.header == "pem" else Encoding.DER)
        return f"CACertificate {base64.b64encode(shown).decode()}", encode(said)

    def refused(self, status: int, auth_url: str) -> SetupError:  # noqa: ARG002  (it says which certificate, not where)
        """What it means when Anaplan does not accept it."""
        certificate, _ = self.opened()
        return SetupError(
            f"Anaplan refused the certificate of credential {self.name!r}, {_subject(certificate)} ({status}).",
            holds="Nothing was read or sent.",
            next_step="An Anaplan administrator must see it registered for this user (Administration, Security, Certificates). If it is, "
            "check the clock of this machine, then try `header: der` or `payload: v1` under `anaplan.certificate` in the connection file.",
        )

    def opened(self) -> tuple[x509.Certificate, RSAPrivateKey]:
        """Certificate and key, read, fitting together and in date."""
        key, found = self._key()
        if self.certificate.reveal().strip():
            found = [*self._certificates(), *found]
        if not found:
            raise self._unusable("has no certificate", "Store it as the field `certificate`.")
        certificate = self._fitting(found, key)
        self._require_in_date(certificate)
        return certificate, key

    def _message(self) -> bytes:
        if self.payload == "v1":
            return secrets.token_bytes(_V1_BYTES)
        seconds = self.now().timestamp()
        time = int(seconds if self.timestamp == "seconds" else seconds * 1000)
        return time.to_bytes(8, "big") + secrets.token_bytes(_RANDOM_BYTES[self.timestamp])

    def _key(self) -> tuple[RSAPrivateKey, list[x509.Certificate]]:
        """The private key, and the certificates that came with it in a PKCS#12 file."""
        text = self.private_key.reveal()
        passphrase = self.passphrase.reveal().encode() or None
        try:
            key, found = _from_pem(text, passphrase) if _PEM in text else _from_binary(_bytes_of(text), passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            # TypeError: a passphrase is missing, or was given for a key that has none. The library's own words are not passed on.
            raise self._unusable(
                "holds a private key that cannot be opened",
                "Store the key file as the field `private_key`, as PEM or PKCS#12, and its passphrase as the field `passphrase` if it has one, and only then.",
            ) from None
        if not isinstance(key, RSAPrivateKey):
            raise self._unusable("holds a private key that is not RSA", "Anaplan takes RSA certificates only.")
        return key, found

    def _certificates(self) -> list[x509.Certificate]:
        text = self.certificate.reveal()
        try:
            if _PEM in text:
                return x509.load_pem_x509_certificates(text.encode())
            return [x509.load_der_x509_certificate(_bytes_of(text))]
        except ValueError:
            raise self._unusable(
                "holds a certificate that cannot be read",
                "Store the certificate file as the field `certificate`, as PEM or DER.",
            ) from None

    def _fitting(self, found: Sequence[x509.Certificate], key: RSAPrivateKey) -> x509.Certificate:
        for certificate in found:
            if certificate.public_key() == key.public_key():
                return certificate
        raise self._unusable(
            f"has a private key that does not belong to its certificate, {_subject(found[0])}",
            "Store the key that the certificate was requested with, or a new pair.",
        )

    def _require_in_date(self, certificate: x509.Certificate) -> None:
        first, last, now = certificate.not_valid_before_utc, certificate.not_valid_after_utc, self.now()
        if now > last:
            raise self._unusable(
                f"has a certificate that expired on {last:%Y-%m-%d %H:%M} UTC, {_subject(certificate)}",
                "Request a new one, have an Anaplan administrator register it, and store it.",
            )
        if now < first:
            raise self._unusable(
                f"has a certificate that is not valid before {first:%Y-%m-%d %H:%M} UTC, {_subject(certificate)}",
                "Wait until then, or check the clock of this machine.",
            )

    def _unusable(self, complaint: str, next_step: str) -> SetupError:
        return SetupError(
            f"The Anaplan credential {self.name!r} {complaint}.", holds="Nothing was called.", next_step=next_step
        )


def file_as_text(content: bytes) -> str:
    """A file as the vault holds it: text as it is (PEM), anything else as base64 (PKCS#12, DER)."""
    return content.decode() if _PEM.encode() in content else base64.b64encode(content).decode()


def _from_pem(text: str, passphrase: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    """A PEM file may hold certificates beside the key, in any order."""
    certificates = x509.load_pem_x509_certificates(text.encode()) if "BEGIN CERTIFICATE-" in text else []
    start = text.index(_PEM, max(text.find("PRIVATE KEY") - 40, 0)) if "PRIVATE KEY" in text else 0
    return load_pem_private_key(text[start:].encode(), passphrase), certificates


def _from_binary(content: bytes, passphrase: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    try:
        key, certificate, more = pkcs12.load_key_and_certificates(content, passphrase)
    except ValueError:
        return load_der_private_key(content, passphrase), []
    return key, ([certificate] if certificate else []) + list(more)


def _bytes_of(text: str) -> bytes:
    """The binary file behind its base64 text. Raises ValueError when it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _subject(certificate: x509.Certificate) -> str:
    return f"subject {certificate.subject.rfc4514_string({NameOID.EMAIL_ADDRESS: 'E'}) or '(none)'}"
