"""One clip from a settled spec: load, text, denoise, decode.

Each component is in memory for its own stage only. Latents are on disk before decoding begins, so that nothing after
the long work can lose it; a cancelled clip is never decoded.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import (
    catalogue,
    decode,
    encode,
    loading,
    loop,
    picture,
    prepared,
    preview,
    quality,
    schedule,
    smoke,
    text,
)
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.condition import Condition, FirstFrame
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.request import ClipSpec

if TYPE_CHECKING:
    from torch import Tensor

LATENTS = "latents.safetensors"


def generate(
    spec: ClipSpec,
    models: Path,
    hooks: Hooks,
    *,
    folder: Path,
    image: Tensor | None = None,
    device: Any = None,
) -> Iterator[tuple[int, Tensor]]:
    """Frames of the clip in order: (index from 0, (H, W, 3) float32 on the processor, display-referred sRGB, 0..1).

    `models` holds a folder a model; `folder` gets `latents.safetensors` before the first frame comes. `image` is the
    first picture, (H, W, 3) sRGB in 0..1, for the task ti2v. Work happens as frames are asked for: the first one
    takes everything up to decoding. Stages told to `hooks`: load, text, denoise, decode.

    Raises `ArtifexError` before the long work where weights, picture or disk will not do, and what `hooks.check`
    raises before each step and each chunk of frames.
    """
    model = catalogue.usable(spec.model)
    _check_image(spec, image)
    loader = _begin(spec, model, models, hooks, device)
    notes: list[str] = []
    latents = _latents(spec, loader, hooks, image, notes)
    for sentence in notes:
        hooks.note(sentence)
    save_latents(folder / LATENTS, latents, replace(spec, notes=(*spec.notes, *notes)))
    yield from _frames(latents, loader, hooks, spec.frames)


def decode_saved(path: Path, models: Path, hooks: Hooks, *, device: Any = None) -> Iterator[tuple[int, Tensor]]:
    """The frames of latents saved by an earlier `generate`, without denoising again: the same frames and notes.

    Raises `ArtifexError` (code "latents" where they cannot be read) as `generate` does.
    """
    latents, spec = load_latents(path)
    loader = _begin(spec, catalogue.usable(spec.model), models, hooks, device)
    yield from _frames(latents, loader, hooks, spec.frames)


def _begin(spec: ClipSpec, model: ModelSpec, models: Path, hooks: Hooks, device: Any) -> Loader:
    """Say what the audience must know, and find the weights."""
    for sentence in spec.notes:
        hooks.note(sentence)
    if model.random:
        smoke.say(model, hooks)
    with hooks.stage("load"):
        loader = prepare(spec, model, models, device)
    if loader.formats.note:
        hooks.note(loader.formats.note)
    return loader


def prepare(spec: ClipSpec, model: ModelSpec, models: Path, device: Any = None) -> Loader:
    """A loader for the spec's model, its weights found and checked by their headers. Raises `ArtifexError`."""
    where = loading.best_device() if device is None else torch.device(device)
    folder = loading.locate(models, model, spec.dtype)
    loading.inspect(folder, model, prepared.ema_variant(spec.levers))
    formats = loading.formats(spec, model, where)
    prepared.check(spec, model, folder, where, formats.transformer)
    return Loader(folder, model, where, formats, spec.levers)


def _latents(spec: ClipSpec, loader: Loader, hooks: Hooks, image: Tensor | None, notes: list[str]) -> Tensor:
    """Clean latents; what came up about prompt and picture is added to `notes`."""
    guidance = _guidance(spec, loader, hooks, notes)
    hooks.check()
    with hooks.stage("load"):
        vae = loader.vae()
    with hooks.stage("encode"):
        condition = None if image is None else _first(image, spec, vae, loader, notes)
        colours = preview.fit(vae)
    del vae
    model = loader.model
    noise = loop.noise(model.latent_shape(spec.width, spec.height, spec.frames), spec.seed, loader.device)
    noise = quality.shared(noise, spec.levers.consistency, spec.seed)
    return loop.denoise(
        loop.Progress(noise, schedule.make(spec.steps, spec.shift, spec.scheduler, spec.sigmas)),
        guidance,
        loader.transformer,
        hooks,
        boundary=model.boundary,
        condition=condition,
        preview=colours,
        smoothing=spec.levers.smoothing,
    )


