"""What `wan22-tiny` is made of: TI2V-5B's classes, small, and a tokenizer that reads its English and any other text.

Sizes are chosen so that the whole model is below 25 MB in float16 and a clip of 33 frames takes seconds on a laptop:
the VAE is VAE 2.2 (residual, patches of 2 x 2, 16 x 16 x 4) with a tenth of the width and half the latent channels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import TINY
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.quiet import quiet
from artifexpro.core.wan22.tiny import looking
from artifexpro.core.wan22.tiny.log import NAME as LOG
from artifexpro.core.wan22.weights import Manifest, building, records_of

CHANNELS = TINY.vae.channels
WORDS = 1024
"""Tokens of the vocabulary, the 256 bytes among them."""


def transformer() -> Any:
    from diffusers import WanTransformer3DModel

    size = TINY.transformer
    begun = WanTransformer3DModel(
        num_layers=size.layers,
        num_attention_heads=size.heads,
        attention_head_dim=size.head_dim,
        ffn_dim=size.ffn,
        in_channels=size.in_channels,
        out_channels=CHANNELS,
        text_dim=size.text_dim,
        freq_dim=size.frequencies,
        rope_max_seq_len=size.longest,
    )
    looking.beside(begun)
    return begun


def text_encoder() -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    config = UMT5Config(
        vocab_size=WORDS,
        d_model=TINY.transformer.text_dim,
        d_kv=32,
        d_ff=256,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
    )
    begun = UMT5EncoderModel(config)
    looking.around(begun)
    return begun


def vae() -> Any:
    """A VAE that knows nothing yet, and no time: each frame's pass is as that of a picture."""
    from diffusers import AutoencoderKLWan

    begun = AutoencoderKLWan(
        base_dim=16,
        z_dim=CHANNELS,
        dim_mult=[1, 2, 4, 4],
        num_res_blocks=2,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * CHANNELS,
        latents_std=[1.0] * CHANNELS,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_spatial=16,
    )
    _without_time(begun)
    return begun


def _without_time(vae: Any) -> None:
    """Kernels over three frames begin as kernels of the last one, changes of the frame rate as leaving out and showing
    twice. So what is learned from pictures holds for clips at once, and only motion is left to learn."""
    from diffusers.models.autoencoders.autoencoder_kl_wan import WanCausalConv3d, WanResample

    with torch.no_grad():
        for module in vae.modules():
            if isinstance(module, WanCausalConv3d) and module.kernel_size == (3, 3, 3):
                module.weight[:, :, :-1] = 0
                module.weight *= math.sqrt(3)
            elif isinstance(module, WanResample) and module.mode in ("upsample3d", "downsample3d"):
                convolution: Any = module.time_conv
                whole = torch.eye(convolution.in_channels).repeat(convolution.out_channels // module.dim, 1)
                convolution.weight.zero_()[:, :, -1, 0, 0] = whole
                convolution.bias.zero_()


def tokenizer(captions: Iterable[str]) -> Any:
    """A tokenizer whose pieces are those of `captions`, and bytes for whatever else there is.

    The same captions give the same tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = ["<pad>", "</s>"]
    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    pieces.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    pieces.train_from_iterator(
        captions,
        trainers.BpeTrainer(
            vocab_size=WORDS, special_tokens=special, initial_alphabet=sorted(alphabet), show_progress=False
        ),
    )
    pieces.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="<pad>", eos_token="</s>", model_max_length=512)


def _forget_places(folder: Path) -> None:
    """Parts that were loaded say where from in their configuration: that is nobody's business where they are used."""
    for path in folder.glob("*/config.json"):
        about = json.loads(path.read_text("utf-8"))
        about.pop("_name_or_path", None)
        path.write_text(json.dumps(about, indent=2, sort_keys=True) + "\n", "utf-8")


def save(folder: Path, revision: str, parts: dict[str, Any], logs: Sequence[Path]) -> None:
    """Write the model of `parts` (tokenizer, text_encoder, vae, transformer) to `folder` in float16, in the layout of
    all our models, replacing what is there once the new one is whole. The parts are not changed.
    The `logs` of its trainings come with it, as one."""
    from copy import deepcopy

    from diffusers import UniPCMultistepScheduler, WanPipeline

    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=TINY.shift)
    with building(folder) as workplace, quiet():
        small = {
            name: part if name == "tokenizer" else deepcopy(part).cpu().to(torch.float16)
            for name, part in parts.items()
        }
        pipeline: Any = WanPipeline(**small, scheduler=scheduler, expand_timesteps=True)
        pipeline.save_pretrained(workplace)
        _forget_places(workplace)
        (workplace / LOG).write_text("".join(log.read_text("utf-8") for log in logs), "utf-8")
        records = records_of(workplace, Silent())
        Manifest(TINY.name, "artifexpro.core.wan22.tiny.train", revision, records).write(workplace)
