"""Names of the published S2V weights as names of `WanS2VTransformer3DModel`.

The published sound attentions are one list; here each is part of its block. Everything has exactly one place: a name
that is not known is refused, and what is missing is found when the weights are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from artifexpro.core.errors import ArtifexError

_OUTSIDE = {
    "patch_embedding": "patch_embedding",
    "cond_encoder": "pose_embedding",
    "trainable_cond_mask": "token_kind",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "head.head": "proj_out",
    "head.modulation": "scale_shift_table",
    "frame_packer.proj": "past_packer.near",
    "frame_packer.proj_2x": "past_packer.middle",
    "frame_packer.proj_4x": "past_packer.far",
    "casual_audio_encoder.weights": "speech_encoder.layer_weights",
    "casual_audio_encoder.encoder.padding_tokens": "speech_encoder.padding_token",
    "casual_audio_encoder.encoder.conv1_local.conv": "speech_encoder.conv_local",
    "casual_audio_encoder.encoder.conv1_global.conv": "speech_encoder.conv_global",
    "casual_audio_encoder.encoder.conv2.conv": "speech_encoder.conv_half",
    "casual_audio_encoder.encoder.conv3.conv": "speech_encoder.conv_quarter",
    "casual_audio_encoder.encoder.final_linear": "speech_encoder.proj_global",
}
_ATTENTION = {
    "q": "to_q",
    "k": "to_k",
    "v": "to_v",
    "o": "to_out.0",
    "norm_q": "norm_q",
    "norm_k": "norm_k",
}
_INSIDE = {
    "norm3": "norm2",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
    "modulation": "scale_shift_table",
    **{f"self_attn.{name}": f"attn1.{ours}" for name, ours in _ATTENTION.items()},
    **{f"cross_attn.{name}": f"attn2.{ours}" for name, ours in _ATTENTION.items()},
}
_BLOCK = re.compile(r"blocks\.(\d+)\.(.+)")
_SOUND = re.compile(r"audio_injector\.injector\.(\d+)\.(.+)")
_SOUND_NORM = re.compile(r"audio_injector\.injector_adain_layers\.(\d+)\.linear")


def ours(name: str, audio_blocks: Sequence[int]) -> str:
    """Our name of the published tensor `name`. `audio_blocks` are the numbers of the blocks that hear.

    Raises `ArtifexError` (code "model") where there is none.
    """
    module, _, kind = name.rpartition(".")
    if kind not in ("weight", "bias"):
        module, kind = name, ""
    found = _module(module, audio_blocks)
    if found is None:
        raise ArtifexError(
            "convert published S2V weights",
            f"they have a tensor {name} that this network has no place for",
            "the weights of Wan-AI/Wan2.2-S2V-14B",
            code="model",
        )
    return f"{found}.{kind}" if kind else found


def _module(module: str, audio_blocks: Sequence[int]) -> str | None:
    if module in _OUTSIDE:
        return _OUTSIDE[module]
    if (block := _BLOCK.fullmatch(module)) is not None and block[2] in _INSIDE:
        return f"blocks.{block[1]}.{_INSIDE[block[2]]}"
    for pattern in (_SOUND, _SOUND_NORM):
        sound = pattern.fullmatch(module)
        if sound is None or int(sound[1]) >= len(audio_blocks):
            continue
        inside = "norm.linear" if pattern is _SOUND_NORM else f"attn.{_ATTENTION.get(sound[2], '')}"
        if not inside.endswith("."):
            return f"blocks.{audio_blocks[int(sound[1])]}.sound.{inside}"
    return None
