"""What a clip would need, before anything is loaded: which stage holds what, and whether it fits the card.

The plan describes what `generate` does: one component at a time, nothing offloaded, quantised or tiled yet. Weights are
parameter counts times bytes; activations are arithmetic on tensor shapes (facts below), not measurements; seconds are
None until a run has measured them. Gigabytes are 10^9 bytes, and a card's size is taken as that many of them: the
seven percent by which "24 GB" of memory is larger stay free for the driver and for fragmentation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from artifexpro.core.wan22 import catalogue, weights
from artifexpro.core.wan22.catalogue import Component, ModelSpec
from artifexpro.core.wan22.presets import PRESETS
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.text import TOKENS

GB = 1e9
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_VAE_BYTES = 4
_RANDOM_PARAMETERS = 120_000


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: names of what is resident, offloaded, quantised; memory in gigabytes on the card and in RAM."""

    name: str
    resident: tuple[str, ...]
    vram_gb: float
    ram_gb: float
    offloaded: tuple[str, ...] = ()
    quantised: tuple[str, ...] = ()
    tiled: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The answer to "will it run here". `basis` says what the numbers rest on."""

    fits: bool
    reason: str
    stages: tuple[Stage, ...]
    peak_vram_gb: float
    disk_gb: float
    seconds: float | None = None
    nearest: str = ""
    basis: str = "weights counted, activations by arithmetic, seconds not measured"

    def as_json(self) -> dict[str, Any]:
        """Plain data in the shape of `models plan --json`."""
        return asdict(self)


def make(spec: ClipSpec, vram_gb: float, models: Path | None = None, ram_gb: float | None = None) -> Plan:
    """The plan for `spec` on a card of `vram_gb` (0 is no card: everything is in RAM, `ram_gb` of it if known).

    With `models`, disk space counts only what is not there yet. Never loads anything.
    """
    model = catalogue.model(spec.model)
    stages = _stages(spec, model, on_card=vram_gb > 0)
    disk = _disk(spec, model, models)
    peak = max(stage.vram_gb for stage in stages)
    limit = ram_gb if vram_gb == 0 else vram_gb
    worst = max(stages, key=_needed)
    need = _needed(worst)
    if limit is None or need <= limit:
        where = "the card" if vram_gb else f"the processor, without a card, in {need:.1f} GB of memory, slowly"
        return Plan(True, f"fits {where}", stages, peak, disk)
    nearest = _nearest(spec, limit)
    reason = (
        f"stage {worst.name} needs {need:.1f} GB for {' and '.join(worst.resident)} at {spec.width}x{spec.height}, "
        f"{spec.frames} frames, and {'the card' if vram_gb else 'this machine'} has {limit:g} GB; "
        f"offload and 8 bit weights arrive in a later release; {nearest}"
    )
    return Plan(False, reason, stages, peak, disk, nearest=nearest)


def _needed(stage: Stage) -> float:
    return max(stage.vram_gb, stage.ram_gb)


def _stages(spec: ClipSpec, model: ModelSpec, on_card: bool) -> tuple[Stage, ...]:
    def stage(name: str, component: Component, width: int, working: float) -> Stage:
        total = (_parameters(model, component) * width + working) / GB
        return Stage(name, (component.name,), total if on_card else 0.0, 0.5 if on_card else total)

    parts = {component.name: component for component in model.components}
    latents = math.prod(model.latent_shape(spec.width, spec.height, spec.frames)) * 4.0
    text_width = 4 if model.random else 2
    result = [stage("text", parts["text_encoder"], text_width, _text_bytes(model))]
    forward = latents * 6 + _forward_bytes(spec, model)
    for name in ("transformer", "transformer_2"):
        if name in parts:
            result.append(stage(f"denoise ({name})", parts[name], BYTES[spec.dtype], forward))
    result.append(stage("decode", parts["vae"], _VAE_BYTES, latents + _decode_bytes(spec, model)))
    return tuple(result)


def _parameters(model: ModelSpec, component: Component) -> int:
    return _RANDOM_PARAMETERS if model.random else component.parameters


def _text_bytes(model: ModelSpec) -> float:
    """512 tokens: feed-forward and attention tensors of one layer, both prompts one after the other."""
    return TOKENS * model.transformer.text_dim * 2.0 * 16


def _forward_bytes(spec: ClipSpec, model: ModelSpec) -> float:
    """Largest set of tensors alive in one transformer block.

    The feed-forward holds its inner activation twice (before and after GELU); attention holds query, key, value and
    result. Around both: the residual, and two float32 copies of it (norms and gates are float32). A picture to start
    from brings a modulation for each token: 6 x dim in the number format and twice in float32.
    """
    size = model.transformer
    tokens = model.tokens(spec.width, spec.height, spec.frames)
    width = BYTES[spec.dtype]
    inner = max(2 * size.ffn, 4 * size.dim) * width
    around = size.dim * (2 * width + 2 * 4)
    each_token = 6 * size.dim * (width + 2 * 4) if spec.task == "ti2v" else 0
    return float(tokens * (inner + around + each_token))


def _decode_bytes(spec: ClipSpec, model: ModelSpec) -> float:
    """Five copies of the decoder's widest tensor (input, padded input, output, norm, two cached frames), and a chunk.

    The last block works on 4 frames at full size (VAE 2.2: a quarter of it) with 96 (2.2: 256) channels, float32.
    """
    channels, shrink = (256, 4) if model.vae.spatial == 16 else (96, 1)
    if model.random:
        channels = 4
    pixels = spec.width * spec.height * model.vae.temporal
    return float(pixels / shrink * channels * _VAE_BYTES * 5 + pixels * 3 * 4)


def _disk(spec: ClipSpec, model: ModelSpec, models: Path | None) -> float:
    """Gigabytes: weights still to come as published, latents, and half-float RGBA frames."""
    there = models is not None and weights.installed(models, model)
    published = 0 if there else sum(_parameters(model, part) * part.stored_bytes for part in model.components)
    latents = math.prod(model.latent_shape(spec.width, spec.height, spec.frames)) * 4
    return (published + latents + spec.width * spec.height * spec.frames * 8) / GB


def _nearest(spec: ClipSpec, limit_gb: float) -> str:
    for candidate in _smaller(spec):
        if all(
            stage.vram_gb <= limit_gb for stage in _stages(candidate, catalogue.model(candidate.model), on_card=True)
        ):
            return (
                f"the nearest that fits is {candidate.model} at {candidate.width}x{candidate.height}, "
                f"{candidate.frames} frames"
            )
    return f"nothing smaller fits {limit_gb:g} GB either"


def _smaller(spec: ClipSpec) -> Iterator[ClipSpec]:
    """The same clip made smaller: first size and length with the same model, then other models of the same task."""
    able = [
        other
        for other in catalogue.CATALOGUE.values()
        if spec.task in other.tasks and other.later is None and not other.random
    ]
    for model in sorted(able, key=lambda other: (other.name != spec.model, -other.parameters)):
        sizes = sorted({(spec.width, spec.height), *model.sizes.values()}, key=lambda size: -size[0] * size[1])
        lengths = sorted({spec.frames, *(preset.frames for preset in PRESETS.values())}, reverse=True)
        for width, height in sizes:
            if width * height > spec.width * spec.height or width % model.multiple or height % model.multiple:
                continue
            for frames in lengths:
                if frames <= spec.frames:
                    yield replace(spec, model=model.name, width=width, height=height, frames=frames)
