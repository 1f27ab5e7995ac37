"""Models of random weights, built on the spot: the real classes, the real files, no download, and noise for pictures.

They answer "does everything work here" in seconds, through exactly the code that runs real weights. Shapes follow
TI2V-5B (`smoke`: VAE 2.2, 16 x 16 x 4), and with VAE 2.1 (8 x 8 x 4) and two experts T2V-A14B (`smoke-moe`), I2V-A14B
(`smoke-i2v`) and VACE-Fun-A14B (`smoke-vace`). S2V-14B (`smoke-s2v`) is one network with a speech model beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.hooks import Hooks, Silent
from artifexpro.core.wan22.preview import colour_fields
from artifexpro.core.wan22.quiet import quiet
from artifexpro.core.wan22.s2v import layout
from artifexpro.core.wan22.weights import Manifest, building, records_of

RECIPE = "1"
"""Changes whenever the weights do; an older folder is built again."""
SEED = 20250728
CONTRAST = 0.4
"""Standard deviation of decoded noise, in -1..1."""


def ensure(models: Path, model: ModelSpec) -> Path:
    """The folder of a random model under `models`, built if it is not there."""
    folder = models / model.name
    if not _current(folder):
        build(folder, model)
    return folder


def _current(folder: Path) -> bool:
    manifest = Manifest.read(folder)
    return manifest is not None and manifest.revision == RECIPE


def build(folder: Path, model: ModelSpec) -> None:
    """Write the random model to `folder`, replacing what is there once the new one is whole."""
    from diffusers import UniPCMultistepScheduler

    with building(folder, unless=_current) as workplace, quiet(), torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(SEED)
        tokenizer = _tokenizer()
        parts: dict[str, Any] = {
            "tokenizer": tokenizer,
            "text_encoder": _text_encoder(model, len(tokenizer)),
            "vae": _vae(model),
            "scheduler": UniPCMultistepScheduler(
                prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=model.shift
            ),
            "transformer": _transformer(model),
            "transformer_2": _transformer(model) if model.experts == 2 else None,
        }
        if model.speech is not None:
            layout.write(workplace, {**parts, **_audio_encoder(model)})
        else:
            _pipeline(model, parts).save_pretrained(workplace)
        Manifest(model.name, "built on this machine", RECIPE, records_of(workplace, Silent())).write(workplace)


def _pipeline(model: ModelSpec, parts: dict[str, Any]) -> Any:
    """The diffusers pipeline that the model's published weights are laid out for."""
    from diffusers import WanImageToVideoPipeline, WanPipeline, WanVACEPipeline

    if model.transformer.control:
        return WanVACEPipeline(**parts, boundary_ratio=model.boundary)
    if "i2v" in model.tasks:
        return WanImageToVideoPipeline(**parts, boundary_ratio=model.boundary)
    return WanPipeline(**parts, boundary_ratio=model.boundary, expand_timesteps=model.experts == 1)


def say(model: ModelSpec, hooks: Hooks) -> None:
    """Tell the audience that what comes is noise."""
    hooks.note(
        f"This is noise: {model.name} has random weights and only shows that everything works. "
        "Get ti2v-5B or t2v-A14B for pictures."
    )


def _tokenizer() -> Any:
    """A unigram tokenizer that reads any language: printable ASCII as itself, everything else byte by byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    letters = [(chr(code), -4.0) for code in range(0x21, 0x7F)] + [("\u2581", -3.0)]
    bytes_ = [(f"<0x{value:02X}>", -8.0) for value in range(256)]
    tokenizer = Tokenizer(models.Unigram(special + letters + bytes_, unk_id=2, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=512
    )


def _text_encoder(model: ModelSpec, words: int) -> Any:
    from transformers import UMT5Config, UMT5EncoderModel

    config = UMT5Config(
        vocab_size=words,
        d_model=model.transformer.text_dim,
        d_kv=16,
        d_ff=64,
        num_layers=2,
        num_heads=2,
        feed_forward_proj="gated-gelu",
    )
    return UMT5EncoderModel(config).eval()


def _transformer(model: ModelSpec) -> Any:
    size = model.transformer
    more: dict[str, Any] = {"vace_layers": list(size.control)} if size.control else {}
    if model.speech is not None:
        more = layout.network_config(model)
    network: Any = layout.network(size.kind)(
        num_layers=size.layers,
        num_attention_heads=size.heads,
        attention_head_dim=size.head_dim,
        ffn_dim=size.ffn,
        in_channels=size.in_channels,
        out_channels=model.vae.channels,
        text_dim=size.text_dim,
        freq_dim=64,
        rope_max_seq_len=size.longest,
        **more,
    )
    return network.eval()


def _audio_encoder(model: ModelSpec) -> dict[str, Any]:
    """A speech model with the published one's steps through time: 50 answers a second from 16 kHz."""
    from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2Model

    assert model.speech is not None
    config = Wav2Vec2Config(
        hidden_size=model.speech.audio_dim,
        num_hidden_layers=model.speech.audio_layers - 1,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8,) * 7,
        feat_extract_norm="layer",
        do_stable_layer_norm=True,
        conv_bias=True,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        vocab_size=33,
    )
    extractor = Wav2Vec2FeatureExtractor(feature_size=1, sampling_rate=16_000, do_normalize=True)
    return {"audio_encoder": Wav2Vec2Model(config).eval(), "feature_extractor": extractor}


def _vae(model: ModelSpec) -> Any:
    from diffusers import AutoencoderKLWan

    channels = model.vae.channels
    shape: dict[str, Any] = {
        "base_dim": 4,
        "z_dim": channels,
        "dim_mult": [1, 1, 1, 1],
        "num_res_blocks": 1,
        "temperal_downsample": [False, True, True],
        "latents_mean": [0.0] * channels,
        "latents_std": [1.0] * channels,
        "scale_factor_spatial": model.vae.spatial,
    }
    if model.vae.spatial == 16:
        shape |= {"is_residual": True, "in_channels": 12, "out_channels": 12, "patch_size": 2}
    vae: Any = AutoencoderKLWan(**shape)
    vae.eval()
    _whiten(vae, channels)
    _bring_into_range(vae, channels)
    return vae


def _whiten(vae: Any, channels: int) -> None:
    """Scale the encoder's last layer so that latents of soft colours have mean 0 and deviation 1 a channel."""
    pixels = colour_fields(4 * vae.config.scale_factor_spatial).unsqueeze(2) * 2 - 1
    latents = vae.encode(pixels).latent_dist.mode()
    mean, deviation = latents.mean(dim=(0, 2, 3, 4)), latents.std(dim=(0, 2, 3, 4)).clamp_min(1e-6)
    last = vae.quant_conv
    last.weight[:channels] /= deviation.view(-1, 1, 1, 1, 1)
    last.bias[:channels] = (last.bias[:channels] - mean) / deviation


def _bring_into_range(vae: Any, channels: int) -> None:
    """Scale the decoder's last layer so that decoded noise is mid-grey on average with `CONTRAST`."""
    last = vae.decoder.conv_out
    last.weight.mul_(0.1)
    last.bias.zero_()
    decoded = vae.decode(torch.randn(1, channels, 3, 8, 8)).sample
    colours = decoded.mean(dim=(0, 2, 3, 4))
    factor = CONTRAST / (decoded - colours.view(1, 3, 1, 1, 1)).std()
    last.weight.mul_(factor)
    last.bias.copy_(-(colours * factor).repeat_interleave(last.bias.numel() // 3))
