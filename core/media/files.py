"""Files that appear whole or not at all, and refusals that say which file and what to do.

Standard library only: the daemon asks these questions before a job starts.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from artifexpro.core.errors import ArtifexError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ALMOST_NOTHING = 1 << 20
_BLOCK = 4096


def check_readable(path: Path) -> None:
    """Refuse a file that is not there, is a folder, or may not be read. Raises `ArtifexError`."""
    attempted = f"read {path}"
    if not path.is_absolute():
        raise ArtifexError(attempted, "the path does not say from which folder it starts", "the whole path of the file")
    if path.is_dir():
        raise ArtifexError(attempted, "it is a folder", "a file inside it")
    if not path.exists():
        raise ArtifexError(attempted, "there is no such file", "choosing the file again", code="missing")
    if not os.access(path, os.R_OK):
        raise ArtifexError(attempted, "this user may not read it", "giving this user the right to read it")


def identity(path: Path) -> str:
    """Path, size and time of change: differs whenever the file was written again. Raises `ArtifexError`."""
    check_readable(path)
    stamp = Stamp.of(path)
    return f"{path}\0{stamp.size}\0{stamp.changed}"


class Stamp(NamedTuple):
    """A file's size in bytes and time of change in nanoseconds: others once it was written again."""

    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Raises `OSError` where there is no such file."""
        status = path.stat()
        return cls(status.st_size, status.st_mtime_ns)

    def check(self, path: Path) -> None:
        """Refuse to go on with a file that is not what it was. Raises `ArtifexError` (code "changed")."""
        try:
            now = Stamp.of(path)
        except OSError:
            because = "the file was taken away while it was being read"
            raise ArtifexError(f"read {path}", because, "putting it back and rendering again", code="changed") from None
        if now != self:
            because = "the file changed while it was being read"
            raise ArtifexError(f"read {path}", because, "rendering again", code="changed")


def sha256(path: Path) -> str:
    """Hash of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; afterwards it becomes `path` in one step, flushed to disk.

    If the block raises, nothing is left and an older file at `path` stays as it was. What a killed process left is
    overwritten by whoever writes `path` next. What the system refuses (full disk, no right to write) is raised as
    `ArtifexError`.
    """
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            _check_room(part)
            _flush(part)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        _flush(path.parent)
    except OSError as error:
        raise write_error(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Write a whole text file, UTF-8. Raises `ArtifexError`."""
    with appearing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def write_error(path: Path, cause: OSError | str) -> ArtifexError:
    """Why `path` could not be written. `cause` is what the system or a library without error numbers said."""
    attempted = f"write {path}"
    if _is_full(path, cause):
        return ArtifexError(attempted, "the disk is full", "freeing space there, or another folder", code="disk")
    if isinstance(cause, PermissionError):
        return ArtifexError(attempted, "this user may not write there", "another folder", code="unwritable")
    if isinstance(cause, (NotADirectoryError, FileExistsError)):
        return ArtifexError(attempted, "part of its path is a file, not a folder", "another folder", code="unwritable")
    said = cause.strerror or str(cause) if isinstance(cause, OSError) else " ".join(cause.split())
    return ArtifexError(attempted, f"the system said: {said.rstrip('.')}", "another folder or disk", code="unwritable")


def _is_full(path: Path, cause: OSError | str) -> bool:
    if isinstance(cause, OSError):
        return cause.errno in _FULL
    return path.parent.is_dir() and shutil.disk_usage(path.parent).free < _ALMOST_NOTHING


def _check_room(part: Path) -> None:
    """Ask the disk for one block more. Image libraries lose the last bytes they buffered to a full disk and do not say
    so; the disk does."""
    with part.open("ab") as file:
        size = file.tell()
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), size, _BLOCK)
        else:
            file.write(bytes(_BLOCK))
            file.flush()
        file.truncate(size)


def _flush(path: Path) -> None:
    if path.is_dir() and os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
