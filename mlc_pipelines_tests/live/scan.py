"""Looking for a secret in everything that is left behind: plain, encoded, compressed, in databases."""

import base64
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote


def spellings(secret: str) -> set[bytes]:
    """How the secret may be written down."""
    raw = secret.encode()
    texts = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], secret[::-1], raw.hex()}
    aligned = {base64.b64encode(raw[cut:])[: 4 * ((len(raw) - cut) // 3)] for cut in range(3)}
    url_safe = {one.replace(b"+", b"-").replace(b"/", b"_") for one in aligned}
    return {text.encode() for text in texts} | {secret.encode("utf-16-le")} | aligned | url_safe


def contents(file: Path) -> Iterator[bytes]:
    """The bytes of a file as they are, and unpacked where they are packed. SQLite and its log are searched as they are: texts stand in them as such."""
    body = file.read_bytes()
    yield body
    if body[:2] == b"\x1f\x8b":
        yield gzip.decompress(body)
    elif body[:1] == b"\x78":
        try:
            yield zlib.decompress(body)
        except zlib.error:
            return


def found_in(folders: Iterable[Path], secrets: Iterable[str]) -> list[str]:
    """The files, by name, in which a secret stands in any spelling."""
    wanted = {spelled: secret for secret in secrets for spelled in spellings(secret)}
    return [
        f"{file}: {wanted[spelled][:6]}..."
        for folder in folders
        for file in sorted(folder.rglob("*"))
        if file.is_file()
        for body in contents(file)
        for spelled in wanted
        if spelled in body
    ]
