"""Memory for pictures is taken and given back all the time; the system should not clear it anew each time.

glibc gives what a thread frees back to the system and gets zeroed pages for the next picture, which costs more than
many a node does with it: a quarter of a graph of grades at full HD. A process that computes pictures keeps some.

Kept memory must fit the next picture. torch and OpenCV ask for it aligned, and glibc before 2.38 cuts such a block from
a larger one; the slivers beside it go to lists for small blocks, where nothing joins them with the block when that is
freed, so that it never fits again and the process grows by two pictures a frame. Without those lists it stays as it is.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping

_LARGEST_FAST, _TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = 1, -1, -3, -8
_TUNABLES, _NO_THREAD_LISTS = "GLIBC_TUNABLES", "glibc.malloc.tcache_count=0"
KEPT_BYTES = 512 * 1024**2
"""What may lie free at the end of the heap."""
LARGEST_KEPT = 32 * 1024**2
"""Blocks up to this are taken from the heap; glibc allows no more. A full HD picture in floating point is 31.6 MiB."""


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """`given` for a process that computes pictures: with what glibc reads only when a process starts."""
    set_before = [each for each in given.get(_TUNABLES, "").split(":") if each]
    return {**given, _TUNABLES: ":".join(dict.fromkeys((*set_before, _NO_THREAD_LISTS)))}


def start_again() -> None:
    """Begin this program anew, in this process, with that environment; return where it has it already."""
    if sys.platform == "linux" and _NO_THREAD_LISTS not in os.environ.get(_TUNABLES, ""):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment(os.environ))


def keep_freed() -> None:
    """Let this process use freed memory again for its pictures. To be called before it starts threads.

    Does nothing where the C library is not glibc: others have no such setting.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallopt") or not hasattr(libc, "gnu_get_libc_version"):
        return
    libc.mallopt(_LARGEST_FAST, 0)
    libc.mallopt(_ARENA_MAX, 1)
    libc.mallopt(_MMAP_THRESHOLD, LARGEST_KEPT)
    libc.mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
