"""A clip from spec to frames: order of events, what is on disk when, what is refused before any work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl_wan import WanDecoder3d
from safetensors import safe_open

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22.generate import LATENTS, decode_saved, generate, load_latents, save_latents
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.request import ClipSpec, resolve

Small = Callable[..., ClipSpec]
TINY: dict[str, Any] = {"prompt": "a red kite", "width": 64, "height": 64, "frames": 1, "steps": 2, "seed": 3}


def clip(spec: ClipSpec, models: Path, hooks: Any, folder: Path, **more: Any) -> torch.Tensor:
    frames = list(generate(spec, models, hooks, folder=folder, **more))
    assert [index for index, _ in frames] == list(range(len(frames)))
    return torch.stack([picture for _, picture in frames])


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for each chunk that any VAE decodes."""
    calls: list[int] = []
    forward = WanDecoder3d.forward

    def counting(self: Any, *inputs: Any, **more: Any) -> Any:
        calls.append(1)
        return forward(self, *inputs, **more)

    monkeypatch.setattr(WanDecoder3d, "forward", counting)
    return calls


@pytest.mark.parametrize(("model", "task"), [("smoke", "t2v"), ("smoke", "ti2v"), ("smoke-moe", "t2v")])
def test_a_clip_is_pictures_and_says_it_is_noise(
    model: str, task: str, random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    image = torch.rand(64, 64, 3) if task == "ti2v" else None
    made = clip(small(model=model, task=task), random_models, hooks, tmp_path, material=Given(image=image))
    assert made.shape == (9, 64, 64, 3)
    assert made.dtype == torch.float32
    assert float(made.min()) >= 0 and float(made.max()) <= 1
    assert float(made.std()) > 0.05
    assert float((made[0] - made[-1]).abs().mean()) > 0.01
    assert any(note.startswith("This is noise") for note in hooks.notes)


@pytest.mark.parametrize("model", ["smoke", "smoke-moe"])
def test_the_same_seed_gives_the_same_bytes_and_another_another_clip(
    model: str, random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    first = clip(small(model=model), random_models, hooks, tmp_path / "1")
    torch.manual_seed(99)
    again = clip(small(model=model), random_models, hooks, tmp_path / "2")
    other = clip(small(model=model, seed=4), random_models, hooks, tmp_path / "3")
    assert torch.equal(first, again)
    assert (tmp_path / "1" / LATENTS).read_bytes() == (tmp_path / "2" / LATENTS).read_bytes()
    assert float((first - other).abs().mean()) > 0.01


def latents(spec: ClipSpec, models: Path, folder: Path) -> torch.Tensor:
    """The clip's latents alone, as they were saved before decoding."""
    next(generate(spec, models, Silent(), folder=folder))
    return load_latents(folder / LATENTS)[0]


@pytest.fixture(scope="module")
def plain(random_models: Path, tmp_path_factory: pytest.TempPathFactory) -> torch.Tensor:
    """Latents of a clip in which nothing was asked for."""
    return latents(resolve(**TINY), random_models, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "a blue boat in the harbour at night"},
        {"negative_prompt": "water"},
        {"guidance": 6.0},
        {"shift": 2.0},
        {"steps": 3},
        {"scheduler": "euler"},
        {"sigmas": (1.0, 0.5)},
        {"dtype": "bfloat16"},
        {"seed": 4},
    ],
)
def test_each_setting_acts(changes: dict[str, Any], plain: torch.Tensor, random_models: Path, tmp_path: Path) -> None:
    assert not torch.equal(latents(resolve(**{**TINY, **changes}), random_models, tmp_path), plain)


