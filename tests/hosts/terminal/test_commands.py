from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
import wave
from pathlib import Path

import pytest
import torch

from artifexpro.core.media.sequence import write_frame
from artifexpro.core.media.sound import SoundReader
from artifexpro.core.media.still import Header

LONG = ("generate", "long", "--out", "long.mp4", "--size", "320x192", "--frames", "81", "--steps", "1000")
QUICK = ("--size", "64x64", "--frames", "5", "--steps", "2")


def write_face(path, side):
    colour = torch.tensor([0.8, 0.6, 0.5, 1.0]).view(1, 4, 1, 1).expand(1, 4, side, side).contiguous()
    write_frame(path, colour, "png16", Header("srgb_tx"))


def write_sound(path: Path, words: bytes) -> None:
    """One channel at 16 kHz, 16 bit."""
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(words)


def test_help_loads_nothing_heavy():
    code = "import sys, artifexpro.hosts.terminal.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"torch", "numpy", "pydantic", "zmq", "rich", "av", "OpenImageIO", "artifexpro.core", "artifexpro.daemon"}
    assert heavy.isdisjoint(loaded)


def test_help_costs_a_few_bare_interpreters():
    def seconds(*command: str) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            subprocess.run([sys.executable, *command], stdout=subprocess.DEVNULL, check=True)
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    bare = seconds("-c", "import asyncio, json, inspect")
    helped = seconds("-m", "artifexpro.hosts.terminal.main", "--help")
    print(f"--help {helped:.3f} s, a bare interpreter {bare:.3f} s")
    assert helped < 6 * bare


def test_generate_writes_where_it_was_told(artifexpro, tmp_path):
    said = artifexpro("generate", "a red kite", "--out", "clips/kite.mp4", *QUICK, "--seed", "3", "--json")
    assert said.status == 0, said.err
    assert (tmp_path / "clips" / "kite.mp4").exists()
    assert json.loads((tmp_path / "clips" / "report.json").read_text())["seed"] == 3
    assert said.document["settings"]["clip"]["steps"] == 2


def test_generate_from_a_picture(artifexpro, demo, tmp_path):
    folder, _ = demo
    first = folder / "frames" / "frame.1001.exr"
    said = artifexpro("generate", "a kite", "--out", "kite.%04d.png", "--image", str(first), *QUICK, "--json")
    assert said.status == 0, said.err
    assert len(list(tmp_path.glob("kite.*.png"))) == 5


def test_generate_from_a_clip_and_inside_a_mask(artifexpro, demo, tmp_path):
    folder, _ = demo
    clip, first = folder / "clip.mp4", folder / "frames" / "frame.1001.exr"
    styled = artifexpro(
        "generate", "ink", "--task", "style", "--video", str(clip), "--strength", "0.6", "--style", "comic",
        "--out", "ink.%04d.png", "--frames", "5", "--size", "64x64", "--steps", "5", "--json",
    )  # fmt: skip
    assert styled.status == 0, styled.err
    assert len(list(tmp_path.glob("ink.*.png"))) == 5
    settings = styled.document["settings"]["clip"]
    assert (settings["task"], settings["strength"], settings["style"]) == ("style", 0.6, "comic")
    mask = torch.zeros(1, 4, 128, 192)
    mask[:, 3] = 1
    mask[:, :3, 30:100, 50:140] = 1
    write_frame(tmp_path / "mask.png", mask, "png16", Header("srgb_tx"))
    edited = artifexpro(
        "generate", "a kite", "--video", str(clip), "--mask", "mask.png", "--image", str(first),
        "--out", "kite.%04d.png", *QUICK, "--json",
    )  # fmt: skip
    assert edited.status == 0, edited.err
    assert len(list(tmp_path.glob("kite.*.png"))) == 5
    assert edited.document["settings"]["clip"]["task"] == "edit"


