"""Where the state of this installation lies; known without opening anything."""

import os
from pathlib import Path


def default_home() -> Path:
    """MLC_HOME, or `.mlc` in the folder from which the work is done."""
    return Path(os.environ.get("MLC_HOME") or ".mlc").absolute()
