"""The denoising loop: no pass too many, none too few, stopped at once, pictures on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import UniPCMultistepScheduler, WanPipeline

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, loop, preview, schedule
from artifexpro.core.wan22.condition import FirstFrame, Free
from artifexpro.core.wan22.generate import prepare

WORDS = torch.zeros(1, 512, 32)
SHAPE = (1, 4, 3, 4, 6)


class Network:
    """Answers with a fixed velocity and counts who asked: by the first value of the words."""

    dtype = torch.float32
    config = SimpleNamespace(patch_size=(1, 2, 2))

    def __init__(self, velocity: float = 0.1) -> None:
        self.velocity = velocity
        self.asked: Counter[float] = Counter()
        self.timesteps: list[torch.Tensor] = []

    def __call__(self, hidden_states: torch.Tensor, timestep: torch.Tensor, **words: Any) -> tuple[torch.Tensor]:
        self.asked[float(words["encoder_hidden_states"].flatten()[0])] += 1
        self.timesteps.append(timestep)
        return (torch.full_like(hidden_states, self.velocity),)


def run(
    networks: dict[str, Network], hooks: Any, guidance: tuple[float, float], steps: int = 8, **more: Any
) -> torch.Tensor:
    return loop.denoise(
        loop.Progress(loop.noise(SHAPE, 1, "cpu"), schedule.make(steps, 12.0)),
        loop.Guidance(WORDS + 1, WORDS + 2, guidance),
        networks.__getitem__,
        hooks,
        **more,
    )


@pytest.mark.parametrize(
    ("guidance", "high", "low"),
    [
        ((3.5, 3.5), (1, 1), (1, 1)),
        ((1.0, 3.5), (1, 1), (1, 0)),
        ((3.5, 1.0), (1, 0), (1, 1)),
        ((1.0, 1.0), (1, 0), (1, 0)),
    ],
)
def test_each_expert_is_guided_by_its_own_figure_and_asked_no_more_than_needed(
    guidance: tuple[float, float], high: tuple[int, int], low: tuple[int, int], hooks: Any
) -> None:
    networks = {loop.HIGH_NOISE: Network(), loop.LOW_NOISE: Network()}
    run(networks, hooks, guidance, boundary=0.875)
    parts = Counter(loop.expert_of(float(timestep), 0.875) for timestep in schedule.make(8, 12.0).timesteps)
    assert all(parts[name] for name in networks)
    for name, (shown, avoided) in ((loop.HIGH_NOISE, high), (loop.LOW_NOISE, low)):
        assert networks[name].asked[1.0] == shown * parts[name]
        assert networks[name].asked[2.0] == avoided * parts[name]


@contextmanager
def counted(*networks: Any) -> Iterator[list[int]]:
    calls = [0] * len(networks)
    handles = []
    for index, network in enumerate(networks):

        def count(*_: Any, index: int = index) -> None:
            calls[index] += 1

        handles.append(network.register_forward_hook(count))
    yield calls
    for handle in handles:
        handle.remove()


def test_where_diffusers_wastes_passes_ours_does_not(random_models: Path, small: Any, hooks: Any) -> None:
    """High expert guided by 3.5, low by 1.0: diffusers asks the low expert twice a step."""
    spec = small(model="smoke-moe", steps=8, guidance=(1.0, 3.5))
    loader = prepare(spec, catalogue.model("smoke-moe"), random_models, "cpu")
    networks = {name: loader.transformer(name) for name in (loop.HIGH_NOISE, loop.LOW_NOISE)}
    made = schedule.make(8, spec.shift, spacing="diffusers")
    high = sum(loop.expert_of(float(timestep), 0.875) == loop.HIGH_NOISE for timestep in made.timesteps)
    low = 8 - high
    with counted(*networks.values()) as calls:
        loop.denoise(
            loop.Progress(loop.noise(loader.model.latent_shape(64, 64, 9), 3, "cpu"), made),
            loop.Guidance(WORDS, WORDS, spec.guidance),
            networks.__getitem__,
            hooks,
            boundary=0.875,
        )
    assert calls == [2 * high, low]
    pipeline: Any = WanPipeline.from_pretrained(random_models / "smoke-moe", local_files_only=True, **networks)
    pipeline.scheduler = UniPCMultistepScheduler.from_config(pipeline.scheduler.config, flow_shift=spec.shift)
    pipeline.set_progress_bar_config(disable=True)
    with counted(*networks.values()) as calls:
        pipeline(
            prompt_embeds=WORDS,
            negative_prompt_embeds=WORDS,
            width=64,
            height=64,
            num_frames=9,
            num_inference_steps=8,
            guidance_scale=3.5,
            guidance_scale_2=1.0,
            output_type="latent",
        )
    assert calls == [2 * high, 2 * low]


def test_without_guidance_no_embedding_of_what_to_avoid_is_needed(hooks: Any) -> None:
    network = Network()
    loop.denoise(
        loop.Progress(loop.noise(SHAPE, 1, "cpu"), schedule.make(2, 5.0)),
        loop.Guidance(WORDS + 1, None, (1.0, 1.0)),
        lambda _: network,
        hooks,
    )
    assert network.asked == {1.0: 2}


def test_each_expert_is_loaded_once_and_the_low_one_after_the_high_one(hooks: Any) -> None:
    loaded: list[str] = []

    def load(name: str) -> Network:
        loaded.append(name)
        return Network()

    loop.denoise(
        loop.Progress(loop.noise(SHAPE, 1, "cpu"), schedule.make(8, 12.0)),
        loop.Guidance(WORDS, None, (1.0, 1.0)),
        load,
        hooks,
        boundary=0.875,
    )
    assert loaded == [loop.HIGH_NOISE, loop.LOW_NOISE]


@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_cancelled_clip_takes_no_further_step(after: int, hooks: Any) -> None:
    networks = {loop.HIGH_NOISE: Network(), loop.LOW_NOISE: Network()}
    hooks.cancel_when = lambda heard: heard.done("denoise") >= after
    with pytest.raises(Cancelled):
        run(networks, hooks, (1.0, 1.0), boundary=0.875)
    assert sum(network.asked[1.0] for network in networks.values()) == after


def test_progress_and_a_preview_come_with_every_step(hooks: Any) -> None:
    colours = preview.PreviewMap(torch.full((4, 3), 0.1), torch.full((3,), 0.5))
    run({loop.HIGH_NOISE: Network()}, hooks, (1.0, 1.0), steps=5, preview=colours)
    assert [told for told in hooks.told if told[0] == "denoise"] == [("denoise", step, 5) for step in range(1, 6)]
    assert [tuple(picture.shape) for picture in hooks.previews] == [(4, 6, 3)] * 5
    assert all(float(picture.min()) >= 0 and float(picture.max()) <= 1 for picture in hooks.previews)


def test_a_first_picture_stays_what_it_is_and_counts_as_clean(hooks: Any) -> None:
    network = Network()
    latent = torch.full((1, 4, 1, 4, 6), 7.0)
    result = run({loop.HIGH_NOISE: network}, hooks, (1.0, 1.0), steps=3, condition=FirstFrame(latent))
    assert torch.equal(result[:, :, :1], latent)
    made = schedule.make(3, 12.0)
    for seen, wanted in zip(network.timesteps, made.timesteps, strict=True):
        tokens = seen.view(3, 6)
        assert not tokens[0].any()
        assert bool((tokens[1:] == wanted).all())


def test_without_a_picture_one_timestep_serves_all_tokens(hooks: Any) -> None:
    network = Network()
    run({loop.HIGH_NOISE: network}, hooks, (1.0, 1.0), steps=3)
    assert [tuple(seen.shape) for seen in network.timesteps] == [(1,)] * 3


def test_one_timestep_is_the_same_as_one_for_each_token(random_models: Path, small: Any) -> None:
    """What makes the cheaper form of TI2V's timesteps admissible."""
    loader = prepare(small(), catalogue.model("smoke"), random_models, "cpu")
    network = loader.transformer("transformer")
    latents = loop.noise((1, 48, 3, 4, 4), 2, "cpu")
    words = torch.randn(1, 512, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        one = network(latents, torch.tensor([937]), words, return_dict=False)[0]
        each = network(latents, torch.full((1, 12), 937), words, return_dict=False)[0]
    assert float((one - each).abs().max()) <= 1e-5


def test_no_numbers_stop_the_clip_at_that_step(hooks: Any) -> None:
    with pytest.raises(ArtifexError, match="no numbers") as failed:
        run({loop.HIGH_NOISE: Network(float("nan"))}, hooks, (1.0, 1.0))
    assert failed.value.code == "numbers"
    assert hooks.done("denoise") == 0


class Failing(Network):
    """Memory runs out in the forward pass number `at`, once."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def __call__(self, hidden_states: torch.Tensor, timestep: torch.Tensor, **words: Any) -> tuple[torch.Tensor]:
        self.left -= 1
        if self.left == 0:
            raise torch.OutOfMemoryError("no memory")
        return (hidden_states * 0.1 + float(timestep.flatten()[-1]) / 1000,)


@pytest.mark.parametrize("at", [1, 2, 5, 6, 13])
def test_a_clip_goes_on_at_the_step_where_memory_ran_out(at: int, hooks: Any) -> None:
    """With a solver that remembers earlier steps; passes 1 and 2 are step 1."""
    guidance = loop.Guidance(WORDS + 1, WORDS + 2, (3.0, 3.0))

    def clip(network: Network) -> loop.Progress:
        progress = loop.Progress(loop.noise(SHAPE, 1, "cpu"), schedule.make(8, 5.0))
        with suppress(torch.OutOfMemoryError):
            loop.denoise(progress, guidance, lambda _: network, hooks)
        return progress

    whole, begun = clip(Failing(0)), clip(Failing(at))
    assert begun.index == (at - 1) // 2
    again = loop.denoise(begun, guidance, lambda _: Failing(0), hooks)
    assert torch.equal(again, whole.latents)


@pytest.mark.parametrize("scheduler", ["unipc", "euler"])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_a_step_is_taken_whole_or_not_at_all(scheduler: str, at: int) -> None:
    """Memory runs out inside the solver, after it has begun to remember the step."""

    def finish(progress: loop.Progress) -> torch.Tensor:
        while progress.index < 6:
            progress.step(progress.latents * 0.1)
        return progress.latents

    def start() -> loop.Progress:
        return loop.Progress(loop.noise(SHAPE, 1, "cpu"), schedule.make(6, 5.0, scheduler))

    progress = start()
    for _ in range(at):
        progress.step(progress.latents * 0.1)
    latents, real = progress.latents, progress.schedule.solver.step

    def interrupted(*arguments: Any, **options: Any) -> None:
        real(*arguments, **options)
        raise torch.OutOfMemoryError("no memory")

    progress.schedule.solver.step = interrupted
    with pytest.raises(torch.OutOfMemoryError):
        progress.step(latents * 0.1)
    assert progress.index == at
    assert progress.latents is latents
    progress.schedule.solver.step = real
    assert torch.equal(finish(progress), finish(start()))


def test_further_arguments_reach_the_network_in_its_number_format(hooks: Any) -> None:
    class Asked(Free):
        def arguments(self, shown: bool) -> dict[str, Any]:
            return {"sound": torch.ones(2, dtype=torch.float64) * shown, "layers": (torch.ones(1), 3), "clip": 4}

    heard: list[dict[str, Any]] = []

    class Listener(Network):
        dtype = torch.bfloat16

        def __call__(self, hidden_states: torch.Tensor, timestep: torch.Tensor, **more: Any) -> tuple[torch.Tensor]:
            heard.append(more)
            return super().__call__(hidden_states, timestep, encoder_hidden_states=more["encoder_hidden_states"])

    run({loop.HIGH_NOISE: Listener()}, hooks, (3.0, 3.0), steps=1, condition=Asked())
    assert [bool(more["sound"].all()) for more in heard] == [True, False]
    for more in heard:
        assert more["sound"].dtype == more["layers"][0].dtype == torch.bfloat16
        assert (more["layers"][1], more["clip"]) == (3, 4)


def test_noise_depends_on_the_seed_alone() -> None:
    before = torch.random.get_rng_state()
    first, again, other = (loop.noise(SHAPE, seed, "cpu") for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.dtype == torch.float32
