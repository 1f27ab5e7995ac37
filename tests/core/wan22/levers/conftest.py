"""A clip on the random models made with and without a lever, and what was computed on the way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.models.transformers.transformer_wan import WanTransformerBlock
from safetensors.torch import save_file

from artifexpro.core.wan22 import preview
from artifexpro.core.wan22.generate import generate
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.request import resolve

CLIP: dict[str, Any] = {
    "model": "smoke-moe",
    "prompt": "a red kite",
    "width": 64,
    "height": 64,
    "frames": 1,
    "steps": 2,
    "shift": 5.0,
    "seed": 3,
}
"""One step for each of the two experts."""
ATTENTION = {"self_attn": "attn1", "cross_attn": "attn2"}
LAYERS = {
    **{f"{name}.{letter}": f"{ours}.to_{letter}" for name, ours in ATTENTION.items() for letter in "qkv"},
    **{f"{name}.o": f"{ours}.to_out.0" for name, ours in ATTENTION.items()},
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
}
"""The linear layers of a block by the original code's names and by diffusers'."""
WIDTHS = dict.fromkeys(LAYERS, (48, 48)) | {"ffn.0": (96, 48), "ffn.2": (48, 96)}
"""(outputs, inputs) of these in the random models."""
RANK = 4

Make = Callable[..., torch.Tensor]


@pytest.fixture(scope="session")
def make(random_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Frames (T, H, W, 3) of a tiny clip; `levers` and whatever else the spec should say otherwise."""

    def clip(levers: Levers = Levers(), hooks: Any = None, models: Path = random_models, **changes: Any) -> Any:  # noqa: B008
        spec = resolve(**{**CLIP, **changes}, levers=levers)
        frames = generate(spec, models, hooks or Silent(), folder=tmp_path_factory.mktemp("clip"), device="cpu")
        return torch.stack([picture for _, picture in frames])

    return clip


@pytest.fixture(scope="session")
def plain(random_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., torch.Tensor]:
    """The clip without levers, made once for each set of changes."""
    made: dict[str, torch.Tensor] = {}

    def clip(**changes: Any) -> torch.Tensor:
        key = repr(sorted(changes.items()))
        if key not in made:
            spec = resolve(**{**CLIP, **changes})
            frames = generate(spec, random_models, Silent(), folder=tmp_path_factory.mktemp("plain"), device="cpu")
            made[key] = torch.stack([picture for _, picture in frames])
        return made[key]

    return clip


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often the blocks of all networks were computed."""
    asked: Counter[str] = Counter()
    forward = WanTransformerBlock.forward

    @wraps(forward)  # diffusers reads the signature
    def counting(self: Any, *inputs: Any, **more: Any) -> Any:
        asked["block"] += 1
        return forward(self, *inputs, **more)

    monkeypatch.setattr(WanTransformerBlock, "forward", counting)
    return asked


@pytest.fixture(scope="session")
def write_lora(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Writes a LoRA for both blocks of a random model, always the same matrices, in one of the namings."""

    folder = tmp_path_factory.mktemp("loras")

    def write(naming: str, *, width: int = 48, prefix: str = "transformer.", said: dict[str, Any] | None = None) -> str:
        generator = torch.Generator().manual_seed(5)
        tensors: dict[str, torch.Tensor] = {}
        for block in range(2):
            for original, (outputs, inputs) in WIDTHS.items():
                down = torch.randn(RANK, inputs * width // 48, generator=generator) * 0.15
                up = torch.randn(outputs * width // 48, RANK, generator=generator) * 0.15
                tensors |= named(naming, block, original, down, up)
        tensors = {name.replace("transformer.", prefix, 1): tensor for name, tensor in tensors.items()}
        path = folder / f"{naming}-{width}-{prefix}{'said' if said else ''}.safetensors"
        save_file(tensors, path, metadata=None if said is None else {"lora_adapter_metadata": json.dumps(said)})
        return str(path)

    return write


def named(naming: str, block: int, original: str, down: torch.Tensor, up: torch.Tensor) -> dict[str, torch.Tensor]:
    if naming == "diffusers":
        layer = f"transformer.blocks.{block}.{LAYERS[original]}"
        return {f"{layer}.lora_A.weight": down, f"{layer}.lora_B.weight": up}
    if naming == "lightx2v":
        layer = f"diffusion_model.blocks.{block}.{original}"
        alpha = torch.tensor(float(RANK) / 2)
        return {f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up * 2, f"{layer}.alpha": alpha}
    layer = f"lora_unet_blocks_{block}_{original.replace('.', '_')}"
    alpha = torch.tensor(float(RANK))
    return {f"{layer}.lora_down.weight": down, f"{layer}.lora_up.weight": up, f"{layer}.alpha": alpha}


@pytest.fixture(autouse=True)
def without_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lever touches previews, and their map is a third of a tiny clip's work."""
    monkeypatch.setattr(preview, "fit", lambda _: None)
