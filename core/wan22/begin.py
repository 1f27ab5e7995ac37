"""Where a clip begins, a task at a time: the noise or noised clip it starts from, and what it must keep to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import catalogue, encode, loop, picture, quality, schedule
from artifexpro.core.wan22.condition import Condition, FirstFrame, Free, Keyframes, Masked
from artifexpro.core.wan22.footage import Footage
from artifexpro.core.wan22.given import Given
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.schedule import Schedule

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Beginning:
    """What `loop.denoise` is handed."""

    progress: loop.Progress
    condition: Condition


def begin(
    spec: ClipSpec,
    given: Given,
    vae: Any,
    device: Any,
    hooks: Hooks,
    notes: list[str],
    spacing: schedule.Spacing = "reference",
) -> Beginning:
    """The beginning of `spec`'s clip from what is `given` (already checked). Sentences for the artist go to `notes`.

    Raises `ArtifexError` where a frame of a clip is no picture or a mask covers nothing.
    """
    width, height, frames = spec.width, spec.height, spec.frames
    condition: Condition = Free()
    if spec.task == "ti2v" and given.image is not None:
        condition = FirstFrame(encode.still(_fitted(given.image, "picture", spec, notes), vae, device))
    elif spec.task == "i2v" and given.image is not None:
        first = _fitted(given.image, "picture", spec, notes)
        last = None if given.last_image is None else _fitted(given.last_image, "last picture", spec, notes)
        condition = keyframes(first, last, frames, vae, device, hooks)
    elif spec.task == "edit" and given.video is not None and given.mask is not None:
        references = [picture.letterboxed(each, width, height) for each in given.references]
        condition = masked(given.video, given.mask, references, (width, height, frames), vae, device, hooks)
    shape = list(catalogue.model(spec.model).latent_shape(width, height, frames))
    if isinstance(condition, Masked):
        shape[2] += condition.references
    noise = quality.shared(loop.noise(tuple(shape), spec.seed, device), spec.levers.consistency, spec.seed)
    steps = schedule.make(spec.steps, spec.shift, spec.scheduler, spec.sigmas, spacing)
    if given.video is None or spec.task == "edit":
        return Beginning(loop.Progress(noise, steps), condition)
    source = encode.clip(_signed(given.video.chunks(frames, width, height)), vae, device, hooks)
    return Beginning(noised(source, noise, steps, spec.strength), condition)


def noised(source: Tensor, noise: Tensor, steps: Schedule, strength: float) -> loop.Progress:
    """A clip that begins from another one: of `steps` the last share of `strength` is taken, from `source` with as much
    noise as those begin with. At 1 nothing is left of the source."""
    if strength == 1.0:
        return loop.Progress(noise, steps)
    rest = steps.last(schedule.taken(len(steps), strength))
    level = float(rest.sigmas[0])
    return loop.Progress((1 - level) * source + level * noise, rest)


def keyframes(first: Tensor, last: Tensor | None, frames: int, vae: Any, device: Any, hooks: Hooks) -> Keyframes:
    """A first picture and perhaps a last one, (1, 3, H, W) in 0..1, for a clip of `frames` frames.

    As wan/image2video.py of Wan-Video/Wan2.2 and diffusers' WanImageToVideoPipeline lay them out. The grey between
    them is encoded like any clip: the VAE remembers, so that its latents differ from frame to frame.
    """
    grey = torch.zeros(1, 3, 4, *first.shape[2:])

    def chunks() -> Iterator[Tensor]:
        for span in encode.spans(frames):
            chunk = grey[:, :, : len(span)]
            if span.start == 0:
                chunk = (first * 2 - 1).unsqueeze(2)
            elif span.stop == frames and last is not None:
                chunk = torch.cat([chunk[:, :, 1:], (last * 2 - 1).unsqueeze(2)], dim=2)
            yield chunk

    latents = encode.clip(chunks(), vae, device, hooks)
    given = torch.zeros(1, 4, *latents.shape[2:], device=latents.device)
    given[:, :, 0] = 1
    if last is not None:
        given[:, 3, -1] = 1
    return Keyframes(torch.cat([given, latents], dim=1))


def masked(
    video: Footage,
    mask: Footage,
    references: list[Tensor],
    size: tuple[int, int, int],
    vae: Any,
    device: Any,
    hooks: Hooks,
) -> Masked:
    """What stays and what is made new of `video`, at `size` (width, height, frames); references (1, 3, H, W) in 0..1.

    As diffusers' WanVACEPipeline lays them out. Raises `ArtifexError` (code "image") where the mask covers nothing.
    """
    width, height, frames = size
    stays, goes = encode.Encoder(vae), encode.Encoder(vae)
    latents, covers = [], []
    for pixels, cover in zip(
        _signed(video.chunks(frames, width, height)), mask.chunks(frames, width, height), strict=True
    ):
        hooks.check()
        new = (cover > 0.5).to(pixels.dtype)
        latents.append(torch.cat([stays.push(pixels * (1 - new)), goes.push(pixels * new)], dim=1).to(device))
        covers.append(_blocks(cover, vae.config.scale_factor_spatial))
    blocks = torch.cat(covers, dim=2)
    if not bool((blocks > 0.5).any()):
        raise ArtifexError(
            "edit the clip inside the mask",
            "the mask covers nothing: no pixel of it is above one half",
            "a mask that is white where the clip is made new",
            code="image",
        )
    clean = torch.cat(latents, dim=2)
    times = torch.nn.functional.interpolate(
        torch.arange(frames, dtype=torch.float32).view(1, 1, -1), size=clean.shape[2], mode="nearest-exact"
    )
    control = torch.cat([clean, blocks[:, :, times.flatten().long()].to(device)], dim=1)
    for reference in references:
        shown = encode.still(reference, vae, device)
        nothing = torch.zeros(1, control.shape[1] - shown.shape[1], *shown.shape[2:], device=shown.device)
        control = torch.cat([torch.cat([shown, nothing], dim=1), control], dim=2)
    return Masked(control, len(references))


def _blocks(cover: Tensor, side: int) -> Tensor:
    """(1, 1, n, H, W) as (1, side * side, n, H / side, W / side): the values of each block as channels."""
    frames, rows, columns = cover.shape[2:]
    cells = cover.view(frames, rows // side, side, columns // side, side)
    return cells.permute(2, 4, 0, 1, 3).flatten(0, 1).unsqueeze(0)


def _signed(chunks: Iterator[Tensor]) -> Iterator[Tensor]:
    for chunk in chunks:
        yield chunk * 2 - 1


def _fitted(image: Tensor, which: str, spec: ClipSpec, notes: list[str]) -> Tensor:
    rows, columns = image.shape[:2]
    if (columns, rows) != (spec.width, spec.height):
        notes.append(
            f"The {which} was scaled from {columns} x {rows} to cover {spec.width} x {spec.height} and cut to it."
        )
    return picture.fitted(image, spec.width, spec.height)
