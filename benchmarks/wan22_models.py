"""Wan2.2's networks at their real sizes with random weights, made where they are used: nothing is read or fetched."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.plan.flops import vae_layers
from artifexpro.core.wan22.quiet import quiet
from artifexpro.core.wan22.s2v import layout

if TYPE_CHECKING:
    from torch import device as Device
    from torch import dtype as DType

_DEVIATION = 0.02
_TEXT_LAYERS = {4096: (24, 64, 10240, 256_384)}
"""Of UMT5-XXL by its width: layers, heads, feed-forward, words."""


def network(model: ModelSpec, device: Device, dtype: DType) -> Any:
    """One denoising network of `model` in `dtype`, but for what its class keeps in float32."""
    size = model.transformer
    more: dict[str, Any] = {"vace_layers": list(size.control)} if size.control else {}
    if model.speech is not None:
        more = layout.network_config(model)

    def make() -> Any:
        return layout.network(size.kind)(
            num_layers=size.layers,
            num_attention_heads=size.heads,
            attention_head_dim=size.head_dim,
            ffn_dim=size.ffn,
            in_channels=size.in_channels,
            out_channels=model.vae.channels,
            text_dim=size.text_dim,
            freq_dim=size.frequencies,
            rope_max_seq_len=size.longest,
            **more,
        )

    return _filled(make, device, dtype)


def vae(model: ModelSpec, device: Device) -> Any:
    """The model's VAE in float32."""
    from diffusers import AutoencoderKLWan

    layers = vae_layers(model)
    channels = model.vae.channels
    shape: dict[str, Any] = {
        "base_dim": layers.encoder,
        "decoder_base_dim": layers.decoder,
        "z_dim": channels,
        "dim_mult": list(layers.widths),
        "num_res_blocks": layers.blocks,
        "temperal_downsample": list(layers.halved),
        "latents_mean": [0.0] * channels,
        "latents_std": [1.0] * channels,
        "scale_factor_spatial": model.vae.spatial,
    }
    if layers.residual:
        shape |= {"is_residual": True, "in_channels": 12, "out_channels": 12, "patch_size": 2}
    return _filled(lambda: AutoencoderKLWan(**shape), device, torch.float32)


def text_encoder(model: ModelSpec, device: Device, dtype: DType) -> Any:
    """The text encoder of `model`: UMT5-XXL, or a small one for random models."""
    from transformers import UMT5Config, UMT5EncoderModel

    width = model.transformer.text_dim
    layers, heads, inner, words = _TEXT_LAYERS.get(width, (2, 2, 64, 512))
    config = UMT5Config(
        vocab_size=words,
        d_model=width,
        d_kv=width // heads,
        d_ff=inner,
        num_layers=layers,
        num_heads=heads,
        feed_forward_proj="gated-gelu",
    )
    encoder = _filled(lambda: UMT5EncoderModel(config), device, dtype)
    encoder.tie_weights()
    return encoder


def _filled(make: Callable[[], Any], device: Device, dtype: DType) -> Any:
    """A network whose parameters are drawn where they stay: matrices at random, scales 1, offsets 0."""
    from accelerate import init_empty_weights  # type: ignore[import-untyped]
    from accelerate.utils import set_module_tensor_to_device  # type: ignore[import-untyped]

    with quiet(), init_empty_weights(include_buffers=False):
        made = make()
    kept = set(getattr(made, "_keep_in_fp32_modules", None) or ())
    torch.manual_seed(0)
    for name, parameter in list(made.named_parameters()):
        kind = torch.float32 if kept & set(name.split(".")) else dtype
        value = torch.empty(parameter.shape, dtype=kind, device=device)
        if parameter.ndim > 1:
            value.normal_(std=_DEVIATION)
        else:
            value.fill_(1.0 if name.endswith("weight") or name.endswith("gamma") else 0.0)
        set_module_tensor_to_device(made, name, device, value, dtype=kind)
    return made.to(device).eval()
