"""What a task makes of a clip before the network sees it: pieces, patches, timesteps of their own."""

from __future__ import annotations

from typing import Literal

from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.s2v import film


def pieces(spec: ClipSpec, model: ModelSpec) -> int:
    """How many clips are denoised one after the other: a film to speech is made of many."""
    return 1 if model.speech is None else len(film.parts(spec.frames, model.speech, spec.from_picture))


def tokens(spec: ClipSpec, model: ModelSpec) -> int:
    """Patches that the network attends over in one pass: for speech also the reference picture's and the past's."""
    return model.tokens(spec.width, spec.height, spec.frames)


def hearing(spec: ClipSpec, model: ModelSpec) -> int:
    """Patches that listen: those of a film's clip itself; none of any other."""
    if model.speech is None:
        return 0
    _, _, _, rows, columns = model.latent_shape(spec.width, spec.height, 1)
    return model.speech.clip_latents * (rows // 2) * (columns // 2)


def each_token(spec: ClipSpec, model: ModelSpec) -> bool:
    """Whether every patch has a timestep of its own: a clip of the one-network family that starts from a picture."""
    return spec.task == "ti2v" and model.experts == 1


def encoded(spec: ClipSpec) -> Literal["none", "still", "clip", "two"]:
    """What the VAE must encode before denoising. With two experts a picture is encoded as a clip that it starts; of a
    clip to edit, what stays and what goes are encoded side by side."""
    known: dict[str, Literal["none", "still", "clip", "two"]] = {"t2v": "none", "ti2v": "still", "edit": "two"}
    return known.get(spec.task, "clip")


def encoded_frames(spec: ClipSpec, model: ModelSpec) -> int:
    """Frames that the VAE encodes in all."""
    if model.speech is not None:
        return pieces(spec, model) * model.speech.past_frames + 1
    return {"none": 0, "still": 1, "clip": spec.frames, "two": 2 * spec.frames}[encoded(spec)]


def decoded_frames(spec: ClipSpec, model: ModelSpec) -> list[int]:
    """Frames of each clip that is decoded: of a film's, also those that it goes on from."""
    if model.speech is None:
        return [spec.frames]
    return [model.speech.past_frames + model.speech.clip_frames] * pieces(spec, model)
