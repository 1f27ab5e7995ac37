"""`models get` from a hub on this machine: resumed, checked, whole or not there.

Each download runs in a process of its own, because huggingface_hub reads HF_ENDPOINT when it is imported.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, download

REPOSITORY = "studio/tiny"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
LARGE = "transformer/diffusion_pytorch_model.safetensors"
PIECE = 1 << 14

CLIENT = """
import json, os, sys
from dataclasses import replace
from pathlib import Path
import huggingface_hub.constants
huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = 1 << 14
from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, download, weights
from artifexpro.core.wan22.hooks import Silent

def say(**what):
    print(json.dumps(what), flush=True)

class Told(Silent):
    last = 0
    def check(self):
        if stop and self.last > stop:
            raise Cancelled
    def progress(self, stage, done, total):
        self.last = done
        say(stage=stage, done=done, total=total)
    def note(self, sentence):
        say(note=sentence)

models, model_name, stop = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
repository, revision = sys.argv[4] or None, sys.argv[5] or None
model = replace(catalogue.model(model_name), name="tiny", random=False, repository="studio/tiny")
if model.speech is not None:
    shared = catalogue.model("s2v-14B").published
    model = replace(model, published=tuple(replace(part, repository="") for part in shared))
try:
    mirror = os.environ.get("MIRROR")
    folder = download.get(models, model, Told(), repository=repository, revision=revision, mirror=mirror)
    say(folder=str(folder), damaged=weights.verify(models, model, Silent()))
except ArtifexError as error:
    say(error=str(error), code=error.code)
except Cancelled:
    say(cancelled=True)
