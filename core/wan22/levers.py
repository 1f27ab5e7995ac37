"""How a clip is computed: where weights lie, in what format, with which short cuts and which extra care.

Levers are data, and part of the spec: a recipe says all of them. What a lever does stands in the module that pulls it
(`placement`, `quantised`, `lora`, `attention`, `stepcache`, `parallel`, `quality`, `decode`); here is only what may be
asked for, and what makes no sense for any machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.catalogue import ModelSpec

Offload = Literal["none", "model", "block"]
Quantise = Literal["none", "int8", "fp8"]
Expert = Literal["both", "high", "low"]
ATTENTIONS = ("native", "cudnn", "flash", "flash3", "sage", "xformers")
"""Names of attention back ends; which of them a machine has is found out when the weights are placed."""
DISTILLED_SHIFT = 5.0
"""Shift of the noise schedule that step-distilled weights of Wan2.2 are trained at (lightx2v/Wan2.2-Lightning)."""
MOST_ENSEMBLE = 4
MOST_PARALLEL = 64
LEAST_TILE = 8
"""Latents along a tile's side. Smaller tiles are all overlap."""


@dataclass(frozen=True, slots=True)
class Lora:
    """Low-rank additions to the weights of one expert or both, from one safetensors file.

    `strength` multiplies them, -4..4. `steps` is the number of steps the file distils the model to; 0 is a file that
    does not.
    """

    path: str
    strength: float = 1.0
    expert: Expert = "both"
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Levers:
    """How a clip is computed. Every default is the plain way, and changes nothing.

    `offload`: "none" keeps a component on the card for its own stage; "model" keeps all in main memory between stages;
    "block" brings one block of a network at a time. `text_on_cpu` runs the text encoder on the processor. `quantise`:
    storage of the networks' matrices. `tile`: side of decoded tiles in pixels, 0 decodes whole pictures. `attention`:
    one of `ATTENTIONS`. `compile` compiles the networks' blocks. `cache`: how much the first block's answer may change
    (a share, 0..1) for the rest of a step to be taken from an earlier step; 0 never. `parallel`: processes that share
    each step, a card each. `ensemble`: passes on shifted patches that are averaged each step. `consistency` (0..1):
    share of the noise's low frequencies that all frames have in common. `smoothing` (0..1): how much jitter is taken
    from motion. `ema`: averaged weights, where the model's folder has them.
    """

    offload: Offload = "none"
    text_on_cpu: bool = False
    quantise: Quantise = "none"
    tile: int = 0
    attention: str = "native"
    compile: bool = False
    cache: float = 0.0
    loras: tuple[Lora, ...] = ()
    parallel: int = 1
    ensemble: int = 1
    consistency: float = 0.0
    smoothing: float = 0.0
    ema: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain data for recipes and file headers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Levers:
        """Levers from `as_json`, before or after a round trip through JSON text. Raises TypeError for anything else."""
        loras = tuple(Lora(**lora) for lora in data.get("loras", ()))
        return cls(**{**data, "loras": loras})

    @property
    def distilled(self) -> int:
        """Steps that the LoRAs distil every expert to; 0 where some expert has none of that kind."""
        covered = {expert for lora in self.loras if lora.steps for expert in _experts(lora.expert)}
        return max(lora.steps for lora in self.loras) if covered == {"high", "low"} else 0

    def changed(self) -> dict[str, Any]:
        """The levers that are not at their default, for notes and reports."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) != field.default}


def distilled_levels(steps: int) -> tuple[float, ...]:
    """Unshifted noise levels of weights distilled to `steps` steps: evenly from 1 down to 1 / steps."""
    return tuple(1.0 - step / steps for step in range(steps))


def check(levers: Levers, model: ModelSpec) -> None:
    """Refuse what can do nothing for `model` on any machine. Raises `ArtifexError` (code "settings")."""
    _one_of("offload", levers.offload, get_args(Offload))
    _one_of("quantise", levers.quantise, get_args(Quantise))
    _one_of("attention", levers.attention, ATTENTIONS)
    _between("cache", levers.cache, 0, 1, "0.05 to 0.2")
    _between("consistency", levers.consistency, 0, 1, "0.5")
    _between("smoothing", levers.smoothing, 0, 1, "0.5")
    _between("ensemble", levers.ensemble, 1, MOST_ENSEMBLE, "2, which takes twice as long")
    _between("parallel", levers.parallel, 1, MOST_PARALLEL, "the number of cards")
    if model.transformer.heads % levers.parallel:
        raise refusal(
            f"share each step among {levers.parallel} processes",
            f"{model.name} has {model.transformer.heads} attention heads, which do not divide by that",
            " or ".join(str(count) for count in range(1, 9) if model.transformer.heads % count == 0),
        )
    _check_tile(levers.tile, model)
    for lora in levers.loras:
        _check_lora(lora, model)
    steps = sorted({lora.steps for lora in levers.loras if lora.steps})
    if len(steps) > 1:
        raise refusal(
            f"use LoRAs that distil to {' and to '.join(map(str, steps))} steps together",
            "a clip has one number of steps",
            "files made for the same number of steps",
        )


def _check_tile(tile: int, model: ModelSpec) -> None:
    step = model.vae.spatial
    if tile and (tile < LEAST_TILE * step or tile % step):
        near = max(LEAST_TILE * step, tile // step * step)
        raise refusal(
            f"decode in tiles of {tile} pixels",
            f"tiles of this model are whole multiples of {step} pixels and at least {LEAST_TILE * step}",
            f"{near}, or 0 to decode whole pictures",
        )


def _check_lora(lora: Lora, model: ModelSpec) -> None:
    name = Path(lora.path).name or lora.path
    if not lora.path:
        raise refusal("use a LoRA", "no file is named", "the path of a .safetensors file")
    _one_of(f"expert of the LoRA {name}", lora.expert, get_args(Expert))
    _between(f"strength of the LoRA {name}", lora.strength, -4, 4, "1")
    if lora.strength == 0:
        raise refusal(f"use the LoRA {name} at strength 0", "it would change nothing", "leaving it out")
    _between(f"number of steps of the LoRA {name}", lora.steps, 0, 100, "4, or 0 for one that is not distilled")
    if model.experts == 1 and lora.expert != "both":
        raise refusal(
            f"use the LoRA {name} for the {lora.expert} noise expert",
            f"{model.name} is one network for all noise levels",
            "the expert both",
        )


def _experts(expert: Expert) -> tuple[str, ...]:
    return ("high", "low") if expert == "both" else (expert,)


def _one_of(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise refusal(f"set {what} to {value!r}", "there is no such choice", f"one of {', '.join(known)}")


def _between(what: str, value: float, least: float, most: float, remedy: str) -> None:
    if not least <= value <= most:
        raise refusal(f"set {what} to {value:g}", f"it goes from {least:g} to {most:g}", remedy)


def refusal(attempted: str, because: str, remedy: str) -> ArtifexError:
    """A lever that cannot act, in words."""
    return ArtifexError(attempted, because, remedy, code="settings")