def test_generate_as_it_is_told_to_be_computed(artifexpro, tmp_path):
    said = artifexpro(
        "generate", "a kite", "--out", "x.mp4", "--model", "smoke-moe", *QUICK, "--guidance", "2,3", "--shift", "7",
        "--scheduler", "euler", "--profile", "memory", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    settings = said.document["settings"]["clip"]
    assert (settings["guidance"], settings["shift"], settings["scheduler"]) == ([2, 3], 7, "euler")
    assert settings["profile"] == "Memory"


def test_generate_from_a_first_and_a_last_picture(artifexpro, demo, tmp_path):
    folder, _ = demo
    first, last = (str(folder / "frames" / f"frame.{number}.exr") for number in (1001, 1010))
    said = artifexpro("generate", "x", "--image", first, "--last-image", last, "--out", "x.mp4", *QUICK, "--json")
    assert said.status == 0, said.err
    assert said.document["settings"]["clip"]["model"] == "smoke-i2v"


def test_generate_from_a_sound_and_a_picture_and_the_movie_has_the_sound(artifexpro, tmp_path):
    words = b"".join(int(9000 * ((at // 57) % 2 * 2 - 1)).to_bytes(2, "little", signed=True) for at in range(16_000))
    write_sound(tmp_path / "voice.wav", words)
    write_face(tmp_path / "face.png", 80)
    said = artifexpro(
        "generate", "he speaks", "--audio", "voice.wav", "--image", "face.png", "--out", "film.mp4",
        "--size", "64x64", "--steps", "1", "--json",
    )  # fmt: skip
    assert said.status == 0, said.err
    settings = said.document["settings"]["clip"]
    assert (settings["task"], settings["model"]) == ("s2v", "smoke-s2v")
    with SoundReader(tmp_path / "film.mp4", 16_000) as sound:
        assert sound.info.picture_rate == 16
        assert abs(sound.info.length - 16_000) < 1_000
        assert float(sound.samples(2_000, 8_000).std()) > 0.1


def test_render_takes_frames_scale_settings_and_a_place(artifexpro, demo, tmp_path):
    folder, _ = demo
    nodes = {
        "plate": {"type": "SequenceInput", "params": {"path": str(folder / "frames" / "frame.%04d.exr")}},
        "soft": {"type": "Blur", "params": {"size": 0.0}, "inputs": {"video": ["plate"]}},
    }
    graph = {"format": "artifexpro.graph", "version": 1, "nodes": nodes}
    (tmp_path / "look.json").write_text(json.dumps(graph))
    common = ("render", "look.json", "--frames", "1003-1005", "--scale", "0.5")
    sharp = artifexpro(*common, "--out", "sharp.%04d.exr", "--json")
    assert sharp.status == 0, sharp.err
    assert sorted(path.name for path in tmp_path.glob("sharp.*.exr")) == [f"sharp.{n}.exr" for n in (1003, 1004, 1005)]
    assert sharp.document["files"][0]["width"] == 96
    soft = artifexpro(*common, "--out", "soft.%04d.exr", "--set", "soft.size=20.0")
    assert soft.status == 0, soft.err
    assert (tmp_path / "soft.1004.exr").read_bytes() != (tmp_path / "sharp.1004.exr").read_bytes()


def test_the_catalogue_has_its_public_shape(artifexpro):
    found = artifexpro("nodes", "--json").document
    assert {
        "MediaInput",
        "SequenceInput",
        "TI2VGenerator",
        "T2VGenerator",
        "ColorSpace",
        "Merge",
        "Transform2D",
        "Blur",
    } < {node["name"] for node in found}
    for node in found:
        assert {"name", "category", "version", "doc", "inputs", "outputs", "parameters", "example"} <= node.keys()
        for parameter in node["parameters"]:
            public = {"name", "type", "default", "minimum", "maximum", "unit", "animatable", "doc"}
            assert public <= parameter.keys()


def test_every_list_is_one_json_document(artifexpro, demo):
    assert artifexpro("models", "list", "--json").document[0]["name"] == "wan22-tiny"
    assert artifexpro("jobs", "list", "--json").document[0]["state"] in ("finished", "failed")
    assert artifexpro("jobs", "show", demo[1].document["job"], "--json").document["state"] == "finished"
    plan = artifexpro("models", "plan", "--vram", "24", "--json").document
    assert {"fits", "reason", "stages", "peak_vram_gb", "disk_gb", "seconds"} <= plan.keys()
    assert all(check["said"] for check in artifexpro("doctor", "--json").document)


def test_a_plan_says_how_a_clip_is_computed(artifexpro):
    asked = ("models", "plan", "--task", "t2v", "--preset", "preview", "--vram", "24", "--ram", "64")
    plan = artifexpro(*asked, "--profile", "memory", "--card", "RTX 4090", "--json").document
    assert (plan["fits"], plan["model"]) == (True, "t2v-A14B")
    stage = {"name", "resident", "offloaded", "quantised", "tiled", "vram_gb", "ram_gb", "seconds"}
    assert all(set(each) == stage for each in plan["stages"])
    denoise = plan["stages"][2]
    assert denoise["offloaded"] == denoise["quantised"] == ["transformer"] and denoise["seconds"] > 0
    told = artifexpro("models", "plan", "t2v-A14B", "--profile", "speed", "--vram", "24", "--ram", "64").out
    assert "in 8 bits" in told and "time unknown" in told and "nothing is known" in told
    none = artifexpro("models", "plan", "t2v-A14B", "--vram", "3", "--preset", "cinema", "--ram", "9")
    assert none.status == 0 and "Does not fit" in none.out and "nothing smaller fits either" in none.out


def test_models_are_kept_evicted_and_bundled_by_jobs(artifexpro, tmp_path):
    assert "Done: keep ti2v-5B." in artifexpro("models", "keep", "ti2v-5B").out
    known = {model["name"]: model for model in artifexpro("models", "list", "--json").document}
    assert known["ti2v-5B"]["kept"] and known["ti2v-5B"]["copies"] == []
    assert known["ti2v-5B"]["components"]["transformer"] == 4_999_787_712
    artifexpro("models", "keep", "ti2v-5B", "--no-longer")
    assert not artifexpro("models", "list", "--json").document[0]["kept"]
    assert "Nothing was removed." in artifexpro("models", "evict", "--budget", "0").out
    refused = artifexpro("models", "bundle", str(tmp_path / "disk"), "ti2v-5B")
    assert refused.status == 1 and "ti2v-5B" in refused.err and not (tmp_path / "disk").exists()
    refused = artifexpro("models", "get", "ti2v-5B", "--from", str(tmp_path / "nowhere"))
    assert refused.status == 1 and "there is no such folder" in refused.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("generate", "kite"),
        ("generate", "kite", "--out", "x.mp4", "--size", "large"),
        ("generate", "kite", "--out", "x.mp4", "--guidance", "much"),
        ("generate", "kite", "--out", "x.mp4", "--profile", "cheap"),
        ("generate", "kite", "--out", "x.mp4", "--image", "nowhere.png"),
        ("generate", "kite", "--out", "x.mp4", "--task", "t2w"),
        ("generate", "kite", "--out", "x.mp4", "--task", "edit", "--video", "look.json"),
        ("render", "look.json", "--frames", "9-3"),
        ("bench", "speed"),
        ("paint",),
    ],
)
def test_wrong_use_is_status_2(artifexpro, tmp_path, arguments):
    (tmp_path / "look.json").write_text("{}")
    said = artifexpro(*arguments)
    assert said.status == 2
    assert said.out == ""


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("generate", " ", "--out", "x.mp4"), "prompt is empty"),
        (("generate", "kite", "--out", "x.mp4", "--frames", "24"), "25"),
        (("generate", "kite", "--out", "x.mp4", "--size", "100x100"), "128x128"),
        (("generate", "kite", "--out", "x.gif"), ".mp4"),
        (("generate", "kite", "--out", "x.mp4", "--model", "wan9"), "wan9"),
        (("generate", "kite", "--out", "x.mp4", "--audio", "hum.wav", "--image", "face.png"), "silent"),
        (("generate", "kite", "--out", "x.mp4", "--audio", "tick.wav", "--image", "face.png"), "less than four frames"),
        (("generate", "ink", "--out", "x.mp4", "--task", "t2v", "--style", "anim"), "anime"),
        (("generate", "kite", "--out", "x.mp4", "--scheduler", "ddim"), "scheduler"),
        (("generate", "kite", "--out", "x.mp4", "--lora", "nowhere.safetensors"), "nowhere.safetensors"),
        (("generate", "kite", "--out", "x.mp4", "--shift", "1000"), "1000"),
        (("render", "nowhere.json"), "nowhere.json"),
        (("render", "torn.json"), "JSON"),
        (("nodes", "Blurr"), "Blurr"),
        (("jobs", "show", "0000"), "0000"),
        (("bench", "wan22", "--model", "nowhere"), "embedded model is not in"),
        (("bench", "transport", "--prompts", "3"), "only the figures of wan22"),
    ],
)
def test_a_failure_is_status_1_and_one_line_that_helps(artifexpro, tmp_path, arguments, word):
    (tmp_path / "torn.json").write_text('{"format": "artifexpro.')
    write_sound(tmp_path / "hum.wav", bytes(32_000))
    write_sound(tmp_path / "tick.wav", bytes(3_200))
    write_face(tmp_path / "face.png", 64)
    said = artifexpro(*arguments, "--json")
    assert said.status == 1
    assert said.out == ""
    assert word in said.reason
    assert said.reason.startswith("Attempted to")
    assert not (tmp_path / "x.mp4").exists()


