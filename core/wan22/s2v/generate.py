"""A film from a settled spec, a picture and a sound: load, text, sound, then clip after clip.

The film goes back and forth between the network and the VAE, so both stay in memory to its end where they can.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import loop, picture, preview
from artifexpro.core.wan22.attempts import Attempts
from artifexpro.core.wan22.catalogue import Speech
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.s2v import clips, speech

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


def frames(
    spec: ClipSpec, attempts: Attempts, guidance: loop.Guidance, material: Given, hooks: Hooks, folder: Path
) -> Iterator[tuple[int, Tensor]]:
    """(index from 0, (H, W, 3) float32 on the processor, 0..1) of the whole film; `material` is checked already.

    Latents of each clip go to `folder` before its frames come, and are found there by a second attempt.
    """
    about = attempts.loader.model.speech
    assert about is not None and material.image is not None and material.sound is not None
    _say(spec, about, material, hooks)
    sound = material.sound
    heard = attempts.go("sound", lambda loader: _heard(spec, about, loader, sound, hooks))
    place = _Place(attempts, hooks)
    colours = place.go("encode", lambda: preview.fit(place.vae()))
    fitted = picture.fitted(material.image, spec.width, spec.height)
    asked = json.dumps(spec.levers.as_json(), sort_keys=True).encode()
    inputs = hashlib.blake2b(fitted.numpy().tobytes() + sound.numpy().tobytes() + asked).hexdigest()
    given = clips.Given(guidance, heard, fitted, material.poses, inputs)
    yield from clips.Film(spec, about, given, place, hooks, folder, colours).frames()


class _Place:
    """The film's network and VAE, which take turns on the card as the plan counts them: what is not at work waits in
    main memory. What lies there block by block, or in several processes, stays where it is."""

    def __init__(self, attempts: Attempts, hooks: Hooks) -> None:
        self.device = attempts.loader.device
        self._attempts, self._hooks = attempts, hooks
        self._there: dict[str, Any] = {}

    def vae(self) -> Any:
        return self._part("vae", lambda loader: loader.vae())

    def network(self, name: str) -> Any:
        return self._part(name, lambda loader: loader.transformer(name))

    def levers(self) -> Levers:
        return self._attempts.loader.levers

    def go(self, stage: str, work: Callable[[], T]) -> T:
        def attempt(_: Loader) -> T:
            try:
                return work()
            except torch.OutOfMemoryError:
                self._there.clear()
                raise

        return self._attempts.go(stage, attempt)

    def step_down(self, stage: str, why: str) -> None:
        self._there.clear()
        self._attempts.step_down(stage, why)

    def _part(self, name: str, read: Callable[[Loader], Any]) -> Any:
        loader = self._attempts.loader
        levers = loader.levers
        if levers.offload == "model":
            with self._hooks.stage("load"):
                return read(loader)
        with self._hooks.stage("load"):
            if levers.offload == "none" and levers.parallel == 1:
                for other, part in self._there.items():
                    part.to(self.device if other == name else "cpu")
            if name not in self._there:
                self._there[name] = read(loader)
        return self._there[name]


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
