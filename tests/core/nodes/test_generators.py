"""Generators: a clip is made once, kept, read like footage; what cannot be made is refused before work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.node import Preflight
from artifexpro.core.graph.values import FrameRequest, ImageBuffer, StreamInfo, VideoStream
from artifexpro.core.media import color, still
from artifexpro.core.nodes.generators import T2VGenerator, TI2VGenerator
from artifexpro.core.wan22 import decode, loop
from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT

SMALL = {"prompt": "a paper boat", "width": 64, "height": 32, "frames": 5, "steps": 2, "seed": 7}


def halfway(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.halfway")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> QuietContext:
    """One place for models and results, so that the smoke model is built once."""
    home = tmp_path_factory.mktemp("worker")
    return QuietContext(home / "out", home / "store", home / "models")


@pytest.fixture(scope="module")
def made(worker: QuietContext) -> Path:
    folder = worker.output / "clip"
    folder.mkdir(parents=True)
    TI2VGenerator(**SMALL).generate(worker, folder, halfway(folder))
    return folder


def test_the_folder_holds_frames_latents_and_what_must_be_known(made: Path, worker: QuietContext) -> None:
    assert sorted(entry.name for entry in made.iterdir()) == ["clip.json", "frames", "latents.safetensors"]
    names = [f"frame.{index:04d}.exr" for index in range(5)]
    assert sorted(entry.name for entry in (made / "frames").iterdir()) == names
    info = still.probe(made / "frames" / names[0])
    assert (info.width, info.height, info.space, info.rate) == (64, 32, "srgb_rec709_scene", Fraction(24))
    clip = json.loads((made / "clip.json").read_text())
    assert clip["notes"] == worker.notes
    assert clip["spec"]["prompt"] == "a paper boat"


def test_the_clip_is_as_described(made: Path) -> None:
    node = TI2VGenerator(**SMALL, first_frame=86400)
    info = node.describe({})
    assert (info.first, info.last, info.rate, info.width, info.height) == (86400, 86404, Fraction(24), 64, 32)
    for scale in (1.0, 0.5):
        picture = node.read(made, FrameRequest(86404, scale))
        assert (picture.size, picture.space) == (info.size_at(scale), "ACEScg")
    stored = still.read(made / "frames" / "frame.0002.exr", space="ACEScg")
    assert stored.min() >= 0
    assert stored.max() <= 1
    assert stored[:, :3].std() > 0.01
    expected = color.transform(stored, "srgb_tx", "ACEScg")
    torch.testing.assert_close(node.read(made, FrameRequest(86402)).pixels, expected)


def test_noise_is_called_noise_also_when_it_was_made_before(made: Path, tmp_path: Path) -> None:
    later = QuietContext(tmp_path, tmp_path, tmp_path)
    TI2VGenerator(**SMALL).remember(later, made)
    assert any("noise" in sentence for sentence in later.notes)


def test_the_same_settings_give_the_same_bytes_and_another_seed_does_not(made: Path, worker: QuietContext) -> None:
    frames = {}
    for seed in (7, 8):
        folder = worker.output / f"again{seed}"
        folder.mkdir()
        TI2VGenerator(**{**SMALL, "seed": seed}).generate(worker, folder, halfway(folder))
        frames[seed] = (folder / "frames" / "frame.0004.exr").read_bytes()
    first = (made / "frames" / "frame.0004.exr").read_bytes()
    assert frames[7] == first
    assert frames[8] != first


def test_a_clip_is_generated_once_and_read_by_all(worker: QuietContext) -> None:
    from artifexpro.core.graph.compile import compile_graph
    from artifexpro.core.graph.document import Document
    from artifexpro.core.graph.evaluate import Evaluator
    from artifexpro.core.nodes import library

    sinks = {
        name: {"type": "FileOutput", "params": {"path": f"{name}.%04d.exr"}, "inputs": {"video": ["wan"]}}
        for name in "ab"
    }
    nodes = {"wan": {"type": "T2VGenerator", "params": SMALL}, **sinks}
    document = Document.parse({"format": "artifexpro.graph", "version": 1, "nodes": nodes})
    stages, recipes = [], []
    for _ in range(2):
        worker.stages.clear()
        worker.recipe.clear()
        plan = compile_graph(document, library(), worker.models)
        evaluator = Evaluator(plan, worker)
        for sink in plan.sinks():
            evaluator.write(sink)
        stages.append({stage.name for stage in worker.stages})
        recipes.append(json.dumps(worker.recipe))
    assert {"denoise", "decode", "write"} <= stages[0]
    assert stages[1] == {"write"}
    assert recipes[0] == recipes[1] != "{}"


def test_a_connected_picture_changes_the_clip(made: Path, worker: QuietContext) -> None:
    red = torch.tensor([0.5, 0.05, 0.02, 1.0]).view(1, 4, 1, 1).expand(1, 4, 32, 64)
    info = StreamInfo(1, 1, Fraction(24), 64, 32, still=True)
    image = VideoStream(info, lambda request: ImageBuffer(red.contiguous(memory_format=torch.channels_last)))
    folder = worker.output / "from-picture"
    folder.mkdir()
    TI2VGenerator(**SMALL).generate(worker, folder, halfway(folder), image=image)
    same = [(folder / "frames" / f"frame.{at:04d}.exr").read_bytes() for at in range(5)]
    assert same != [(made / "frames" / f"frame.{at:04d}.exr").read_bytes() for at in range(5)]


def test_a_cancelled_clip_is_not_decoded(worker: QuietContext, monkeypatch: pytest.MonkeyPatch) -> None:
    def check() -> None:
        raise Cancelled

    monkeypatch.setattr(worker, "check", check)
    folder = worker.output / "cancelled"
    folder.mkdir()
    with pytest.raises(Cancelled):
        TI2VGenerator(**SMALL).generate(worker, folder, halfway(folder))
    assert list((folder / "frames").iterdir()) == []
    assert not (folder / "clip.json").exists()


def test_a_clip_that_could_not_be_decoded_is_not_denoised_again(
    graph: Callable, made: Path, worker: QuietContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    denoised: list[int] = []
    whole_decode, whole_denoise = decode.chunks, loop.denoise

    def out_of_memory(*_: object) -> None:
        raise RuntimeError("out of memory")

    def counted(*given: object, **named: object) -> torch.Tensor:
        denoised.append(1)
        return whole_denoise(*given, **named)

    monkeypatch.setattr(loop, "denoise", counted)
    monkeypatch.setattr(decode, "chunks", out_of_memory)
    place = QuietContext(worker.output, worker.output / "own store", worker.models)
    plan = graph(wan=("TI2VGenerator", SMALL, {})).plan
    with pytest.raises(NodeError, match="out of memory"):
        Evaluator(plan, place).frame(0, FrameRequest(1001))
    monkeypatch.setattr(decode, "chunks", whole_decode)
    Evaluator(plan, place).frame(0, FrameRequest(1001))
    assert denoised == [1]
    (clip,) = place.store.iterdir()
    for name in ("frames/frame.0003.exr", "latents.safetensors", "clip.json"):
        assert (clip / name).read_bytes() == (made / name).read_bytes()


@pytest.mark.parametrize("node", [TI2VGenerator, T2VGenerator])
def test_provenance_says_which_weights_and_which_numbers(node: type, made: Path, worker: QuietContext) -> None:
    said = node(**SMALL, preset="Preview").provenance(worker.models)
    assert said["model"]["name"] == "wan22-tiny"
    assert said["model"]["licence"] == "Apache-2.0"
    assert all(len(digest) == 64 for digest in said["model"]["files"].values())
    assert said["model"]["files"]
    spec = said["spec"]
    assert (spec["task"], spec["steps"], spec["preset"]) == (node.task, 2, "Preview")
    assert {"guidance", "shift", "dtype", "scheduler", "seed"} <= set(spec)
    json.dumps(said)


@pytest.mark.parametrize(
    ("model", "given", "avoided"),
    [
        ("wan22-tiny", None, ""),
        ("wan22-tiny", "a crowd", "a crowd"),
        ("smoke", None, DEFAULT_NEGATIVE_PROMPT),
        ("smoke", "", ""),
        ("ti2v-5B", None, DEFAULT_NEGATIVE_PROMPT),
    ],
)
def test_a_negative_prompt_left_as_it_is_is_what_the_model_was_made_to_avoid(
    model: str, given: str | None, avoided: str
) -> None:
    asked = {} if given is None else {"negative_prompt": given}
    assert TI2VGenerator(**{**SMALL, **asked, "model": model}).spec().negative_prompt == avoided


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prompt", "a tin boat"),
        ("negative_prompt", "a crowd"),
        ("model", "smoke-moe"),
        ("preset", "Production"),
        ("seed", 8),
        ("width", 96),
        ("height", 64),
        ("frames", 9),
        ("steps", 3),
        ("guidance", 2.0),
        ("shift", 7.0),
        ("scheduler", "euler"),
        ("profile", "Quality"),
        ("lora", "/loras/ink.safetensors"),
        ("style_preset", "anime"),
        ("avoid", "rain"),
        ("conflicts", "resolve"),
        ("extend", "rules"),
    ],
)
def test_every_parameter_is_in_the_settled_numbers(name: str, value: object) -> None:
    """`first_frame` is not: it says where the clip's frames are counted from, see `describe`."""
    assert T2VGenerator(**{**SMALL, name: value}).spec() != T2VGenerator(**SMALL).spec()


