"""Results kept on disk by key: what generators and analyses made, once, for every job and every host.

A result is a folder. It appears whole under its key by one rename, so a reader never sees half of one, and whoever
was killed in the middle leaves only a folder that the next sweep removes.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from artifexpro.core.graph.values import DataPayload

_UNFINISHED = ".making-"
_HALFWAY = ".halfway-"
_DATA = "data.json"


class ResultStore:
    """Folders by key under `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, key: bytes) -> Path | None:
        """The finished result of `key`, or None. Looking for one counts as using it."""
        place = self.root / key.hex()
        try:
            os.utime(place)
        except OSError:
            return None
        return place

    def halfway(self, key: bytes) -> Path:
        """A place for what must outlive a maker of `key` that fails or is killed, such as latents not decoded yet.

        The maker makes the folder when it needs it; it goes when the result is published.
        """
        return self.root / f"{_HALFWAY}{key.hex()}"

    def ensure(self, key: bytes, make: Callable[[Path], None]) -> Path:
        """The result of `key`; `make` fills an empty folder if there is none yet.

        Two makers of one key may race: both do the work, the first to finish is kept. If `make` raises, nothing stays
        but what it put into `halfway`.
        """
        if found := self.find(key):
            return found
        self.root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=self.root))
        try:
            make(folder)
            _flush(folder)
            place = self.root / key.hex()
            try:
                folder.rename(place)
            except OSError:
                if not place.is_dir():
                    raise
            shutil.rmtree(self.halfway(key), ignore_errors=True)
            return place
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def trim(self, limit: int) -> int:
        """Remove the results not used for longest until all take at most `limit` bytes; to be called when nobody reads.
        Returns how many went."""
        found = sorted(self._results(), key=lambda result: result[0])
        total, gone = sum(size for _, size, _ in found), 0
        for _, size, folder in found:
            if total <= limit:
                break
            shutil.rmtree(folder, ignore_errors=True)
            total -= size
            gone += 1
        return gone

    def _results(self) -> Iterator[tuple[float, int, Path]]:
        """(when it was used last, bytes, folder) of each finished result."""
        for folder in self.root.iterdir() if self.root.is_dir() else ():
            if folder.is_dir() and not folder.name.startswith("."):
                size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
                yield folder.stat().st_mtime, size, folder

    def sweep(self) -> int:
        """Remove what killed makers left; to be called when no maker runs. Returns how many folders went."""
        left = list(self.root.glob(f"{_UNFINISHED}*"))
        for folder in left:
            shutil.rmtree(folder, ignore_errors=True)
        return len(left)


def save_data(folder: Path, data: DataPayload) -> None:
    """Write what an analysis found into its folder."""
    text = json.dumps({"kind": data.kind, "content": data.content}, allow_nan=False)
    (folder / _DATA).write_text(text, encoding="utf-8")


def load_data(folder: Path) -> DataPayload:
    """What `save_data` wrote."""
    return DataPayload(**json.loads((folder / _DATA).read_text(encoding="utf-8")))


def _flush(folder: Path) -> None:
    """Have the disk hold every file before the rename makes them visible: a result outlives a power cut whole."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
