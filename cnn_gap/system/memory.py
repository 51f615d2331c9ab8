"""Memory that is kept for the next step instead of being given back to the operating system."""

import ctypes
import sys

#: Parameters of `mallopt` of the GNU C library (mallopt(3), malloc.h), and their values here: free memory at
#: the end of the heap is kept, large blocks lie in the heap, too, and the heap grows by 256 MiB.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_SETTINGS = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28))


def keep_freed_memory() -> bool:
    """Let this process keep the memory that it frees; return whether that could be set.

    Each step of a training frees blocks of many MiB and asks for the same again. The GNU C library gives such
    blocks back to the operating system, which fills the next ones with zeros. Other C libraries are left alone.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(parameter, value) for parameter, value in _SETTINGS)
