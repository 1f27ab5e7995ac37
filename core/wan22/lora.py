"""LoRAs: low-rank additions to one expert or both, from a file of any of the usual kinds.

Read are files as diffusers writes them (`transformer.blocks...lora_A.weight`, with `transformer_2.` for the low noise
expert where one file has both), as lightx2v and the original code name them (`diffusion_model.blocks...`), and as
kohya's trainers do (`lora_unet_blocks_...`); diffusers translates. Whether a file fits is known from its header: the
names and shapes of its matrices against those of the network, before anything is loaded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22.levers import Lora
from artifexpro.core.wan22.quiet import quiet
from artifexpro.core.wan22.s2v import layout

if TYPE_CHECKING:
    from torch import Tensor

EXPERTS = {"transformer": "high", "transformer_2": "low"}
"""At which noise a network works, by its name on disk."""
_KINDS = "a LoRA for Wan2.2 as diffusers, lightx2v or kohya write them, for this model"
_DIFFUSERS, _ORIGINAL, _KOHYA = ("transformer.", "transformer_2."), "diffusion_model.", "lora_unet_"


def applies(lora: Lora, expert: str) -> bool:
    """Whether `lora` is for the network called "transformer" or "transformer_2"."""
    return lora.expert in ("both", EXPERTS[expert])


def check(lora: Lora, folder: Path, experts: int) -> None:
    """Refuse a file that is damaged, no LoRA, or another model's, from its header and the model's configuration.

    `folder` is the model's. Raises `ArtifexError` (code "lora") with the first matrix that does not fit.
    """
    for expert in ("transformer", "transformer_2")[:experts]:
        if applies(lora, expert):
            matrices = _matrices(lora, expert, headers_only=True)
            _check_fit(lora, matrices, _layers(folder / expert))
            _scales(lora, expert, matrices)


def apply(network: Any, loras: tuple[Lora, ...], expert: str, *, fuse: bool) -> None:
    """Add `loras` to `network`, the model's "transformer" or "transformer_2".

    With `fuse` the sums replace the weights, and a step costs what it did; without (weights in 8 bit) each matrix
    works beside the stored one.
    """
    names = []
    for number, lora in enumerate(loras):
        if not applies(lora, expert):
            continue
        matrices = _matrices(lora, expert)
        scales = _scales(lora, expert, matrices)
        for name in matrices:
            layer, _, which = name.partition(".lora_")
            if which.startswith("B."):
                matrices[name] = matrices[name] * (scales[layer] * lora.strength)
        names.append(f"lora{number}")
        with quiet():
            network.load_lora_adapter(matrices, adapter_name=names[-1], prefix=None)
    if not names:
        return
    network.set_adapters(names, [1.0] * len(names))
    if fuse:
        network.fuse_lora(lora_scale=1.0, adapter_names=names)
        network.unload_lora()


def _matrices(lora: Lora, expert: str, headers_only: bool = False) -> dict[str, Tensor]:
    """The file's tensors by the name diffusers' network gives them, `blocks.0.attn1.to_q.lora_A.weight`.

    With `headers_only` they have shapes and no contents, but for single numbers.
    """
    tensors = _read(lora, headers_only)
    if any(name.startswith((_ORIGINAL, _KOHYA)) for name in tensors):
        tensors = _translated(lora, tensors)
    if any(name.startswith("transformer_2.") for name in tensors):
        prefix = f"{expert}."
        return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    return {name.removeprefix("transformer."): tensor for name, tensor in tensors.items()}


def _read(lora: Lora, headers_only: bool) -> dict[str, Tensor]:
    from safetensors import SafetensorError, safe_open

    try:
        tensors: dict[str, Tensor] = {}
        with safe_open(lora.path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118
                shape = file.get_slice(name).get_shape()
                whole = not headers_only or math.prod(shape) == 1
                tensors[name] = file.get_tensor(name) if whole else torch.empty(shape, device="meta")
        return tensors
    except FileNotFoundError:
        raise _refusal(lora, "there is no such file", "the path of a .safetensors file") from None
    except (OSError, SafetensorError, ValueError):
        raise _refusal(lora, "it is not a whole safetensors file", "getting the file again") from None


def _translated(lora: Lora, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    from diffusers.loaders import WanLoraLoaderMixin

    try:
        with quiet():
            translated: dict[str, Tensor] = WanLoraLoaderMixin.lora_state_dict(tensors)
    except (KeyError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        raise _refusal(lora, "its matrices are not those of Wan's layers", _KINDS) from error
    return translated


def _scales(lora: Lora, expert: str, matrices: Mapping[str, Tensor]) -> dict[str, float]:
    """What each layer's product is multiplied by: alpha / rank, where diffusers wrote alpha into the header.

    Other files have alpha among their tensors, and diffusers has multiplied by it already.
    """
    from safetensors import safe_open

    with safe_open(lora.path, framework="pt") as file:
        text = (file.metadata() or {}).get("lora_adapter_metadata")
    ranks = {name.partition(".lora_")[0]: tensor.shape[0] for name, tensor in matrices.items() if ".lora_A." in name}
    try:
        said: dict[str, Any] = json.loads(text) if text else {}
        prefix = f"{expert}." if any(key.startswith("transformer_2.") for key in said) else "transformer."
        said = {key.removeprefix(prefix): value for key, value in said.items()}
        alphas, power = said.get("alpha_pattern", {}), 0.5 if said.get("use_rslora") else 1.0
        return {
            layer: float(alphas.get(layer, said.get("lora_alpha", rank))) / rank**power for layer, rank in ranks.items()
        }
    except (ValueError, TypeError, AttributeError):
        raise _refusal(lora, "its header does not say its strength in numbers", "getting the file again") from None


def _layers(folder: Path) -> dict[str, tuple[int, int]]:
    """(outputs, inputs) of every linear layer of the network configured in `folder`, built without memory."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    kind = layout.network(config["_class_name"])
    with torch.device("meta"), quiet():
        network = kind.from_config({key: value for key, value in config.items() if key != "quantization_config"})
    return {
        name: (module.out_features, module.in_features)
        for name, module in network.named_modules()
        if isinstance(module, torch.nn.Linear)
    }


def _check_fit(lora: Lora, matrices: Mapping[str, Tensor], layers: Mapping[str, tuple[int, int]]) -> None:
    if not any(".lora_B." in name for name in matrices):
        raise _refusal(lora, "there are no low-rank matrices in it", _KINDS)
    for name, tensor in matrices.items():
        layer, found, rest = name.partition(".lora_")
        if not found:
            raise _refusal(lora, f"it has {name}, which is no low-rank matrix", _KINDS)
        if not all(f"{layer}.lora_{half}.weight" in matrices for half in "AB"):
            raise _refusal(lora, f"{layer} has only one of its two matrices", _KINDS)
        if layer not in layers:
            raise _refusal(lora, f"it changes {layer}, and this network has no such layer", _KINDS)
        outputs, inputs = layers[layer]
        if rest == "A.weight" and tensor.shape[-1] != inputs:
            raise _refusal(lora, f"{layer} has {inputs} inputs, and the LoRA's {tensor.shape[-1]}", _KINDS)
        if rest == "B.weight" and tensor.shape[0] != outputs:
            raise _refusal(lora, f"{layer} has {outputs} outputs, and the LoRA's {tensor.shape[0]}", _KINDS)


def _refusal(lora: Lora, because: str, remedy: str) -> ArtifexError:
    return ArtifexError(f"use the LoRA {lora.path}", because, remedy, code="lora")
