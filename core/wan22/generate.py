"""One clip from a settled spec: load, text, encode, denoise, decode.

Each component is in memory for its own stage only; a stage that runs out of memory is tried again with less. Latents
are on disk before decoding begins, so that nothing after the long work can lose it; a cancelled clip is never decoded.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import (
    after,
    begin,
    catalogue,
    composite,
    decode,
    given,
    here,
    loading,
    loop,
    prepared,
    preview,
    settling,
    smoke,
    text,
)
from artifexpro.core.wan22.attempts import Attempts
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.given import NOTHING, Given
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.loading import Loader
from artifexpro.core.wan22.plan import GB
from artifexpro.core.wan22.plan.making import says
from artifexpro.core.wan22.plan.meter import KINDS, Meter
from artifexpro.core.wan22.plan.stages import written
from artifexpro.core.wan22.prompting import extending, styles
from artifexpro.core.wan22.prompting import negative as avoiding
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.tiny import shipped
from artifexpro.core.wan22.warm import Warm

if TYPE_CHECKING:
    from torch import Tensor

LATENTS = "latents.safetensors"
_HEADER = 1 << 16
"""Bytes for the spec in front of the latents."""


def generate(
    spec: ClipSpec,
    models: Path,
    hooks: Hooks,
    *,
    folder: Path,
    material: Given = NOTHING,
    device: Any = None,
    warm: Warm | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """Frames of the clip in order: (index from 0, (H, W, 3) float32 on the processor, display-referred sRGB, 0..1).

    `models` holds a folder a model; `folder` gets `latents.safetensors` before the first frame comes, or, of a film of
    speech, the latents of each clip before its frames, which are found there by a second attempt. `material` is
    what the task takes beside words: see `given.TAKES`. In `warm` the model stays for the next clip. Work happens as
    frames are asked for: the first one takes everything up to decoding. Stages told to `hooks`: load, prompt (where one
    is extended), text, encode, denoise, decode.

    Raises `ArtifexError` before the long work where weights, material or disk will not do, and what `hooks.check`
    raises before each step and each chunk of frames.
    """
    given.check(spec, material)
    catalogue.usable(spec.model)
    _check_place(folder, spec)
    attempts = _begin(spec, models, hooks, device, warm)
    try:
        yield from _clip(spec, attempts, hooks, material, folder)
    finally:
        if warm is not None:
            warm.put_back(attempts.loader)


def _clip(
    spec: ClipSpec, attempts: Attempts, hooks: Hooks, material: Given, folder: Path
) -> Iterator[tuple[int, Tensor]]:
    meter = Meter(hooks, attempts.loader.device)
    notes: list[str] = []
    spec = _extended(spec, attempts, material)
    if attempts.loader.model.speech is not None:
        yield from _film(spec, attempts, meter, material, folder)
        return
    latents = _latents(attempts, meter, material, notes)
    for sentence in notes:
        hooks.note(sentence)
    made = replace(attempts.spec, notes=(*spec.notes, *notes), levers=attempts.loader.levers)
    save_latents(folder / LATENTS, latents, made)
    yield from _frames(latents, attempts, meter, material)


def _extended(spec: ClipSpec, attempts: Attempts, material: Given) -> ClipSpec:
    """The spec, and that of the attempts, with its prompt extended as it asks; everything about that is told."""
    if spec.extension is None:
        return spec
    hooks, look = attempts.hooks, styles.words(spec.style, spec.style_strength)
    made = extending.made(
        spec.extension,
        spec.task,
        attempts.models,
        hooks,
        picture=material.image,
        look=look,
        device=attempts.loader.device,
    )
    told = [*made.prompt.told(), *made.notes]
    negative = spec.negative_prompt
    if spec.guidance != (1.0, 1.0):
        before = set(avoiding.analysed(f"{spec.prompt}, {look}", negative).conflicts)
        found = avoiding.analysed(f"{made.prompt.text}, {look}", negative, resolve=spec.conflicts == "resolve")
        if not before.issuperset(found.conflicts):
            told += found.notes()
            negative = found.text
    for sentence in told:
        hooks.note(sentence)
    changes: dict[str, Any] = {"extension": made.prompt, "negative_prompt": negative, "notes": (*spec.notes, *told)}
    attempts.spec = replace(attempts.spec, **changes)
    return replace(spec, **changes)


def _film(
    spec: ClipSpec, attempts: Attempts, meter: Meter, material: Given, folder: Path
) -> Iterator[tuple[int, Tensor]]:
    from artifexpro.core.wan22.s2v.generate import frames

    notes: list[str] = []
    guidance = attempts.go("text", lambda loader: _guidance(spec, loader, meter, notes))
    for sentence in notes:
        meter.note(sentence)
    yield from after.applied(frames(spec, attempts, guidance, material, meter, folder), spec, meter.hooks)


def decode_saved(
    path: Path,
    models: Path,
    hooks: Hooks,
    *,
    material: Given = NOTHING,
    device: Any = None,
    warm: Warm | None = None,
) -> Iterator[tuple[int, Tensor]]:
    """The frames of latents saved by an earlier `generate`, without denoising again: the same frames and notes.
    An edited clip needs its `material` again, to lie over it.

    Raises `ArtifexError` (code "latents" where they cannot be read) as `generate` does.
    """
    latents, spec = load_latents(path)
    if spec.feather is not None:
        given.check(spec, material)
    attempts = _begin(spec, models, hooks, device, warm)
    try:
        yield from _frames(latents, attempts, Meter(hooks, attempts.loader.device), material)
    finally:
        if warm is not None:
            warm.put_back(attempts.loader)


def _begin(spec: ClipSpec, models: Path, hooks: Hooks, device: Any, warm: Warm | None) -> Attempts:
    """Say what the audience must know, settle how the clip is computed here, and find the weights."""
    model = catalogue.usable(spec.model)
    for sentence in spec.notes:
        hooks.note(sentence)
    if model.random:
        smoke.say(model, hooks)
    if model.embedded:
        shipped.say(model, spec.prompt, hooks)
    with hooks.stage("load"):
        where = loading.best_device() if device is None else torch.device(device)
        machine = here.machine(where)
        folder, formats = loading.locate(models, model, spec.dtype), loading.formats(spec, model, where)
        settled = settling.settled(spec, model, folder, where, formats.transformer, hooks.note)
        fitting = here.fitting(settled, machine, models)
        loader = prepare(fitting, model, models, device)
        if warm is not None:
            loader = warm.take(loader, machine.plan(fitting, models).peak_ram_gb * GB)
    if fitting.levers != settled.levers and (how := says(fitting.levers, settled.levers)):
        hooks.note(f"To fit this machine: {how}.")
    if loader.formats.note:
        hooks.note(loader.formats.note)
    return Attempts(fitting, loader, machine, models, hooks)


def prepare(spec: ClipSpec, model: ModelSpec, models: Path, device: Any = None) -> Loader:
    """A loader for the spec's model, its weights found and checked by their headers. Raises `ArtifexError`."""
    where = loading.best_device() if device is None else torch.device(device)
    folder = loading.locate(models, model, spec.dtype, spec.levers.quantise)
    loading.inspect(folder, model)
    formats = loading.formats(spec, model, where)
    prepared.check(spec, model, folder, where, formats.transformer)
    if (variant := prepared.variant(spec.levers)) is not None:
        loading.inspect(folder, model, variant)
    return Loader(folder, model, where, formats, spec.levers, loading.files_of(folder))


