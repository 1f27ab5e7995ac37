"""A network made ready to denoise with: LoRAs first, then where it lies, then what shortens or lengthens its steps.

The order matters: LoRAs change weights that are later hooked, hooks come before the compiler sees a block, and what
looks like a network (`Shared`, `Spun`) is put around all of it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.wan22 import attention, loop, lora, parallel, placement, quantised, schedule, stepcache
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.levers import Levers, refusal
from artifexpro.core.wan22.quality import Spun
from artifexpro.core.wan22.request import ClipSpec

if TYPE_CHECKING:
    from torch import device as Device
    from torch import dtype as DType

_LEAST_STEPS = 5
"""A step cache leaves out nothing worth having in fewer."""


def check(spec: ClipSpec, model: ModelSpec, folder: Path, device: Device, dtype: DType) -> None:
    """Refuse levers that cannot act on this machine, these weights or this clip, before anything is loaded.

    Raises `ArtifexError` with the reason and what would do.
    """
    levers = spec.levers
    attention.check(levers.attention, device, dtype)
    placement.check(levers, device)
    parallel.check(levers, device, model, model.tokens(spec.width, spec.height, spec.frames))
    if levers.cache:
        stepcache.check(model.transformer.kind, model.transformer.layers)
    for name in ("transformer", "transformer_2")[: model.experts]:
        quantised.check(levers.quantise, folder / name)
        if levers.ema:
            _check_ema(folder / name)
    for each in levers.loras:
        lora.check(each, folder, model.experts)
    if levers.loras:
        _check_experts(spec, model)
    if levers.compile:
        _check_compiler(device)
    _check_clip(spec, model)


def ready(network: Any, name: str, levers: Levers, device: Device, load: Callable[[Any], Any]) -> Any:
    """`network`, in main memory, as the loop may use it on `device`. `name` is "transformer" or "transformer_2".

    `load(device)` gives the same network, ready but not shared, in another process.
    """
    alone = own(network, name, levers, device)
    whole = parallel.Shared(alone, load, levers.parallel, device) if levers.parallel > 1 else alone
    return Spun(whole, levers.ensemble) if levers.ensemble > 1 else whole


def own(network: Any, name: str, levers: Levers, device: Device) -> Any:
    """What every process does to its network by itself."""
    if levers.offload != "block":
        network.to(device)
    lora.apply(network, levers.loras, name, fuse=not quantised.is_quantised(network))
    if levers.attention != "native":
        attention.choose(network, levers.attention)
    if levers.offload == "block":
        placement.by_blocks(network, device)
    if levers.cache:
        stepcache.enable(network, levers.cache)
    if levers.compile:
        hooked = bool(levers.cache) or levers.offload == "block" or levers.parallel > 1
        network.compile_repeated_blocks(fullgraph=not hooked)
    return network


def variant(levers: Levers) -> str | None:
    """The variant of the files to load: diffusers writes averaged weights as `...ema.safetensors`."""
    return "ema" if levers.ema else None


def _check_ema(folder: Path) -> None:
    if not any(folder.glob("*.ema.safetensors")) and not any(folder.glob("*.ema-*.safetensors")):
        raise refusal(
            "use averaged weights (EMA)",
            f"there are none in {folder}: the published ones have no average beside them",
            "leaving that out, or weights of your own training with their average",
        )


def _check_compiler(device: Device) -> None:
    if device.type == "cuda":
        from torch.utils._triton import has_triton

        if not has_triton():
            raise refusal("compile the networks", "triton is not installed", "installing triton, or no compiling")
        return
    names = [os.environ.get("CXX", ""), "g++", "clang++", "cl"]
    if not any(name and shutil.which(name) for name in names):
        raise refusal("compile the networks", "this machine has no C++ compiler", "installing g++, or no compiling")


def _check_experts(spec: ClipSpec, model: ModelSpec) -> None:
    taken = schedule.taken(spec.steps, spec.strength)
    timesteps = schedule.make(spec.steps, spec.shift, spec.scheduler, spec.sigmas).timesteps.tolist()[-taken:]
    used = {lora.EXPERTS[loop.expert_of(timestep, model.boundary)] for timestep in timesteps}
    for each in spec.levers.loras:
        if each.expert not in ("both", *used):
            raise refusal(
                f"use the LoRA {Path(each.path).name} for the {each.expert} noise expert",
                f"none of the {taken} steps at shift {spec.shift:g} is at {each.expert} noise",
                "the expert both, another shift or more steps",
            )


def _check_clip(spec: ClipSpec, model: ModelSpec) -> None:
    levers, frames = spec.levers, model.latent_shape(spec.width, spec.height, spec.frames)[2]
    steps = schedule.taken(spec.steps, spec.strength)
    if levers.cache and steps < _LEAST_STEPS:
        raise refusal(
            "cache steps",
            f"a clip of {steps} steps has none that could be left out",
            f"{_LEAST_STEPS} steps or more, or no step cache",
        )
    if levers.consistency and frames < 2:
        raise refusal("share noise in time", "the clip is a single picture", "at least 5 frames")
    if levers.smoothing and frames < 3:
        raise refusal("smooth motion", f"{spec.frames} frames are too short to have any", "at least 9 frames")
    if levers.tile and levers.tile >= max(spec.width, spec.height):
        raise refusal(
            f"decode in tiles of {levers.tile} pixels",
            f"the picture is {spec.width}x{spec.height} and would be one tile",
            "smaller tiles, or 0 to decode whole pictures",
        )
