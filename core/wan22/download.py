"""Weights from a hub: resumed where they broke off, checked file by file, published whole.

Files arrive in `<models>/.partial/<name>@<commit>/` and the folder is renamed to `<models>/<name>` once every checksum
is right, so that a model is there or not there. The hub is the one that `HF_ENDPOINT` or the caller names (a mirror
inside a studio).
`huggingface_hub.hf_hub_download` does not resume across processes since its release 1.0, so the files are fetched by
its `http_get`, which takes a starting point.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import loading, smoke
from artifexpro.core.wan22.catalogue import ModelSpec, usable
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.s2v import published
from artifexpro.core.wan22.tiny import shipped
from artifexpro.core.wan22.weights import MANIFEST, PARTIAL, FileRecord, Manifest, publish, sha256_of

_SUFFIXES = frozenset({".json", ".safetensors", ".model", ".txt"})
_SPARE = 1 << 28
"""Bytes left free on the disk."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a repository. Large ones have a `sha256`, small ones the id git gives their content (SHA-1).

    `name` is where it goes in the model's folder; `path` is what it is called there in `repository` at `commit`.
    """

    name: str
    size: int
    git_id: str
    sha256: str | None
    path: str = ""
    repository: str = ""
    commit: str = ""


def get(
    models: Path,
    model: ModelSpec,
    hooks: Hooks,
    *,
    repository: str | None = None,
    revision: str | None = None,
    mirror: str | None = None,
) -> Path:
    """Download `model` to `models` and return its folder; what is there already in that revision is left alone.

    `repository` and `revision` replace the catalogue's, `mirror` (https://...) the hub.
    Tells `hooks.progress("download", bytes, total)` and asks `hooks.check` for every piece; what has arrived is kept
    for the next attempt. Random models are built, the embedded one is copied.
    Raises `ArtifexError` (codes "model", "network", "checksum", "disk").
    """
    usable_model = usable(model.name) if model.later is not None else model
    if usable_model.random:
        with hooks.stage("build"):
            return smoke.ensure(models, usable_model)
    if usable_model.embedded:
        return shipped.ensure(models, usable_model)
    source = repository or model.repository
    if source is None:
        raise _refused(model, "it has no repository in the catalogue", "a repository of your own: --repository NAME")
    target = models / model.name
    hub = _hub(model, mirror)
    with _lock(models, model), _told(model, source, hub):
        with hooks.stage("list"):
            commit, files = listing(model, source, revision or model.revision, hub)
        if _is_there(target, source, commit):
            hooks.note(
                f"{model.name} is already there in revision {commit[:12]}; `artifexpro models verify {model.name}` "
                "checks every byte of it."
            )
            return target
        workplace = models / PARTIAL / f"{model.name}@{commit[:12]}"
        _forget_others(workplace, model)
        if model.published:
            published.describe(workplace, model)
        with hooks.stage("download"):
            _keep_good(target, files, workplace, hooks)
            _check_space(models, model, workplace, files)
            records = _fetch_all(model, hub, files, workplace, hooks)
        if model.published:
            with hooks.stage("convert"):
                records |= published.arrange(workplace, model, hooks)
        loading.inspect(workplace, model)
        Manifest(model.name, source, commit, records).write(workplace)
        publish(workplace, target)
    return target


def _hub(model: ModelSpec, mirror: str | None) -> str:
    from huggingface_hub import constants

    if mirror is not None and not mirror.startswith(("https://", "http://")):
        raise _refused(model, f"{mirror!r} is no address of a hub", "one that begins with https://")
    return mirror.rstrip("/") if mirror else constants.ENDPOINT


def listing(model: ModelSpec, repository: str, revision: str, hub: str) -> tuple[str, tuple[RemoteFile, ...]]:
    """(commit, the files that `model` needs, small ones first) of a repository on the hub at that address, and of those
    whose parts the model shares. The commit is of all of them: one, or several joined by "+"."""
    others = {each.repository for each in model.published if each.repository}
    commits, found = [], []
    for place, wanted in ((repository, revision), *((other, "main") for other in sorted(others))):
        commit, files = _listed(model, hub, place, wanted, own=place == repository)
        commits.append(commit)
        found += files
    have = {PurePosixPath(file.name).parts[0] for file in found}
    absent = {"tokenizer", *(part.name for part in model.components)} - have
    if not model.published:
        absent |= {"model_index.json"} - have
    if absent:
        layout = "Wan-AI/Wan2.2-S2V-14B" if model.published else "Wan-AI/Wan2.2-*-Diffusers"
        raise _refused(
            model, f"{repository} has no {', '.join(sorted(absent))}", f"a repository in the layout of {layout}"
        )
    return "+".join(commits), tuple(sorted(found, key=lambda file: (file.size, file.name)))


def _listed(model: ModelSpec, hub: str, repository: str, revision: str, own: bool) -> tuple[str, list[RemoteFile]]:
    """(commit, files that `model` needs) of one repository, the model's `own` or one whose parts it shares."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    api = HfApi(endpoint=hub)
    commit = api.model_info(repository, revision=revision).sha or revision
    found = []
    for entry in api.list_repo_tree(repository, recursive=True, revision=commit):
        if isinstance(entry, RepoFile) and (name := _place(entry.path, model, "" if own else repository)):
            sha256 = entry.lfs.sha256 if entry.lfs else None
            found.append(RemoteFile(name, entry.size, entry.blob_id, sha256, entry.path, repository, commit))
    return commit, found


