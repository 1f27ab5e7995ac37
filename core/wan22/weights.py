"""Weights on disk: where a model lies, what it is made of, whether it is whole.

A model is a folder in the layout of the Wan-AI/Wan2.2-*-Diffusers repositories with one file more, the manifest
`artifexpro.json`: {"model", "repository", "revision", "files": {name: {"size", "sha256"}}}. A folder appears whole or
not at all: everything is made in `.partial` beside it and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.hooks import Hooks

MANIFEST = "artifexpro.json"
PARTIAL = ".partial"
SUFFIXES: Mapping[str, str] = {"bfloat16": "-bf16", "float16": "-fp16", "int8": "-int8", "fp8": "-fp8"}
EIGHT_BIT = ("int8", "fp8")
"""Copies that serve clips whose networks are stored so, and no others."""
_CHUNK = 1 << 22


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a model: bytes and hash."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model folder is made of."""

    model: str
    repository: str
    revision: str
    files: Mapping[str, FileRecord]

    @property
    def size(self) -> int:
        return sum(record.size for record in self.files.values())

    def write(self, folder: Path) -> None:
        data = {
            "model": self.model,
            "repository": self.repository,
            "revision": self.revision,
            "files": {
                name: {"size": record.size, "sha256": record.sha256} for name, record in sorted(self.files.items())
            },
        }
        (folder / MANIFEST).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Manifest | None:
        """The manifest in `folder`; None where there is none (weights copied there by hand).

        Raises `ArtifexError` (code "model") if it cannot be understood.
        """
        path = folder / MANIFEST
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            files = {name: FileRecord(int(item["size"]), str(item["sha256"])) for name, item in data["files"].items()}
            return cls(str(data["model"]), str(data["repository"]), str(data["revision"]), files)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ArtifexError(
                f"read what {path} says about the model",
                "the file is damaged",
                f"removing {folder} and getting the model again",
                code="model",
            ) from None


def folder_of(models: Path, model: ModelSpec, dtype: str | None = None, quantise: str = "none") -> Path:
    """Where `model` lies under `models`: the copy stored as `quantise` if that is asked for and there is one, the copy
    converted to `dtype` if there is one, else as published."""
    for copy in (quantise, dtype or ""):
        converted = models / (model.name + SUFFIXES.get(copy, ""))
        if copy in SUFFIXES and (converted / "model_index.json").is_file():
            return converted
    return models / model.name


def installed(models: Path, model: ModelSpec, dtype: str | None = None) -> bool:
    """Whether the model can be used without a download: in `dtype`, or at all. Random models are built when first used,
    and the embedded one is in the package.

    A converted copy alone serves only its own number format, and one in 8 bits only clips that ask for it.
    """
    suffixes = ("", *SUFFIXES.values()) if dtype is None else ("", SUFFIXES.get(dtype, ""))
    if model.random or model.embedded:
        return True
    return any((models / (model.name + suffix) / "model_index.json").is_file() for suffix in suffixes)


def used(folder: Path) -> None:
    """Mark `folder` as used now: the time of its model_index.json is when its weights were last asked for."""
    with suppress(OSError):
        os.utime(folder / "model_index.json")


def provenance(models: Path, model: ModelSpec, dtype: str | None = None) -> dict[str, Any]:
    """{"name", "repository", "revision", "files": {name: sha256}} for recipes, from the manifest alone.

    Weights copied by hand have no manifest: `revision` is None and `files` is empty. The embedded model is what the
    package has, which is where it is copied from before it is used.
    """
    folder = folder_of(models, model, dtype)
    embedded = model.embedded and folder == models / model.name
    manifest = Manifest.read(catalogue.WEIGHTS if embedded else folder)
    if manifest is None:
        return {"name": model.name, "folder": folder.name, "repository": None, "revision": None, "files": {}}
    return {
        "name": model.name,
        "folder": folder.name,
        "repository": manifest.repository,
        "revision": manifest.revision,
        "files": {name: record.sha256 for name, record in manifest.files.items()},
    }


def verify(models: Path, model: ModelSpec, hooks: Hooks) -> tuple[str, ...]:
    """Hash every file of every copy of `model` and compare with its manifest; returns the names of damaged files.

    Raises `ArtifexError` (code "model") where the model is not there or came without a manifest.
    """
    folders = [folder for suffix in ("", *SUFFIXES.values()) if (folder := models / (model.name + suffix)).is_dir()]
    if not folders:
        raise missing(models, model)
    damaged: list[str] = []
    for folder in folders:
        manifest = Manifest.read(folder)
        if manifest is None:
            raise ArtifexError(
                f"verify {folder}",
                "the weights were put there by hand and nothing says what they should be",
                f"`artifexpro models get {model.name}`, which records every file's checksum",
                code="model",
            )
        done = 0
        for name, record in manifest.files.items():
            path = folder / name
            whole = path.is_file() and path.stat().st_size == record.size
            if not whole or sha256_of(path, hooks, done, manifest.size, stage="verify") != record.sha256:
                damaged.append(f"{folder.name}/{name}")
            done += record.size
            hooks.progress("verify", done, manifest.size)
    return tuple(damaged)


def missing(models: Path, model: ModelSpec) -> ArtifexError:
    """The refusal for a model that is not on disk."""
    return ArtifexError(
        f"use the model {model.name}",
        f"its weights are not in {models}",
        f"`artifexpro models get {model.name}`, or the model wan22-tiny, which comes with the package",
        code="model",
    )


def sha256_of(path: Path, hooks: Hooks, done: int = 0, total: int = 0, stage: str = "") -> str:
    """SHA-256 of a file, asking `hooks.check` between pieces and telling bytes read so far where `stage` is given."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            hooks.check()
            digest.update(piece)
            done += len(piece)
            if stage:
                hooks.progress(stage, done, total)
    return digest.hexdigest()


def records_of(folder: Path, hooks: Hooks) -> dict[str, FileRecord]:
    """Name (with slashes), size and hash of every file under `folder`."""
    return {
        path.relative_to(folder).as_posix(): FileRecord(path.stat().st_size, sha256_of(path, hooks))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


@contextmanager
def building(target: Path, unless: Callable[[Path], bool] | None = None) -> Iterator[Path]:
    """A fresh folder that becomes `target` when the block ends well and vanishes otherwise.

    It also vanishes where another process was faster: `unless(target)` is asked just before.
    """
    workplace = target.parent / PARTIAL / f"{target.name}.{uuid.uuid4().hex[:8]}"
    workplace.mkdir(parents=True)
    try:
        yield workplace
        if unless is None or not unless(target):
            publish(workplace, target)
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def publish(workplace: Path, target: Path) -> None:
    """Rename `workplace` to `target`, whose earlier content (if any) is removed afterwards."""
    retired = workplace.parent / f"{target.name}.{uuid.uuid4().hex[:8]}.retired"
    if target.exists():
        target.rename(retired)
    workplace.rename(target)
    shutil.rmtree(retired, ignore_errors=True)