def _guidance(spec: ClipSpec, loader: Loader, hooks: Hooks, notes: list[str]) -> loop.Guidance:
    """Embeddings of both prompts; the negative one only if some step is guided."""
    hooks.check()
    kept, encoder = loader.embeddings(), _Encoder(loader, hooks)
    with hooks.stage("text"):
        show = kept.get(spec.prompt, encoder, hooks.note)
        avoid = None if spec.guidance == (1.0, 1.0) else kept.get(spec.negative_prompt, encoder, hooks.note)
    for which, embedding in (("prompt", show), ("negative prompt", avoid)):
        if embedding is not None and embedding.cut:
            notes.append(
                f"The {which} is {embedding.tokens} tokens long; the model read the first {text.TOKENS} of them."
            )
    return loop.Guidance(show.states, None if avoid is None else avoid.states, spec.guidance)


class _Encoder:
    """The tokenizer and the text encoder, loaded once, and only if one of the prompts is not kept from earlier."""

    def __init__(self, loader: Loader, hooks: Hooks) -> None:
        self._loader, self._hooks = loader, hooks
        self._pair: tuple[Any, Any] | None = None

    def __call__(self) -> tuple[Any, Any]:
        if self._pair is None:
            with self._hooks.stage("load"):
                self._pair = self._loader.tokenizer(), self._loader.text_encoder()
        return self._pair


def _first(image: Tensor, spec: ClipSpec, vae: Any, loader: Loader, notes: list[str]) -> Condition:
    rows, columns = image.shape[:2]
    if (columns, rows) != (spec.width, spec.height):
        notes.append(
            f"The picture was scaled from {columns} x {rows} to cover {spec.width} x {spec.height} and cut to it."
        )
    fitted = picture.fitted(image, spec.width, spec.height)
    return FirstFrame(encode.still(fitted, vae, loader.device))


def _check_image(spec: ClipSpec, image: Tensor | None) -> None:
    if image is None:
        return
    if spec.task != "ti2v":
        raise ArtifexError(
            f"start {catalogue.TASKS[spec.task]} from a picture",
            "this task has no picture",
            "the task ti2v with a model that does it, or no picture",
            code="image",
        )
    picture.check_picture(image)


def _frames(latents: Tensor, loader: Loader, hooks: Hooks, total: int) -> Iterator[tuple[int, Tensor]]:
    hooks.check()
    with hooks.stage("load"):
        vae = loader.vae()
    pieces = decode.chunks(latents, vae, loader.levers.tile)
    done = 0
    while done < total:
        hooks.check()
        with hooks.stage("decode"):
            piece = next(pieces)
        for frame in piece:
            yield done, frame
            done += 1
        hooks.progress("decode", done, total)


def save_latents(path: Path, latents: Tensor, spec: ClipSpec) -> None:
    """Write clean latents with their spec in the header, whole or not at all.

    Raises `ArtifexError` (code "disk") when they cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = latents.detach().to(device="cpu", dtype=torch.float32).contiguous()
        save_file({"latents": kept}, partial, metadata={"spec": json.dumps(spec.as_json(), ensure_ascii=False)})
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            partial.unlink()
        raise ArtifexError(
            f"save the latents to {path}",
            f"the disk refused: {' '.join(str(error).split())}",
            "freeing space or another output folder",
            code="disk",
        ) from error


def load_latents(path: Path) -> tuple[Tensor, ClipSpec]:
    """Latents (1, C, T, h, w) and their spec. Raises `ArtifexError` (code "latents")."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            spec = ClipSpec.from_json(json.loads(file.metadata()["spec"]))
            latents = file.get_tensor("latents")
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ArtifexError(
            f"read the latents {path}",
            "they are not whole latents of a clip",
            "removing that file and generating the clip again",
            code="latents",
        ) from error
    return latents, spec
