"""Counts of operations: equal to torch's own counter over the real classes, and to the published sizes' figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel, WanVACETransformer3DModel
from torch.utils.flop_counter import FlopCounterMode
from transformers import UMT5Config, UMT5EncoderModel

from artifexpro.core.wan22 import loop, schedule
from artifexpro.core.wan22.catalogue import CATALOGUE, Transformer
from artifexpro.core.wan22.plan import clips, flops
from artifexpro.core.wan22.request import ClipSpec, resolve

TI2V, T2V, S2V = (CATALOGUE[name] for name in ("ti2v-5B", "t2v-A14B", "s2v-14B"))
VAE_22: dict[str, Any] = {
    "base_dim": 160,
    "decoder_base_dim": 256,
    "z_dim": 48,
    "is_residual": True,
    "in_channels": 12,
    "out_channels": 12,
    "patch_size": 2,
    "scale_factor_spatial": 16,
    "latents_mean": [0.0] * 48,
    "latents_std": [1.0] * 48,
}


def counted(call: Any) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        call()
    return int(counter.get_total_flops())


def clip(model: str = "ti2v-5B", **changes: Any) -> ClipSpec:
    spec = resolve(prompt="x", model="ti2v-5B", preset="Draft")
    return replace(spec, model=model, task=CATALOGUE[model].tasks[-1], **changes)


@pytest.mark.parametrize("each_token", [False, True])
def test_a_pass_of_the_network_is_what_torch_counts(each_token: bool) -> None:
    size = Transformer(layers=3, heads=2, head_dim=24, ffn=96, in_channels=36, text_dim=32)
    with torch.device("meta"):
        network: Any = WanTransformer3DModel(
            num_layers=3, num_attention_heads=2, attention_head_dim=24, ffn_dim=96, in_channels=36, out_channels=16,
            text_dim=32,
        )  # fmt: skip
        latents, words = torch.empty(1, 36, 3, 8, 12), torch.empty(1, 512, 32)
        when = torch.empty(1, 72) if each_token else torch.empty(1)
        found = counted(lambda: network(hidden_states=latents, timestep=when, encoder_hidden_states=words))
    assert sum(flops.forward(size, 72, 16, each_token=each_token)) == found


def test_a_pass_with_a_branch_for_editing_is_what_torch_counts() -> None:
    size = Transformer(layers=3, heads=2, head_dim=24, ffn=96, in_channels=16, text_dim=32, control=(0, 2))
    with torch.device("meta"):
        network: Any = WanVACETransformer3DModel(
            num_layers=3, num_attention_heads=2, attention_head_dim=24, ffn_dim=96, in_channels=16, out_channels=16,
            text_dim=32, vace_layers=[0, 2], vace_in_channels=96,
        )  # fmt: skip
        given: dict[str, Any] = {
            "hidden_states": torch.empty(1, 16, 3, 8, 12),
            "timestep": torch.empty(1),
            "encoder_hidden_states": torch.empty(1, 512, 32),
            "control_hidden_states": torch.empty(1, 96, 3, 8, 12),
        }
        found = counted(lambda: network(**given))
    assert sum(flops.forward(size, 72, 16)) == found


def test_a_clip_that_begins_from_another_takes_the_last_steps() -> None:
    whole, part = (clip("t2v-A14B", steps=10, shift=12.0, strength=strength) for strength in (1.0, 0.35))
    assert flops.timesteps(part) == flops.timesteps(whole)[-3:]
    assert flops.passes(part, T2V) == {"transformer_2": 6}


@pytest.mark.parametrize("frames", [1, 5])
@pytest.mark.parametrize(("model", "config"), [(T2V, {}), (TI2V, VAE_22)])
def test_the_vae_is_what_torch_counts(model: Any, config: dict[str, Any], frames: int) -> None:
    with torch.device("meta"):
        vae: Any = AutoencoderKLWan(**config)
        latents = torch.empty(model.latent_shape(96, 64, frames))
        assert flops.decode(model, 96, 64, frames) == counted(lambda: vae.decode(latents))
        assert flops.encode(model, 96, 64, frames) == counted(lambda: vae.encode(torch.empty(1, 3, frames, 64, 96)))


def test_the_text_encoder_is_what_torch_counts() -> None:
    config = UMT5Config(
        vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64,
        feed_forward_proj="gated-gelu",
    )  # fmt: skip
    with torch.device("meta"):
        encoder = UMT5EncoderModel(config)
        words = torch.zeros(1, 512, dtype=torch.int64)
        found = counted(lambda: encoder(words))
    assert flops.text(T2V) == pytest.approx(found, rel=0.01)


@pytest.mark.parametrize(
    ("model", "size", "each_token", "tokens", "linear", "attention"),
    [
        (TI2V, (1280, 704, 121), True, 27_280, 241.1, 279.5),
        (T2V, (1280, 720, 81), False, 75_600, 1810, 4714),
        (T2V, (832, 480, 81), False, 32_760, 785, 893),
    ],
)
def test_passes_at_the_published_sizes(
    model: Any, size: tuple[int, int, int], each_token: bool, tokens: int, linear: float, attention: float
) -> None:
    assert model.tokens(*size) == tokens
    found = flops.forward(model.transformer, tokens, model.vae.channels, each_token=each_token)
    assert [part / flops.TERA for part in found] == pytest.approx([linear, attention], rel=1e-3)


@pytest.mark.parametrize(("size", "tokens", "tera"), [((1024, 704), 63_360, 4903), ((832, 480), 35_074, 1903)])
def test_passes_of_speech_at_the_published_sizes(size: tuple[int, int], tokens: int, tera: float) -> None:
    spec = clip("s2v-14B", width=size[0], height=size[1], frames=81)
    assert clips.tokens(spec, S2V) == tokens
    assert flops.denoise_pass(spec, S2V) / flops.TERA == pytest.approx(tera, rel=1e-3)


def test_the_vaes_at_the_published_sizes() -> None:
    found = [
        flops.decode(T2V, 1280, 720, 81),
        flops.encode(T2V, 1280, 720, 81),
        flops.encode(T2V, 1280, 720, 1),
        flops.decode(TI2V, 1280, 704, 121),
        flops.encode(TI2V, 1280, 704, 1),
    ]
    assert [part / flops.TERA for part in found] == pytest.approx([639, 382, 6.5, 2011, 4.2], rel=0.01)


@pytest.mark.parametrize(("shift", "split"), [(12.0, (26, 14)), (5.0, (17, 23))])
def test_the_experts_share_the_steps_as_the_loop_does(shift: float, split: tuple[int, int]) -> None:
    spec = clip("t2v-A14B", steps=40, shift=shift, guidance=(3.0, 4.0))
    made = schedule.make(40, shift)
    asked = Counter(loop.expert_of(float(when), T2V.boundary) for when in made.timesteps)
    assert (asked["transformer"], asked["transformer_2"]) == split
    assert flops.passes(spec, T2V) == {"transformer": 2 * split[0], "transformer_2": 2 * split[1]}


def test_an_expert_that_is_not_guided_makes_one_pass_a_step() -> None:
    spec = clip("t2v-A14B", steps=4, shift=5.0, guidance=(1.0, 3.5), sigmas=(1.0, 0.75, 0.5, 0.25))
    assert flops.timesteps(spec) == pytest.approx([1000, 937.5, 833.33, 625], abs=0.01)
    assert flops.passes(spec, T2V) == {"transformer": 4, "transformer_2": 2}


def test_a_long_clip_from_speech_is_made_in_pieces() -> None:
    """80 frames a clip, the first one's three frames of lead-in not shown."""
    film = clip("s2v-14B", frames=81, steps=2)
    assert [clips.pieces(replace(film, frames=frames), S2V) for frames in (77, 78, 157, 158)] == [1, 2, 2, 3]
    assert sum(flops.passes(film, S2V).values()) == 2 * 2 * 2
    assert clips.pieces(clip("t2v-A14B", frames=81), T2V) == 1
