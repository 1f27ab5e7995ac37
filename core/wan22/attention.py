"""Attention back ends: which library multiplies queries, keys and values.

diffusers knows them by name and remembers the last one set for the whole process, VAE and text encoder included. Here
the choice stays with the network it was made for. Nothing is fetched from a hub: a package is there or it is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.levers import refusal
from artifexpro.core.wan22.quiet import quiet

if TYPE_CHECKING:
    from torch import device as Device
    from torch import dtype as DType

_NATIVE = "native, which torch brings"
_FASTEST_XFORMERS = (8, 0)
"""From this compute capability on torch has the same kernels or faster ones: on an RTX 4090 Wan takes 142.8 to 146 s
with torch's own and 184.6 s with its memory-efficient kernel, which is xformers' (diffusers pull request 11368)."""


@dataclass(frozen=True, slots=True)
class BackEnd:
    """`name` as diffusers has it; the package it needs; the compute capabilities it runs on."""

    name: str
    package: str = ""
    least: str = ""
    capability: tuple[int, int] = (0, 0)
    below: tuple[int, int] = (99, 0)


BACK_ENDS: Mapping[str, BackEnd] = {
    "native": BackEnd("native"),
    "cudnn": BackEnd("_native_cudnn", capability=(8, 0)),
    "flash": BackEnd("flash", "flash-attn", "2.6.3", capability=(8, 0)),
    "flash3": BackEnd("_flash_3", "flash-attn-3", "3.0", capability=(9, 0), below=(10, 0)),
    "sage": BackEnd("sage", "sageattention", "2.1.1", capability=(8, 0)),
    "xformers": BackEnd("xformers", "xformers", "0.0.29", capability=(7, 0)),
}


def check(name: str, device: Device, dtype: DType) -> None:
    """Refuse the back end `name` where this machine cannot run it, or runs it slower than torch's own.

    Raises `ArtifexError` (code "settings") with the reason.
    """
    if name == "native":
        return
    wanted, attempted = BACK_ENDS[name], f"compute attention with {name}"
    if device.type != "cuda":
        raise refusal(attempted, "it runs on NVIDIA cards only, and the clip is computed on the processor", _NATIVE)
    card, capability = torch.cuda.get_device_name(device), torch.cuda.get_device_capability(device)
    if name == "xformers" and capability >= _FASTEST_XFORMERS:
        raise refusal(attempted, f"it is slower than torch's own attention on the {card}", _NATIVE)
    if not wanted.capability <= capability < wanted.below:
        raise refusal(
            attempted, f"the {card} has compute capability {_dotted(capability)}, and {_needed(wanted)}", _NATIVE
        )
    if dtype not in (torch.bfloat16, torch.float16):
        raise refusal(attempted, f"it reads bfloat16 and float16, not {dtype}".replace("torch.", ""), "bfloat16")
    if wanted.package:
        _check_package(attempted, wanted)


def choose(network: Any, name: str) -> None:
    """Let `network`, and nothing else in this process, compute attention with `name`."""
    from diffusers.models.attention_dispatch import _AttentionBackendRegistry as registry

    before, _ = registry.get_active_backend()
    try:
        with quiet():
            network.set_attention_backend(BACK_ENDS[name].name)
    finally:
        registry.set_active_backend(before)


def _check_package(attempted: str, wanted: BackEnd) -> None:
    from packaging.version import Version

    try:
        found = version(wanted.package)
    except PackageNotFoundError:
        raise refusal(
            attempted, f"the package {wanted.package} is not installed", f"installing it, or {_NATIVE}"
        ) from None
    if Version(found) < Version(wanted.least):
        raise refusal(
            attempted,
            f"{wanted.package} is {found} and at least {wanted.least} is needed",
            f"a newer {wanted.package}, or {_NATIVE}",
        )


def _dotted(capability: tuple[int, int]) -> str:
    return f"{capability[0]}.{capability[1]}"


def _needed(wanted: BackEnd) -> str:
    least = f"it needs at least {_dotted(wanted.capability)}"
    return least if wanted.below[0] == 99 else f"{least} and less than {_dotted(wanted.below)}"
