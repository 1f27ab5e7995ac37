"""What a job made, by content: so that making it again can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from artifexpro.core.protocol import Artefact, JobResult


def with_hashes(result: JobResult, check: Callable[[], None]) -> JobResult:
    """The result, each artefact with its SHA-256. `check` is called for each file and may raise `Cancelled`.

    A sequence's is the SHA-256 of its frames' SHA-256 digests, in order.
    """
    return result.model_copy(update={"artefacts": tuple(_hashed(one, check) for one in result.artefacts)})


def _hashed(artefact: Artefact, check: Callable[[], None]) -> Artefact:
    if artefact.sha256 is not None or artefact.role == "model":
        return artefact
    digests = []
    for file in _files(artefact):
        check()
        with file.open("rb") as opened:
            digests.append(hashlib.file_digest(opened, "sha256"))
    if not _is_sequence(artefact):
        return artefact.model_copy(update={"sha256": digests[0].hexdigest()})
    whole = hashlib.sha256(b"".join(digest.digest() for digest in digests))
    return artefact.model_copy(update={"sha256": whole.hexdigest()})


def _is_sequence(artefact: Artefact) -> bool:
    return artefact.role == "frames"


def _files(artefact: Artefact) -> Iterator[Path]:
    """The artefact's file, or one for each of its frames."""
    if artefact.frames is None or not _is_sequence(artefact):
        yield Path(artefact.path)
        return
    from artifexpro.core.media.frames import FramePattern

    pattern = FramePattern.parse(artefact.path)
    for number in range(artefact.frames.first, artefact.frames.last + 1):
        yield pattern.path(number)