def _place(name: str, model: ModelSpec, repository: str) -> str:
    """Where a file of a repository ("" is the model's own) goes in the model's folder; empty if it is not needed."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise _refused(
            model, f"the repository has a file called {name!r}, outside its own folder", "another repository"
        )
    if path.suffix not in _SUFFIXES:
        return ""
    for part in model.published:
        if part.repository == repository and fnmatchcase(name, part.files):
            return f"{part.into}/{path.name}"
    if model.published:
        return ""
    folders = {"tokenizer", "scheduler", *(part.name for part in model.components)}
    return name if name == "model_index.json" or (len(path.parts) > 1 and path.parts[0] in folders) else ""


def _is_there(target: Path, repository: str, commit: str) -> bool:
    if not (target / MANIFEST).is_file():
        return False
    manifest = Manifest.read(target)
    return (
        manifest is not None
        and (manifest.repository, manifest.revision) == (repository, commit)
        and all(
            (target / name).is_file() and (target / name).stat().st_size == record.size
            for name, record in manifest.files.items()
        )
    )


def _keep_good(target: Path, files: tuple[RemoteFile, ...], workplace: Path, hooks: Hooks) -> None:
    """Link what an earlier copy has of these files: a damaged or older model costs only what differs.

    A disk without links fetches everything.
    """
    for file in files:
        old, new = target / file.name, workplace / file.name
        if new.exists() or not old.is_file() or old.stat().st_size != file.size:
            continue
        if _checksum(old, file, hooks) == (file.sha256 or file.git_id):
            new.parent.mkdir(parents=True, exist_ok=True)
            with suppress(OSError):
                new.hardlink_to(old)


def _fetch_all(
    model: ModelSpec, hub: str, files: tuple[RemoteFile, ...], workplace: Path, hooks: Hooks
) -> dict[str, FileRecord]:
    total = sum(file.size for file in files)
    done = 0
    records: dict[str, FileRecord] = {}
    checked = False
    for file in files:
        if file.name.endswith(".safetensors") and not checked:
            loading.check_shape(workplace, model)
            checked = True
        path = workplace / file.name
        if not (path.is_file() and path.stat().st_size == file.size):
            _fetch(hub, file, path, _Progress(hooks, done, total))
        records[file.name] = FileRecord(file.size, file.sha256 or sha256_of(path, hooks))
        done += file.size
        hooks.progress("download", done, total)
    return records


def _fetch(hub: str, file: RemoteFile, path: Path, progress: _Progress) -> None:
    """One file to `path`, from where an earlier attempt broke off; it has its name only once its checksum is right."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.touch()
    if partial.stat().st_size > file.size:
        partial.unlink()
        partial.touch()
    with partial.open("r+b") as opened:
        begun = opened.seek(0, 2)
        http_get(
            hf_hub_url(file.repository, file.path, revision=file.commit, endpoint=hub),
            _Counted(opened, progress),  # type: ignore[arg-type]
            resume_size=begun,
            headers={**build_hf_headers(), "Accept-Encoding": "identity"},
            expected_size=file.size,
            tqdm_class=_NoBar,  # type: ignore[arg-type]
        )
    if _checksum(partial, file, progress.hooks) != (file.sha256 or file.git_id):
        partial.unlink()
        raise ArtifexError(
            f"download {file.path} of {file.repository}",
            "what arrived is not what the hub says it sent: its checksum differs, and the file was removed",
            "again; if it stays so, another mirror or network",
            code="checksum",
        )
    partial.replace(path)


