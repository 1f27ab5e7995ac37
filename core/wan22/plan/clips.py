"""What a task makes of a clip before the network sees it: pieces, patches, timesteps of their own."""

from __future__ import annotations

import math
from typing import Literal

from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.request import ClipSpec

SPEECH_FRAMES = 80
"""Frames of one piece of a clip made from speech (`infer_frames` of the reference)."""
SPEECH_LATENTS = SPEECH_FRAMES // 4
MOTION = ((1, 1, 2), (2, 2, 4), (16, 4, 8))
"""What speech pieces see of the past: latent frames, and the sides of their patches in time and in space."""

PAST_FRAMES = 73
"""Frames of the past that are encoded for each speech piece."""


def pieces(spec: ClipSpec) -> list[int]:
    """Frames of each piece that is denoised on its own."""
    if spec.task != "s2v":
        return [spec.frames]
    return [SPEECH_FRAMES] * max(1, math.ceil(spec.frames / SPEECH_FRAMES))


def tokens(spec: ClipSpec, model: ModelSpec) -> int:
    """Patches that the network attends over in one pass: for speech also the reference picture's and the past's."""
    if spec.task != "s2v":
        return model.tokens(spec.width, spec.height, spec.frames)
    _, _, _, rows, columns = model.latent_shape(spec.width, spec.height, 1)
    past = sum(length // time * (rows // side) * (columns // side) for length, time, side in MOTION)
    return (SPEECH_LATENTS + 1) * (rows // 2) * (columns // 2) + past


def each_token(spec: ClipSpec, model: ModelSpec) -> bool:
    """Whether every patch has a timestep of its own: a clip of the one-network family that starts from a picture."""
    return spec.task == "ti2v" and model.experts == 1


def encoded(spec: ClipSpec) -> Literal["none", "still", "clip", "two"]:
    """What the VAE must encode before denoising. With two experts a picture is encoded as a clip that it starts; of a
    clip to edit, what stays and what goes are encoded side by side."""
    known: dict[str, Literal["none", "still", "clip", "two"]] = {"t2v": "none", "ti2v": "still", "edit": "two"}
    return known.get(spec.task, "clip")


def encoded_frames(spec: ClipSpec) -> int:
    """Frames that the VAE encodes in all."""
    if spec.task == "s2v":
        return len(pieces(spec)) * PAST_FRAMES + 1
    return {"none": 0, "still": 1, "clip": spec.frames, "two": 2 * spec.frames}[encoded(spec)]
