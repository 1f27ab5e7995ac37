"""A film from a settled spec, a picture and a sound: load, text, sound, then clip after clip.

The network and the VAE stay in memory through the whole film, which goes back and forth between them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.wan22 import loop, picture, preview
from artifexpro.core.wan22.catalogue import Speech
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.s2v import clips, speech

if TYPE_CHECKING:
    from torch import Tensor


def frames(
    spec: ClipSpec, loader: Loader, guidance: loop.Guidance, material: Given, hooks: Hooks, folder: Path
) -> Iterator[tuple[int, Tensor]]:
    """(index from 0, (H, W, 3) float32 on the processor, 0..1) of the whole film; `material` is checked already.

    Latents of each clip go to `folder` before its frames come, and are found there by a second attempt.
    """
    about = loader.model.speech
    assert about is not None and material.image is not None and material.sound is not None
    _say(spec, about, material, hooks)
    heard = _heard(spec, about, loader, material.sound, hooks)
    with hooks.stage("load"):
        vae = loader.vae()
    with hooks.stage("encode"):
        colours = preview.fit(vae)
    fitted = picture.fitted(material.image, spec.width, spec.height)
    inputs = hashlib.blake2b(fitted.numpy().tobytes() + material.sound.numpy().tobytes()).hexdigest()
    given = clips.Given(guidance, heard, fitted, material.poses, inputs)
    loaded: dict[str, Any] = {}

    def load(name: str) -> Any:
        if name not in loaded:
            loaded[name] = loader.transformer(name)
        return loaded[name]

    yield from clips.Film(spec, about, given, vae, load, hooks, folder, colours).frames()


def _heard(spec: ClipSpec, about: Speech, loader: Loader, sound: Tensor, hooks: Hooks) -> Tensor:
    """(1, layers, width, lead + frames) on the processor."""
    hooks.check()
    with hooks.stage("load"):
        extractor, model = loader.audio_encoder()
    lead = 0 if spec.from_picture else about.lead
    with hooks.stage("sound"):
        return speech.features(sound, extractor, model, spec.frames, lead, hooks.check).unsqueeze(0)


def _say(spec: ClipSpec, about: Speech, material: Given, hooks: Hooks) -> None:
    assert material.image is not None and material.sound is not None
    rows, columns = material.image.shape[:2]
    if (columns, rows) != (spec.width, spec.height):
        hooks.note(
            f"The picture was scaled from {columns} x {rows} to cover {spec.width} x {spec.height} and cut to it."
        )
    heard = speech.frames_of(material.sound)
    if spec.frames > heard:
        hooks.note(f"The sound ends after frame {heard} of {spec.frames}; the rest of the film hears nothing.")
    if material.poses is not None and 1 < material.poses.frames < spec.frames:
        hooks.note(f"The pose clip ends after frame {material.poses.frames} of {spec.frames}; the rest has no poses.")
