"""What each lever of Wan2.2 costs and gives, on the embedded model: `python -m artifexpro.benchmarks.wan22`.

Clips of held-out prompts are made as every clip is made, `generate` with nothing left out, once plainly and once in
each other way, from the same seeds. Beside a way's seconds stands what became of the clips: whether they show what was
asked for, how far they are from the plain ones, and what the quality scores say. The embedded model is small: its
seconds are those of this machine and this model, and what a way costs in quality is a warning for the large ones, not
a forecast.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean, median
from time import perf_counter
from typing import TYPE_CHECKING

from artifexpro.benchmarks.common import Figure, figure, machine
from artifexpro.benchmarks.wan22_ways import GUIDANCE, PLAIN, STEPS, Way, ways
from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import numpy, torch
from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.clip import measure
from artifexpro.core.wan22 import catalogue, loading, profiles
from artifexpro.core.wan22.catalogue import TINY
from artifexpro.core.wan22.generate import generate
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import Lora
from artifexpro.core.wan22.request import resolve
from artifexpro.core.wan22.tiny import drawing, evaluating, measuring
from artifexpro.core.wan22.tiny.scenes import Scene
from artifexpro.core.wan22.warm import Warm

if TYPE_CHECKING:
    from torch import Tensor

DRAWN = "(as drawn)"
"""The row of what the prompts ask for, drawn: what the scores say of clips without fault."""
PROMPTS = 3
"""Of one thing, by default: about ten minutes on two cores, and few for shares; 24 make a table to rely on."""
SHOWN = {
    scores.CONSISTENCY: "consistency",
    scores.BRIGHTNESS_FLICKER: "flicker",
    scores.COLOUR_DRIFT: "drift",
    scores.MOTION_JERK: "jerk",
    scores.SHARPNESS: "sharpness",
}
"""Quality scores that have a column."""
ONE = ("background", "colour", "motion", "shape")


@dataclass(frozen=True)
class Size:
    """Of the clips: those that the model was trained on."""

    width: int = 192
    height: int = 128
    frames: int = 33


@dataclass(frozen=True)
class Asked:
    """One clip that is asked for."""

    scene: Scene
    prompt: str
    seed: int

    def drawn(self, size: Size) -> Tensor:
        return drawing.clip(self.scene, self.seed, size.width, size.height, size.frames)


@dataclass
class Row:
    """One way: a clip's seconds, shares of clips that are right, likeness to the plain clips in dB (None for those
    themselves), means of the quality scores. `refused` is why there are none on this machine."""

    seconds: list[float] = field(default_factory=list)
    right: dict[str, float] = field(default_factory=dict)
    psnr: float | None = None
    scores: dict[str, float] = field(default_factory=dict)
    refused: str = ""


Table = Mapping[str, Row]


class Loading(Silent):
    """Hooks that tell the seconds spent loading from the rest."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = perf_counter()
        yield
        if name == "load":
            self.seconds += perf_counter() - began


