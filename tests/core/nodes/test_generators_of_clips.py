"""Generators that are given pictures, clips and mattes: through a graph, from files to frames on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from artifexpro.core.graph.context import QuietContext
from artifexpro.core.graph.errors import GraphError, NodeError
from artifexpro.core.graph.evaluate import Evaluator
from artifexpro.core.graph.values import FrameRequest, StreamInfo
from artifexpro.core.media import still
from artifexpro.core.media.sequence import write_frame
from artifexpro.core.nodes.generators import I2VGenerator, Style
from artifexpro.core.nodes.restyling import MaskedEdit, StyleTransfer
from artifexpro.core.wan22.prompting.styles import STYLES

SMALL = {"prompt": "a paper boat", "width": 64, "height": 32, "steps": 2, "seed": 7}
PLATE = StreamInfo(1001, 1006, Fraction(25), 96, 64)


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> QuietContext:
    """One place for models and results, so that each smoke model is built once."""
    home = tmp_path_factory.mktemp("worker")
    return QuietContext(home / "out", home / "store", home / "models")


@pytest.fixture(scope="module")
def mattes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """matte.1001.exr to matte.1006.exr, 96 x 64: a white square that moves to the right."""
    folder = tmp_path_factory.mktemp("mattes")
    for frame in range(6):
        pixels = torch.zeros(1, 4, 64, 96)
        pixels[:, 3] = 1
        pixels[:, :3, 10:50, 8 + 4 * frame : 56 + 4 * frame] = 1
        write_frame(folder / f"matte.{1001 + frame}.exr", pixels, "exr", still.Header("ACEScg", Fraction(25), frame))
    return folder


@pytest.fixture
def made(graph: Callable, footage: Path, mattes: Path, worker: QuietContext) -> Callable[..., Evaluator]:
    """A graph with "clip" and "picture" from files, the "matte" of a moving shape, and the node under test as "wan"."""

    def make(kind: str, params: dict[str, Any], inputs: dict[str, str]) -> Any:
        built = graph(
            clip=("MediaInput", {"path": str(footage / "clip.mp4"), "first_frame": 1001}, {}),
            picture=("MediaInput", {"path": str(footage / "still.png")}, {}),
            turned=("Transform2D", {"rotate": 180.0}, {"video": "picture"}),
            square=("SequenceInput", {"path": str(mattes / "matte.####.exr"), "rate": "25"}, {}),
            matte=("MatteFrom", {"channel": "red"}, {"video": "square"}),
            wan=(kind, {**SMALL, **params}, inputs),
        )
        return built, Evaluator(built.plan, worker)

    return make


def frames(built: Any, evaluator: Evaluator) -> torch.Tensor:
    at = built.plan.index["wan"]
    info = evaluator.info(at)
    return torch.cat([evaluator.frame(at, FrameRequest(frame)).pixels for frame in range(info.first, info.last + 1)])


CASES: dict[str, tuple[str, dict[str, Any], dict[str, str]]] = {
    "i2v": ("I2VGenerator", {"frames": 5}, {"image": "picture"}),
    "i2v first and last": ("I2VGenerator", {"frames": 5}, {"image": "picture", "last_image": "turned"}),
    "i2v guided": ("I2VGenerator", {"frames": 5, "motion": 0.5}, {"image": "picture", "motion_guide": "clip"}),
    "style 5B": ("StyleTransfer", {"model": "smoke"}, {"video": "clip"}),
    "style two experts": ("StyleTransfer", {"model": "smoke-moe"}, {"video": "clip"}),
    "edit": ("MaskedEdit", {}, {"video": "clip", "mask": "matte"}),
    "edit like": ("MaskedEdit", {}, {"video": "clip", "mask": "matte", "reference": "picture"}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_clip_comes_out_as_frames_on_disk(case: str, made: Callable, worker: QuietContext) -> None:
    kind, params, inputs = CASES[case]
    built, evaluator = made(kind, params, inputs)
    pictures = frames(built, evaluator)
    assert pictures.shape == (5, 4, 32, 64)
    assert bool(torch.isfinite(pictures).all()) and float(pictures[:, :3].std()) > 0.01
    folder = worker.store / built.plan.steps[built.plan.index["wan"]].key.hex()
    clip = json.loads((folder / "clip.json").read_text())
    assert clip["spec"]["frames"] == 5
    files = sorted((folder / "frames").iterdir())
    assert [path.name for path in files] == [f"frame.{index:04d}.exr" for index in range(5)]
    own = kind in ("StyleTransfer", "MaskedEdit")
    assert still.probe(files[0]).rate == (Fraction(25) if own else Fraction(16))
    assert evaluator.info(built.plan.index["wan"]).first == 1001


def test_each_connection_changes_the_clip(made: Callable) -> None:
    clips = [frames(*made(*CASES[case])) for case in CASES if case.startswith("i2v")]
    clips += [frames(*made(*CASES[case])) for case in ("edit", "edit like")]
    assert all(not torch.equal(first, second) for at, first in enumerate(clips) for second in clips[:at])


def test_a_restyled_clip_keeps_the_numbers_and_the_rate_of_its_source(graph: Callable, footage: Path) -> None:
    built = graph(
        clip=("MediaInput", {"path": str(footage / "clip.mp4"), "first_frame": 86400}, {}),
        wan=("StyleTransfer", SMALL, {"video": "clip"}),
    )
    info = built.info("wan")
    assert (info.first, info.last, info.rate, info.width, info.height) == (86400, 86404, Fraction(25), 64, 32)


def test_what_a_restyled_clip_is_made_at_is_said_with_it(made: Callable, worker: QuietContext) -> None:
    worker.notes.clear()
    frames(*made(*CASES["style 5B"]))
    said = " ".join(worker.notes)
    assert "The last 1 of the source's 6 frames are left out" in said
    assert "keeps its source's 25 frames a second" in said
    assert "Strength 0.7: the last 1 of 2 steps" in said


def test_size_follows_the_source_where_none_is_stated() -> None:
    wide = StyleTransfer(prompt="ink", model="t2v-A14B", preset="Preview").describe({"video": PLATE})
    assert (wide.width, wide.height) == (1168, 768)


def test_image_to_video_has_the_shape_of_its_picture() -> None:
    portrait = StreamInfo(1, 1, Fraction(24), 1080, 1920, still=True)
    node = I2VGenerator(prompt="x", model="i2v-A14B")
    info = node.describe({"image": portrait})
    assert (info.width, info.height) == (464, 832)
    assert not any("is made at" in note for note in node.spec({"image": portrait}).notes)
    stated = I2VGenerator(prompt="x", model="i2v-A14B", width=640, height=640).describe({"image": portrait})
    assert (stated.width, stated.height) == (640, 640)


def test_outside_the_mask_frames_are_the_sources(made: Callable) -> None:
    params = {"width": 96, "height": 64, "feather": 2}
    built, evaluator = made("MaskedEdit", params, CASES["edit"][2])
    at, source, matte = (built.plan.index[name] for name in ("wan", "clip", "matte"))
    changed = 0
    for frame in range(1001, 1006):
        request = FrameRequest(frame)
        new, old = evaluator.frame(at, request).pixels, evaluator.frame(source, request).pixels
        outside = (evaluator.frame(matte, request).pixels == 0).expand(-1, 3, -1, -1)
        torch.testing.assert_close(new[:, :3][outside], old[:, :3].clamp(0, 1)[outside], atol=2e-3, rtol=5e-3)
        changed += int((new[:, :3] - old[:, :3])[~outside].abs().gt(0.05).sum())
    assert changed > 100


@pytest.mark.parametrize(
    ("kind", "params", "inputs", "because"),
    [
        ("I2VGenerator", {}, {}, "image"),
        ("StyleTransfer", {}, {}, "video"),
        ("MaskedEdit", {}, {"video": "clip"}, "mask"),
        ("I2VGenerator", {"model": "smoke"}, {"image": "picture"}, "does text and image to video"),
        ("StyleTransfer", {"model": "i2v-A14B"}, {"video": "clip"}, "image to video only"),
        ("MaskedEdit", {"model": "vace-A14B"}, {"video": "clip", "mask": "matte"}, "models get vace-A14B"),
        ("StyleTransfer", {"strength": 0.0}, {"video": "clip"}, "strength is above 0"),
        ("StyleTransfer", {"strength": 0.1}, {"video": "clip"}, "less than one step"),
        ("StyleTransfer", {"prompt": ""}, {"video": "clip"}, "prompt is empty"),
        ("StyleTransfer", {"frames": 6}, {"video": "clip"}, "4k \\+ 1"),
    ],
)
def test_what_cannot_be_made_is_refused_before_work(
    kind: str, params: dict, inputs: dict, because: str, made: Callable
) -> None:
    with pytest.raises(GraphError, match=because) as refusal:
        made(kind, params, inputs)
    assert refusal.value.node == "wan"


@pytest.mark.parametrize(
    ("node", "infos", "because"),
    [
        (StyleTransfer(prompt="x"), {"video": StreamInfo(1, 3, Fraction(25), 96, 64)}, "at least 5 frames"),
        (StyleTransfer(prompt="x", frames=9), {"video": PLATE}, "9 frames were asked for"),
        (StyleTransfer(prompt="x"), {"video": StreamInfo(1, 9000, Fraction(25), 96, 64)}, "4,093 frames"),
        (StyleTransfer(prompt="x"), {"video": StreamInfo(1, 9, Fraction(25), 9000, 2)}, "one side would be shorter"),
        (I2VGenerator(prompt="x", frames=9), {"motion_guide": PLATE}, "it has 6"),
        (
            MaskedEdit(prompt="x"),
            {"video": PLATE, "mask": StreamInfo(1001, 1006, Fraction(25), 96, 54)},
            "the mask is 96 x 54 pixels and the clip 96 x 64",
        ),
        (
            MaskedEdit(prompt="x"),
            {"video": PLATE, "mask": StreamInfo(1001, 1005, Fraction(25), 96, 64)},
            "the mask has frames 1001 to 1005 and the clip 1001 to 1006",
        ),
    ],
)
def test_inputs_that_do_not_fit_are_refused_before_any_pixel(node: Any, infos: dict, because: str) -> None:
    with pytest.raises(Exception, match=because):
        node.describe(infos)


def test_a_still_is_a_mask_for_all_frames() -> None:
    still_mask = StreamInfo(1001, 1001, Fraction(24), 96, 64, still=True)
    assert len(MaskedEdit(prompt="x", width=96, height=64).describe({"video": PLATE, "mask": still_mask})) == 5


def test_a_plate_with_no_numbers_in_it_is_refused_at_its_frame(
    graph: Callable, tmp_path: Path, worker: QuietContext
) -> None:
    for frame in range(1001, 1006):
        pixels = torch.rand(1, 4, 32, 64)
        if frame == 1004:
            pixels[0, 1, 3, 3] = float("nan")
        write_frame(tmp_path / f"plate.{frame}.exr", pixels, "exr", still.Header("ACEScg", Fraction(25), frame))
    built = graph(
        plate=("SequenceInput", {"path": str(tmp_path / "plate.####.exr")}, {}),
        wan=("StyleTransfer", SMALL, {"video": "plate"}),
    )
    with pytest.raises(NodeError, match="frame 1004 of node plate"):
        Evaluator(built.plan, worker).frame(built.plan.index["wan"], FrameRequest(1001))


def test_the_nodes_styles_are_all_there_are() -> None:
    assert get_args(Style) == tuple(STYLES)


@pytest.mark.parametrize("node", [I2VGenerator, StyleTransfer, MaskedEdit])
def test_provenance_says_which_weights_and_which_numbers(node: Any, worker: QuietContext) -> None:
    said = node(prompt="x").provenance(worker.models)
    assert said["model"]["name"] == node(prompt="x").model
    assert said["spec"]["task"] == node.task
    assert ("frames" in said["spec"]) == (node is I2VGenerator)
    assert "frames" in node(prompt="x", frames=9).provenance(worker.models)["spec"]
    json.dumps(said)


@pytest.mark.parametrize(
    ("node", "name", "value", "infos"),
    [
        (I2VGenerator, "motion", 0.3, {"motion_guide": PLATE}),
        (StyleTransfer, "style_preset", "anime", {"video": PLATE}),
        (StyleTransfer, "strength", 0.5, {"video": PLATE}),
        (StyleTransfer, "frames", 5, {"video": StreamInfo(1, 20, Fraction(25), 96, 64)}),
        (MaskedEdit, "feather", 3, {"video": PLATE}),
        (MaskedEdit, "keep_outside", False, {"video": PLATE}),
    ],
)
def test_every_parameter_is_in_the_settled_numbers(node: Any, name: str, value: object, infos: dict) -> None:
    assert node(prompt="x", **{name: value}).spec(infos) != node(prompt="x").spec(infos)
