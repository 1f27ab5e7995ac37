"""The network of Wan2.2-S2V-14B on diffusers' parts.

Beside the text and the timestep it is shown a reference picture (tokens of its own in the sequence), what came before
the clip (packed tokens, or none for a first clip), the sound frame by frame, and the latents of a pose video that are
added to the clip's patches. Only the clip's tokens come out. Names of layers are those of `WanTransformer3DModel` where
the layers are the same, so that LoRA files made for it fit. Source: `WanModel_S2V` in Wan-Video/Wan2.2,
wan/modules/s2v/model_s2v.py, with the settings of wan/configs/wan_s2v_14B.py.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.loaders import FromOriginalModelMixin, PeftAdapterMixin
from diffusers.models._modeling_parallel import ContextParallelInput, ContextParallelOutput
from diffusers.models.attention import AttentionMixin
from diffusers.models.cache_utils import CacheMixin
from diffusers.models.modeling_outputs import Transformer2DModelOutput
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.normalization import FP32LayerNorm
from diffusers.models.transformers.transformer_wan import WanTimeTextImageEmbedding
from torch import Tensor, nn

from artifexpro.core.wan22.s2v.block import Span, WanS2VTransformerBlock
from artifexpro.core.wan22.s2v.hearing import LAYERS, SpeechEncoder
from artifexpro.core.wan22.s2v.past import PastPacker
from artifexpro.core.wan22.s2v.positions import S2VPositions


class ExactTimesteps(nn.Module):
    """Sines and cosines (N, channels) of timesteps (N,), in double precision as the reference has them.

    diffusers computes them in float32, where an angle of hundreds has lost digits: on the tests' tiny network that
    alone makes six times the difference of all the rest.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pairs = channels // 2

    def forward(self, timesteps: Tensor) -> Tensor:
        exponents = torch.arange(self.pairs, dtype=torch.float64, device=timesteps.device) / self.pairs
        angles = torch.outer(timesteps.double(), 10000.0**-exponents)
        return torch.cat([angles.cos(), angles.sin()], dim=1).float()


CLIP, REFERENCE, PAST = range(3)
"""Kinds of tokens; each has a learned vector of its own."""


_BLOCKS = [WanS2VTransformerBlock.__name__]
_NEVER_IN_8_BIT = ["patch_embedding", "pose_embedding", "condition_embedder", "norm", "token_kind", "speech_encoder"]
_ALWAYS_IN_FLOAT32 = ["rope", "time_embedder", "scale_shift_table", "norm1", "norm2", "norm3"]
_SHARED_OUT = {
    "rope": {at: ContextParallelInput(split_dim=1, expected_dims=4, split_output=True) for at in range(2)},
    "blocks.0": {"hidden_states": ContextParallelInput(split_dim=1, expected_dims=3, split_output=False)},
    "proj_out": ContextParallelOutput(gather_dim=1, expected_dims=3),
}
"""Which tensors the ranks of a context-parallel run have a part of each."""


