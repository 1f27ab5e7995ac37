"""How many bytes each stage holds at its peak: weights, and the tensors alive beside them.

The VAE's figures are peaks of the real classes at their real sizes, followed tensor by tensor without memory (torch's
fake tensors; a test follows them again); they grow with the picture's area and not with the clip's length, because the
decoder streams. The network's are arithmetic over one block, and the same test holds them at or above its true peak.
Not in them: what cuDNN and the allocator take on top. For that a card counts as decimal gigabytes: the seven percent by
which "24 GB" of memory is larger stay free.
"""

from __future__ import annotations

import math

from artifexpro.core.wan22.catalogue import Component, ModelSpec
from artifexpro.core.wan22.decode import OVERLAP, cuts
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.plan import clips
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.text import TOKENS

GB = 1e9
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
VAE_BYTES = 4
PROCESS = 1.5e9
"""Main memory of the worker itself: 0.4 GB with torch, diffusers and transformers loaded, measured; the rest for a
card's driver."""
RANDOM_PARAMETERS = 120_000
DECODE_PIXEL = {8: 19_600, 16: 21_700}
"""Bytes of float32 tensors a picture's pixel takes at the peak of decoding, by the VAE's spatial factor: two frames
before every causal convolution, and the widest layer's tensors."""
ENCODE_PIXEL = {8: 14_300, 16: 7_500}
"""The same of encoding a clip."""
STILL_PIXEL = {8: 3_900, 16: 2_000}
"""The same of encoding one picture."""
PAST_PIXEL = {8: 7_500, 16: 3_000}
"""What of it is kept from one piece of the clip to the next."""
CACHE_PIXEL = {8: 9_600, 16: 7_300}
"""What of it is kept from one latent frame to the next; in tiles it waits in main memory."""
_FIELDS, _FIELD_SIDE = 12, 8
"""Pictures and latents along a side that the map for previews is found with (`preview.fit`)."""
_STORED = {"none": 0.0, "int8": 1.0, "fp8": 1.0}
_UNQUANTISED = 0.01
"""Share of a network's weights that stay as they are: norms, embeddings, tables, scales."""
SOUND_TENSORS = 1e9
"""Tensors beside the speech model while it listens to its longest piece, generously."""
BLOCKS_HELD = 2
"""Blocks of an offloaded network on the card at once: the one that works and the one that comes."""


def parameters(model: ModelSpec, component: Component) -> int:
    return RANDOM_PARAMETERS if model.random else component.parameters


def component(model: ModelSpec, name: str) -> Component:
    return next(part for part in model.components if part.name == name)


def width(model: ModelSpec, name: str, spec: ClipSpec) -> int:
    """Bytes a weight of the component called `name` takes where it is computed."""
    if name == "text_encoder":
        return 4 if model.random else 2
    return BYTES[spec.dtype] if name.startswith("transformer") else VAE_BYTES


def weights(model: ModelSpec, name: str, spec: ClipSpec, levers: Levers) -> float:
    """Bytes of the component's weights as `levers` store them."""
    count = parameters(model, component(model, name))
    whole = float(count * width(model, name, spec))
    stored = _STORED[levers.quantise]
    if not stored or not name.startswith("transformer"):
        return whole
    return min(whole, count * stored * (1 - _UNQUANTISED) + whole * _UNQUANTISED)


def on_card(model: ModelSpec, name: str, spec: ClipSpec, levers: Levers) -> float:
    """Bytes of the network's weights on the card at once."""
    stored = weights(model, name, spec, levers)
    if levers.offload != "block" or model.transformer.layers <= BLOCKS_HELD:
        return stored
    return stored * BLOCKS_HELD / model.transformer.layers + _largest_matrix(model, spec)


def beside(model: ModelSpec, name: str, spec: ClipSpec, levers: Levers) -> float:
    """Bytes of what stays on the card beside the component `name`. A film goes back and forth between its network and
    the VAE, which take turns; only what lies there block by block, or in several processes, stays."""
    if model.speech is None or (levers.offload != "block" and levers.parallel == 1):
        return 0.0
    return weights(model, "vae", spec, levers) if name != "vae" else on_card(model, "transformer", spec, levers)


def in_turn(model: ModelSpec, name: str, spec: ClipSpec, levers: Levers) -> float:
    """Bytes of what waits in main memory while a film's component `name` is at work."""
    if model.speech is None:
        return 0.0
    return weights(model, "vae" if name != "vae" else "transformer", spec, levers)


