"""How much arithmetic each stage is, counted from the layers' shapes.

One multiplication and one addition are two operations; norms, activations and softmax are left out, as everybody does.
A test holds these counts equal to torch's own counter over the real classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from artifexpro.core.wan22.catalogue import TRAINED_STEPS, ModelSpec, Transformer
from artifexpro.core.wan22.plan import clips
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.schedule import levels, shifted, taken
from artifexpro.core.wan22.text import TOKENS

TERA = 1e12
_VOCABULARY = 256_384


@dataclass(frozen=True, slots=True)
class VaeLayers:
    """The parts of `AutoencoderKLWan`'s configuration that decide its arithmetic."""

    encoder: int
    decoder: int
    channels: int
    pixels: int = 3
    patch: int = 1
    widths: tuple[int, ...] = (1, 2, 4, 4)
    blocks: int = 2
    halved: tuple[bool, ...] = (False, True, True)
    residual: bool = False


VAE_21_LAYERS = VaeLayers(encoder=96, decoder=96, channels=16)
VAE_22_LAYERS = VaeLayers(encoder=160, decoder=256, channels=48, pixels=12, patch=2, residual=True)


def vae_layers(model: ModelSpec) -> VaeLayers:
    """The layers of the VAE that belongs to `model`."""
    second = model.vae.spatial == 16
    if model.embedded:
        return VaeLayers(16, 16, model.vae.channels, 12, 2, residual=True)
    if not model.random:
        return VAE_22_LAYERS if second else VAE_21_LAYERS
    pixels, patch = (12, 2) if second else (3, 1)
    return VaeLayers(4, 4, model.vae.channels, pixels, patch, (1, 1, 1, 1), 1, residual=second)


def forward(size: Transformer, tokens: int, channels: int, *, each_token: bool = False) -> tuple[float, float]:
    """(linear, attention) operations of one pass of the denoising network over `tokens` patches.

    `channels` is what it answers with. `each_token`: every patch has a timestep of its own (a clip that starts from a
    picture).
    """
    dim, patch = size.dim, size.patch**2
    embedding = 2 * TOKENS * (size.text_dim * dim + dim * dim)
    times = (tokens if each_token else 1) * 2 * (size.frequencies * dim + dim * dim + 6 * dim * dim)
    ends = 2 * tokens * dim * patch * (size.in_channels + channels)
    layer = 2 * tokens * (6 * dim * dim + 2 * dim * size.ffn) + 2 * TOKENS * 2 * dim * dim
    attention = 4 * dim * (tokens * tokens + tokens * TOKENS)
    layers = size.layers + len(size.control)
    branch = 2 * tokens * dim * (dim * (1 + len(size.control)) + patch * _controlled(size)) if size.control else 0
    return float(embedding + times + ends + branch + layers * layer), float(layers * attention)


def _controlled(size: Transformer) -> int:
    """Channels of what the branch for editing reads: two clips in latents, and a mask of 8 x 8 values for each."""
    return 2 * size.in_channels + 64


def denoise_pass(spec: ClipSpec, model: ModelSpec) -> float:
    """Operations of one pass for this clip, with what its task adds."""
    tokens = clips.tokens(spec, model)
    total = sum(forward(model.transformer, tokens, model.vae.channels, each_token=clips.each_token(spec, model)))
    return total + len(model.transformer.hearing) * 4.0 * clips.hearing(spec, model) * model.transformer.dim**2


def passes(spec: ClipSpec, model: ModelSpec) -> dict[str, int]:
    """How many passes each network makes: one a step, two where it is guided, times clips and ensemble."""
    each = clips.pieces(spec, model) * spec.levers.ensemble
    counted: dict[str, int] = {}
    for timestep in timesteps(spec):
        high = model.boundary is None or timestep >= model.boundary * TRAINED_STEPS
        name = "transformer" if high else "transformer_2"
        strength = spec.guidance[1] if high else spec.guidance[0]
        counted[name] = counted.get(name, 0) + (1 if strength == 1.0 else 2) * each
    return counted


