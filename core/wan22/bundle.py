"""Models in a folder of their own, to carry to a machine without a network.

A bundle has a folder a model or converted copy, as under `models`, each with its manifest: that is what every file is
checked against, on the way out and on the way in. What has arrived whole is not copied again.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import loading
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.shelf import shelved
from artifexpro.core.wan22.weights import MANIFEST, PARTIAL, SUFFIXES, FileRecord, Manifest, publish, sha256_of


def write(models: Path, target: Path, names: Sequence[str], hooks: Hooks) -> tuple[Path, ...]:
    """Copy the models called `names` (none is every one) with their converted copies to the folder `target`.

    Returns the folders made. Tells `hooks.progress("bundle", bytes, total)`.
    Raises `ArtifexError` (codes "model", "checksum", "disk").
    """
    chosen = [each for each in shelved(models) if not names or each.model in names]
    absent = sorted(set(names) - {each.model for each in chosen})
    if absent or not chosen:
        what = ", ".join(absent) if absent else "no model"
        raise ArtifexError(
            f"make a bundle in {target}",
            f"{what} is here" if not absent else f"{what} is not here",
            "`artifexpro models get` first",
            code="model",
        )
    jobs = [(each.folder, _manifest(each.folder)) for each in chosen]
    made = []
    done, total = 0, sum(manifest.size for _, manifest in jobs)
    _check_space(target, [(target / folder.name, manifest) for folder, manifest in jobs])
    for folder, manifest in jobs:
        place = target / folder.name
        done = _copy(folder, place, manifest, hooks, "bundle", done, total)
        shutil.copyfile(folder / MANIFEST, place / MANIFEST)
        made.append(place)
    return tuple(made)


def read(models: Path, model: ModelSpec, bundle: Path, hooks: Hooks) -> Path:
    """Take `model` with its converted copies from the folder `bundle`; returns its folder under `models`.

    Tells `hooks.progress("copy", bytes, total)`. Raises `ArtifexError` (codes "model", "checksum", "disk").
    """
    found = [folder for suffix in ("", *SUFFIXES.values()) if (folder := bundle / (model.name + suffix)).is_dir()]
    if not found:
        raise ArtifexError(
            f"get {model.name} from {bundle}",
            "that folder has no such model" if bundle.is_dir() else "there is no such folder",
            "a folder that `artifexpro models bundle` made",
            code="model",
        )
    jobs = [(folder, _manifest(folder)) for folder in found]
    done, total = 0, sum(manifest.size for _, manifest in jobs)
    places = [models / PARTIAL / f"{folder.name}@bundle" for folder in found]
    _check_space(models, [(place, manifest) for place, (_, manifest) in zip(places, jobs, strict=True)])
    for place, (folder, manifest) in zip(places, jobs, strict=True):
        done = _copy(folder, place, manifest, hooks, "copy", done, total)
        loading.inspect(place, model)
        manifest.write(place)
        publish(place, models / folder.name)
    return models / found[0].name


def _manifest(folder: Path) -> Manifest:
    manifest = Manifest.read(folder)
    if manifest is None:
        raise ArtifexError(
            f"bundle {folder.name}",
            "the weights were put there by hand and nothing says what they should be",
            f"`artifexpro models get`, which records every file's checksum, and without {folder.name}",
            code="model",
        )
    return manifest


def _copy(source: Path, target: Path, manifest: Manifest, hooks: Hooks, stage: str, done: int, total: int) -> int:
    """All files of the manifest, those that are there whole left alone; returns bytes done so far."""
    for name, record in manifest.files.items():
        hooks.check()
        place = target / name
        if not _whole(place, record, hooks):
            place.parent.mkdir(parents=True, exist_ok=True)
            partial = place.with_name(place.name + ".partial")
            _copy_file(source / name, partial, hooks)
            if not _whole(partial, record, hooks):
                partial.unlink()
                raise ArtifexError(
                    f"copy {source / name}",
                    "it is not what its manifest says: the checksum differs",
                    "`artifexpro models verify` where it came from, and the bundle made again",
                    code="checksum",
                )
            partial.replace(place)
        done += record.size
        hooks.progress(stage, done, total)
    return done


def _whole(path: Path, record: FileRecord, hooks: Hooks) -> bool:
    return path.is_file() and path.stat().st_size == record.size and sha256_of(path, hooks) == record.sha256


def _copy_file(source: Path, target: Path, hooks: Hooks) -> None:
    try:
        with source.open("rb") as read, target.open("wb") as written:
            while piece := read.read(1 << 22):
                hooks.check()
                written.write(piece)
    except OSError as error:
        raise ArtifexError(
            f"copy {source} to {target.parent}",
            f"of this: {error.strerror}",
            "again: what has arrived is kept",
            code="disk",
        ) from error


def _check_space(target: Path, jobs: Sequence[tuple[Path, Manifest]]) -> None:
    """Refuse before anything is copied where the disk has no room for what is still to come."""
    place = next(each for each in (target.absolute(), *target.absolute().parents) if each.exists())
    missing = sum(
        record.size
        for folder, manifest in jobs
        for name, record in manifest.files.items()
        if not ((folder / name).is_file() and (folder / name).stat().st_size == record.size)
    )
    free = shutil.disk_usage(place).free
    if missing > free:
        raise ArtifexError(
            f"copy models to {target}",
            f"{missing / 1e9:.1f} GB are still to come and {free / 1e9:.1f} GB are free there",
            "freeing space, or another disk",
            code="disk",
        )