@pytest.mark.parametrize(
    ("base", "name", "value"),
    [
        ({"extend": "rules"}, "extend_seed", 1),
        ({"extend": "rules"}, "extend_language", "English"),
        ({"extend": "qwen"}, "extend_model", "Qwen3-4B-Instruct-2507"),
        ({"style_preset": "anime"}, "style_strength", 0.4),
    ],
)
def test_parameters_of_an_extension_and_a_style_are_in_the_settled_numbers(
    base: dict, name: str, value: object
) -> None:
    assert T2VGenerator(**SMALL, **base, **{name: value}).spec() != T2VGenerator(**SMALL, **base).spec()


def test_the_key_says_what_extends_the_prompt_and_a_missing_language_model_is_refused(tmp_path: Path) -> None:
    context = Preflight(frozenset(), tmp_path)
    keys = {T2VGenerator(**SMALL, **how).fingerprint(context) for how in ({}, {"extend": "rules"})}
    assert len(keys) == 2
    with pytest.raises(ArtifexError, match="there is no such folder, and none is fetched"):
        T2VGenerator(**SMALL, extend="qwen").preflight(context)


def test_the_recipe_has_original_extended_and_difference(worker: QuietContext) -> None:
    folder = worker.output / "extended"
    folder.mkdir()
    node = T2VGenerator(**{**SMALL, "frames": 1}, extend="rules", extend_seed=3)
    node.generate(worker, folder, halfway(folder))
    node.record(worker, folder)
    kept = worker.recipe["computed"][folder.name]["prompt"]
    assert (kept["original"], kept["method"], kept["release"], kept["seed"]) == ("a paper boat", "rules", "rules 1", 3)
    assert kept["extended"].startswith("a paper boat. ")
    assert kept["difference"] == [["kept", "a paper boat"], ["added", kept["extended"].removeprefix("a paper boat")]]
    assert json.loads((folder / "clip.json").read_text())["computed"]["prompt"] == kept
    assert f"Extended: {kept['extended']}" in worker.notes


