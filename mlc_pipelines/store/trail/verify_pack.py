"""Verify an evidence pack of an audit trail: python3 -I -S verify_pack.py FOLDER [PUBLIC_KEY [HEAD ...]].

PUBLIC_KEY: of the checkpoints, as you know it from elsewhere. HEAD: first digits of one, as a posted journal shows them.
Ends with 0 clean, 10 something was changed (it says where), 11 a HEAD is not in the pack, 12 not signed with that key.
docs/audit-trail.md says what every byte means. Standard library only; shares no code with what wrote the pack.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from functools import partial, reduce
from itertools import islice
from pathlib import Path
from typing import Any

SHAPE = (str, str, int, str, str, str, int, int, int, str, str, str)  # of a record; a number may be null
P, Q = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493  # Ed25519, RFC 8032, 5.1
D = -121665 * pow(121666, -1, P) % P
write = partial(json.dumps, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
found: list[tuple[int, str]] = []


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def claim(holds: object, said: str, code: int = 10) -> None:
    found.extend([] if holds else [(code, said)])


def value_of(text: bytes, where: str) -> Any:
    """What a canonical text says. A key twice, a fraction or NaN is not written again as it was, so it is found."""
    value = json.loads(text, parse_float=str, parse_constant=str)
    claim(write(value).encode() == text, f"{where}: not in the canonical form")
    return value


def root(leaves: list[bytes]) -> bytes:
    half = 1 << max(len(leaves) - 1, 1).bit_length() - 1
    return sha(b"\x01", root(leaves[:half]), root(leaves[half:])) if leaves[1:] else leaves[0] if leaves else sha()


def root_by_path(leaf: bytes, place: int, last: int, path: Iterable[str]) -> str:
    """RFC 9162, 2.1.3.2; no root where the path does not fit the place."""
    for beside in map(bytes.fromhex, path):
        right = place & 1 or place == last
        while right and place and not place & 1:
            place, last = place >> 1, last >> 1
        leaf, place, last = sha(b"\x01", *((beside, leaf) if right else (leaf, beside))), place >> 1, last >> 1
    return "" if last else leaf.hex()


def leaves_of(lines: Iterable[bytes], where: str) -> Iterator[tuple[bytes, int]]:
    """The hash of every 64 lines, and how many lines they are."""
    rest = enumerate(lines, 1)
    while leaf := list(islice(rest, 64)):
        for number, line in leaf:
            record = value_of(line.removesuffix(b"\n"), f"{where}, record {number}")
            fits = [type(one) is kind or (kind is int and one is None) for one, kind in zip(record, SHAPE, strict=True)]
            claim(all(fits) and line.endswith(b"\n"), f"{where}, record {number}: not a record")
        yield sha(b"\x00", *(line for _, line in leaf)), len(leaf)


def add(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    (x, y), (u, v) = one, other
    both = D * x * u * y * v
    return (x * v + y * u) * pow(1 + both, -1, P) % P, (y * v + x * u) * pow(1 - both, -1, P) % P


def times(number: int, point: tuple[int, int]) -> tuple[int, int]:
    return reduce(lambda done, bit: add(add(done, done), point if bit == "1" else (0, 1)), f"{number:b}", (0, 1))


def point_of(encoded: bytes) -> tuple[int, int]:
    y, sign = int.from_bytes(encoded, "little") & (1 << 255) - 1, encoded[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    claim(x * x % P == square and y < P and (x or not sign), "a key or a signature: not a point of the curve")
    return (x if x & 1 == sign else P - x), y


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    s, base = int.from_bytes(signature[32:], "little"), point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    return len(signature) == 64 and s < Q and times(s, base) == add(point_of(signature[:32]), times(k, point_of(key)))


def entries_of(pack: Path, gone: set[Any]) -> Iterator[dict[str, Any]]:
    """Every entry, held against the header before it, and its records against its root. gone: what they say was given up."""
    start = value_of((pack / "start.json").read_bytes()[:-1], "start.json")
    first, header, whose = start["records"], bytes.fromhex(start["header"]), bytes.fromhex(start["installation"])
    for number, line in enumerate((pack / "entries.jsonl").open("rb"), start["number"] + 1):
        entry = value_of(line[:-1], f"entry {number}")
        event_hash = sha(entry["event"].encode()) if "event" in entry else bytes.fromhex(entry["event_hash"])
        counts = b"".join(one.to_bytes(8, "big") for one in (number, first, entry["records"]))
        header = sha(b"\x02", header, event_hash, bytes.fromhex(entry["root"]), counts, whose)
        claim({**entry, "number": number, "first": first, "header": header.hex()} == entry, f"entry {number}: changed")
        told = value_of(entry.get("event", "{}").encode(), f"event of entry {number}")
        if whole := (file := pack / "records" / f"{number}.jsonl").exists():
            leaves, counted = zip(*leaves_of(file.open("rb"), f"entry {number}"), strict=True)
            claim({**entry, "records": sum(counted), "root": root([*leaves]).hex()} == entry, f"{file.name}: changed")
            gone.update(*(json.loads(one)[1:3] for one in file.open("rb") if told.get("kind") == "records_pruned"))
        first, whole = first + entry["records"], whole or not told or not entry["records"]
        yield {**entry, "installation": start["installation"], "header": header.hex(), "told": told, "whole": whole}


def check(pack: Path, key: str, heads: list[str]) -> str:
    manifest = value_of((pack / "manifest.json").read_bytes()[:-1], "manifest.json")
    held = {one.relative_to(pack).as_posix(): sha(one.read_bytes()).hex() for one in pack.rglob("*") if one.is_file()}
    for name in sorted((manifest.keys() | held.keys()) - {"manifest.json"}):
        fits = not name.startswith("files/") or held.get(name) == name[6:70]
        claim(held.get(name) == manifest.get(name) and fits, f"{name}: changed, missing or added")
    gone: set[Any] = set()
    entries = {one["number"]: one for one in entries_of(pack, gone)}
    known = gone | {name[6:70] for name in held if name.startswith("files/")}
    for number, entry in entries.items():
        claim(entry["whole"] or number in gone, f"records/{number}.jsonl: taken away, and not given up by retention")
        for what, digest in entry["told"].get("artefacts", {}).items():
            claim(digest in known, f"entry {number}: its {what}, file {digest}, is not here")
    claim(gone >= {*value_of((pack / "absent.json").read_bytes()[:-1], "absent.json")}, "absent.json: no entry says so")
    for file in sorted((pack / "proofs").glob("*.json")):
        proof = value_of(file.read_bytes()[:-1], file.name)
        entry, leaf = entries[proof["entry"]], proof["leaf"]
        here, count = next(leaves_of(proof["lines"].encode().splitlines(True), file.name))
        proved = root_by_path(here, leaf, (entry["records"] - 1) // 64, proof["path"]) == entry["root"]
        claim(proved and count == min(64, entry["records"] - 64 * leaf), f"{file.name}: proves nothing")
    signed = [value_of(line[:-1], "checkpoints.jsonl") for line in (pack / "checkpoints.jsonl").open("rb")]
    claim(any(one["number"] == max(entries) for one in signed), "the last entry is not signed", 12 if key else 10)
    for one in signed:
        where, entry = f"checkpoint of entry {one['number']}", entries[one["number"]]
        said = b"mlc trail checkpoint\n" + write({name: one[name] for name in one.keys() - {"signature"}}).encode()
        claim(is_signed(bytes.fromhex(one["key"]), said, bytes.fromhex(one["signature"])), f"{where}: wrong signature")
        fits = all(entry[name] == one[name] for name in ("header", "installation"))
        claim(fits and entry["first"] + entry["records"] == one["records"], f"{where}: another entry stands there")
        claim(key in ("", one["key"]), f"{where}: signed with {one['key']}", 12)
    for head in heads:
        claim(any(one["header"].startswith(head) for one in entries.values()), f"head {head}: no entry has it", 11)
    return f"{sum(bool(one['told']) for one in entries.values())} of {len(entries)} entries are told"


if __name__ == "__main__":
    try:
        told = check(Path(sys.argv[1]), "".join(sys.argv[2:3]), sys.argv[3:])
    except (ValueError, LookupError, TypeError, AttributeError, OSError, ArithmeticError, RecursionError) as error:
        found.append((10, f"the pack cannot be read to its end: {type(error).__name__} {error}"))
    print("\n".join([*(said for _, said in found), "NOT CLEAN" if found else f"clean: {told}"]))  # noqa: T201 - a program of its own
    sys.exit(min((code for code, _ in found), default=0))