def text(model: ModelSpec) -> float:
    """512 tokens: feed-forward and attention tensors of one layer, both prompts one after the other."""
    return TOKENS * model.transformer.text_dim * 2.0 * 16


def latents(spec: ClipSpec, model: ModelSpec) -> float:
    """Bytes of the clip's latents in float32."""
    return math.prod(model.latent_shape(spec.width, spec.height, spec.frames)) * 4.0


def denoise(spec: ClipSpec, model: ModelSpec, levers: Levers) -> float:
    """Tensors of one pass, the solver's latents beside them.

    The feed-forward holds its inner activation twice (before and after GELU); attention holds query, key, value and
    result. Around both: the residual, and two float32 copies of it (norms and gates are float32). Where every patch has
    its own timestep, six modulations for each, in the number format and in float32. A stored 8 bit matrix is widened
    while it is used. A branch for editing leaves a hint for each layer that it speaks to.
    """
    size = model.transformer
    wide = BYTES[spec.dtype]
    inner = max(2 * size.ffn, 4 * size.dim) * wide
    around = size.dim * (2 * wide + 2 * 4)
    modulated = 6 * size.dim * (wide + 4) if clips.each_token(spec, model) else 0
    tokens = clips.tokens(spec, model) / levers.parallel
    widened = _largest_matrix(model, spec) if levers.quantise != "none" else 0.0
    history = 2 if levers.cache else 0
    kept = tokens * size.dim * wide * history * 2
    hints = tokens * size.dim * wide * (len(size.control) + 2) if size.control else 0.0
    return latents(spec, model) * 6 + tokens * (inner + around + modulated) + widened + kept + hints


def _largest_matrix(model: ModelSpec, spec: ClipSpec) -> float:
    return float(model.transformer.ffn * model.transformer.dim * BYTES[spec.dtype])


def decode(spec: ClipSpec, model: ModelSpec, levers: Levers) -> float:
    """Tensors of one tile, and one piece of finished frames."""
    area = _tile_area(spec, model, levers.tile)
    finished = spec.width * spec.height * model.vae.temporal * 3 * 4.0
    return latents(spec, model) + area * _pixel(DECODE_PIXEL, model) + 2 * finished


def waiting(spec: ClipSpec, model: ModelSpec, tile: int) -> float:
    """Main memory for the caches of tiles that are not being decoded."""
    return spec.width * spec.height * overlap(spec, model, tile) * _pixel(CACHE_PIXEL, model) if tile else 0.0


def overlap(spec: ClipSpec, model: ModelSpec, tile: int) -> float:
    """How many times each pixel is decoded, on average, in tiles of that side."""
    return math.prod(
        sum(end - begin for begin, end in cuts) * model.vae.spatial / side
        for cuts, side in zip(_cut(spec, model, tile), (spec.width, spec.height), strict=True)
    )


def _cut(spec: ClipSpec, model: ModelSpec, tile: int) -> list[list[tuple[int, int]]]:
    """Where tiles begin and end along the picture's width and height, in latents, as `decode` cuts it."""
    factor = model.vae.spatial
    shared = min(OVERLAP, tile // 2) // factor
    return [cuts(side // factor, tile // factor, shared) for side in (spec.width, spec.height)]


def encode(spec: ClipSpec, model: ModelSpec) -> float:
    """What the task gives to the VAE: nothing, one picture, or a clip; and the pictures previews are fitted with."""
    fields = _FIELDS * (_FIELD_SIDE * model.vae.spatial) ** 2 * _pixel(STILL_PIXEL, model)
    what = clips.encoded(spec)
    tables = {"none": (), "still": (STILL_PIXEL,), "clip": (ENCODE_PIXEL,), "two": (ENCODE_PIXEL, PAST_PIXEL)}[what]
    given = spec.width * spec.height * sum(_pixel(table, model) for table in tables)
    return latents(spec, model) + max(fields, given)


def _tile_area(spec: ClipSpec, model: ModelSpec, tile: int) -> int:
    """Pixels of one tile."""
    return math.prod((each[0][1] - each[0][0]) * model.vae.spatial for each in _cut(spec, model, tile))


def _pixel(table: dict[int, int], model: ModelSpec) -> float:
    """Bytes a pixel; random models have 4 channels where the real ones have 96 and more, the embedded one 16
    where its like has 160."""
    return table[model.vae.spatial] * (4 / 96 if model.random else 16 / 160 if model.embedded else 1)
