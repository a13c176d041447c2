"""Merkle trees as RFC 6962 has them: roots, and proofs that a leaf stands at its place."""

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
LEAF, NODE = b"\x00", b"\x01"
HASH_BYTES = 32


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root above these leaf hashes. Pairing level by level, with the odd one carried up, gives the tree of RFC 6962."""
    if not leaves:
        return EMPTY_ROOT
    level = list(leaves)
    while len(level) > 1:
        level = _parents(level)
    return level[0]


def path_of(leaves: Sequence[bytes], place: int) -> list[bytes]:
    """The hashes beside the way from the leaf at this place up to the root, lowest first."""
    path, level = [], list(leaves)
    while len(level) > 1:
        if (beside := place ^ 1) < len(level):
            path.append(level[beside])
        level, place = _parents(level), place // 2
    return path


def _parents(level: list[bytes]) -> list[bytes]:
    pairs = [sha256(NODE + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
    return pairs + level[-1:] if len(level) % 2 else pairs


def split(leaves: bytes) -> list[bytes]:
    """Leaf hashes as they are stored, one after the other."""
    return [leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES)]
