"""Looking for a secret in everything that is left behind: plain, encoded, in pieces, compressed, in databases and tables."""

import base64
import gzip
import json
import re
import shutil
import sqlite3
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_to_bytes

_PIECE = 8
_DEEP = 3
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_ESCAPED = re.compile(rb"\\u([0-9a-fA-F]{4})")


def spellings(secret: str) -> set[bytes]:
    """How the secret may be written down; of its longest run of letters and digits also the first, middle and last pieces."""
    raw = secret.encode()
    run = max(re.findall(r"[A-Za-z0-9]+", secret), key=len)
    pieces = (
        {run[at : at + _PIECE] for at in (0, len(run) // 2 - _PIECE // 2, len(run) - _PIECE)}
        if len(run) >= 16
        else set()
    )
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), raw.hex(), raw.hex().upper()}
    texts |= {escape(secret), escape(secret, quote=False)}
    texts |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    texts |= {one[::-1] for one in {secret, *pieces}} | pieces
    aligned = {base64.b64encode(raw[cut:])[: 4 * ((len(raw) - cut) // 3)] for cut in range(3)}
    url_safe = {one.replace(b"+", b"-").replace(b"/", b"_") for one in aligned}
    wide = {secret.encode("utf-16-le"), secret.encode("utf-16-be")}
    return {text.encode() for text in texts} | wide | aligned | url_safe


def contents(file: Path) -> Iterator[bytes]:
    """The bytes of a file as they are, and all that can be decoded from them."""
    body = file.read_bytes()
    yield from _layers(body, _DEEP)
    if body.startswith(b"SQLite format 3\0"):
        yield from _cells(file)
    if body[:4] == b"PAR1" == body[-4:]:
        import pyarrow.parquet as pq

        table = pq.read_table(file)
        yield json.dumps([*table.schema.names, *table.to_pylist()], default=str, ensure_ascii=False).encode()


def _layers(body: bytes, deep: int) -> Iterator[bytes]:
    """The bytes, and what is packed or escaped in them, layer by layer."""
    yield body
    if not deep:
        return
    for packed in _unpacked(body):
        yield from _layers(packed, deep - 1)
    if b"%" in body and (plain := unquote_to_bytes(body.replace(b"+", b" "))) != body:
        yield from _layers(plain, deep - 1)
    if b"\\" in body:
        plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)).encode("utf-8", "surrogatepass"), body)
        plain = re.sub(rb'\\(["\\/])', rb"\1", plain)
        if plain != body:
            yield from _layers(plain, deep - 1)
    decoded = [_from_base64(run) for run in _BASE64.findall(body)]
    if joined := b"\0".join(one for one in decoded if one):
        yield joined
        for one in decoded:
            for packed in _unpacked(one):
                yield from _layers(packed, deep - 1)


def _unpacked(body: bytes) -> Iterator[bytes]:
    """gzip wherever it begins; zlib where the whole body is."""
    at = body.find(b"\x1f\x8b\x08")
    while at >= 0:
        with suppress(zlib.error):  # three bytes that looked like it
            yield zlib.decompressobj(31).decompress(body[at:])
        at = body.find(b"\x1f\x8b\x08", at + 1)
    if body[:1] == b"\x78":
        with suppress(zlib.error):
            yield zlib.decompressobj().decompress(body)


def _from_base64(run: bytes) -> bytes:
    text = run.replace(b"-", b"+").replace(b"_", b"/").rstrip(b"=")
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except ValueError:
        return b""


def _cells(file: Path) -> Iterator[bytes]:
    """Every cell of every table, with what the write-ahead log holds; read from a copy, so that nothing is changed."""
    with tempfile.TemporaryDirectory() as folder:
        for part in ("", "-wal", "-shm"):
            if (beside := file.with_name(file.name + part)).exists():
                shutil.copy(beside, folder)
        db = sqlite3.connect(Path(folder, file.name))
        db.text_factory = bytes
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in db.execute(f'SELECT * FROM "{table.decode()}"'):
                for cell in row:
                    if isinstance(cell, bytes) and len(cell) >= _PIECE:
                        yield from _layers(cell, _DEEP - 1)
        db.close()


def found_in(folders: Iterable[Path], secrets: Iterable[str]) -> list[str]:
    """The files, by name, in which a secret stands in any spelling, with its first letters."""
    wanted = {spelled: secret for secret in secrets for spelled in spellings(secret)}
    files = [file for folder in folders for file in ([folder] if folder.is_file() else sorted(folder.rglob("*")))]
    return [
        f"{file}: {wanted[spelled][:9]}..."
        for file in files
        if file.is_file()
        for body in {*contents(file)}
        for spelled in wanted
        if spelled in body
    ]


def planted(file: Path, secret: str) -> None:
    """Write the secret into a file of any kind as a programme might that should not: the positive control."""
    body = file.read_bytes()
    if body.startswith(b"SQLite format 3\0"):
        db = sqlite3.connect(file)
        db.execute("CREATE TABLE planted (value TEXT)")
        db.execute("INSERT INTO planted VALUES (?)", (base64.b64encode(f"x {secret}".encode()).decode(),))
        db.commit()
        db.close()
    elif body[:2] == b"\x1f\x8b":
        file.write_bytes(gzip.compress(gzip.decompress(body) + json.dumps({"said": secret}).encode()))
    elif body[:4] == b"PAR1":
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(file)
        pq.write_table(table.append_column("planted", pa.array([secret] * table.num_rows)), file, compression="zstd")
    else:
        file.write_bytes(body + b"\nx=" + quote(secret, safe="").encode())