def timesteps(spec: ClipSpec) -> list[float]:
    """What the network is told at each step, 0..1000: the reference's spacing, or the levels given; of a clip that
    begins from another one, the last of them."""
    if spec.sigmas is not None:
        every = [shifted(level, spec.shift) * TRAINED_STEPS for level in spec.sigmas]
    else:
        every = [float(int(shifted(level, spec.shift) * TRAINED_STEPS)) for level in levels(spec.steps)]
    return every[len(every) - taken(len(every), spec.strength) :]


def text(model: ModelSpec) -> float:
    """Operations of the text encoder for one prompt of 512 tokens; every weight but the word table is used once."""
    weights = next(part.parameters for part in model.components if part.name == "text_encoder")
    dim = model.transformer.text_dim
    return 2.0 * TOKENS * max(0, weights - _VOCABULARY * dim) + 24 * 4.0 * TOKENS**2 * dim


def decode(model: ModelSpec, width: int, height: int, frames: int) -> float:
    """Operations of decoding latents of a clip of this size."""
    layers = vae_layers(model)
    _, channels, time, rows, columns = model.latent_shape(width, height, frames)
    once = 2.0 * channels * channels * rows * columns * time
    first, later = (_decoded(layers, rows, columns, first=first) for first in (True, False))
    return once + first + (time - 1) * later


def encode(model: ModelSpec, width: int, height: int, frames: int) -> float:
    """Operations of encoding `frames` pictures of this size."""
    layers = vae_layers(model)
    _, channels, time, rows, columns = model.latent_shape(width, height, frames)
    once = 2.0 * 4 * channels * channels * rows * columns * time
    size = height // layers.patch, width // layers.patch
    return once + _encoded(layers, *size, frames=1) + (time - 1) * _encoded(layers, *size, frames=4)


def _decoded(vae: VaeLayers, rows: int, columns: int, *, first: bool) -> float:
    """One latent frame through the decoder; the first becomes one picture, each later one four."""
    widths = [vae.decoder * factor for factor in (vae.widths[-1], *reversed(vae.widths))]
    place, frames = rows * columns, 1
    total = _conv(vae.channels, widths[0], 27, place) + _middle(widths[0], place, frames)
    for index, (before, after) in enumerate(pairwise(widths)):
        entering = before // 2 if index and not vae.residual else before
        total += _blocks(entering, after, vae.blocks + 1, place * frames)
        if index == len(vae.widths) - 1:
            break
        if vae.halved[::-1][index] and not first:
            total += _conv(after, 2 * after, 3, place * frames)
            frames *= 2
        place *= 4
        total += _conv(after, after if vae.residual else after // 2, 9, place * frames)
    return total + _conv(widths[-1], vae.pixels, 27, place * frames)


def _encoded(vae: VaeLayers, rows: int, columns: int, *, frames: int) -> float:
    """One piece of 1 or 4 pictures through the encoder."""
    widths = [vae.encoder * factor for factor in (1, *vae.widths)]
    place, first = rows * columns, frames == 1
    total = _conv(vae.pixels, widths[0], 27, place * frames)
    for index, (before, after) in enumerate(pairwise(widths)):
        total += _blocks(before, after, vae.blocks, place * frames)
        if index == len(vae.widths) - 1:
            break
        place //= 4
        total += _conv(after, after, 9, place * frames)
        if vae.halved[index] and not first:
            frames //= 2
            total += _conv(after, after, 3, place * frames)
    return total + _middle(widths[-1], place, frames) + _conv(widths[-1], 2 * vae.channels, 27, place * frames)


def _conv(entering: int, leaving: int, taps: int, positions: int) -> float:
    return 2.0 * entering * leaving * taps * positions


def _blocks(entering: int, leaving: int, count: int, positions: int) -> float:
    """Residual blocks, the first of which may change the width."""
    total = _conv(entering, leaving, 27, positions) + (2 * count - 1) * _conv(leaving, leaving, 27, positions)
    return total + (_conv(entering, leaving, 1, positions) if entering != leaving else 0.0)


def _middle(width: int, place: int, frames: int) -> float:
    """Two residual blocks around attention within each frame."""
    attention = _conv(width, 4 * width, 1, place) + 4.0 * place * place * width
    return 4 * _conv(width, width, 27, place * frames) + frames * attention
