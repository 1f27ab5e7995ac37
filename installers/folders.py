"""What all installers do with folders: compare, replace whole, and say what is wrong in a sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import artifexpro.hosts
from artifexpro.core.errors import ArtifexError


class Finding(TypedDict):
    """One thing `doctor` looked at: `said` what it found, `remedy` what to do where `ok` is false."""

    name: str
    ok: bool
    said: str
    remedy: str


def hosts() -> Path:
    """The folder of the adapters."""
    return Path(artifexpro.hosts.__path__[0])


def catalogue_text() -> bytes:
    """The catalogue of nodes as `artifexpro nodes --json` has it, for hosts to begin with."""
    from artifexpro.core.nodes import library
    from artifexpro.core.nodes.catalogue import catalogue

    return json.dumps(catalogue(library())).encode("ascii")


def sources(*parts: str) -> Iterator[tuple[str, bytes]]:
    """The Python files of these adapters, by path below `hosts`, in a fixed order."""
    for part in parts:
        for source in sorted((hosts() / part).rglob("*.py")):
            yield source.relative_to(hosts()).as_posix(), source.read_bytes()


def lacking(place: Path, files: Iterable[tuple[str, bytes]]) -> list[str]:
    """Which of `files` are not in `place` as they should be, whatever else is there."""
    return [name for name, data in files if not ((place / name).is_file() and (place / name).read_bytes() == data)]


def matches(place: Path, files: Mapping[str, bytes]) -> bool:
    """Whether `place` holds exactly `files`, bytecode that Python left there aside."""
    there = {
        path.relative_to(place).as_posix()
        for path in place.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return there == set(files) and all((place / name).read_bytes() == data for name, data in files.items())


@contextmanager
def writing(place: Path, program: str) -> Iterator[None]:
    """Turn what the system refuses into a sentence."""
    try:
        yield
    except OSError as problem:
        raise ArtifexError(
            f"change {place}",
            f"the system said: {problem.strerror}",
            f"closing {program}, and looking at who may write to that folder",
        ) from problem


def replace(place: Path, files: Mapping[str, bytes]) -> None:
    """Write `files` beside `place` under a name hosts skip, then swap: an interrupted install leaves the old one."""
    fresh = place.with_name(f".{place.name}-new")
    old = place.with_name(f".{place.name}-old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    for name, data in files.items():
        path = fresh / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)