def test_another_process_makes_the_same_bytes(random_models: Path, small: Small, hooks: Any, tmp_path: Path) -> None:
    clip(small(), random_models, hooks, tmp_path / "here")
    script = f"""
from pathlib import Path
from artifexpro.core.wan22.generate import generate
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.request import resolve
spec = resolve(prompt="a red kite", width=64, height=64, frames=9, steps=4, seed=3)
next(generate(spec, Path({str(random_models)!r}), Silent(), folder=Path({str(tmp_path / "there")!r})))
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
    assert (tmp_path / "here" / LATENTS).read_bytes() == (tmp_path / "there" / LATENTS).read_bytes()


def test_latents_are_on_disk_before_anything_is_decoded(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(*_: Any, **__: Any) -> Any:
        raise RuntimeError("decoding began")

    monkeypatch.setattr(WanDecoder3d, "forward", stopping)
    with pytest.raises(RuntimeError, match="decoding began"):
        clip(small(), random_models, hooks, tmp_path)
    monkeypatch.undo()
    assert sorted(path.name for path in tmp_path.iterdir()) == [LATENTS]
    with safe_open(tmp_path / LATENTS, framework="pt") as file:
        assert json.loads(file.metadata()["spec"])["seed"] == 3
    saved = [picture for _, picture in decode_saved(tmp_path / LATENTS, random_models, hooks)]
    assert torch.equal(torch.stack(saved), clip(small(), random_models, hooks, tmp_path / "again"))


def test_previews_arrive_before_frames(random_models: Path, small: Small, hooks: Any, tmp_path: Path) -> None:
    frames = generate(small(), random_models, hooks, folder=tmp_path)
    next(frames)
    assert [tuple(picture.shape) for picture in hooks.previews] == [(4, 4, 3)] * 4
    assert all(bool(torch.isfinite(picture).all()) for picture in hooks.previews)


def test_frames_come_while_the_rest_is_still_latents(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, decoded: list[int]
) -> None:
    frames = generate(small(frames=17), random_models, hooks, folder=tmp_path)
    next(frames)
    assert len(decoded) == 1
    next(frames)
    assert len(decoded) == 2


def test_stages_come_in_order(random_models: Path, small: Small, hooks: Any, tmp_path: Path) -> None:
    clip(small(), random_models, hooks, tmp_path)
    order = list(dict.fromkeys(stage for stage in hooks.stages if stage != "load"))
    assert order == ["text", "encode", "denoise", "decode"]
    assert ("denoise", 4, 4) in hooks.told
    assert ("decode", 9, 9) in hooks.told


@pytest.mark.parametrize("after", [1, 2])
def test_a_cancelled_clip_stops_within_two_steps_and_is_never_decoded(
    after: int, random_models: Path, small: Small, hooks: Any, tmp_path: Path, decoded: list[int]
) -> None:
    hooks.cancel_when = lambda heard: heard.done("denoise") >= after
    with pytest.raises(Cancelled):
        clip(small(steps=8), random_models, hooks, tmp_path)
    assert hooks.done("denoise") <= after + 2
    assert decoded == []
    assert list(tmp_path.iterdir()) == []


def test_a_clip_cancelled_at_the_last_step_is_not_decoded_either(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, decoded: list[int]
) -> None:
    hooks.cancel_when = lambda heard: heard.done("denoise") == 4
    with pytest.raises(Cancelled):
        clip(small(), random_models, hooks, tmp_path)
    assert decoded == []


def test_a_clip_cancelled_while_decoding_stops_at_the_next_chunk(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, decoded: list[int]
) -> None:
    hooks.cancel_when = lambda heard: heard.done("decode") >= 5
    with pytest.raises(Cancelled):
        clip(small(frames=17), random_models, hooks, tmp_path)
    assert len(decoded) == 2


def test_a_picture_of_another_size_is_fitted_and_that_is_said(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    clip(small(), random_models, hooks, tmp_path, material=Given(image=torch.rand(50, 120, 3)))
    assert any("120 x 50" in note for note in hooks.notes)


@pytest.mark.parametrize(
    ("image", "because"),
    [
        (torch.rand(64, 64), "shape 64 x 64"),
        (torch.rand(64, 64, 4), "shape 64 x 64 x 4"),
        (torch.rand(0, 64, 3), "shape 0 x 64 x 3"),
        (torch.full((64, 64, 3), float("nan")), "no numbers"),
    ],
)
def test_what_is_no_picture_is_refused_before_any_work(
    image: torch.Tensor, because: str, random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    with pytest.raises(ArtifexError, match=because) as refused:
        clip(small(), random_models, hooks, tmp_path, material=Given(image=image))
    assert refused.value.code == "image"
    assert hooks.stages == []


def test_a_picture_for_a_task_without_one_is_refused(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    with pytest.raises(ArtifexError, match="no picture"):
        clip(small(task="t2v"), random_models, hooks, tmp_path, material=Given(image=torch.rand(64, 64, 3)))


def test_weights_that_are_not_there_are_refused_with_the_command_that_gets_them(
    small: Small, hooks: Any, tmp_path: Path
) -> None:
    with pytest.raises(ArtifexError, match="weights are not in") as refused:
        clip(small(model="ti2v-5B"), tmp_path / "models", hooks, tmp_path)
    assert "models get ti2v-5B" in refused.value.remedy


def test_a_prompt_longer_than_the_model_reads_is_said(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    next(generate(small(prompt="kite " * 200), random_models, hooks, folder=tmp_path))
    assert any("read the first 512" in note for note in hooks.notes)


def test_latents_that_cannot_be_written_are_an_error_in_words(tmp_path: Path, small: Small) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArtifexError, match="save the latents") as failed:
        save_latents(tmp_path / "file" / LATENTS, torch.zeros(1, 48, 1, 2, 2), small())
    assert failed.value.code == "disk"


def test_latents_and_their_spec_come_back_as_they_were(tmp_path: Path, small: Small) -> None:
    latents = torch.randn(1, 48, 3, 4, 4)
    spec = small(sigmas=(1.0, 0.5), steps=2, prompt="Käse 色")
    save_latents(tmp_path / LATENTS, latents, spec)
    found, read = load_latents(tmp_path / LATENTS)
    assert torch.equal(found, latents)
    assert (read, read.notes) == (spec, spec.notes)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x10\0\0\0\0\0\0\0{}"])
def test_broken_latents_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / LATENTS).write_bytes(content)
    with pytest.raises(ArtifexError, match="not whole latents"):
        load_latents(tmp_path / LATENTS)


def test_float16_on_a_processor_is_bfloat16_and_said(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    half = clip(small(dtype="float16"), random_models, hooks, tmp_path, device="cpu")
    assert any("bfloat16" in note for note in hooks.notes)
    assert torch.equal(half, clip(small(dtype="bfloat16"), random_models, hooks, tmp_path, device="cpu"))


def test_a_disk_too_full_for_latents_is_refused_before_any_work(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(ArtifexError, match="MB are free") as refused:
        clip(small(), random_models, hooks, tmp_path / "not" / "yet")
    assert refused.value.code == "disk"
    assert hooks.stages == []


def test_a_folder_that_is_a_file_is_refused_before_any_work(
    random_models: Path, small: Small, hooks: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArtifexError, match="nothing can be written"):
        clip(small(), random_models, hooks, tmp_path / "file" / "clip")
    assert hooks.stages == []


def test_saved_latents_with_no_numbers_in_them_are_refused(tmp_path: Path, small: Small) -> None:
    save_latents(tmp_path / LATENTS, torch.full((1, 48, 1, 2, 2), float("nan")), small())
    with pytest.raises(ArtifexError, match="not whole latents"):
        load_latents(tmp_path / LATENTS)
