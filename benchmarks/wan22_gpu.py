"""Wan2.2 at its real sizes on the card at hand: `python -m artifexpro.benchmarks.wan22_gpu`.

Every network is built with random weights on the card, so nothing is downloaded; arithmetic, memory and speed are those
of real weights, the pictures are not. Stages are timed one by one as a job runs them: text, denoising, decoding. The
denoising loop stands beside diffusers' own pipeline on the same network, the same noise, the same embeddings and the
same noise levels, and both beside the rate of a plain matrix product on the same card in the same run.

A guided step is two passes of the network. The first step of each way (kernels chosen, blocks compiled) is not
counted; a figure is the median of the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from artifexpro.benchmarks import wan22_models
from artifexpro.benchmarks.common import Figure, figure, machine, tell
from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import begin, catalogue, decode, loop, schedule
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.condition import Condition
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.given import NOTHING, Given
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.plan import flops
from artifexpro.core.wan22.plan.cards import Card
from artifexpro.core.wan22.prepared import own
from artifexpro.core.wan22.request import ClipSpec, resolve
from artifexpro.core.wan22.s2v.condition import Spoken

if TYPE_CHECKING:
    from torch import Tensor
    from torch import device as Device
    from torch import dtype as DType

MODELS = ("ti2v-5B", "t2v-A14B", "i2v-A14B", "vace-A14B", "s2v-14B")
MATRIX = 8192
"""Side of the square matrices whose product is the ceiling."""
GB = 1e9
LONG_JOB = 50
"""Guided steps of the job that decoding is compared with."""
SHARE_TARGET, TIMES_TARGET, DECODE_TARGET = 60, 1.5, 20


@dataclass
class Measured:
    """One way of one stage: seconds of each repetition, the peak of memory, what came out."""

    seconds: list[float] = field(default_factory=list)
    peak_gb: float = 0.0
    result: Any = None

    @property
    def typical(self) -> float:
        return median(self.seconds)


class Clock:
    """Times work on a device: on a card, when it is done and not when it is ordered."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._on_card = device.type == "cuda"

    def now(self) -> float:
        if self._on_card:
            torch.cuda.synchronize(self.device)
        return perf_counter()

    @contextmanager
    def peak(self, measured: Measured) -> Iterator[None]:
        if self._on_card:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        yield
        if self._on_card:
            measured.peak_gb = torch.cuda.max_memory_allocated(self.device) / GB

    def repeated(self, work: Callable[[], Any], times: int) -> Measured:
        """`work` once unseen, then `times` times."""
        measured = Measured()
        with self.peak(measured):
            measured.result = work()
            for _ in range(times):
                began = self.now()
                work()
                measured.seconds.append(self.now() - began)
        return measured


class _Steps(Silent):
    """Hooks that note when each step was done."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.times = [clock.now()]

    def progress(self, stage: str, done: int, total: int) -> None:
        if stage == "denoise":
            self.times.append(self._clock.now())


@dataclass(frozen=True)
class Bench:
    """One model at one size."""

    spec: ClipSpec
    model: ModelSpec
    device: Device
    dtype: DType
    clock: Clock

    @property
    def name(self) -> str:
        return f"wan22_gpu.{self.model.name}"

    @property
    def about(self) -> str:
        spec = self.spec
        return f"{spec.width}x{spec.height}, {spec.frames} frames, {str(self.dtype).removeprefix('torch.')}"

    def words(self, number: int) -> Tensor:
        """Stands for an embedding; the same for both loops."""
        generator = torch.Generator("cpu").manual_seed(number)
        shape = (1, 512, self.model.transformer.text_dim)
        return (torch.randn(shape, generator=generator) * 0.1).to(self.device, self.dtype)

    @property
    def guidance(self) -> loop.Guidance:
        return loop.Guidance(self.words(1), self.words(2), self.spec.guidance)

    def noise(self) -> Tensor:
        shape = self.model.latent_shape(self.spec.width, self.spec.height, self.spec.frames)
        if self.model.speech is not None:
            shape = (*shape[:2], self.model.speech.clip_latents, *shape[3:])
        return loop.noise(shape, self.spec.seed, self.device)


def ceiling(clock: Clock, dtype: DType, side: int = MATRIX) -> float:
    """Operations a second of a product of square matrices."""
    first, second = (torch.randn(side, side, device=clock.device).to(dtype) for _ in range(2))
    taken = clock.repeated(lambda: first @ second, 9)
    return 2.0 * side**3 / taken.typical


def condition(bench: Bench, vae: Any) -> Condition:
    """What the clip must keep to, from pictures of the clip's size drawn at random."""
    spec, model = bench.spec, bench.model
    generator = torch.Generator().manual_seed(3)
    if model.speech is not None:
        _, channels, time, rows, columns = bench.noise().shape

        def latents(frames: int) -> Tensor:
            return torch.randn(1, channels, frames, rows, columns, generator=generator).to(bench.device)

        frames = model.speech.clip_frames
        sound = torch.randn(1, model.speech.audio_layers, model.speech.audio_dim, frames, generator=generator)
        return Spoken(
            sound.to(bench.device), latents(1), torch.zeros_like(latents(time)), latents(model.speech.past_latents)
        )
    return begin.begin(spec, _material(bench), vae, bench.device, Silent(), [], spacing="diffusers").condition


