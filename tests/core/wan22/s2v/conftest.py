"""The recipe of the reference's numbers, what the reference answered, and our network with the same weights."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors import safe_open

from artifexpro.core.wan22.s2v import keys
from artifexpro.core.wan22.s2v.model import WanS2VTransformer3DModel

HERE = Path(__file__).parent


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Networks this small take six times as long on two threads, and round otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", HERE / "make_reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def reference() -> dict[str, torch.Tensor]:
    """What the reference answered, by name."""
    with safe_open(HERE / "reference.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


@pytest.fixture(scope="session")
def published(recipe: ModuleType) -> dict[str, torch.Tensor]:
    """Weights of the reference's tiny network by its own names."""
    with safe_open(HERE / "reference.safetensors", framework="pt") as file:
        weights: dict[str, torch.Tensor] = recipe.weights(json.loads(file.metadata()["shapes"]))
    return weights


def tiny(recipe: ModuleType) -> dict[str, Any]:
    """The arguments of our network that make it the reference's tiny one."""
    size = recipe.NETWORK
    return {
        "num_attention_heads": size["num_heads"],
        "attention_head_dim": size["dim"] // size["num_heads"],
        "text_dim": size["text_dim"],
        "freq_dim": size["freq_dim"],
        "ffn_dim": size["ffn_dim"],
        "num_layers": size["num_layers"],
        "audio_dim": size["audio_dim"],
        "audio_blocks": tuple(size["audio_inject_layers"]),
    }


@pytest.fixture(scope="session")
def network(recipe: ModuleType, published: dict[str, torch.Tensor]) -> Any:
    model: Any = WanS2VTransformer3DModel(**tiny(recipe))
    model.load_state_dict({keys.ours(name, model.config.audio_blocks): each for name, each in published.items()})
    return model.eval()


@pytest.fixture(scope="session")
def shown(recipe: ModuleType) -> dict[str, Any]:
    """The arguments of one forward, as the reference was given them."""
    given = recipe.inputs()
    return {
        "hidden_states": given["latents"],
        "timestep": torch.tensor([recipe.TIMESTEP]),
        "encoder_hidden_states": given["text"],
        "audio": given["audio"],
        "reference_latents": given["reference"],
        "pose_latents": given["pose"],
        "past_latents": given["past"],
        "return_dict": False,
    }
