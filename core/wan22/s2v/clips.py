"""A film of any length, clip after clip: each is denoised, saved, decoded, and shown to the next one.

What a clip goes on from are the decoded frames before it, encoded again; they stay numbers in between and never pass
through a codec, which would show more with every clip. Frames leave as they are decoded. Latents of every clip are on
disk before its frames come, and a film that broke off finds them: finished clips are decoded again, not denoised.
Source: `WanS2V.generate` in Wan-Video/Wan2.2, wan/speech2video.py.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import decode, encode, loop, quality, schedule
from artifexpro.core.wan22.catalogue import Speech
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.generate import load_latents, save_latents
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.preview import PreviewMap
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.s2v.condition import Spoken
from artifexpro.core.wan22.s2v.film import Part, parts

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
_HELD = 6
"""Frames of standing picture that are the past of a film which goes on from its picture."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a film is made from, once speech model and text encoder have done their part.

    `sound` is (1, layers, width, lead + frames) on the processor; `picture` (1, 3, H, W) in 0..1 has the film's size.
    `inputs` stands for sound, picture and how the film was to be computed, so that saved latents of another film are
    not taken for this one's.
    """

    guidance: loop.Guidance
    sound: Tensor
    picture: Tensor
    poses: Footage | None
    inputs: str


class Workshop(Protocol):
    """Where a film is made: its networks, on `device`, and what to do when memory runs out."""

    device: Any

    def vae(self) -> Any:
        """The VAE, ready to use until another part is asked for."""

    def network(self, name: str) -> Any:
        """The network, as `loop.denoise` asks for it; ready to use until another part is asked for."""

    def levers(self) -> Levers:
        """How the film is computed now."""

    def go(self, stage: str, work: Callable[[], T]) -> T:
        """What `work` makes, called again each time memory ran out and less can be used."""

    def step_down(self, stage: str, why: str) -> None:
        """Use less memory from now on. Raises `ArtifexError` (code "memory") where nothing smaller is left."""


@dataclass(slots=True)
class Film:
    """Makes one film; latents go to `folder`."""

    spec: ClipSpec
    speech: Speech
    given: Given
    workshop: Workshop
    hooks: Hooks
    folder: Path
    colours: PreviewMap | None = None

    def frames(self) -> Iterator[tuple[int, Tensor]]:
        """(index from 0, (H, W, 3) float32 on the processor, 0..1) of the whole film, in order.

        Raises what `hooks.check` raises before each step and each chunk of frames, and `ArtifexError` (code "disk")
        where latents cannot be saved.
        """
        spec, todo = self.spec, parts(self.spec.frames, self.speech, self.spec.from_picture)
        reference = self._encoded(self.given.picture[0].permute(1, 2, 0).unsqueeze(0))
        shown = _before(self.given.picture, self.speech, spec.from_picture)
        identity = hashlib.blake2b(self.given.inputs.encode())
        for part in todo:
            self.hooks.check()
            goes_on = part.number > 0 or spec.from_picture
            past = self._encoded(torch.stack(list(shown))) if goes_on else None
            clean = self._latents(part, len(todo), reference, past, identity)
            before = reference if past is None else past
            for index, picture in self._decoded(part, torch.cat([before, clean.to(before)], dim=2)):
                shown.append(picture)
                yield index, picture

    def _latents(self, part: Part, total: int, reference: Tensor, past: Tensor | None, identity: Any) -> Tensor:
        """Clean latents (1, C, T, h, w) of a clip: those that were saved, or else new ones, saved now."""
        spec, steps = self.spec, self.spec.steps
        poses = self._poses(part)
        if poses is not None:
            identity.update(poses.numpy().tobytes())
        path = self.folder / f"clip.{part.number + 1:04d}.{identity.hexdigest()[:16]}.safetensors"
        if path.exists():
            clean, made_for = load_latents(path)
            if replace(made_for, levers=spec.levers) == spec:
                self.hooks.progress("denoise", (part.number + 1) * steps, total * steps)
                return clean
        condition = self._condition(part, reference, past, poses)
        progress = self._beginning(part, reference)
        clean = self.workshop.go(
            "denoise",
            lambda: loop.denoise(
                progress,
                self.given.guidance,
                self.workshop.network,
                _OfClip(self.hooks, part.number * steps, total * steps),
                condition=condition,
                preview=self.colours,
                smoothing=spec.levers.smoothing,
            ),
        )
        save_latents(path, clean, replace(spec, levers=self.workshop.levers()))
        return clean

    def _beginning(self, part: Part, reference: Tensor) -> loop.Progress:
        """Noise of the clip's own seed, before the first step."""
        spec, seed = self.spec, self.spec.seed + part.number
        shape = (1, reference.shape[1], self.speech.clip_latents, *reference.shape[3:])
        noise = quality.shared(loop.noise(shape, seed, reference.device), spec.levers.consistency, seed)
        return loop.Progress(noise, schedule.make(spec.steps, spec.shift, spec.scheduler, spec.sigmas))

    def _condition(self, part: Part, reference: Tensor, past: Tensor | None, poses: Tensor | None) -> Spoken:
        device, latent_frames = reference.device, self.speech.clip_latents
        first = part.number * self.speech.clip_frames
        heard = self.given.sound[..., first : first + self.speech.clip_frames]
        silent = self.speech.clip_frames - heard.shape[-1]
        sound = torch.nn.functional.pad(heard, (0, silent)).to(device)
        if poses is None:
            pose = reference.new_zeros(1, reference.shape[1], latent_frames, *reference.shape[3:])
        else:
            pose = self._encoded(torch.cat([poses[:1], poses]))[:, :, 1:]
        return Spoken(sound, reference, pose, past)

    def _poses(self, part: Part) -> Tensor | None:
        """(clip_frames, H, W, 3) in 0..1: the pose clip on the clip's frames, black after its end."""
        poses = self.given.poses
        if poses is None:
            return None
        height, width = self.given.picture.shape[2:]
        lead = 0 if self.spec.from_picture else self.speech.lead
        begin = part.number * self.speech.clip_frames - lead
        pictures = torch.zeros(self.speech.clip_frames, height, width, 3)
        for at in range(self.speech.clip_frames):
            self.hooks.check()
            frame = max(begin + at, 0)
            if frame < poses.frames or poses.frames == 1:
                pictures[at] = poses.picture(frame, width, height)[0].permute(1, 2, 0)
        return pictures

    def _encoded(self, frames: Tensor) -> Tensor:
        """The latents (1, C, T, h, w), float32, normalised, of frames (n, H, W, 3) in 0..1."""
        pixels = frames.permute(3, 0, 1, 2).unsqueeze(0) * 2 - 1

        def work() -> Tensor:
            vae = self.workshop.vae()
            chunks = (pixels[:, :, span.start : span.stop] for span in encode.spans(len(frames)))
            with self.hooks.stage("encode"):
                return encode.clip(chunks, vae, self.workshop.device, self.hooks)

        return self.workshop.go("encode", work)

    def _decoded(self, part: Part, latents: Tensor) -> Iterator[tuple[int, Tensor]]:
        """The frames of a clip that are shown, from the latents of what it goes on from and its own: each once, also
        when decoding must begin again with less memory."""
        following = part.first
        while following <= part.last:
            try:
                for index, picture in self._pieces(part, latents):
                    if index == following:
                        yield index, picture
                        following += 1
            except torch.OutOfMemoryError as error:
                why = str(error)
            else:
                return
            self.workshop.step_down("decode", why)

    def _pieces(self, part: Part, latents: Tensor) -> Iterator[tuple[int, Tensor]]:
        done = part.first - part.skipped
        pieces = decode.chunks(latents, self.workshop.vae(), self.workshop.levers().tile)
        while done <= part.last:
            self.hooks.check()
            with self.hooks.stage("decode"):
                piece = next(pieces)
            for picture in piece:
                if part.first <= done <= part.last:
                    yield done, picture
                done += 1
            if done > part.first:
                self.hooks.progress("decode", min(done, part.last + 1), self.spec.frames)


class _OfClip:
    """Hooks of one clip: its steps are counted among the film's."""

    def __init__(self, hooks: Hooks, before: int, total: int) -> None:
        self._hooks, self._before, self._total = hooks, before, total

    def progress(self, stage: str, done: int, total: int) -> None:
        self._hooks.progress(stage, self._before + done, self._total)

    def check(self) -> None:
        self._hooks.check()

    def preview(self, pixels: Tensor) -> None:
        self._hooks.preview(pixels)

    def note(self, sentence: str) -> None:
        self._hooks.note(sentence)

    def stage(self, name: str) -> AbstractContextManager[None]:
        return self._hooks.stage(name)


def _before(picture: Tensor, speech: Speech, from_picture: bool) -> deque[Tensor]:
    """The frames before a film's first, (H, W, 3) each: grey, at the end the picture if the film goes on from it."""
    shown = picture[0].permute(1, 2, 0)
    grey = torch.full_like(shown, 0.5)
    before: deque[Tensor] = deque([grey] * speech.past_frames, maxlen=speech.past_frames)
    before.extend([shown] * _HELD if from_picture else [])
    return before