def test_two_experts_are_guided_and_given_loras_each_for_itself() -> None:
    both = T2VGenerator(
        **{**SMALL, "model": "smoke-moe"}, guidance=4.0, guidance_low=3.0,
        lora="/h.safetensors", lora_low="/l.safetensors", lora_strength=0.8, lora_steps=4,
    ).spec()  # fmt: skip
    assert both.guidance == (3.0, 4.0)
    assert [(lora.path, lora.expert) for lora in both.levers.loras] == [
        ("/h.safetensors", "high"),
        ("/l.safetensors", "low"),
    ]
    assert all((lora.strength, lora.steps) == (0.8, 4) for lora in both.levers.loras)
    alone = T2VGenerator(**{**SMALL, "model": "smoke-moe"}, guidance=4.0, lora="/h.safetensors").spec()
    assert (alone.guidance, alone.levers.loras[0].expert) == ((4.0, 4.0), "both")


def test_a_lora_is_in_the_key_by_what_the_file_is(tmp_path: Path) -> None:
    context, file = Preflight(frozenset(), tmp_path), tmp_path / "ink.safetensors"
    node = T2VGenerator(**SMALL, lora=str(file))
    with pytest.raises(ArtifexError, match="no such file"):
        node.preflight(context)
    assert node.fingerprint(context) == ""
    file.write_bytes(b"one")
    first = node.fingerprint(context)
    file.write_bytes(b"other")
    assert first != node.fingerprint(context) != ""
    assert list(node.provenance(tmp_path)["loras"]) == [str(file)]