def asked(prompts: int) -> list[Asked]:
    """`prompts` held-out prompts of one thing, and half as many of two."""
    wanted = [*evaluating.asked(prompts, 1), *evaluating.asked((prompts + 1) // 2, 2)]
    return [Asked(*each) for each in wanted]


@dataclass(frozen=True)
class Bench:
    """Everything that all ways have in common. `models` is a folder of the bench's own."""

    wanted: Sequence[Asked]
    size: Size
    models: Path
    warm: Warm

    def table(self, chosen: Sequence[Way]) -> dict[str, Row]:
        """All rows, the drawn clips first and the plain way second."""
        drawn = [each.drawn(self.size) for each in self.wanted]
        rows = {DRAWN: self._looked(drawn)}
        plain: list[Tensor] = []
        for number, way in enumerate(chosen):
            print(f"{way.name} ({number + 1} of {len(chosen)})", file=sys.stderr, flush=True)
            try:
                clips, seconds = self._made(way)
            except ArtifexError as error:
                if way.name == PLAIN:
                    raise
                rows[way.name] = Row(refused=error.because)
                continue
            rows[way.name] = self._looked(clips)
            rows[way.name].seconds = seconds
            if way.name == PLAIN:
                plain = clips
            else:
                rows[way.name].psnr = _alike(clips, plain)
        rows[DRAWN].psnr = _alike(drawn, plain)
        return rows

    def _made(self, way: Way) -> tuple[list[Tensor], list[float]]:
        clips, seconds = [], []
        for each in self.wanted:
            hooks, began = Loading(), perf_counter()
            clips.append(self._clip(way, each, hooks))
            seconds.append(perf_counter() - began - hooks.seconds)
        return clips, seconds

    def _clip(self, way: Way, one: Asked, hooks: Loading) -> Tensor:
        spec = resolve(
            prompt=one.prompt,
            model=TINY.name,
            **asdict(self.size),
            seed=one.seed,
            levers=way.levers,
            models=self.models,
            **way.asked,
        )
        frames = generate(spec, self.models, hooks, folder=self.models / "clip", warm=self.warm)
        return torch.stack([frame for _, frame in frames])

    def _looked(self, clips: Sequence[Tensor]) -> Row:
        """What is seen in `clips`."""
        seen = [
            measuring.score(measuring.sight(clip), each.scene) for clip, each in zip(clips, self.wanted, strict=True)
        ]
        one, two = (
            [score for score, each in zip(seen, self.wanted, strict=True) if len(each.scene.things) == count]
            for count in (1, 2)
        )
        right = {part: fmean(bool(getattr(score, part)) for score in one) for part in (*ONE, "everything")}
        right["two"] = fmean(score.everything for score in two)
        found = [measure(iter(numpy.asarray(clip)), TINY.rate).scores for clip in clips]
        names = [name for name in scores.SCORES if all(name in each for each in found)]
        return Row(right=right, scores={name: fmean(each[name].value for each in found) for name in names})


def _alike(clips: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    return fmean(evaluating.decibels(one, other) for one, other in zip(clips, others, strict=True))


@contextmanager
def embedded(model: Path | None) -> Iterator[None]:
    """The embedded model from the folder `model` in place of the package's, where one is named.

    Raises `ArtifexError` (code "model") where there is none.
    """
    before = catalogue.WEIGHTS, catalogue.CATALOGUE
    folder = catalogue.WEIGHTS if model is None else model.absolute()
    if not (folder / "model_index.json").is_file():
        where = "this package" if model is None else folder
        raise ArtifexError(
            "measure what the levers of Wan2.2 cost",
            f"the embedded model is not in {where}",
            "--model and the folder of a wan22-tiny trained by `python -m artifexpro.core.wan22.tiny.train`",
            code="model",
        )
    loading.inspect(folder, TINY)
    try:
        catalogue.WEIGHTS, catalogue.CATALOGUE = folder, catalogue.listed(folder)
        yield
    finally:
        catalogue.WEIGHTS, catalogue.CATALOGUE = before


def lora_of(path: Path | None, models: Path) -> Lora | None:
    """The few-step LoRA at `path`, whose header says its steps; without a path the package's, if it has one."""
    if path is None:
        return next(iter(profiles.distilled_loras(models, TINY)), None)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return Lora(str(path.absolute()), steps=int((file.metadata() or {})["steps"]))
    except (OSError, SafetensorError, KeyError, ValueError):
        raise ArtifexError(
            f"measure the LoRA {path}",
            "it is no LoRA whose header says the steps it is distilled to",
            "one made by `python -m artifexpro.core.wan22.tiny.train --lora`",
            code="lora",
        ) from None


def rows(table: Table) -> list[str]:
    """The table in Markdown."""
    shares = ("ground", "colour", "motion", "shape", "two")
    titles = ["way", "s a clip", "of plain", *shares, "dB to plain", *SHOWN.values()]
    lines = ["| " + " | ".join(titles) + " |", "|---" * len(titles) + "|"]
    plain = median(table[PLAIN].seconds)
    for name, row in table.items():
        if row.refused:
            continue
        took = [f"{median(row.seconds):.2f}", f"{median(row.seconds) / plain:.2f}"] if row.seconds else ["", ""]
        right = [f"{100 * row.right[part]:.0f} %" for part in (*ONE, "two")]
        alike = "" if row.psnr is None else f"{row.psnr:.1f}"
        told = [f"{row.scores[score]:.3g}" if score in row.scores else "" for score in SHOWN]
        lines.append("| " + " | ".join([name, *took, *right, alike, *told]) + " |")
    return lines


def about(bench: Bench) -> str:
    """What the table was measured on, in a sentence."""
    one = sum(len(each.scene.things) == 1 for each in bench.wanted)
    size, where = bench.size, machine()
    return (
        f"{where['processor']}, {where['cores']} cores, {torch.get_num_threads()} threads, load {where['load']}; "
        f"{one} prompts of one thing, {len(bench.wanted) - one} of two, none of them trained on; "
        f"{size.width} x {size.height}, {size.frames} frames; plain is {STEPS} steps, guidance {GUIDANCE:g}, unipc."
    )


def figures(table: Table) -> list[Figure]:
    """For each way its seconds, and shares of clips that are right, beside the plain way's; and its likeness to plain
    clips beside that of what was drawn."""
    found, plain, unlike = [], table[PLAIN], table[DRAWN].psnr
    for name, row in table.items():
        if not row.seconds:
            continue
        key = f"wan22.{name.replace(' ', '_')}"
        found.append(figure(f"{key}.seconds", row.seconds, "s", peer="the plain way", peers=plain.seconds))
        for part, share in row.right.items():
            peers = [100 * plain.right[part]]
            found.append(figure(f"{key}.{part}", [100 * share], "% right", peer="the plain way", peers=peers))
        if row.psnr is not None and unlike is not None:
            peer, note = "the drawn clips", "likeness to the plain way's clips"
            found.append(figure(f"{key}.psnr", [row.psnr], "dB", peer=peer, peers=[unlike], note=note))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m artifexpro.benchmarks.wan22", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON document and nothing else")
    parser.add_argument("--prompts", type=int, default=PROMPTS, help="of one thing; half as many of two come beside")
    parser.add_argument("--model", type=Path, help="folder of a trained wan22-tiny; the package's own without it")
    parser.add_argument("--lora", type=Path, help="a few-step LoRA for it; the package's own without it")
    given = parser.parse_args(arguments)
    if given.prompts < 1:
        parser.error(f"--prompts is 1 or more, not {given.prompts}")
    try:
        with embedded(given.model), tempfile.TemporaryDirectory() as place:
            models = Path(place)
            bench = Bench(asked(given.prompts), Size(), models, Warm.of_this_machine())
            table = bench.table(ways(lora_of(given.lora, models)))
    except ArtifexError as error:
        print(error, file=sys.stderr)
        return 1
    tell(bench, table, as_json=given.json)
    return 0


def tell(bench: Bench, table: Table, *, as_json: bool) -> None:
    if as_json:
        told = {name: asdict(row) for name, row in table.items()}
        whole = {"machine": machine(), "about": about(bench), "figures": [asdict(each) for each in figures(table)]}
        print(json.dumps(whole | {"table": told}, indent=2))
        return
    print(about(bench), end="\n\n")
    print("\n".join(rows(table)))
    for name, row in table.items():
        if row.refused:
            print(f"\n{name}: not on this machine: {row.refused}.")


if __name__ == "__main__":
    sys.exit(main())
