"""A process that holds secrets leaves no image of its memory behind (K10)."""

import ctypes
import os
import resource
import sys
from functools import cache

_PR_SET_DUMPABLE = 4  # linux/prctl.h
_ALLOWED = "MLC_DUMPABLE"


@cache
def keep_memory_private() -> None:
    """From now on no core file of this process, and no debugger of another one of the same user.

    A core that is piped into a program is written whatever RLIMIT_CORE says, hence both [I, core(5)]. MLC_DUMPABLE=1 leaves it as it was,
    for whoever must attach strace or a debugger. Programs that this one starts inherit the limit.
    """
    if os.environ.get(_ALLOWED) == "1":
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