@pytest.mark.parametrize(
    ("nodes", "frames", "word"),
    [
        (
            {
                "a": {"type": "Blurr"},
                "o": {"type": "FileOutput", "params": {"path": "x.mp4"}, "inputs": {"video": ["a"]}},
            },
            None,
            '"Blur"',
        ),
        (
            {"a": {"type": "Blur", "inputs": {"video": ["b"]}}, "b": {"type": "Blur", "inputs": {"video": ["a"]}}},
            None,
            "circle",
        ),
        ({"a": {"type": "MediaInput", "params": {"path": "/nowhere/plate.mov"}}}, None, "no such file"),
        ({"a": {"type": "SequenceInput"}}, "1-5", "1001"),
    ],
)
def test_a_graph_that_cannot_run_is_refused_at_its_node(artifexpro, demo, tmp_path, nodes, frames, word):
    if nodes["a"]["type"] == "SequenceInput":
        nodes["a"]["params"] = {"path": str(demo[0] / "frames" / "frame.%04d.exr")}
    if "o" not in nodes:
        nodes["o"] = {"type": "FileOutput", "params": {"path": "x.mp4"}, "inputs": {"video": ["a"]}}
    (tmp_path / "look.json").write_text(json.dumps({"format": "artifexpro.graph", "version": 1, "nodes": nodes}))
    said = artifexpro("render", "look.json", *(("--frames", frames) if frames else ()))
    assert said.status == 1
    assert word in said.reason