def _material(bench: Bench) -> Given:
    spec = bench.spec
    if spec.task not in ("i2v", "edit"):
        return NOTHING
    picture = torch.rand(spec.height, spec.width, 3, generator=torch.Generator().manual_seed(4))
    if spec.task == "i2v":
        return Given(image=picture)
    mask = torch.zeros(spec.height, spec.width, 1)
    mask[:, : spec.width // 2] = 1
    return Given(
        video=Footage(spec.frames, spec.width, spec.height, lambda _: picture),
        mask=Footage(spec.frames, spec.width, spec.height, lambda _: mask, channels=1),
    )


def our_steps(bench: Bench, network: Any, kept: Condition) -> Measured:
    """Our loop over the spec's steps."""
    measured, hooks = Measured(), _Steps(bench.clock)
    spec = bench.spec
    steps = schedule.make(spec.steps, spec.shift, spec.scheduler, spacing="diffusers")
    with bench.clock.peak(measured):
        measured.result = loop.denoise(
            loop.Progress(bench.noise(), steps),
            bench.guidance,
            lambda _: network,
            hooks,
            boundary=bench.model.boundary,
            condition=kept,
        )
    measured.seconds = _after_the_first(hooks.times)
    return measured


def their_steps(bench: Bench, network: Any, vae: Any) -> Measured:
    """diffusers' pipeline over the same steps. What it encodes first is not in the steps' times, but in its peak."""
    spec = bench.spec
    measured, times = Measured(), [bench.clock.now()]

    def told(pipeline: Any, index: int, timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
        times.append(bench.clock.now())
        return given

    pipeline, more = _pipeline(bench, network, vae)
    pipeline.set_progress_bar_config(disable=True)
    low, high = spec.guidance
    guidance = bench.guidance
    with bench.clock.peak(measured):
        measured.result = pipeline(
            prompt_embeds=guidance.show,
            negative_prompt_embeds=guidance.avoid,
            height=spec.height,
            width=spec.width,
            num_frames=spec.frames,
            num_inference_steps=spec.steps,
            guidance_scale=high,
            **({"guidance_scale_2": low} if bench.model.experts == 2 else {}),
            generator=torch.Generator("cpu").manual_seed(spec.seed),
            output_type="latent",
            callback_on_step_end=told,
            **more,
        ).frames
    measured.seconds = _after_the_first(times)
    return measured


def _pipeline(bench: Bench, network: Any, vae: Any) -> tuple[Any, dict[str, Any]]:
    """diffusers' pipeline for the task, and what it takes beside words and sizes."""
    import diffusers

    model, spec = bench.model, bench.spec
    scheduler = diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=spec.shift
    )
    parts: dict[str, Any] = {"tokenizer": None, "text_encoder": None, "vae": vae, "scheduler": scheduler}
    parts |= {"transformer": network, "boundary_ratio": model.boundary}
    if model.experts == 2:
        parts["transformer_2"] = network
    given = _material(bench)
    if given.image is not None:
        return diffusers.WanImageToVideoPipeline(**parts), {"image": given.image.permute(2, 0, 1).unsqueeze(0)}
    if given.video is not None and given.mask is not None:
        clips = (given.video.frame(0), given.mask.frame(0))
        video, mask = (each.permute(2, 0, 1).expand(1, spec.frames, 3, -1, -1) for each in clips)
        return diffusers.WanVACEPipeline(**parts), {"video": video, "mask": mask}
    return diffusers.WanPipeline(**parts, expand_timesteps=model.experts == 1), {}


def _after_the_first(times: Sequence[float]) -> list[float]:
    return [after - before for before, after in pairwise(times[1:])]


def denoising(bench: Bench, vae: Any, rate: float, compiled: bool) -> tuple[list[Figure], float]:
    """The figures of a guided step, and the seconds of the quickest way of ours."""
    network = wan22_models.network(bench.model, bench.device, bench.dtype)
    kept = condition(bench, vae)
    ours = our_steps(bench, network, kept)
    theirs = None if bench.model.speech is not None else their_steps(bench, network, vae)
    passes = 1 if bench.spec.guidance[1] == 1.0 else 2
    work = flops.denoise_pass(bench.spec, bench.model) * passes
    peer = "the matrix product" if theirs is None else "diffusers' pipeline"
    peers = [work / rate] if theirs is None else theirs.seconds
    apart = "" if theirs is None else f"; results differ by {_difference(ours, theirs):.2g} at most"
    rows = [
        figure(f"{bench.name}.step_s", ours.seconds, "s", peer=peer, peers=peers, note=f"{bench.about}{apart}"),
        *_shares(bench, ours.seconds, peers, work, rate, peer),
        *_memory(bench, "step", ours, theirs),
    ]
    quickest = ours.typical
    if compiled:
        quick = our_steps(bench, own(network, "transformer", Levers(compile=True), bench.device), kept)
        note = f"{bench.about}; blocks compiled; differs from ours by {_difference(quick, ours):.2g} at most"
        target = f">= {TIMES_TARGET} x as fast" if bench.model.name == "ti2v-5B" else ""
        name = f"{bench.name}.compiled_step_s"
        rows.append(figure(name, quick.seconds, "s", peer=peer, peers=peers, target=target, note=note))
        rows += _shares(bench, quick.seconds, peers, work, rate, peer, "compiled_")
        quickest = min(quickest, quick.typical)
    return rows, quickest


def _shares(
    bench: Bench, ours: Sequence[float], peers: Sequence[float], work: float, rate: float, peer: str, which: str = ""
) -> list[Figure]:
    target = f">= {SHARE_TARGET} %" if bench.model.name == "ti2v-5B" else ""
    shares = [[100 * work / seconds / rate for seconds in each] for each in (ours, peers)]
    note = f"of the measured matrix product; {work / 1e12:.0f} TFLOP a guided step"
    name = f"{bench.name}.{which}step_share"
    return [figure(name, shares[0], "%", peer=peer, peers=shares[1], target=target, note=note)]


def _memory(bench: Bench, stage: str, ours: Measured, theirs: Measured | None) -> list[Figure]:
    """The peak of a stage; nothing counts it on a processor."""
    if not ours.peak_gb:
        return []
    peers = [ours.peak_gb if theirs is None else theirs.peak_gb]
    peer = "itself" if theirs is None else "diffusers"
    note = "all that lay on the card: the stage's weights and, but for the text, the VAE's"
    return [figure(f"{bench.name}.{stage}_peak_gb", [ours.peak_gb], "GB", peer=peer, peers=peers, note=note)]


def _difference(one: Measured, other: Measured) -> float:
    return float((one.result.float() - other.result.float()).abs().max())


def decoding(bench: Bench, vae: Any, step: float) -> list[Figure]:
    """A clip's latents into frames: ours chunk by chunk, diffusers' whole."""
    shape = bench.model.latent_shape(bench.spec.width, bench.spec.height, bench.spec.frames)
    latents = loop.noise(shape, 5, bench.device)

    def ours() -> None:
        for _ in decode.chunks(latents, vae):
            pass

    def theirs() -> None:
        with torch.no_grad():
            decode.pictures(vae.decode(latents.to(vae.dtype), return_dict=False)[0])

    here, there = bench.clock.repeated(ours, 2), bench.clock.repeated(theirs, 2)
    work = flops.decode(bench.model, bench.spec.width, bench.spec.height, bench.spec.frames)
    share = [100 * seconds / (seconds + LONG_JOB * step) for seconds in here.seconds]
    others = [100 * seconds / (seconds + LONG_JOB * step) for seconds in there.seconds]
    note = f"{bench.about.rsplit(',', 1)[0]}, float32; {work / 1e12:.0f} TFLOP"
    peer = "diffusers' decode"
    target = f"<= {DECODE_TARGET} %"
    about = f"of decoding and {LONG_JOB} guided steps of the quickest way of ours"
    return [
        figure(f"{bench.name}.decode_s", here.seconds, "s", peer=peer, peers=there.seconds, note=note),
        figure(f"{bench.name}.decode_share", share, "%", peer=peer, peers=others, target=target, note=about),
        *_memory(bench, "decode", here, there),
    ]


def reading(bench: Bench, rate: float) -> list[Figure]:
    """Both prompts through the text encoder."""
    encoder = wan22_models.text_encoder(bench.model, bench.device, bench.dtype)
    words = torch.ones(1, 512, dtype=torch.int64, device=bench.device)

    def both() -> None:
        with torch.no_grad():
            encoder(words, torch.ones_like(words))
            encoder(words, torch.ones_like(words))

    taken = bench.clock.repeated(both, 3)
    floor = [2 * flops.text(bench.model) / rate]
    peer = "the matrix product"
    return [
        figure(f"{bench.name}.text_s", taken.seconds, "s", peer=peer, peers=floor, note="two prompts of 512 tokens"),
        *_memory(bench, "text", taken, None),
    ]


def measure(bench: Bench, rate: float, *, compiled: bool) -> Iterator[Figure]:
    """All stages of one model, one component at a time as a job has them; what a stage that fails followed is kept."""
    yield from reading(bench, rate)
    _clear(bench.device)
    vae = wan22_models.vae(bench.model, bench.device)
    found, step = denoising(bench, vae, rate, compiled)
    yield from found
    _clear(bench.device)
    yield from decoding(bench, vae, step)


def _clear(device: Device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()


def matrix_figure(clock: Clock, dtype: DType, side: int) -> tuple[float, Figure]:
    """The ceiling beside what the card's maker publishes, or beside itself where that is not known."""
    rate = ceiling(clock, dtype, side)
    card = torch.cuda.get_device_name(clock.device) if clock.device.type == "cuda" else ""
    published = Card(1.0, card).peak
    peer = f"published peak of the {card}" if published else "itself: no published peak is known here"
    kind = str(dtype).removeprefix("torch.")
    note = f"product of {side} x {side} matrices in {kind} on {card or machine()['processor']}"
    return rate, figure(
        "wan22_gpu.matrix_tflops", [rate / 1e12], "TFLOP/s", peer=peer, peers=[(published or rate) / 1e12], note=note
    )


def spec_of(name: str, size: str, frames: int, steps: int, dtype: str) -> ClipSpec:
    """The clip to measure `name` with; empty and 0 are the model's 720p and its usual length."""
    model = catalogue.model(name)
    width, height = (int(side) for side in size.split("x")) if size else model.sizes["720p"]
    usual = 121 if model.vae.spatial == 16 else 81
    if model.speech is not None:
        usual = model.speech.clip_frames
    return resolve(
        prompt="a street in the rain",
        model=name,
        task="t2v" if "t2v" in model.tasks else model.tasks[0],
        width=width,
        height=height,
        frames=frames or usual,
        steps=steps,
        seed=1,
        dtype=dtype,
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m artifexpro.benchmarks.wan22_gpu", description=__doc__)
    parser.add_argument("--model", action="append", choices=tuple(catalogue.CATALOGUE), help="default: all real ones")
    parser.add_argument("--size", default="", help="WxH; default: the model's 720p")
    parser.add_argument("--frames", type=int, default=0, help="default: 121 or 81, of speech one clip")
    parser.add_argument(
        "--steps", type=int, default=4, help="guided steps of each way, the first of which is not counted"
    )
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--matrix", type=int, default=MATRIX, help="side of the matrices whose product is the ceiling")
    parser.add_argument("--no-compile", action="store_true", help="leave the compiled blocks out")
    parser.add_argument("--json", action="store_true")
    wish = parser.parse_args(arguments)
    device = torch.device(wish.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(
            "Attempted to measure Wan2.2 on a card. Failed because torch sees none. Try --device cpu, small.",
            file=sys.stderr,
        )
        return 1
    clock, dtype = Clock(device), getattr(torch, wish.dtype)
    rate, first = matrix_figure(clock, dtype, wish.matrix)
    figures = [first]
    for name in wish.model or MODELS:
        try:
            spec = spec_of(name, wish.size, wish.frames, wish.steps, wish.dtype)
            bench = Bench(spec, catalogue.model(name), device, dtype, clock)
            figures.extend(measure(bench, rate, compiled=not wish.no_compile))
        except (ArtifexError, torch.OutOfMemoryError) as error:
            print(f"{name}: {' '.join(str(error).split())}", file=sys.stderr)
        _clear(device)
    tell(figures, as_json=wish.json)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
