"""Memory for pictures is taken and given back all the time; the system should not clear it anew each time.

glibc gives what a thread frees back to the system and gets zeroed pages for the next picture, which costs more than
many a node does with it: a quarter of a graph of grades at full HD. A process that computes pictures keeps some.
"""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
KEPT_BYTES = 512 * 1024**2
"""What may lie free at the end of the heap."""
LARGEST_KEPT = 32 * 1024**2
"""Blocks up to this are taken from the heap; glibc allows no more. A full HD picture in floating point is 31.6 MiB."""


def keep_freed() -> None:
    """Let this process use freed memory again for its pictures. To be called before it starts threads.

    Does nothing where the C library is not glibc: others have no such setting.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt") or not hasattr(libc, "gnu_get_libc_version"):
        return
    libc.mallopt(_ARENA_MAX, 1)
    libc.mallopt(_MMAP_THRESHOLD, LARGEST_KEPT)
    libc.mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
