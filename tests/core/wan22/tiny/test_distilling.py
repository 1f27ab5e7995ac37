"""A LoRA of the embedded model: it learns, goes on where it stopped, and the lever takes it as any other."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, profiles, schedule
from artifexpro.core.wan22.generate import LATENTS, generate, load_latents
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.levers import DISTILLED_SHIFT, Levers, Lora, distilled_levels
from artifexpro.core.wan22.request import resolve
from artifexpro.core.wan22.tiny import captions, denoising, distilling, log, paths, scenes
from artifexpro.core.wan22.tiny import train as training
from artifexpro.core.wan22.tiny.course import chance
from artifexpro.core.wan22.tiny.distilling import distil
from artifexpro.core.wan22.tiny.plan import Distilling
from artifexpro.core.wan22.tiny.plan import distilling as planned
from tests.core.wan22.tiny.conftest import SIZE, Stopping

STEPS = 2
BRIEF = Distilling({SIZE: 8}, descent=40, batch=6, prompts=1)
NAME = "wan22-tiny-2steps"


@pytest.fixture(scope="module", autouse=True)
def short_ways() -> Iterator[None]:
    """Ways of eight steps instead of twenty, to be quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "LEAST_STEPS", 8)
        yield


@pytest.fixture(scope="module")
def lora(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lora") / f"{NAME}.safetensors"
    distil(trained, out, BRIEF, steps=STEPS, seed=1, compute="float32")
    return out


@pytest.fixture
def embedded(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder where the embedded model is in the package."""
    monkeypatch.setattr(catalogue, "WEIGHTS", trained)
    monkeypatch.setattr(catalogue, "CATALOGUE", catalogue.listed(trained))
    return tmp_path / "models"


def lines(out: Path) -> list[dict[str, Any]]:
    return log.Log(out.with_suffix(".jsonl")).lines()


def test_its_loss_falls(lora: Path) -> None:
    losses = [line["loss"] for line in lines(lora) if line.get("stage") == "lora"]
    assert len(losses) == BRIEF.descent
    assert sum(losses[-6:]) < 0.6 * sum(losses[:6])


def test_the_log_says_of_what_to_how_many_steps_and_how_good(lora: Path) -> None:
    begun, *_, whole = lines(lora)
    assert (begun["began"], begun["steps"], begun["plan"]["descent"]) == ("anew", STEPS, BRIEF.descent)
    assert {"model", "seed", "versions", "threads", "processor", "device", "compute", "lora"} <= begun.keys()
    assert {"one_colour", "one_motion", "two_everything", "first_db"} <= whole.keys()


def test_an_interrupted_distillation_ends_with_the_same_matrices(lora: Path, trained: Path, tmp_path: Path) -> None:
    out, stops = tmp_path / lora.name, 0
    for checks in (1, 8, 8, 10_000):
        try:
            distil(trained, out, BRIEF, steps=STEPS, seed=1, compute="float32", hooks=Stopping(checks))
        except Cancelled:
            stops += 1
            assert not out.exists()
    assert stops == 3
    assert [line["began"] for line in lines(out) if "began" in line] == ["anew"] + ["again"] * stops
    once, twice = load_file(lora), load_file(out)
    for name in once:
        torch.testing.assert_close(once[name].float(), twice[name].float(), rtol=2e-3, atol=2e-4)


def test_work_of_another_seed_is_not_gone_on_with(lora: Path, trained: Path) -> None:
    with pytest.raises(ArtifexError, match="another plan, seed or device"):
        distil(trained, lora, BRIEF, steps=STEPS, seed=2, compute="float32")


def test_the_lever_takes_it_and_the_clip_is_nearer_to_the_whole_model_s(
    lora: Path, embedded: Path, tmp_path: Path
) -> None:
    def latents(**changes: Any) -> torch.Tensor:
        wish = {"prompt": "a large red circle moving left over a black background", "model": "wan22-tiny", "seed": 4}
        spec = resolve(**wish, width=SIZE[0], height=SIZE[1], frames=SIZE[2], models=embedded, **changes)
        assert changes.get("steps", spec.steps) == spec.steps
        for _ in generate(spec, embedded, Silent(), folder=tmp_path, device="cpu"):
            pass
        return load_latents(tmp_path / LATENTS)[0]

    few = Levers(loras=(Lora(str(lora), steps=STEPS),))
    spec = resolve(prompt="a star", model="wan22-tiny", levers=few)
    assert (spec.steps, spec.shift, spec.guidance, spec.scheduler) == (STEPS, DISTILLED_SHIFT, (1.0, 1.0), "euler")
    whole = latents(steps=20, guidance=paths.GUIDANCE)
    plain = latents(sigmas=distilled_levels(STEPS), shift=DISTILLED_SHIFT, guidance=1.0, scheduler="euler")
    distilled = latents(levers=few)
    assert float((distilled - whole).square().mean()) < 0.8 * float((plain - whole).square().mean())


def test_its_header_says_what_it_is(lora: Path) -> None:
    with safe_open(lora, framework="pt") as file:
        about = file.metadata()
        names = list(file.keys())
    assert (about["model"], about["steps"]) == ("wan22-tiny", str(STEPS))
    adapter = json.loads(about["lora_adapter_metadata"])
    assert adapter["transformer.lora_alpha"] == adapter["transformer.r"] == distilling.RANK
    assert len(names) == 2 * catalogue.TINY.transformer.layers * (4 + 4 + 2)
    assert lora.stat().st_size < 2e6


def test_the_speed_profile_finds_the_package_s(embedded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert profiles.distilled_loras(embedded, catalogue.TINY) == ()
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path / "package" / "weights")
    for folder, steps in ((tmp_path / "package" / "loras", 4), (embedded / "loras" / "wan22-tiny", 2)):
        folder.mkdir(parents=True)
        path = folder / f"wan22-tiny-{steps}steps.safetensors"
        path.touch()
        assert profiles.distilled_loras(embedded, catalogue.TINY) == (Lora(str(path), steps=steps),)


def test_a_way_stops_exactly_where_the_few_steps_do() -> None:
    for steps in range(1, distilling.MOST_STEPS + 1):
        chosen, stops = paths.levels(steps)
        assert len(chosen) == max(paths.LEAST_STEPS, paths.A_STEP * steps)
        assert list(chosen) == sorted(set(chosen), reverse=True)
        whole = schedule.make(len(chosen), catalogue.TINY.shift, "unipc", chosen)
        wanted = paths.few(steps).sigmas[:-1]
        torch.testing.assert_close(whole.sigmas[list(stops)], wanted, rtol=0, atol=1e-3)


def test_ways_are_those_of_scenes_that_are_trained_on() -> None:
    held_out = {captions.plain(scene) for scene in (scenes.scene(Random(seed), held_out=True) for seed in range(9))}
    for seed in range(300):
        assert denoising.prompt(seed, chance(seed, "caption", 0)) not in held_out


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"steps": 0}, "1 to 8"),
        ({"steps": 9}, "1 to 8"),
        ({"out": "few"}, "few.safetensors"),
        ({"model": "nowhere"}, "no trained model"),
    ],
)
def test_what_makes_no_lora_is_refused_before_any_work(
    trained: Path, tmp_path: Path, changes: dict[str, Any], word: str
) -> None:
    wish: dict[str, Any] = {"model": trained, "out": "few.safetensors", "steps": 4} | changes
    with pytest.raises(ArtifexError, match=word):
        distil(tmp_path / wish["model"], tmp_path / wish["out"], BRIEF, steps=wish["steps"])
    assert list(tmp_path.iterdir()) == []


def test_another_model_is_refused(trained: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(trained, other)
    config = json.loads((other / "transformer/config.json").read_text())
    (other / "transformer/config.json").write_text(json.dumps(config | {"num_layers": 5}))
    with pytest.raises(ArtifexError, match="another model"):
        distil(other, tmp_path / "few.safetensors", BRIEF)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_minutes_that_are_none_are_refused(minutes: float) -> None:
    with pytest.raises(ArtifexError, match="minutes"):
        planned(minutes, "cpu")


def test_the_command_distils_and_says_why_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(training.distilling, "distil", lambda *given, **more: taken.append((given, more["steps"])))
    out = ["--out", str(tmp_path / "few.safetensors")]
    assert training.main(["--lora", "--model", str(tmp_path), *out, "--minutes", "2", "--steps", "2"]) == 0
    assert training.main(["--lora", *out, "--minutes", "2"]) == 0
    assert taken == [
        ((tmp_path, tmp_path / "few.safetensors", planned(2, "cpu")), 2),
        ((catalogue.WEIGHTS, tmp_path / "few.safetensors", planned(2, "cpu")), 4),
    ]
    assert training.main(["--lora", *out, "--minutes", "0"]) == 1
    assert "Try" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        training.main([*out, "--steps", "4"])
