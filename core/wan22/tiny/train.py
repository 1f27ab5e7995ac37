"""Trains the embedded model from nothing: `python -m artifexpro.core.wan22.tiny.train --out DIR --minutes N`.

DIR is a model folder like any other when it ends, with the log of its training beside the weights. What is needed on
the way is in DIR.work: checkpoints, from which the same command goes on, and the latents of the lessons.

With --from it goes on from a trained one: its VAE and its tokenizer stay, its transformer learns on from new clips,
most of two things. A text encoder that learned along with clips, as those of recipes before 5, begins anew.

With --lora it distils a trained one to few steps instead: `distilling`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.catalogue import TINY
from artifexpro.core.wan22.hooks import Hooks, Silent
from artifexpro.core.wan22.tiny import (
    arithmetic,
    autoencoding,
    captions,
    course,
    denoising,
    distilling,
    evaluating,
    heeding,
    log,
    model,
    placing,
    plan,
    reading,
    scenes,
    trained,
    whole,
)
from artifexpro.core.wan22.tiny.course import Course
from artifexpro.core.wan22.tiny.denoising import Lessons, Material
from artifexpro.core.wan22.tiny.plan import Plan

RECIPE = "5"
"""Changes with anything that changes the weights."""
RATE = {"pictures": 8e-3, "clips": 2e-3, "words": 3e-3, "places": 4e-3, "heeds": 3e-3, "small": 4e-3, "large": 3e-3}
GIVEN = 0.25
"""As many clips of each size are for lessons with a first frame as this share of the others."""
CAPTIONS = 4000
"""Captions that the tokenizer is made from."""


def train(
    out: Path,
    steps: Plan,
    *,
    begin: Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    compute: str = "",
    compiled: bool = False,
    hooks: Hooks | None = None,
) -> None:
    """Train by the plan `steps` and write the model to `out`; an interrupted training of the same plan is gone on with.

    `begin` is the folder of a trained model to begin from, whose log comes first in the new one's; None begins from
    nothing. `compute` is "float32" or "bfloat16"; "" is bfloat16 where the machine has fast arithmetic for it.
    `compiled` makes machine code of the transformer's passes first.
    Raises what `hooks.check` raises, with checkpoints written, and `ArtifexError` (code "settings") where the work of
    another plan lies in the way or (code "model") `begin` has no model.
    """
    hooks = Silent() if hooks is None else hooks
    place, compute = torch.device(device), compute or arithmetic.fastest(device)
    if begin is not None:
        trained.check(begin, "go on from")
    work = out.parent / f"{out.name}.work"
    work.mkdir(parents=True, exist_ok=True)
    told = log.Log(work / log.NAME)
    same: dict[str, Any] = {"recipe": RECIPE, "seed": seed, "plan": _plain(steps)}
    if begin is not None:
        same["from"] = trained.identity(begin)
    told.begin(same | {"compute": compute, "compiled": compiled, "device": device}, **log.surroundings())
    go = partial(course.take, seed=seed, folder=work / "checkpoints", log=told, hooks=hooks)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = _anew(seed, place) if begin is None else _again(begin, steps, place)
        asked = {
            "words": reading.heads(parts["text_encoder"]).to(place),
            "places": placing.heads(parts["transformer"]).to(place),
            "heeds": heeding.heads(parts["transformer"]).to(place),
        }
    with whole.at_once(parts["vae"]) as clips:
        _vae(parts["vae"], clips, steps, place, compute, go)
        parts["vae"].eval().requires_grad_(False)
        material = _material(parts["vae"], clips, steps, seed, place, compute, work / "latents", hooks)
        _before_clips(parts, asked, steps, place, compute, go)
        _transformer(parts, steps, material, place, compute, compiled, told, go, hooks)
    _note_vae(parts["vae"], steps, told, hooks)
    for name in ("text_encoder", "transformer"):
        parts[name].eval()
    way = evaluating.Way(*steps.scored, steps=steps.steps)
    if not any(line.get("stage") == "whole" for line in told.lines()):
        began = time.monotonic()
        found = evaluating.scores(parts, steps.prompts, way, hooks)
        told.write(stage="whole", prompts=steps.prompts, **found, seconds=round(time.monotonic() - began, 1))
    revision = f"recipe {RECIPE}, seed {seed}" + ("" if begin is None else f", from {same['from']}")
    model.save(out, revision, parts, [*([] if begin is None else [begin / log.NAME]), told.path])


def _anew(seed: int, place: Any) -> dict[str, Any]:
    return {
        "vae": model.vae().to(place),
        "text_encoder": model.text_encoder().to(place),
        "transformer": model.transformer().to(place),
        "tokenizer": model.tokenizer(_captions(seed)),
    }


def _again(begin: Path, steps: Plan, place: Any) -> dict[str, Any]:
    """The parts of a trained model. Where there are lessons in words, its text encoder begins anew: one that has
    learned something else since takes longer."""
    parts = trained.parts(begin, place, "float32")
    if steps.words:
        parts["text_encoder"] = model.text_encoder().to(place)
    return parts


def _plain(steps: Plan) -> dict[str, Any]:
    """The plan as the log has it."""
    about = asdict(replace(steps, large_sizes=dict(steps.large_sizes)))
    about["large_sizes"] = {"x".join(map(str, size)): share for size, share in steps.large_sizes.items()}
    for name in ("small_size", "lesson", "scored"):
        about[name] = "x".join(map(str, getattr(steps, name)))
    return about


def _captions(seed: int) -> list[str]:
    """What the tokenizer learns its pieces from: captions that are trained on."""
    found = []
    for index in range(CAPTIONS):
        chance = Random(course.number(seed, "words", index))
        found.append(captions.caption(scenes.scene(chance), chance))
    return found


def _vae(vae: Any, whole_clips: whole.Whole, steps: Plan, place: Any, compute: str, go: Callable[..., None]) -> None:
    def pictures(step: int, chance: Any) -> Any:
        return autoencoding.pictures(whole_clips, chance, steps.pictures_batch, steps.lesson, place)

    def clips(step: int, chance: Any) -> Any:
        return autoencoding.clips(whole_clips, chance, steps.clips_batch, steps.lesson, place)

    for name, lesson in (("pictures", pictures), ("clips", clips)):
        stage = Course(name, {"vae": vae}, lesson, getattr(steps, name), RATE[name], place, compute)
        go(stage, then=lambda done: None)


def _material(
    vae: Any, clips: whole.Whole, steps: Plan, seed: int, place: Any, compute: str, folder: Path, hooks: Hooks
) -> Callable[[str], list[Lessons]]:
    """What gives the lessons of the transformer's stages, made when they are asked for. The VAE's configuration is told
    mean and deviation of the small ones."""
    from artifexpro.core.wan22 import encode

    def kept(count: float, size: plan.Size, anywhere: bool = False) -> tuple[Any, list[int]]:
        return autoencoding.keep(
            clips, seed, max(2, round(count)), size, anywhere, steps.pairs, folder, place, compute, hooks
        )

    def normalised(count: float, size: plan.Size, anywhere: bool) -> Material:
        latents, seeds = kept(count, size, anywhere)
        return Material(encode.normalised(latents.float(), vae).half(), seeds)

    def material(stage: str) -> list[Lessons]:
        counts = {steps.small_size: float(steps.small_latents)}
        if stage == "large":
            counts = {size: steps.large_latents * share for size, share in steps.large_sizes.items()}
        return [
            Lessons(normalised(count, size, False), normalised(GIVEN * count, size, True))
            for size, count in counts.items()
        ]

    if steps.small_latents:
        autoencoding.settle(vae, kept(steps.small_latents, steps.small_size)[0])
    return material


def _note_vae(vae: Any, steps: Plan, told: log.Log, hooks: Hooks) -> None:
    if any(line.get("stage") == "vae" for line in told.lines()):
        return
    told.write(stage="vae", clips=4, **evaluating.reconstruction(vae, 4, steps.scored, hooks))


def _before_clips(
    parts: dict[str, Any], asked: dict[str, Any], steps: Plan, place: Any, compute: str, go: Callable[..., None]
) -> None:
    """The lessons of the text encoder, which has learned all that it ever will then, and of the transformer's first
    blocks: they need no clips. `asked` has the heads of each."""
    network, encoder, tokenizer = parts["transformer"], parts["text_encoder"], parts["tokenizer"]
    sizes = [(steps.small_size, steps.small_batch), *((size, steps.large_batch) for size in steps.large_sizes)]

    def words(step: int, chance: Any) -> Any:
        return reading.loss(encoder, asked["words"], tokenizer, chance, steps.words_batch)

    def places(step: int, chance: Any) -> Any:
        size, batch = sizes[step % len(sizes)]
        return placing.loss(network, asked["places"], TINY.latent_shape(*size), chance, batch)

    def heeds(step: int, chance: Any) -> Any:
        size, batch = sizes[step % len(sizes)]
        heads = heeding.Heads(asked["heeds"], asked["places"])
        return heeding.loss(network, encoder, heads, tokenizer, TINY.latent_shape(*size), chance, max(1, batch // 2))

    lessons: dict[str, tuple[Any, str, tuple[str, ...]]] = {
        "words": (words, "text_encoder", ("words",)),
        "places": (places, "transformer", ("places",)),
        "heeds": (heeds, "transformer", ("heeds", "places")),
    }
    denoising.shorten(network, True)
    for name, (lesson, taught, heads) in lessons.items():
        modules = {taught: parts[taught]} | {f"heads of {each}": asked[each] for each in heads}
        go(Course(name, modules, lesson, getattr(steps, name), RATE[name], place, compute), then=lambda done: None)
        if taught == "text_encoder":
            encoder.eval().requires_grad_(False)


def _transformer(
    parts: dict[str, Any],
    steps: Plan,
    material: Callable[[str], list[Lessons]],
    place: Any,
    compute: str,
    compiled: bool,
    told: log.Log,
    go: Callable[..., None],
    hooks: Hooks,
) -> None:
    network, encoder, tokenizer = parts["transformer"], parts["text_encoder"], parts["tokenizer"]
    pupil, reader = (torch.compile(part, dynamic=False) if compiled else part for part in (network, encoder))
    shares = {"small": [1.0], "large": list(accumulate(steps.large_sizes.values()))}
    sizes = {"small": steps.small_size, "large": steps.scored}
    batches = {"small": steps.small_batch, "large": steps.large_batch}

    def lesson(name: str, lessons: list[Lessons], step: int, chance: Any) -> Any:
        drawn = float(torch.rand((), generator=chance)) * shares[name][-1]
        which = next(number for number, share in enumerate(shares[name]) if drawn <= share)
        return denoising.loss(pupil, reader, tokenizer, lessons[which], chance, batches[name])

    def look(name: str, done: int) -> None:
        total = getattr(steps, name)
        if not steps.looks or done == total or done % max(1, total // steps.looks):
            return
        denoising.shorten(network, False)
        prompts = max(2, steps.prompts // 4)
        found = evaluating.scores(parts, prompts, evaluating.Way(*sizes[name], steps=steps.steps), hooks)
        denoising.shorten(network, True)
        told.write(stage=name, looked_at=done, prompts=prompts, **found)

    denoising.shorten(network, True)
    for name in ("small", "large"):
        if not getattr(steps, name):
            continue
        stage = Course(
            name,
            {"transformer": network},
            partial(lesson, name, material(name)),
            getattr(steps, name),
            RATE[name],
            place,
            compute,
        )
        go(stage, then=partial(look, name))
    denoising.shorten(network, False)


class _Lines(Silent):
    """Says on standard error how far it is, a line for every twentieth of a stage."""

    def __init__(self) -> None:
        self._told: tuple[str, int] = ("", -1)

    def progress(self, stage: str, done: int, total: int) -> None:
        now = (stage, 20 * done // max(1, total))
        if now != self._told:
            self._told = now
            print(f"{time.strftime('%H:%M:%S')} {stage}: {done} of {total}", file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m artifexpro.core.wan22.tiny.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the model, or the .safetensors file")
    parser.add_argument(
        "--minutes", type=float, default=360, help="of two processor cores, or of one card with --device cuda"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--compute", choices=("float32", "bfloat16"), default="", help="number format of the passes")
    parser.add_argument(
        "--compile", action="store_true", help="machine code of the transformer first; wants a C++ compiler"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--lora", action="store_true", help="distil a trained model to few steps instead, into a LoRA")
    parser.add_argument("--from", dest="begin", type=Path, help="folder of a trained model to go on from")
    parser.add_argument("--model", type=Path, help="folder of the model to distil; the package's own without it")
    parser.add_argument("--steps", type=int, help="steps to distil to, 1 to 8; 4 without it")
    given = parser.parse_args(arguments)
    if not given.lora and (given.model is not None or given.steps is not None):
        parser.error("--model and --steps say how a LoRA is made: they go with --lora")
    if given.lora and given.begin is not None:
        parser.error("--from goes on with a training; a LoRA is made of the model that --model names")
    out = given.out.absolute()
    settings: dict[str, Any] = {
        "seed": given.seed,
        "device": given.device,
        "compute": given.compute,
        "compiled": given.compile,
        "hooks": _Lines(),
    }
    try:
        if given.lora:
            steps = 4 if given.steps is None else given.steps
            model_folder = given.model or catalogue.WEIGHTS
            distilling.distil(model_folder, out, plan.distilling(given.minutes, given.device), steps=steps, **settings)
        else:
            train(out, _plan(given.minutes, given.device, given.begin), begin=given.begin, **settings)
    except (KeyboardInterrupt, Cancelled):
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return 1
    except ArtifexError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _plan(minutes: float, device: str, begin: Path | None) -> Plan:
    if begin is None:
        return plan.plan(minutes, device)
    trained.check(begin, "go on from")
    return plan.on(minutes, device, taught=trained.is_taught(begin))


if __name__ == "__main__":
    sys.exit(main())
