"""Levers on films of speech: the network is our own, and each does to it what it does to diffusers' networks."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import attempts, catalogue, decode, parallel, plan
from artifexpro.core.wan22.generate import generate, load_latents
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers, Lora
from artifexpro.core.wan22.request import ClipSpec, resolve
from artifexpro.core.wan22.s2v.block import WanS2VTransformerBlock

TIME = torch.arange(16_000) / 16_000
MATERIAL = Given(
    image=torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(1)),
    sound=0.3 * torch.sin(2 * torch.pi * 180 * TIME) * (0.6 + 0.4 * torch.sin(2 * torch.pi * 4 * TIME)),
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small take six times as long on two threads, and round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def film(random_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., torch.Tensor]:
    """Frames (T, H, W, 3) of a film; by default of one clip of two steps, 5 frames of which are decoded."""

    def make(levers: Levers = Levers(), hooks: Any = None, **changes: Any) -> torch.Tensor:  # noqa: B008
        asked = {"frames": 5, "steps": 2, "guidance": 1.0, "width": 64, "height": 64, "shift": 3.0, **changes}
        spec = resolve(prompt="he speaks", model="smoke-s2v", seed=3, levers=levers, **asked)
        folder = tmp_path_factory.mktemp("film")
        frames = generate(spec, random_models, hooks or Silent(), folder=folder, material=MATERIAL, device="cpu")
        return torch.stack([picture for _, picture in frames])

    return make


@pytest.fixture(scope="module")
def plain(film: Callable[..., torch.Tensor]) -> torch.Tensor:
    return film()


@pytest.fixture(scope="module")
def two_clips(film: Callable[..., torch.Tensor]) -> torch.Tensor:
    return film(frames=16)


@pytest.mark.parametrize("levers", [Levers(offload="model"), Levers(offload="block")])
def test_what_only_moves_weights_changes_nothing(levers: Levers, film: Any, two_clips: torch.Tensor) -> None:
    assert float((film(levers, frames=16) - two_clips).abs().max()) < 1e-5


def test_two_processes_make_the_film_of_one(random_models: Path, tmp_path: Path) -> None:
    """The first clip's 80 tokens and the second's 104 are halved within latent frames of 16, in which tokens attend to
    that frame's sound. The second clip goes on from the first's frames, whose rounding the random VAE makes larger."""
    made = []
    for levers in (Levers(), Levers(parallel=2)):
        spec = resolve(prompt="he speaks", model="smoke-s2v", width=64, height=64, frames=16, steps=2, levers=levers)
        folder = tmp_path / str(levers.parallel)
        list(generate(spec, random_models, Silent(), folder=folder, material=MATERIAL, device="cpu"))
        made.append([load_latents(path)[0] for path in sorted(folder.iterdir())])
    first, second = (float((one - two).abs().max()) for one, two in zip(*made, strict=True))
    assert first < 1e-5
    assert second < 1e-3
    assert not torch.distributed.is_initialized()


def test_a_film_that_cannot_be_shared_equally_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    model = catalogue.model("smoke-s2v")
    assert model.tokens(64, 64, 16) == 104
    parallel.check(Levers(parallel=2), torch.device("cpu"), model, 104)
    with pytest.raises(ArtifexError, match="do not divide"):
        parallel.check(Levers(parallel=2), torch.device("cpu"), model, 105)


@pytest.mark.parametrize(("quantise", "bound"), [("int8", 0.1), ("fp8", 0.3)])
def test_eight_bits_change_little_and_something(quantise: Any, bound: float, film: Any, plain: torch.Tensor) -> None:
    difference = float((film(Levers(quantise=quantise)) - plain).abs().max())
    assert 0 < difference < bound


def test_tiles_are_told_to_the_decoder(film: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A film of 64 x 64 would be one tile: this one is 128 x 64."""
    asked: list[int] = []
    chunks = decode.chunks

    def told(latents: Any, vae: Any, tile: int = 0) -> Any:
        asked.append(tile)
        return chunks(latents, vae, tile)

    monkeypatch.setattr(decode, "chunks", told)
    shape = {"frames": 1, "steps": 1, "width": 128}
    whole, tiled = film(**shape), film(Levers(tile=64), **shape)
    assert asked == [0, 64]
    assert float((whole - tiled).abs().max()) > 0
    assert float((whole - tiled).abs().mean()) < 0.1