class WanS2VTransformer3DModel(  # type: ignore[misc]  # its bases disagree on the type of config_name
    ModelMixin, ConfigMixin, PeftAdapterMixin, FromOriginalModelMixin, CacheMixin, AttentionMixin
):
    """Velocity (B, out_channels, T, h, w) for noisy latents of that shape; see `forward`.

    `audio_blocks` are the numbers of the blocks after which the sound comes in; `past_frames` is how many frames of
    sound are put before the clip's (copies of its first), so that the sound's convolutions start where the past does.
    """

    _supports_gradient_checkpointing = False
    _skip_layerwise_casting_patterns: Any = _NEVER_IN_8_BIT
    _keep_in_fp32_modules: Any = _ALWAYS_IN_FLOAT32
    _no_split_modules: Any = _BLOCKS
    _repeated_blocks: Any = _BLOCKS
    _cp_plan: Any = _SHARED_OUT

    @register_to_config
    def __init__(
        self,
        patch_size: tuple[int, int, int] = (1, 2, 2),
        num_attention_heads: int = 40,
        attention_head_dim: int = 128,
        in_channels: int = 16,
        out_channels: int = 16,
        text_dim: int = 4096,
        freq_dim: int = 256,
        ffn_dim: int = 13824,
        num_layers: int = 40,
        eps: float = 1e-6,
        rope_max_seq_len: int = 1024,
        audio_dim: int = 1024,
        audio_layers: int = LAYERS,
        audio_blocks: tuple[int, ...] = (0, 4, 8, 12, 16, 20, 24, 27, 30, 33, 36, 39),
        pose_channels: int = 16,
        past_frames: int = 73,
    ) -> None:
        super().__init__()
        dim = num_attention_heads * attention_head_dim
        self.rope = S2VPositions(attention_head_dim, patch_size, rope_max_seq_len)
        self.patch_embedding = nn.Conv3d(in_channels, dim, patch_size, stride=patch_size)
        self.pose_embedding = nn.Conv3d(pose_channels, dim, patch_size, stride=patch_size)
        self.past_packer = PastPacker(in_channels, dim)
        self.token_kind = nn.Embedding(3, dim)
        embedder: Any = WanTimeTextImageEmbedding(dim, freq_dim, dim * 6, text_dim)
        embedder.timesteps_proj = ExactTimesteps(freq_dim)
        self.condition_embedder = embedder
        self.speech_encoder = SpeechEncoder(audio_dim, dim, audio_layers)
        self.blocks = nn.ModuleList(
            WanS2VTransformerBlock(dim, ffn_dim, num_attention_heads, eps, hears=number in audio_blocks)
            for number in range(num_layers)
        )
        self.norm_out = FP32LayerNorm(dim, eps, elementwise_affine=False)
        self.proj_out = nn.Linear(dim, out_channels * math.prod(patch_size))
        self.scale_shift_table = nn.Parameter(torch.randn(1, 2, dim) / dim**0.5)

    def forward(
        self,
        hidden_states: Tensor,
        timestep: Tensor,
        encoder_hidden_states: Tensor,
        audio: Tensor,
        reference_latents: Tensor,
        pose_latents: Tensor,
        past_latents: Tensor | None = None,
        return_dict: bool = True,
    ) -> Any:
        """`hidden_states` (B, C, T, h, w) noisy latents, `timestep` (B,), `encoder_hidden_states` (B, 512, text_dim).

        `audio` (B, audio_layers, audio_dim, 4 T) are speech features of each frame, all zero for the unconditional
        pass; `reference_latents` (B, C, 1, h, w) the picture; `pose_latents` (B, pose_channels, T, h, w), zero without
        a pose video; `past_latents` (B, C, up to 19, h, w) what came before, None for a first clip.
        """
        rotations = self.rope(hidden_states, past_latents is not None)
        tokens, noisy = self._tokens(hidden_states, reference_latents, pose_latents, past_latents)
        sound, style = self._heard(audio, hidden_states.shape[2])
        both = torch.stack([timestep, torch.zeros_like(timestep)], dim=1)
        temb, modulation, words, _ = self.condition_embedder(both.flatten(), encoder_hidden_states, timestep_seq_len=2)
        modulation = modulation.unflatten(2, (6, -1))
        span = self._span(tokens.shape[1], noisy, noisy // hidden_states.shape[2])
        for block in self.blocks:
            tokens = block(tokens, words, modulation, rotations, sound, style, span)
        shift, scale = (self.scale_shift_table + temb[:, :1].float()).chunk(2, dim=1)
        tokens = (self.norm_out(tokens.float()) * (1 + scale) + shift).type_as(tokens)
        answer = self._unpatched(self.proj_out(tokens)[:, :noisy], hidden_states)
        return Transformer2DModelOutput(sample=answer) if return_dict else (answer,)

    def _tokens(self, latents: Tensor, reference: Tensor, pose: Tensor, past: Tensor | None) -> tuple[Tensor, int]:
        """The sequence (B, L, dim): clip, reference picture, past; and how many of them are the clip's."""
        parts = [self.patch_embedding(latents) + self.pose_embedding(pose), self.patch_embedding(reference)]
        sequence = [part.flatten(2).transpose(1, 2) for part in parts]
        if past is not None:
            sequence.append(self.past_packer(past))
        kinds = self.token_kind.weight
        marked = [part + kinds[kind] for kind, part in zip((CLIP, REFERENCE, PAST), sequence, strict=False)]
        return torch.cat(marked, dim=1), sequence[0].shape[1]

    def _heard(self, audio: Tensor, frames: int) -> tuple[Tensor, Tensor]:
        """Tokens (B, T, 5, dim) and style (B, T, dim) of the sound of the clip's `frames` latent frames."""
        before = audio[..., :1].expand(-1, -1, -1, self.config["past_frames"])
        sound, style = self.speech_encoder(torch.cat([before, audio], dim=-1))
        return sound[:, -frames:], style[:, -frames:]

    def _span(self, length: int, noisy: int, frame: int) -> Span:
        """Which part of the sequence is worked on here: all of it, or this rank's."""
        shared = getattr(self._parallel_config, "context_parallel_config", None)
        if shared is None:
            return Span(noisy, 0, frame)
        begin = length // shared._world_size * shared._rank
        here = min(max(noisy - begin, 0), length // shared._world_size)
        return Span(here, begin, frame)

    def _unpatched(self, patches: Tensor, like: Tensor) -> Tensor:
        """(B, n, channels x patch) as latents of the shape of `like`."""
        depth, high, wide = self.config["patch_size"]
        frames, rows, columns = like.shape[2] // depth, like.shape[3] // high, like.shape[4] // wide
        grid = patches.unflatten(1, (frames, rows, columns)).unflatten(4, (depth, high, wide, -1))
        return grid.permute(0, 7, 1, 4, 2, 5, 3, 6).flatten(6, 7).flatten(4, 5).flatten(2, 3)
