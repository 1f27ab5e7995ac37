"""LoRAs of every usual kind act alike, on the expert they are for; what does not fit is refused by its header."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, lora
from artifexpro.core.wan22.generate import prepare
from artifexpro.core.wan22.levers import Levers, Lora
from artifexpro.core.wan22.request import resolve


def one(path: str, strength: float = 1.0, expert: Any = "both") -> Levers:
    return Levers(loras=(Lora(path, strength, expert),))


@pytest.fixture(scope="module")
def with_lora(make: Any, write_lora: Any) -> torch.Tensor:
    return make(one(write_lora("diffusers")))


def test_a_lora_changes_the_clip_and_its_strength_how_much(
    make: Any, plain: Any, write_lora: Any, with_lora: torch.Tensor
) -> None:
    half = make(one(write_lora("diffusers"), 0.5))
    assert float((half - plain()).abs().mean()) < float((with_lora - plain()).abs().mean())
    assert float((half - plain()).abs().mean()) > 1e-4


@pytest.mark.parametrize("naming", ["lightx2v", "kohya"])
def test_every_naming_is_the_same_lora(naming: str, make: Any, write_lora: Any, with_lora: torch.Tensor) -> None:
    assert float((make(one(write_lora(naming))) - with_lora).abs().max()) < 1e-4


def test_each_expert_gets_its_own(make: Any, plain: Any, write_lora: Any, with_lora: torch.Tensor) -> None:
    path = write_lora("diffusers")
    high, low = make(one(path, expert="high")), make(one(path, expert="low"))
    both = make(Levers(loras=(Lora(path, expert="high"), Lora(path, expert="low"))))
    assert torch.equal(both, with_lora)
    assert not torch.equal(high, low)
    assert not torch.equal(high, plain()) and not torch.equal(low, plain())


def test_a_lora_for_an_expert_that_takes_no_step_is_refused(make: Any, write_lora: Any) -> None:
    with pytest.raises(ArtifexError, match="none of the 2 steps at shift 12 is at low noise"):
        make(one(write_lora("diffusers"), expert="low"), shift=12.0)


def test_a_file_with_both_experts_gives_each_its_half(make: Any, write_lora: Any, tmp_path: Path) -> None:
    high, low = load_file(write_lora("diffusers")), load_file(write_lora("diffusers", prefix="transformer_2."))
    save_file(high | low, tmp_path / "both.safetensors")
    assert torch.equal(make(one(str(tmp_path / "both.safetensors"))), make(one(write_lora("diffusers"))))
    save_file(low, tmp_path / "low.safetensors")
    assert torch.equal(
        make(one(str(tmp_path / "low.safetensors"), expert="low")), make(one(write_lora("diffusers"), expert="low"))
    )
    with pytest.raises(ArtifexError, match="no low-rank matrices"):
        make(one(str(tmp_path / "low.safetensors"), expert="high"))


def test_the_alpha_that_diffusers_writes_beside_the_matrices_counts(make: Any, write_lora: Any) -> None:
    said = {"transformer.r": 4, "transformer.lora_alpha": 2}
    assert torch.allclose(
        make(one(write_lora("diffusers", said=said))), make(one(write_lora("diffusers"), 0.5)), atol=1e-5
    )


def test_an_alpha_that_cannot_be_read_is_refused(make: Any, write_lora: Any) -> None:
    with pytest.raises(ArtifexError, match="strength in numbers"):
        make(one(write_lora("diffusers", said={"transformer.lora_alpha": "much"})))


def test_on_8_bit_weights_a_lora_works_beside_them(make: Any, write_lora: Any, with_lora: torch.Tensor) -> None:
    levers = Levers(loras=(Lora(write_lora("diffusers")),), quantise="int8")
    assert float((make(levers) - with_lora).abs().max()) < 0.05


def test_fused_weights_are_the_sum(random_models: Path, write_lora: Any) -> None:
    from diffusers import WanTransformer3DModel

    network: Any = WanTransformer3DModel.from_pretrained(str(random_models / "smoke-moe" / "transformer"))
    before = network.blocks[1].ffn.net[2].weight.detach().clone()
    path = write_lora("diffusers")
    lora.apply(network, (Lora(path, 0.5), Lora(path, 0.25)), "transformer", fuse=True)
    matrices = load_file(path)
    layer = "transformer.blocks.1.ffn.net.2"
    added = 0.75 * matrices[f"{layer}.lora_B.weight"] @ matrices[f"{layer}.lora_A.weight"]
    assert torch.allclose(network.blocks[1].ffn.net[2].weight, before + added, atol=1e-6)
    assert not any("lora" in name for name in network.state_dict())


@pytest.mark.parametrize("model", ["smoke-vace", "smoke-i2v", "smoke-s2v"])
def test_networks_of_every_task_take_loras(model: str, random_models: Path, write_lora: Any) -> None:
    spec = resolve(prompt="x", model=model, width=64, height=64, steps=4, shift=5.0, levers=one(write_lora("lightx2v")))
    bare = replace(spec, levers=Levers())
    networks = [
        prepare(each, catalogue.model(model), random_models, "cpu").transformer("transformer") for each in (spec, bare)
    ]
    changed, before = (network.blocks[1].ffn.net[2].weight for network in networks)
    assert float((changed - before).abs().max()) > 0.01


def test_a_lora_of_another_model_is_refused_by_its_shapes(make: Any, write_lora: Any, hooks: Any) -> None:
    with pytest.raises(ArtifexError, match="has 48 inputs, and the LoRA's 96") as refused:
        make(one(write_lora("lightx2v", width=96)), hooks)
    assert refused.value.code == "lora"
    assert hooks.stages == ["load"]


@pytest.mark.parametrize(
    ("tensors", "because"),
    [
        ({"blocks.9.attn1.to_q.lora_A.weight": (4, 48), "blocks.9.attn1.to_q.lora_B.weight": (48, 4)}, "no such layer"),
        ({"blocks.0.attn1.to_q.weight": (48, 48)}, "no low-rank matrices"),
        ({"blocks.0.attn1.to_q.bias": (4,), "blocks.0.attn1.to_q.lora_B.weight": (48, 4)}, "is no low-rank matrix"),
        ({"blocks.0.attn1.to_q.lora_B.weight": (48, 4)}, "only one of its two"),
        ({"diffusion_model.nothing.lora_down.weight": (4, 4)}, "not those of Wan"),
        ({"lora_unet_nothing.lora_down.weight": (4, 4)}, "not those of Wan"),
        ({}, "no low-rank matrices"),
    ],
)
def test_what_is_no_lora_for_this_model_is_refused(
    tensors: dict[str, tuple[int, ...]], because: str, make: Any, hooks: Any, tmp_path: Path
) -> None:
    save_file({name: torch.zeros(shape) for name, shape in tensors.items()}, tmp_path / "it.safetensors")
    with pytest.raises(ArtifexError, match=because):
        make(one(str(tmp_path / "it.safetensors")), hooks)
    assert hooks.stages == ["load"]


@pytest.mark.parametrize("content", [None, b"", b"\x10\0\0\0\0\0\0\0{}", b"\xff" * 64])
def test_a_damaged_or_missing_file_is_refused(content: bytes | None, make: Any, hooks: Any, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "it.safetensors").write_bytes(content)
    with pytest.raises(ArtifexError, match="no such file" if content is None else "not a whole safetensors file"):
        make(one(str(tmp_path / "it.safetensors")), hooks)


def test_a_lora_cut_short_is_refused(make: Any, write_lora: Any, tmp_path: Path) -> None:
    path = Path(write_lora("diffusers"))
    (tmp_path / "it.safetensors").write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ArtifexError, match="not a whole safetensors file"):
        make(one(str(tmp_path / "it.safetensors")))