@pytest.mark.parametrize(
    "levers", [Levers(ensemble=2), Levers(consistency=0.7), Levers(smoothing=1.0)], ids=["ensemble", "shared", "smooth"]
)
def test_each_care_changes_the_film(levers: Levers, film: Any, plain: torch.Tensor) -> None:
    changed = film(levers, frames=9)
    assert bool(torch.isfinite(changed).all())
    assert float((changed[:5] - plain).abs().max()) > 1e-4


@pytest.mark.parametrize("naming", ["diffusers", "lightx2v"])
def test_a_lora_made_for_text_to_video_fits(naming: str, film: Any, plain: torch.Tensor, write_lora: Any) -> None:
    changed = film(Levers(loras=(Lora(write_lora(naming)),)))
    assert float((changed - plain).abs().max()) > 1e-3


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often blocks were computed."""
    asked: Counter[str] = Counter()
    forward = WanS2VTransformerBlock.forward

    @wraps(forward)  # diffusers reads the signature
    def counting(self: Any, *inputs: Any, **more: Any) -> Any:
        asked["block"] += 1
        return forward(self, *inputs, **more)

    monkeypatch.setattr(WanS2VTransformerBlock, "forward", counting)
    return asked


def test_cached_steps_leave_out_blocks_and_a_threshold_of_nearly_nothing_changes_nothing(
    film: Any, computed: Counter[str]
) -> None:
    """Two blocks a step and six steps; at a threshold of 1 only the first block of five of them is computed."""
    whole = film(steps=6)
    assert computed["block"] == 12
    computed.clear()
    careful = film(Levers(cache=1e-9), steps=6)
    assert computed["block"] == 12
    assert float((careful - whole).abs().max()) < 1e-5
    computed.clear()
    cached = film(Levers(cache=1.0), steps=6)
    assert computed["block"] < 12
    assert bool(torch.isfinite(cached).all())
    assert float((cached - whole).abs().mean()) < 0.5 * float(whole.std())


def test_memory_that_runs_out_goes_on_with_less_and_no_frame_is_lost_or_made_twice(
    film: Any, two_clips: torch.Tensor, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once in the second clip's last step, once in its decoding; the step down changes no picture."""

    def ladder(spec: ClipSpec, *_: Any, levers: Levers, **__: Any) -> Iterator[plan.Step]:
        made = plan.make(replace(spec, levers=replace(levers, offload="block")), 24.0)
        yield plan.Step(made, "The card ran out of memory; from here on block by block.")

    monkeypatch.setattr(attempts.plan, "ladder", ladder)
    left = {"blocks": 7, "pieces": 9}
    forward, chunks = WanS2VTransformerBlock.forward, decode.chunks

    @wraps(forward)
    def short(self: Any, *inputs: Any, **more: Any) -> Any:
        left["blocks"] -= 1
        if left["blocks"] == 0:
            raise torch.OutOfMemoryError("the card is full")
        return forward(self, *inputs, **more)

    def shorter(*given: Any) -> Iterator[Any]:
        for piece in chunks(*given):
            left["pieces"] -= 1
            if left["pieces"] == 0:
                raise torch.OutOfMemoryError("the card is full")
            yield piece

    monkeypatch.setattr(WanS2VTransformerBlock, "forward", short)
    monkeypatch.setattr(decode, "chunks", shorter)
    made = film(hooks=hooks, frames=16)
    assert left["blocks"] < 0 and left["pieces"] < 0
    assert float((made - two_clips).abs().max()) < 1e-5
    assert len([note for note in hooks.notes if "block by block" in note]) == 2
    assert [done for stage, done, _ in hooks.told if stage == "denoise"] == [1, 2, 3, 4]