def _latents(attempts: Attempts, hooks: Hooks, material: Given, notes: list[str]) -> Tensor:
    """Clean latents; what came up about prompt and material is added to `notes`."""
    spec = attempts.spec
    guidance = attempts.go("text", lambda loader: _guidance(spec, loader, hooks, notes))
    hooks.check()
    beginning, colours = attempts.go("encode", lambda loader: _encoded(spec, loader, hooks, material, notes))
    return attempts.go(
        "denoise",
        lambda loader: loop.denoise(
            beginning.progress,
            guidance,
            loader.transformer,
            hooks,
            boundary=loader.model.boundary,
            condition=beginning.condition,
            preview=colours,
            smoothing=spec.levers.smoothing,
        ),
    )


def _encoded(
    spec: ClipSpec, loader: Loader, hooks: Hooks, material: Given, notes: list[str]
) -> tuple[begin.Beginning, preview.PreviewMap]:
    """What denoising begins with, and the colours of its previews."""
    with hooks.stage("load"):
        vae = loader.vae()
    with hooks.stage("encode"):
        return begin.begin(spec, material, vae, loader.device, hooks, notes), preview.fit(vae)


def _guidance(spec: ClipSpec, loader: Loader, hooks: Hooks, notes: list[str]) -> loop.Guidance:
    """Embeddings of both prompts; the negative one only if some step is guided."""
    hooks.check()
    kept, encoder = loader.embeddings(), _Encoder(loader, hooks)
    with hooks.stage("text"):
        show = kept.get(spec.words, encoder, hooks.note)
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


def _frames(latents: Tensor, attempts: Attempts, meter: Meter, material: Given) -> Iterator[tuple[int, Tensor]]:
    """The decoded frames, of an edited clip over its source where that was asked for, after the spec's work on them.
    What finished stages took is kept for the next plan."""
    spec = attempts.spec
    frames = _decoded(latents, attempts, meter)
    if spec.feather is not None and material.video is not None and material.mask is not None:
        frames = composite.over(frames, material.video, material.mask, spec.feather)
    yield from after.applied(frames, spec, meter.hooks)
    meter.keep(spec, attempts.models, only=tuple(kind for kind in KINDS if kind not in attempts.stages))


def _decoded(latents: Tensor, attempts: Attempts, hooks: Hooks) -> Iterator[tuple[int, Tensor]]:
    """Every frame once, also when decoding must begin again with less memory."""
    done, total = 0, attempts.spec.frames
    while done < total:
        try:
            for index, frame in _pieces(latents, attempts.loader, hooks, total):
                if index == done:
                    yield index, frame
                    done += 1
        except torch.OutOfMemoryError as error:
            why = str(error)
        else:
            return
        attempts.step_down("decode", why)


def _pieces(latents: Tensor, loader: Loader, hooks: Hooks, total: int) -> Iterator[tuple[int, Tensor]]:
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


def _check_place(folder: Path, spec: ClipSpec) -> None:
    """Refuse a folder that cannot take the latents and the frames beside them, before any work. Raises `ArtifexError`
    (code "disk")."""
    place = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    attempted, remedy = f"save the clip's latents in {folder}", "freeing space or another output folder"
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise ArtifexError(attempted, f"nothing can be written to {place}", remedy, code="disk")
    needed = written(spec, catalogue.model(spec.model)) + _HEADER
    free = shutil.disk_usage(place).free
    if free < needed:
        because = f"they and the frames take up to {needed / 1e6:.1f} MB and {free / 1e6:.1f} MB are free"
        raise ArtifexError(attempted, because, remedy, code="disk")


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
            if not bool(torch.isfinite(latents).all()):
                raise ValueError("no numbers")
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ArtifexError(
            f"read the latents {path}",
            "they are not whole latents of a clip",
            "removing that file and generating the clip again",
            code="latents",
        ) from error
    return latents, spec
