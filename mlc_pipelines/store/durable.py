"""Small files for their owner alone, seen by others whole or not at all, and still there after a power cut."""

import os
from pathlib import Path


def replace_durably(path: Path, text: str) -> None:
    """The file with this content, in place of what was there. One writer at a time: the caller holds a lock.

    What a killed process leaves under the draft's name is readable by its owner alone, and goes with the next writing.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