def _checksum(path: Path, file: RemoteFile, hooks: Hooks) -> str:
    if file.sha256 is not None:
        return sha256_of(path, hooks)
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class _Progress:
    hooks: Hooks
    before: int
    total: int

    def told(self, here: int) -> None:
        self.hooks.check()
        self.hooks.progress("download", self.before + here, self.total)


class _Counted:
    """The open file as `http_get` uses it, telling how far it is with every piece."""

    def __init__(self, file: BinaryIO, progress: _Progress) -> None:
        self._file = file
        self._progress = progress

    def write(self, data: bytes) -> int:
        written = self._file.write(data)
        self._file.flush()
        self._progress.told(self._file.tell())
        return written

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


class _NoBar:
    """Stands where huggingface_hub wants a progress bar."""

    def __init__(self, **_: Any) -> None:
        pass

    def __enter__(self) -> _NoBar:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, n: float | None = 1) -> None:
        pass


def _forget_others(workplace: Path, model: ModelSpec) -> None:
    """Remove what earlier attempts left of other revisions."""
    for old in workplace.parent.glob(f"{model.name}@*"):
        if old != workplace:
            shutil.rmtree(old)


def _check_space(models: Path, model: ModelSpec, workplace: Path, files: tuple[RemoteFile, ...]) -> None:
    here = sum(path.stat().st_size for path in workplace.rglob("*") if path.is_file()) if workplace.is_dir() else 0
    needed = sum(file.size for file in files) - here
    free = shutil.disk_usage(models).free
    if needed + _SPARE > free:
        raise ArtifexError(
            f"download {model.name} to {models}",
            f"{needed / 1e9:.1f} GB are still to come and {free / 1e9:.1f} GB are free on that disk",
            "freeing space (`artifexpro models evict` does), or a home on a larger disk (ARTIFEXPRO_HOME)",
            code="disk",
        )


@contextmanager
def _lock(models: Path, model: ModelSpec) -> Iterator[None]:
    """One download of a model at a time on this machine."""
    from filelock import FileLock, Timeout

    (models / PARTIAL).mkdir(parents=True, exist_ok=True)
    lock = FileLock(models / PARTIAL / f"{model.name}.lock", blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise _refused(model, "it is being downloaded already", "waiting for that download to end") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _told(model: ModelSpec, repository: str, hub: str) -> Iterator[None]:
    """Failures of the hub, the network and the disk in words."""
    from huggingface_hub import errors

    try:
        yield
    except (ArtifexError, Cancelled):
        raise
    except errors.OfflineModeIsEnabled as error:
        raise _network(model, "this machine is set to offline (HF_HUB_OFFLINE)", "unsetting it") from error
    except errors.GatedRepoError as error:
        raise _network(model, f"{repository} is open only to accounts it has admitted", "asking there") from error
    except errors.RepositoryNotFoundError as error:
        raise _network(model, f"{hub} has no repository {repository} for you", "the name of another one") from error
    except errors.RevisionNotFoundError as error:
        raise _network(model, f"{repository} has no such revision", "main, or a commit of that repository") from error
    except errors.HFValidationError as error:
        raise _network(model, f"{repository!r} is no name of a repository", "a name such as owner/model") from error
    except (errors.HfHubHTTPError, errors.HTTPError) as error:
        raise _network(
            model,
            f"{hub} did not answer as it should: {_line(error)}",
            "again: what has arrived is kept; --mirror or HF_ENDPOINT names another hub",
        ) from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise ArtifexError(
            f"download {model.name}",
            "the disk is full" if full else f"of this: {_line(error)}",
            "again once there is space: what has arrived is kept" if full else "again: what has arrived is kept",
            code="disk" if full else "network",
        ) from error


def _line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0].rstrip(".") or type(error).__name__


def _network(model: ModelSpec, because: str, remedy: str) -> ArtifexError:
    return ArtifexError(f"download {model.name}", because, remedy, code="network")


def _refused(model: ModelSpec, because: str, remedy: str) -> ArtifexError:
    return ArtifexError(f"download {model.name}", because, remedy, code="model")
