"""The weights in the package: whole, small, and as good as is said of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from artifexpro.core.wan22 import catalogue, loading, weights
from artifexpro.core.wan22.generate import generate
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.loading import Formats, Loader
from artifexpro.core.wan22.request import resolve
from artifexpro.core.wan22.tiny import evaluating, log, measuring
from artifexpro.core.wan22.tiny.evaluating import Way

LIMIT = 25e6
STAGES = ("pictures", "clips", "words", "places", "heeds", "small", "large")


@pytest.fixture(scope="module")
def parts() -> dict[str, Any]:
    """What clips are made of."""
    formats = Formats(torch.float32, torch.float32, torch.float32)
    loader = Loader(catalogue.WEIGHTS, catalogue.TINY, torch.device("cpu"), formats)
    return {
        "tokenizer": loader.tokenizer(),
        "text_encoder": loader.text_encoder(),
        "transformer": loader.transformer("transformer"),
        "vae": loader.vae(),
    }


def test_the_package_has_them_whole_and_below_25_MB() -> None:
    manifest = weights.Manifest.read(catalogue.WEIGHTS)
    assert manifest is not None
    assert manifest.model == "wan22-tiny"
    for name, record in manifest.files.items():
        assert hashlib.sha256((catalogue.WEIGHTS / name).read_bytes()).hexdigest() == record.sha256
    loading.inspect(catalogue.WEIGHTS, catalogue.TINY)
    assert sum(path.stat().st_size for path in files()) < LIMIT


def files() -> list[Path]:
    """Everything the embedded model takes in the package, its LoRA too."""
    places = (catalogue.WEIGHTS, catalogue.WEIGHTS.parent / "loras")
    return [path for place in places for path in place.rglob("*") if path.is_file()]


def test_the_log_tells_of_its_trainings_to_their_ends() -> None:
    trainings: list[list[dict[str, Any]]] = []
    for line in log.Log(catalogue.WEIGHTS / log.NAME).lines():
        if line.get("began") == "anew":
            trainings.append([])
        trainings[-1].append(line)
    assert ["from" in begun for begun, *_ in trainings] == [False, True, True]
    for begun, *rest in trainings:
        steps = {line["stage"]: line["step"] for line in rest if "step" in line}
        assert steps == {stage: begun["plan"][stage] for stage in STAGES if begun["plan"].get(stage)}
        assert rest[-1]["stage"] == "whole"


def test_its_own_configuration_names_no_place_of_a_machine() -> None:
    for path in (*catalogue.WEIGHTS.rglob("*config.json"), catalogue.WEIGHTS / "model_index.json"):
        for word in json.dumps(json.loads(path.read_text())).split('"'):
            assert not word.startswith("/"), path


def test_prompts_steer_it(parts: dict[str, Any]) -> None:
    found = evaluating.scores(parts, 6, Way(steps=10), Silent())
    for things in ("one", "two"):
        assert min(found[f"{things}_{part}"] for part in ("background", "number", "colour")) >= 5 / 6
        assert min(found[f"{things}_{part}"] for part in ("motion", "shape")) >= 4 / 6
    assert found["two_everything"] >= 0.5
    assert found["first_db"] >= 30


def test_four_steps_of_its_own_lora_show_what_is_asked_for(tmp_path: Path) -> None:
    right = 0
    for scene, prompt, seed in evaluating.asked(3, 1):
        spec = resolve(prompt=prompt, model="wan22-tiny", profile="Speed", frames=9, seed=seed, models=tmp_path)
        assert (spec.steps, spec.guidance, len(spec.levers.loras)) == (4, (1.0, 1.0), 1)
        frames = [frame for _, frame in generate(spec, tmp_path, Silent(), folder=tmp_path / prompt, device="cpu")]
        score = measuring.score(measuring.sight(torch.stack(frames)), scene)
        right += score.background and score.number and score.colour
    assert right >= 2


def test_its_vae_is_good(parts: dict[str, Any]) -> None:
    found = evaluating.reconstruction(parts["vae"], 3, (192, 128, 33), Silent())
    assert found["db"] >= 32
    assert found["flicker"] < 0.006


@pytest.mark.nightly
def test_it_does_what_prompts_say_that_it_never_saw(parts: dict[str, Any]) -> None:
    found = evaluating.scores(parts, 200, Way(), Silent())
    assert min(found["one_background"], found["two_background"]) >= 0.95
    assert min(found["one_colour"], found["two_colour"]) >= 0.9
    assert min(found["one_number"], found["two_number"]) >= 0.9
    assert min(found["one_motion"], found["first_motion"]) >= 0.8
    assert found["one_shape"] >= 0.75
    assert found["two_motion"] >= 0.65
    assert found["two_everything"] >= 0.45
    assert found["first_db"] >= 30