"""


@dataclass
class Hub:
    """What the served repository has and how the server misbehaves."""

    folder: Path
    lfs_from: int = 4096
    rename: dict[str, str] = field(default_factory=dict)
    corrupt: set[str] = field(default_factory=set)
    stall_after: dict[str, int] = field(default_factory=dict)
    break_after: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stalled: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    endpoint: str = ""

    def files(self) -> list[str]:
        return sorted(path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())

    def tree(self) -> list[dict[str, Any]]:
        entries = []
        for name in self.files():
            content = (self.folder / name).read_bytes()
            entry: dict[str, Any] = {
                "type": "file",
                "path": self.rename.get(name, name),
                "size": len(content),
                "oid": hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest(),
            }
            if len(content) >= self.lfs_from:
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
            entries.append(entry)
        return entries

    def ranges(self, name: str) -> list[str | None]:
        return [asked for requested, asked in self.requests if requested == name]


class Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if not path.removeprefix("/api/models").startswith(f"/{REPOSITORY}"):
            return self._error(404, "RepoNotFound")
        if path in (f"/api/models/{REPOSITORY}/revision/main", f"/api/models/{REPOSITORY}/revision/{COMMIT}"):
            return self._json({"id": REPOSITORY, "sha": COMMIT})
        if path.startswith(f"/api/models/{REPOSITORY}/revision/"):
            return self._error(404, "RevisionNotFound")
        if path == f"/api/models/{REPOSITORY}/tree/{COMMIT}":
            return self._json(self.hub.tree())
        found = re.fullmatch(f"/{REPOSITORY}/resolve/{COMMIT}/(.+)", path)
        if found and (self.hub.folder / found[1]).is_file():
            return self._file(found[1])
        return self._error(404, "EntryNotFound")

    def _json(self, data: Any) -> None:
        content = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _error(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _file(self, name: str) -> None:
        hub = self.hub
        content = (hub.folder / name).read_bytes()
        if name in hub.corrupt:
            content = content[:-1] + bytes([content[-1] ^ 1])
        asked = self.headers.get("Range")
        hub.requests.append((name, asked))
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        for at in range(start, len(content), PIECE):
            if name in hub.break_after and hub.sent[name] >= hub.break_after[name]:
                del hub.break_after[name]
                self.close_connection = True
                return
            if name in hub.stall_after and hub.sent[name] >= hub.stall_after[name]:
                hub.stalled.set()
                hub.release.wait(60)
                return
            piece = content[at : at + PIECE]
            self.wfile.write(piece)
            hub.sent[name] += len(piece)


@pytest.fixture
def hub(random_models: Path) -> Iterator[Hub]:
    serving = Hub(random_models / "smoke")
    handler = type("Bound", (Handler,), {"hub": serving})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    serving.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    yield serving
    serving.release.set()
    server.shutdown()
    server.server_close()


def command(models: Path, model: str = "smoke", stop: int = 0, repository: str = "", revision: str = "") -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(CLIENT), str(models), model, str(stop), repository, revision]


def environment(hub: Hub, **more: str) -> dict[str, str]:
    return {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HUB_OFFLINE": "", **more}


def get(hub: Hub, models: Path, *, env: dict[str, str] | None = None, **asked: Any) -> list[dict[str, Any]]:
    """Run a download to its end and return all it said."""
    done = subprocess.run(
        command(models, **asked),
        env=environment(hub, **(env or {})),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def published(models: Path) -> bool:
    return (models / "tiny").exists()


def expected(hub: Hub) -> set[str]:
    return {name for name in hub.files() if name != "artifexpro.json"}


def test_a_model_arrives_whole_with_progress_and_a_manifest(hub: Hub, tmp_path: Path) -> None:
    said = get(hub, tmp_path)
    assert said[-1] == {"folder": str(tmp_path / "tiny"), "damaged": []}
    progress = [line for line in said if line.get("stage") == "download"]
    done = [line["done"] for line in progress]
    assert done == sorted(done)
    assert len(set(done)) > len(expected(hub))
    assert {line["total"] for line in progress} == {done[-1]}
    manifest = json.loads((tmp_path / "tiny" / "artifexpro.json").read_text())
    assert (manifest["model"], manifest["repository"], manifest["revision"]) == ("tiny", REPOSITORY, COMMIT)
    assert set(manifest["files"]) == expected(hub)
    for name, record in manifest["files"].items():
        content = (hub.folder / name).read_bytes()
        assert (tmp_path / "tiny" / name).read_bytes() == content
        assert record == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert sum(hub.sent.values()) == done[-1]


def test_what_is_there_already_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    get(hub, tmp_path)
    hub.requests.clear()
    said = get(hub, tmp_path)
    assert hub.requests == []
    assert any("already there" in line.get("note", "") for line in said)
    assert said[-1]["damaged"] == []


def test_a_mirror_replaces_the_hub(hub: Hub, tmp_path: Path) -> None:
    said = get(hub, tmp_path, env={"HF_ENDPOINT": "http://127.0.0.1:9", "MIRROR": f"{hub.endpoint}/"})
    assert said[-1] == {"folder": str(tmp_path / "tiny"), "damaged": []}
    (refused,) = get(hub, tmp_path, env={"MIRROR": "ftp://studio"})
    assert "no address of a hub" in refused["error"]


def test_a_download_killed_in_the_middle_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    size = (hub.folder / LARGE).stat().st_size
    hub.stall_after[LARGE] = size // 2
    process = subprocess.Popen(command(tmp_path), env=environment(hub), stdout=subprocess.PIPE, text=True)
    assert hub.stalled.wait(60)
    partial = next(tmp_path.rglob("*.safetensors.partial"))
    arrived = _settled(partial)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert 0 < arrived < size
    assert not published(tmp_path)

    hub.stall_after.clear()
    hub.release.set()
    fetched = {name for name, _ in hub.requests} - {LARGE}
    hub.requests.clear()
    hub.sent.clear()
    said = get(hub, tmp_path)
    assert said[-1]["damaged"] == []
    assert hub.ranges(LARGE) == [f"bytes={arrived}-"]
    assert hub.sent[LARGE] == size - arrived
    assert not fetched & {name for name, _ in hub.requests}


def _settled(path: Path) -> int:
    """The size of a file once it has stopped growing."""
    size = -1
    for _ in range(600):
        now = path.stat().st_size
        if now == size and now > 0:
            return now
        size = now
        time.sleep(0.1)
    raise AssertionError(f"{path} never settled")


def test_a_cancelled_download_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    total = sum((hub.folder / name).stat().st_size for name in expected(hub))
    assert get(hub, tmp_path, stop=total // 2)[-1] == {"cancelled": True}
    assert not published(tmp_path)
    half = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    assert 0 < half < total
    hub.sent.clear()
    assert get(hub, tmp_path)[-1]["damaged"] == []
    assert sum(hub.sent.values()) == total - half


def test_a_connection_that_breaks_is_taken_up_again(hub: Hub, tmp_path: Path) -> None:
    size = (hub.folder / LARGE).stat().st_size
    hub.break_after[LARGE] = size // 2
    assert get(hub, tmp_path)[-1]["damaged"] == []
    first, second = hub.ranges(LARGE)
    assert first is None
    assert second is not None and int(second.removeprefix("bytes=").rstrip("-")) >= size // 2
    assert hub.sent[LARGE] == size


@pytest.mark.parametrize("name", [LARGE, "vae/config.json"])
def test_a_wrong_checksum_is_refused_and_the_rest_is_kept(name: str, hub: Hub, tmp_path: Path) -> None:
    hub.corrupt.add(name)
    said = get(hub, tmp_path)[-1]
    assert said["code"] == "checksum"
    assert name in said["error"]
    assert not published(tmp_path)
    assert not list(tmp_path.rglob("*.*.partial"))
    hub.corrupt.clear()
    kept = {requested for requested, _ in hub.requests} - {name}
    hub.requests.clear()
    assert get(hub, tmp_path)[-1]["damaged"] == []
    assert hub.ranges(name) == [None]
    assert not kept & {requested for requested, _ in hub.requests}


def test_a_file_that_is_gone_is_the_only_one_fetched_again(hub: Hub, tmp_path: Path) -> None:
    get(hub, tmp_path)
    (tmp_path / "tiny" / LARGE).unlink()
    damaged = tmp_path / "tiny" / "vae" / "config.json"
    damaged.write_bytes(damaged.read_bytes().replace(b"{", b"[", 1))
    hub.requests.clear()
    assert get(hub, tmp_path)[-1]["damaged"] == []
    assert sorted(name for name, _ in hub.requests) == [LARGE, "vae/config.json"]


def test_another_revision_replaces_the_model_and_leftovers_of_others_go(hub: Hub, tmp_path: Path) -> None:
    stale = tmp_path / ".partial" / "tiny@ffffffffffff"
    stale.mkdir(parents=True)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "old").write_text("old")
    assert get(hub, tmp_path, revision=COMMIT)[-1]["damaged"] == []
    assert not (tmp_path / "tiny" / "old").exists()
    assert not stale.exists()
    assert [path.name for path in (tmp_path / ".partial").iterdir() if path.is_dir()] == []


def test_weights_of_another_model_are_refused_before_the_weights_are_fetched(hub: Hub, tmp_path: Path) -> None:
    said = get(hub, tmp_path, model="ti2v-5B")[-1]
    assert said["code"] == "model"
    assert "another model" in said["error"]
    assert not any(name.endswith(".safetensors") for name, _ in hub.requests)
    assert not published(tmp_path)


def test_a_repository_without_a_part_of_the_model_is_refused(hub: Hub, tmp_path: Path) -> None:
    said = get(hub, tmp_path, model="smoke-moe")[-1]
    assert said["code"] == "model"
    assert "transformer_2" in said["error"]
    assert hub.requests == []


def test_a_file_that_wants_to_leave_its_folder_is_refused(hub: Hub, tmp_path: Path) -> None:
    hub.rename["vae/config.json"] = "vae/../../../outside.json"
    said = get(hub, tmp_path / "models")[-1]
    assert said["code"] == "model"
    assert "outside its own folder" in said["error"]
    assert not (tmp_path / "outside.json").exists()


@pytest.mark.parametrize(
    ("asked", "env", "because"),
    [
        ({"repository": "studio/other"}, {}, "has no repository studio/other"),
        ({"repository": "not a name"}, {}, "is no name of a repository"),
        ({"revision": "v9"}, {}, "has no such revision"),
        ({}, {"HF_HUB_OFFLINE": "1"}, "set to offline"),
        ({}, {"HF_ENDPOINT": "http://127.0.0.1:9"}, "did not answer"),
    ],
)
def test_a_hub_that_cannot_help_is_an_error_in_words(
    asked: dict[str, str], env: dict[str, str], because: str, hub: Hub, tmp_path: Path
) -> None:
    said = get(hub, tmp_path, env=env, **asked)[-1]
    assert said["code"] == "network"
    assert because in said["error"]
    assert not published(tmp_path)


def test_two_downloads_of_one_model_do_not_mix(hub: Hub, tmp_path: Path) -> None:
    hub.stall_after[LARGE] = PIECE
    process = subprocess.Popen(command(tmp_path), env=environment(hub), stdout=subprocess.PIPE, text=True)
    assert hub.stalled.wait(60)
    said = get(hub, tmp_path)[-1]
    assert said["code"] == "model"
    assert "being downloaded already" in said["error"]
    process.kill()
    process.communicate(timeout=60)


def test_a_full_disk_is_known_before_the_download(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hooks: Any
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    files = (download.RemoteFile("vae/x.safetensors", 10**9, "", None),)
    with pytest.raises(ArtifexError, match=re.escape("1.0 GB are still to come")) as refused:
        download._check_space(tmp_path, catalogue.model("ti2v-5B"), tmp_path / "nowhere", files)
    assert refused.value.code == "disk"


def test_random_models_are_built_not_fetched(tmp_path: Path, hooks: Any) -> None:
    assert download.get(tmp_path, catalogue.model("smoke"), hooks) == tmp_path / "smoke"
    assert (tmp_path / "smoke" / "artifexpro.json").is_file()


def test_a_model_of_a_later_release_is_not_fetched(tmp_path: Path, hooks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(catalogue.model("s2v-14B"), later="it arrives in a later release")
    monkeypatch.setattr(catalogue, "CATALOGUE", {**catalogue.CATALOGUE, later.name: later})
    with pytest.raises(ArtifexError, match="later release"):
        download.get(tmp_path, later, hooks)
    assert hooks.stages == []


def test_a_model_published_in_another_layout_arrives_in_ours(hub: Hub, tmp_path: Path, published_s2v: Path) -> None:
    hub.folder = published_s2v
    said = get(hub, tmp_path, model="smoke-s2v")
    assert said[-1]["damaged"] == []
    assert {line["stage"] for line in said if "stage" in line} == {"download", "convert"}
    transformer = sorted(path.name for path in (tmp_path / "tiny" / "transformer").iterdir())
    assert transformer == [
        "config.json",
        "diffusion_pytorch_model-00001-of-00002.safetensors",
        "diffusion_pytorch_model-00002-of-00002.safetensors",
        "diffusion_pytorch_model.safetensors.index.json",
    ]
    assert download._is_there(tmp_path / "tiny", REPOSITORY, COMMIT)
    (tmp_path / "tiny" / "transformer" / "config.json").unlink()
    assert not download._is_there(tmp_path / "tiny", REPOSITORY, COMMIT)
