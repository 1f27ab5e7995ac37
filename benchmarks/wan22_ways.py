"""The ways to make the embedded model's clips that `wan22` sets beside the plain one: each differs from it in one
thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from artifexpro.core.wan22.levers import DISTILLED_SHIFT, Levers, Lora, distilled_levels

PLAIN = "plain"
STEPS, GUIDANCE = 20, 3.0
"""Of the plain way."""


@dataclass(frozen=True)
class Way:
    """`asked` are arguments of `request.resolve`; where it says nothing of steps, the levers do."""

    name: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    levers: Levers = Levers()


def ways(lora: Lora | None) -> tuple[Way, ...]:
    """All ways, the plain one first; those with `lora` where the package has one."""
    plain = {"steps": STEPS, "guidance": GUIDANCE}

    def other(name: str, levers: Levers = Levers(), **asked: Any) -> Way:  # noqa: B008
        return Way(name, plain | asked, levers)

    found = [
        other(PLAIN),
        *(other(f"{steps} steps", steps=steps) for steps in (4, 8, 12, 40)),
        *(other(f"guidance {guidance:g}", guidance=guidance) for guidance in (1.0, 2.0, 5.0)),
        *(other(f"scheduler {name}", scheduler=name) for name in ("dpm++", "euler")),
        *(other(f"cache {share:g}", Levers(cache=share)) for share in (0.05, 0.1, 0.2)),
        other("quantise int8", Levers(quantise="int8")),
        other("quantise fp8", Levers(quantise="fp8")),
        other("tile 128", Levers(tile=128)),
        other("offload model", Levers(offload="model")),
        other("offload block", Levers(offload="block")),
        other("ensemble 3", Levers(ensemble=3)),
        other("consistency 0.5", Levers(consistency=0.5)),
        other("smoothing 0.5", Levers(smoothing=0.5)),
        other("profile Quality", profile="Quality"),
    ]
    return (*found, *_few(lora)) if lora is not None else tuple(found)


def _few(lora: Lora) -> tuple[Way, ...]:
    """The LoRA as the lever settles it, and the same noise levels without it."""
    same = {
        "sigmas": distilled_levels(lora.steps),
        "shift": DISTILLED_SHIFT,
        "guidance": 1.0,
        "scheduler": "euler",
    }
    return (
        Way(f"{lora.steps} steps by LoRA", {}, Levers(loras=(lora,))),
        Way(f"its {lora.steps} steps without the LoRA", same),
    )