@pytest.mark.parametrize(
    ("params", "because"),
    [
        ({"prompt": "x", "guidance_low": 3.0}, "nothing is said about high noise"),
        ({"prompt": "x", "guidance": 0.5}, "guidance is from 1"),
        ({"prompt": "x", "guidance": 4.0, "guidance_low": 3.0}, "one network"),
        ({"prompt": "x", "shift": 0.01}, "shift is from 0.1"),
        ({"prompt": "x", "lora": "ink.safetensors"}, "from which folder"),
        ({"prompt": ""}, "the prompt is empty"),
        ({"prompt": " \n"}, "the prompt is empty"),
        ({"prompt": "x", "model": "smok"}, "smoke"),
        ({"prompt": "x", "model": "ti2v-5B"}, "models get ti2v-5B"),
        ({"prompt": "x", "model": "i2v-A14B"}, "image to video only"),
        ({"prompt": "x", "frames": 6}, "4k \\+ 1"),
        ({"prompt": "x", "width": 65, "height": 32}, "whole multiples of 32"),
        ({"prompt": "x", "width": 64}, "both width and height"),
    ],
)
def test_what_cannot_be_made_is_refused_before_work(graph: Callable, params: dict, because: str) -> None:
    with pytest.raises(GraphError, match=because) as refusal:
        graph(wan=("TI2VGenerator", params, {}))
    assert refusal.value.node == "wan"


def test_a_model_that_cannot_do_the_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifexError, match="text and image to video"):
        TI2VGenerator(prompt="x", model="smoke-moe").preflight(Preflight(frozenset(), tmp_path))
    T2VGenerator(prompt="x", model="smoke-moe").preflight(Preflight(frozenset(), tmp_path))


def test_describing_and_keying_load_no_pixel_library(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from artifexpro.core.graph.compile import compile_graph, preflight
from artifexpro.core.graph.document import Document
from artifexpro.core.nodes import library
nodes = {{"wan": {{"type": "TI2VGenerator", "params": {SMALL!r}}}}}
document = Document.parse({{"format": "artifexpro.graph", "version": 1, "nodes": nodes}})
plan = compile_graph(document, library(), Path({str(tmp_path)!r}))
preflight(plan)
assert len(plan.steps[0].node.describe({{}})) == 5
print([name for name in ("torch", "cv2", "av", "OpenImageIO", "PyOpenColorIO", "diffusers") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
