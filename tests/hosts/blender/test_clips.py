"""The graphs and requests the add-on sends are ones the engine takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.document import Document
from artifexpro.core.nodes import library
from artifexpro.core.protocol import JobRequest
from artifexpro.core.wan22.presets import PRESETS
from artifexpro.hosts.blender import asking, clips
from artifexpro.hosts.blender.placing import Span
from artifexpro.hosts.blender.source import Picture
from artifexpro.hosts.bridge.frames import Frame
from artifexpro.hosts.bridge.jobs import JobBook
from artifexpro.hosts.bridge.line import WIDEST, small

PANEL = {
    "prompt": "a red kite",
    "negative_prompt": "",
    "model": "smoke",
    "preset": "Draft",
    "seed": 3,
    "frames": 41,
    "steps": 0,
    "own_size": False,
    "width": 64,
    "height": 64,
    "with_frames": True,
}


def panel(**changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**PANEL, **changes})


def scene(**more: Any) -> Any:
    return SimpleNamespace(sequence_editor=None, session_uid=7, name="Edit", **more)


def test_preset_lengths_are_those_of_the_models() -> None:
    assert {name: preset.frames for name, preset in PRESETS.items()} == clips.LENGTHS


@pytest.mark.parametrize(
    ("picture", "types"),
    [
        (None, ["FileOutput", "FileOutput", "T2VGenerator"]),
        (Picture("/p/still.png", None), ["FileOutput", "FileOutput", "MediaInput", "TI2VGenerator"]),
        (Picture("/p/plate.mov", 12), ["FileOutput", "FileOutput", "FrameHold", "MediaInput", "TI2VGenerator"]),
    ],
)
def test_what_the_panel_says_compiles(picture: Picture | None, types: list[str], tmp_path: Path) -> None:
    document = asking.new_clip(panel(), picture)
    plan = compile_graph(Document.parse(document), library(), tmp_path)
    made = sorted(step.node.type_name() for step in plan.steps)
    assert [name for name in made if name in {kind.type_name() for kind in library()}] == types


def test_only_what_the_artist_states_is_in_the_graph() -> None:
    bare = asking.new_clip(panel(with_frames=False), None)["nodes"]
    assert set(bare) == {"clip", "movie"}
    assert not {"negative_prompt", "width", "height", "steps"} & set(bare["clip"]["params"])
    stated = asking.new_clip(panel(negative_prompt="rain", own_size=True, steps=4), None)["nodes"]["clip"]["params"]
    assert {name: stated[name] for name in ("negative_prompt", "width", "height", "steps")} == {
        "negative_prompt": "rain",
        "width": 64,
        "height": 64,
        "steps": 4,
    }


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(asking.Refused, match="The prompt is empty"):
        asking.new_clip(panel(prompt=" \n"), None)


@pytest.mark.parametrize("blend", ["", "/shots/edit.blend"])
def test_the_request_is_one_of_the_protocol(blend: str) -> None:
    book = JobBook()
    document = asking.new_clip(panel(), None)
    job = asking.ask(
        book, scene(), document, title="kite", wanted=Span(2, 20, 61), client={"name": "test"}, blend=blend
    )
    request = JobRequest.model_validate(job.request)
    assert request.target is not None
    assert (request.target.frame, request.target.channel, request.target.extra["length"]) == (20, 2, 41)
    assert (request.output is None) is (blend == "")
    assert next(iter(book)) is job


def test_two_requests_never_share_a_key_or_a_place() -> None:
    book = JobBook()
    document = asking.new_clip(panel(), None)
    jobs = [
        asking.ask(book, scene(), document, title="kite", wanted=Span(1, 20, 61), client={"name": "test"})
        for _ in range(4)
    ]
    assert len({job.key for job in jobs}) == 4
    assert [job.place["channel"] for job in jobs] == [1, 2, 3, 4]


def test_another_seed_changes_the_seed_alone() -> None:
    document = asking.new_clip(panel(), None)
    varied = clips.with_seed(document, 99)
    assert document["nodes"]["clip"]["params"]["seed"] == 3
    varied["nodes"]["clip"]["params"]["seed"] = 3
    assert varied == document
    assert all(clips.another_seed(1, 1) == 0 for _ in range(20))


@pytest.mark.parametrize("recipe", ["{}", '{"graph": {"nodes": {}}}', '{"graph": {"nodes": {"a": {"type": "Blur"}}}}'])
def test_a_recipe_without_a_generator_cannot_be_made_again(recipe: str) -> None:
    with pytest.raises(asking.Refused, match="cannot be made again"):
        asking.graph_of(recipe)


def test_recalling_a_recipe_fills_the_panel() -> None:
    settings = panel(own_size=True, random_seed=True)
    asking.fill_panel(settings, {"prompt": "a boat", "seed": 9, "frames": 81, "preset": "Preview"})
    assert (settings.prompt, settings.seed, settings.frames, settings.preset) == ("a boat", 9, 81, "Preview")
    assert (settings.own_size, settings.random_seed, settings.model) == (False, False, "smoke")


def test_a_title_is_one_short_line() -> None:
    assert asking.title_of("  a\nred   kite ") == "a red kite"
    assert len(asking.title_of("word " * 100)) <= 60


def test_a_preview_is_thinned_out_and_stands_upright() -> None:
    width, height = 400, 200
    rows = b"".join(bytes([row, 0, 0, 255]) * width for row in range(height))
    across, down, values = small(Frame(width, height, "uint8", "srgb_tx", rows))
    assert max(across, down) <= WIDEST and len(values) == across * down * 4
    assert (values[0], values[3], values[-4]) == (198 / 255, 1.0, 0.0)


def test_a_small_half_float_preview_keeps_every_pixel() -> None:
    half_one, half_zero = b"\x00\x3c", b"\x00\x00"
    pixels = (half_one + half_zero * 2 + half_one) * 2
    assert small(Frame(1, 2, "float16", "srgb_tx", pixels)) == (1, 2, [1.0, 0.0, 0.0, 1.0] * 2)
