"""A LoRA that makes the embedded model's clips in few steps without guidance: `train --lora`.

Trajectory distillation (Luhman and Luhman 2021, arXiv 2101.02388, over each step of the way instead of all of it): the
whole model goes from noise to clips at its own pace, guided (`paths`), and the LoRA learns the straight line from each
of the few levels to the next. The last step is the longest; it is also learned from where the LoRA itself arrives, so
that it mends what the steps before it left wrong.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22.catalogue import TINY
from artifexpro.core.wan22.hooks import Hooks, Silent
from artifexpro.core.wan22.levers import DISTILLED_SHIFT, distilled_levels
from artifexpro.core.wan22.quiet import quiet
from artifexpro.core.wan22.schedule import Schedule
from artifexpro.core.wan22.tiny import arithmetic, course, denoising, evaluating, log, paths, trained
from artifexpro.core.wan22.tiny.course import Course
from artifexpro.core.wan22.tiny.paths import Paths
from artifexpro.core.wan22.tiny.plan import Distilling

if TYPE_CHECKING:
    from torch import Tensor

RECIPE = "1"
"""Changes with anything that changes the LoRA."""
MOST_STEPS = 8
RANK = 16
LAYERS = ("to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2")
"""What the LoRA adds to: attention to the clip and to the words, and feed-forward."""
RATE = 5e-3
_OWN = 0.5
"""Share of the descent's steps that learn the last step from where the LoRA itself arrives."""
_ADAPTER = "few"


def distil(
    model: Path,
    out: Path,
    plan: Distilling,
    *,
    steps: int = 4,
    seed: int = 0,
    device: str = "cpu",
    compute: str = "",
    compiled: bool = False,
    hooks: Hooks | None = None,
) -> None:
    """Distil the trained wan22-tiny in the folder `model` to `steps` steps, into the LoRA file `out`, with its log
    beside it; what an interrupted run left in `out`.work is gone on with.

    `compute` and `compiled` are those of `train`. Raises what `hooks.check` raises, with all work kept, and
    `ArtifexError` where `model` is no such model, `out` no such file, or the work of another plan lies in the way.
    """
    hooks = Silent() if hooks is None else hooks
    _check(model, out, steps)
    place, compute = torch.device(device), compute or arithmetic.fastest(device)
    work = out.with_name(f"{out.name}.work")
    work.mkdir(parents=True, exist_ok=True)
    told = log.Log(work / log.NAME)
    same = {"lora": RECIPE, "seed": seed, "steps": steps, "plan": _plain(plan), "model": trained.identity(model)}
    told.begin(same | {"compute": compute, "compiled": compiled, "device": device}, **log.surroundings())
    parts = trained.parts(model, place)
    for name in ("text_encoder", "transformer", "vae"):
        parts[name].requires_grad_(False)
    network = parts["transformer"]
    denoising.shorten(network, True)
    lessons = [
        paths.keep(parts, seed, count, size, given, steps, work / "paths", hooks)
        for size, all_of in plan.paths.items()
        for given, count in ((False, all_of - round(all_of * plan.given)), (True, round(all_of * plan.given)))
        if count
    ]
    matrices = _added(network, seed)
    pupil = torch.compile(network, dynamic=False) if compiled else network
    lesson = partial(_lesson, pupil, lessons, paths.few(steps), plan.batch, place)
    stage = Course("lora", {"lora": matrices}, lesson, plan.descent, RATE, place, compute)
    course.take(stage, seed=seed, folder=work / "checkpoints", log=told, hooks=hooks, then=lambda done: None)
    denoising.shorten(network, False)
    _score(parts, plan, steps, told, hooks)
    _save(network, out, steps, seed, told)


def _check(model: Path, out: Path, steps: int) -> None:
    if out.suffix != ".safetensors":
        raise ArtifexError(
            f"write a LoRA to {out}", "a LoRA is a .safetensors file", f"{out.name}.safetensors", code="settings"
        )
    if not 1 <= steps <= MOST_STEPS:
        raise ArtifexError(
            f"distil to {steps} steps",
            f"few steps are 1 to {MOST_STEPS}; for more the model needs no LoRA",
            "4",
            code="settings",
        )
    trained.check(model, "distil")


def _plain(plan: Distilling) -> dict[str, Any]:
    return asdict(plan) | {"paths": {"x".join(map(str, size)): count for size, count in plan.paths.items()}}


def _added(network: Any, seed: int) -> Any:
    """The LoRA's matrices, put into `network`: at first it answers as it did."""
    from peft import LoraConfig

    with torch.random.fork_rng(devices=[]), quiet():
        torch.manual_seed(seed)
        network.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(LAYERS)), adapter_name=_ADAPTER)
    found = {name: weight for name, weight in network.named_parameters() if ".lora_" in name}
    return torch.nn.ParameterDict({name.replace(".", "/"): weight for name, weight in found.items()})