def test_a_daemon_that_cannot_start_is_told(tmp_path, artifexpro):
    (tmp_path / "home").write_text("a file where the folder should be")
    said = artifexpro("jobs", "list", ARTIFEXPRO_HOME=str(tmp_path / "home"))
    assert said.status == 1
    assert said.reason.startswith("Attempted to")


def test_stopping_what_does_not_run_is_told(tmp_path, artifexpro):
    said = artifexpro("daemon", "--stop", "--home", str(tmp_path / "empty"))
    assert said.status == 1
    assert "daemon" in said.reason


def test_installing_into_blender_and_out_again_leaves_nothing(artifexpro, tmp_path):
    place = tmp_path / "blender" / "5.0"
    place.mkdir(parents=True)
    tried = artifexpro("host", "install", "blender", "--into", str(place), "--dry-run")
    assert tried.status == 0, tried.err
    assert list(place.iterdir()) == []


def test_ctrl_c_cancels_the_job(shared_home: Path, artifexpro, tmp_path):
    import os
    import signal

    running = subprocess.Popen(
        [sys.executable, "-m", "artifexpro.hosts.terminal.main", *LONG],
        cwd=tmp_path,
        env={**os.environ, "ARTIFEXPRO_HOME": str(shared_home)},
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 (background jobs ignore it)
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "denoise" in line:
            break
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "cancelled from the keyboard" in err
    assert artifexpro("jobs", "list", "--json").document[0]["state"] == "cancelled"
    assert not (tmp_path / "long.mp4").exists()
