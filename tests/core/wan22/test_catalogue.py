"""The catalogue's numbers against the real classes, built without memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel, WanVACETransformer3DModel
from transformers import UMT5Config, UMT5EncoderModel

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.catalogue import CATALOGUE, model, usable

VAE_22 = {
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


def parameters(build: Any) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build().parameters())


@pytest.mark.parametrize("name", ["ti2v-5B", "t2v-A14B", "i2v-A14B", "vace-A14B"])
def test_networks_have_as_many_parameters_as_the_catalogue_says(name: str) -> None:
    spec = model(name)
    size = spec.transformer
    kind: Any = WanVACETransformer3DModel if size.control else WanTransformer3DModel
    more = {"vace_layers": list(size.control)} if size.control else {}
    assert size.kind == kind.__name__
    counted = parameters(
        lambda: kind(
            num_layers=size.layers,
            num_attention_heads=size.heads,
            attention_head_dim=size.head_dim,
            ffn_dim=size.ffn,
            in_channels=size.in_channels,
            out_channels=spec.vae.channels,
            text_dim=size.text_dim,
            **more,
        )
    )
    networks = [part.parameters for part in spec.components if part.name.startswith("transformer")]
    assert networks == [counted] * spec.experts


def test_vaes_and_text_encoder_have_as_many_parameters_as_the_catalogue_says() -> None:
    parts = {part.name: part.parameters for part in model("t2v-A14B").components}
    config = UMT5Config(
        vocab_size=256384,
        d_model=4096,
        d_kv=64,
        d_ff=10240,
        num_layers=24,
        num_heads=64,
        feed_forward_proj="gated-gelu",
    )
    assert parts["vae"] == parameters(AutoencoderKLWan)
    assert parts["text_encoder"] == parameters(lambda: UMT5EncoderModel(config))
    counted = parameters(lambda: AutoencoderKLWan(**VAE_22))
    assert {part.name: part.parameters for part in model("ti2v-5B").components}["vae"] == counted


def test_token_counts_are_those_of_the_published_sizes() -> None:
    assert model("ti2v-5B").tokens(1280, 704, 121) == 27_280
    assert model("t2v-A14B").tokens(1280, 720, 81) == 75_600
    assert model("t2v-A14B").tokens(832, 480, 81) == 32_760


def test_every_size_of_every_model_is_one_it_can_make() -> None:
    for spec in CATALOGUE.values():
        for width, height in spec.sizes.values():
            assert width % spec.multiple == 0, spec.name
            assert height % spec.multiple == 0, spec.name


def test_a_known_model_of_a_later_release_is_refused_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    later = replace(model("s2v-14B"), later="it arrives in a later release")
    monkeypatch.setattr(catalogue, "CATALOGUE", {**CATALOGUE, later.name: later})
    with pytest.raises(ArtifexError, match="later release") as refused:
        usable(later.name)
    assert refused.value.code == "model"


def test_an_unknown_model_is_refused_with_the_nearest() -> None:
    with pytest.raises(ArtifexError) as refused:
        usable("ti2v-5b")
    assert "ti2v-5B" in refused.value.remedy