def _lesson(
    pupil: Any, lessons: Sequence[Paths], few: Schedule, batch: int, place: Any, step: int, chance: Any
) -> Tensor:
    """The loss of one step: over all levels along the ways, or over the last one from where the pupil arrives."""
    ends = list(accumulate(map(len, lessons)))
    drawn = int(torch.randint(ends[-1], (), generator=chance))
    lesson = lessons[next(index for index, end in enumerate(ends) if drawn < end)]
    chosen = torch.randint(len(lesson), (batch,), generator=chance)
    way = lesson.latents[chosen].to(place, torch.float32)
    words = lesson.words[chosen].to(place, torch.float32)
    offset, own = torch.rand(2, generator=chance).tolist()
    count = len(few)
    if own < _OWN:
        levels = torch.full((batch,), count - 1)
        now = _arrived(pupil, way, words, few, lesson.given)
    else:
        levels = (torch.arange(batch) + int(offset * count)) % count
        now = way[torch.arange(batch), levels]
    sigmas = few.sigmas.to(place)
    lengths = (sigmas[levels + 1] - sigmas[levels]).view(-1, 1, 1, 1, 1)
    wanted = (way[torch.arange(batch), levels + 1] - now) / lengths
    answer = _asked(pupil, now, few.timesteps[levels].to(place), words, way[:, -1, :, :1] if lesson.given else None)
    return (answer - wanted)[:, :, int(lesson.given) :].square().mean()


def _arrived(pupil: Any, way: Tensor, words: Tensor, few: Schedule, given: bool) -> Tensor:
    """Latents before the last step, as the pupil makes them from the same noise."""
    now = way[:, 0]
    first = way[:, -1, :, :1] if given else None
    with torch.no_grad():
        for index in range(len(few) - 1):
            timestep = few.timesteps[index].to(now.device).expand(len(now))
            now = now + (few.sigmas[index + 1] - few.sigmas[index]) * _asked(pupil, now, timestep, words, first)
    torch.clear_autocast_cache()
    return now


def _asked(pupil: Any, latents: Tensor, timestep: Tensor, words: Tensor, first: Tensor | None) -> Tensor:
    """The pupil's velocity at `timestep` (N,); `first` takes the place of the first frame, at timestep 0."""
    if first is not None:
        latents = torch.cat([first, latents[:, :, 1:]], dim=2)
        frames, patches = latents.shape[2], latents.shape[3] * latents.shape[4] // TINY.transformer.patch**2
        each = timestep.view(-1, 1, 1).repeat(1, frames, patches)
        each[:, 0] = 0
        timestep = each.flatten(1)
    answer: Tensor = pupil(latents, timestep, words, return_dict=False)[0]
    return answer.float()


def _score(parts: dict[str, Any], plan: Distilling, steps: int, told: log.Log, hooks: Hooks) -> None:
    if any(line.get("stage") == "whole" for line in told.lines()):
        return
    began = time.monotonic()
    size = max(plan.paths)
    way = evaluating.Way(
        *size, steps=steps, guidance=1.0, scheduler="euler", shift=DISTILLED_SHIFT, sigmas=distilled_levels(steps)
    )
    found = evaluating.scores(parts, plan.prompts, way, hooks)
    told.write(stage="whole", prompts=plan.prompts, **found, seconds=round(time.monotonic() - began, 1))


def _save(network: Any, out: Path, steps: int, seed: int, told: log.Log) -> None:
    """The LoRA in float16 as diffusers writes it, and the log beside it."""
    from peft.utils import get_peft_model_state_dict
    from safetensors.torch import save_file

    with quiet():
        matrices = get_peft_model_state_dict(network, adapter_name=_ADAPTER)
    tensors = {f"transformer.{name}": each.to("cpu", torch.float16).contiguous() for name, each in matrices.items()}
    adapter = {"r": RANK, "lora_alpha": RANK, "target_modules": list(LAYERS), "peft_type": "LORA"}
    about = {f"transformer.{name}": value for name, value in adapter.items()}
    metadata = {
        "format": "pt",
        "lora_adapter_metadata": json.dumps(about, sort_keys=True),
        "model": TINY.name,
        "steps": str(steps),
        "recipe": f"recipe {RECIPE}, seed {seed}",
    }
    whole = out.with_suffix(".partial")
    save_file(tensors, whole, metadata=metadata)
    shutil.copyfile(told.path, out.with_suffix(".jsonl"))
    whole.replace(out)
