"""The daemon with its real worker: graphs, the smoke model, weights."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from artifexpro.benchmarks.chaos import graph_work

NINE_FRAMES = {"prompt": "a red kite over the sea", "width": 64, "height": 64, "frames": 9}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    root = tmp_path_factory.mktemp("real") / "home"
    command = [sys.executable, "-m", "artifexpro.daemon", "--home", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline().startswith(b"serving")
        yield root
        child.terminate()
        assert child.wait(20) == 0


@pytest.fixture
def wire(home, wire_at):
    return wire_at(home)


def graph(**nodes):
    return {"kind": "graph", "document": {"format": "artifexpro.graph", "version": 1, "nodes": nodes}}


def node(kind, inputs=None, **params):
    return {"type": kind, "params": params, "inputs": inputs or {}}


def generated(**params):
    return graph(
        wan=node("TI2VGenerator", **{**NINE_FRAMES, **params}),
        frames=node("FileOutput", {"video": ["wan", "out"]}, path="frames/frame.%04d.exr"),
    )


def submit(wire, work, **more):
    return wire.ask("job.submit", {"key": uuid.uuid4().hex, "work": work, **more})["job"]


def ended(wire, job):
    return wire.wait_for(job, "finished", "failed", "cancelled", timeout=240)


def test_a_generated_clip_arrives_with_hashes_and_is_reproduced_equal(wire):
    job = submit(wire, generated(steps=2))
    first = ended(wire, job)
    assert first["event"] == "finished", first["body"]
    artefact = first["body"]["result"]["artefacts"][0]
    assert artefact["frames"] == {"first": 1001, "last": 1009} and len(artefact["sha256"]) == 64
    assert Path(artefact["path"] % 1009).exists()
    again = wire.ask("job.reproduce", {"job": job})["job"]
    second = ended(wire, again)
    assert second["event"] == "finished", second["body"]
    assert second["body"]["result"]["reproduction"] == {"of": job, "equal": True, "differs": []}


def test_cancel_takes_effect_within_two_steps_and_never_decodes(wire, home):
    job = submit(wire, generated(steps=200, seed=5, width=320, height=320, frames=17))
    while not [event for event in wire.events if event["event"] == "progress" and event["body"]["stage"] == "denoise"]:
        assert wire.receive(120) is not None
    wire.ask("job.cancel", {"job": job})
    told = [event["body"]["done"] for event in wire.events if event["event"] == "progress"][-1]
    assert ended(wire, job)["event"] == "cancelled"
    progress = [event["body"] for event in wire.events if event["event"] == "progress"]
    assert {body["stage"] for body in progress} <= {"load", "text", "encode", "denoise"}
    assert progress[-1]["done"] <= told + 2
    assert not list((home / "jobs" / job).rglob("*.exr"))


SINK = node("FileOutput", {"video": ["source", "out"]}, path="out.mp4")
REFUSED = {
    "unknown node": (graph(source=node("Teleporter"), out=SINK), "Teleporter"),
    "unknown parameter": (graph(source=node("T2VGenerator", prompt="x", colour="red"), out=SINK), "colour"),
    "empty prompt": (graph(source=node("T2VGenerator", prompt="  "), out=SINK), "prompt"),
    "missing file": (graph(source=node("MediaInput", path="/no/such/plate.mov"), out=SINK), "/no/such/plate.mov"),
    "nothing written": (graph(source=node("T2VGenerator", prompt="x")), "writes"),
    "a cycle": (
        graph(
            source=node("Blur", {"video": ["other", "out"]}), other=node("Blur", {"video": ["source", "out"]}), out=SINK
        ),
        "source",
    ),
    "a document that is none": ({"kind": "graph", "document": {"nodes": 3}}, "format"),
    "an unknown model": ({"kind": "models.get", "model": "ti2v-5C"}, "ti2v-5B"),
}


@pytest.mark.parametrize(("work", "named"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_work_is_refused_before_it_is_accepted(wire, work, named):
    before = len(wire.ask("job.list")["jobs"])
    error = wire.refused("job.submit", {"key": uuid.uuid4().hex, "work": work})
    said = f"{error['attempted']}. {error['because']}. {error['remedy']}"
    assert named in said and error["code"] not in ("defect", "bad-request")
    assert len(wire.ask("job.list")["jobs"]) == before


def test_a_relative_output_folder_is_refused(wire):
    error = wire.refused("job.submit", {"key": uuid.uuid4().hex, "work": generated(), "output": "here"})
    assert error["code"] == "bad-request" and "here" in error["attempted"]


def test_a_missing_input_is_refused(wire):
    error = wire.refused(
        "job.submit", {"key": uuid.uuid4().hex, "work": generated(), "inputs": [{"path": "/no/such/plate.exr"}]}
    )
    assert error["code"] == "file" and "/no/such/plate.exr" in error["attempted"]


def test_frames_outside_the_clip_fail_with_the_range_named(wire, tmp_path):
    work = {**graph_work(tmp_path), "frames": {"first": 1, "last": 9}}
    end = ended(wire, submit(wire, work))
    assert end["event"] == "failed"
    assert "1 to 2" in end["body"]["error"]["because"] and end["body"]["error"]["node"] == "written"


def test_handles_widen_what_is_written(wire, tmp_path):
    work = {**graph_work(tmp_path), "frames": {"first": 1, "last": 1}}
    end = ended(wire, submit(wire, work, target={"host": "test", "handles": 1}))
    assert end["event"] == "failed" and "0 to 2" in end["body"]["error"]["attempted"]


def test_an_estimate_refuses_what_submitting_would_refuse(wire, tmp_path):
    wrong = {"key": uuid.uuid4().hex, "work": generated(steps=1, model="unheard-of")}
    refused = wire.refused("job.estimate", wrong)
    assert refused == wire.refused("job.submit", wrong) and "unheard-of" in refused["attempted"] + refused["because"]


def test_disk_is_estimated_by_arithmetic_where_it_can_be(wire, tmp_path):
    accepted = wire.ask("job.submit", {"key": uuid.uuid4().hex, "work": generated(steps=1), "priority": -100})
    assert accepted["estimate"]["disk_bytes"] == 64 * 64 * 9 * 8
    wire.ask("job.cancel", {"job": accepted["job"]})
    unknown = wire.ask("job.submit", {"key": uuid.uuid4().hex, "work": graph_work(tmp_path)})
    assert unknown["estimate"]["disk_bytes"] is None


def test_weights_are_got_and_verified_in_their_own_lane(wire, home):
    got = ended(wire, submit(wire, {"kind": "models.get", "model": "smoke"}))
    assert got["event"] == "finished", got["body"]
    assert Path(got["body"]["result"]["artefacts"][0]["path"]).parent == home / "models"
    verified = ended(wire, submit(wire, {"kind": "models.verify", "model": "smoke"}))
    assert verified["event"] == "finished", verified["body"]
    lanes = {lane["name"]: lane["state"] for lane in wire.ask("daemon.status")["lanes"]}
    assert lanes["io"] == "idle"
    refused = ended(wire, submit(wire, {"kind": "models.convert", "model": "smoke"}))
    assert refused["event"] == "failed" and "random weights" in refused["body"]["error"]["because"]


def test_the_result_of_a_full_disk_is_a_sentence_and_nothing_half_written(wire, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this user may not mount a small disk")
    try:
        frames = tmp_path / "frames"
        frames.mkdir()
        end = ended(wire, submit(wire, graph_work(frames), output=str(place)))
        assert end["event"] == "failed", end["body"]
        error = end["body"]["error"]
        assert error["code"] != "defect" and error["remedy"], error
        assert not [file for file in place.rglob("*") if file.is_file() and file.stat().st_size == 0]
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
    assert ended(wire, submit(wire, graph_work(frames)))["event"] == "finished"


def test_the_catalogue_names_nodes_and_models(wire):
    nodes = {entry["name"] for entry in wire.ask("catalogue.nodes")["nodes"]}
    assert {"MediaInput", "SequenceInput", "TI2VGenerator", "T2VGenerator", "FileOutput", "TimelineOutput"} <= nodes
    models = {entry["name"]: entry for entry in wire.ask("models.list")["models"]}
    assert models["smoke"]["installed"] and models["smoke"]["noise"]
    assert not models["ti2v-5B"]["installed"] and models["ti2v-5B"]["usable"]
    assert not models["s2v-14B"]["installed"] and models["s2v-14B"]["usable"]


def test_a_plan_says_whether_a_clip_fits(wire):
    large = {"model": "ti2v-5B", "vram_gb": 4, "width": 1280, "height": 704, "frames": 121}
    plan = wire.ask("models.plan", large)
    assert plan["fits"] is False and plan["reason"] and plan["stages"] and plan["peak_vram_gb"] > 4
    assert wire.ask("models.plan", {"model": "ti2v-5B", "vram_gb": 1000})["fits"] is True


def test_the_doctor_speaks_plainly(wire, home):
    checks = {check["name"]: check for check in wire.ask("daemon.doctor")["checks"]}
    assert {"python", "libzmq", "disk", "keys", "endpoint", "worker", "card", "models"} == set(checks)
    assert all(check["ok"] for check in checks.values()), checks
    secret = home / "keys" / "client.key_secret"
    secret.chmod(0o640)
    try:
        keys = {check["name"]: check for check in wire.ask("daemon.doctor")["checks"]}["keys"]
    finally:
        secret.chmod(0o600)
    assert not keys["ok"] and keys["remedy"] == f"chmod 600 {secret}"
