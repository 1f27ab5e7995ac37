"""The stages of one clip: what each holds where, and how long it should take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from artifexpro.core.wan22 import weights
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.plan import clips, flops, memory
from artifexpro.core.wan22.plan.cards import LINK_BYTES, Card
from artifexpro.core.wan22.plan.measured import Measured
from artifexpro.core.wan22.plan.memory import GB, PROCESS
from artifexpro.core.wan22.request import ClipSpec

PROCESSOR = "processor"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: names of what is resident, offloaded, quantised; memory in gigabytes on the card and in RAM.

    `tiled` is the side of a tile in pixels, 0 for whole pictures. `seconds` is None where nothing is known of the
    card's speed; reading weights from the disk is not in it.
    """

    name: str
    resident: tuple[str, ...]
    vram_gb: float
    ram_gb: float
    offloaded: tuple[str, ...] = ()
    quantised: tuple[str, ...] = ()
    tiled: int = 0
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """One stage as arithmetic: bytes of weights held, bytes of tensors beside them, operations, and what may be
    measured of it: `kind` is the stage as `hooks.stage` calls it."""

    name: str
    kind: str
    component: str
    weights: float
    tensors: float
    operations: float
    moved: float
    dtype: str
    read: float
    on_processor: bool = False


def works(spec: ClipSpec, model: ModelSpec, levers: Levers) -> list[Work]:
    """The stages of `spec` computed with `levers`, in order."""
    return [
        _text(spec, model, levers),
        *([_sound(spec, model)] if model.speech is not None else []),
        _encode(spec, model, levers),
        *_denoise(spec, model, levers),
        _decode(spec, model, levers),
    ]


def _text(spec: ClipSpec, model: ModelSpec, levers: Levers) -> Work:
    held = memory.weights(model, "text_encoder", spec, levers)
    prompts = 1 if spec.guidance == (1.0, 1.0) else 2
    return Work(
        "text",
        "text",
        "text_encoder",
        held,
        memory.text(model),
        prompts * flops.text(model),
        0.0,
        "bfloat16",
        held,
        levers.text_on_cpu,
    )


def _sound(spec: ClipSpec, model: ModelSpec) -> Work:
    held = memory.weights(model, "audio_encoder", spec, Levers())
    return Work("sound", "sound", "audio_encoder", held, memory.SOUND_TENSORS, 0.0, 0.0, "float32", held)


def _encode(spec: ClipSpec, model: ModelSpec, levers: Levers) -> Work:
    held = memory.weights(model, "vae", spec, Levers()) + memory.beside(model, "vae", spec, levers)
    frames = clips.encoded_frames(spec, model)
    operations = flops.encode(model, spec.width, spec.height, frames) if frames else 0.0
    return Work("encode", "encode", "vae", held, memory.encode(spec, model), operations, 0.0, "float32", held)


def _denoise(spec: ClipSpec, model: ModelSpec, levers: Levers) -> list[Work]:
    made = []
    for name, count in flops.passes(spec, model).items():
        held = memory.on_card(model, name, spec, levers) + memory.beside(model, name, spec, levers)
        stored = memory.weights(model, name, spec, levers)
        moved = stored * count if levers.offload == "block" else 0.0
        operations = count * flops.denoise_pass(spec, model) / levers.parallel
        tensors = memory.denoise(spec, model, levers)
        read = stored + memory.in_turn(model, name, spec, levers)
        made.append(Work(f"denoise ({name})", "denoise", name, held, tensors, operations, moved, spec.dtype, read))
    return made


def _decode(spec: ClipSpec, model: ModelSpec, levers: Levers) -> Work:
    held = memory.weights(model, "vae", spec, levers) + memory.beside(model, "vae", spec, levers)
    frames = clips.decoded_frames(spec, model)
    once = sum(flops.decode(model, spec.width, spec.height, count) for count in frames)
    operations = once * memory.overlap(spec, model, levers.tile)
    tensors = memory.decode(spec, model, levers)
    read = held + memory.waiting(spec, model, levers.tile) + memory.in_turn(model, "vae", spec, levers)
    return Work("decode", "decode", "vae", held, tensors, operations, 0.0, "float32", read)


def way(levers: Levers, kind: str) -> str:
    """The levers that decide how fast, and how large, a stage of this kind is: runs are compared within one way."""
    if kind == "decode":
        return f"tile {levers.tile}" if levers.tile else ""
    if kind != "denoise":
        return ""
    said = {"attention": levers.attention, "quantise": levers.quantise, "offload": levers.offload}
    parts = [value for value in said.values() if value not in ("native", "none")]
    parts += ["compiled"] if levers.compile else []
    parts += [f"cache {levers.cache:g}"] if levers.cache else []
    parts += [f"{levers.parallel} cards"] if levers.parallel > 1 else []
    return ", ".join(parts)


def staged(work: Work, spec: ClipSpec, levers: Levers, card: Card, known: Measured) -> Stage:
    """The stage as the plan tells it."""
    network = work.kind == "denoise"
    here = card.vram_gb > 0 and not work.on_processor
    name = card.name if here else PROCESSOR
    factor = known.peak(name, work.kind, spec.model, work.dtype, way(levers, work.kind))
    offloaded = network and levers.offload != "none" and card.vram_gb > 0
    vram = (work.weights + work.tensors) * factor / GB if here else 0.0
    ram = (PROCESS + work.read + (0.0 if here else work.tensors)) / GB
    return Stage(
        work.name,
        () if offloaded and levers.offload == "block" else (work.component,),
        vram,
        ram,
        offloaded=(work.component,) if offloaded else (),
        quantised=(work.component,) if network and levers.quantise != "none" else (),
        tiled=levers.tile if work.kind == "decode" else 0,
        seconds=_seconds(work, spec, levers, card if here else Card(0, PROCESSOR), known),
    )


def _seconds(work: Work, spec: ClipSpec, levers: Levers, card: Card, known: Measured) -> float | None:
    if not work.operations:
        return 0.0
    measured = known.rate(card.name, work.kind, spec.model, work.dtype, way(levers, work.kind))
    if measured is not None:
        return work.operations / measured
    rate = card.rate(work.dtype)
    return None if rate is None else work.operations / rate + work.moved / LINK_BYTES


def disk(spec: ClipSpec, model: ModelSpec, models: Path | None) -> float:
    """Bytes on disk: weights still to come as published, and what the clip writes."""
    there = models is not None and weights.installed(models, model)
    published = 0 if there else sum(memory.parameters(model, part) * part.stored_bytes for part in model.components)
    return published + written(spec, model)


def written(spec: ClipSpec, model: ModelSpec) -> float:
    """Bytes that the clip itself writes: latents, and half-float RGBA frames as delivered."""
    width, height = spec.picture_size
    return memory.latents(spec, model) + width * height * spec.frames * 8.0
