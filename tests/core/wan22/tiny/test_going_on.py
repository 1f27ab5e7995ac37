"""A trained model learns on: what it has stays or gets better, and its log tells of both trainings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22 import catalogue, loading
from artifexpro.core.wan22.tiny import autoencoding, log, plan, scenes
from artifexpro.core.wan22.tiny import train as training
from artifexpro.core.wan22.tiny import trained as kept
from artifexpro.core.wan22.tiny.train import train
from tests.core.wan22.tiny.conftest import SHORT, Stopping

FURTHER = replace(SHORT, pictures=0, clips=0, small_latents=0, words=0, places=0, small=0, large=4, pairs=0.75)


@pytest.fixture(scope="module")
def further(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("further") / "wan22-tiny"
    train(folder, FURTHER, begin=trained, seed=2, compute="float32")
    return folder


def network(folder: Path, part: str = "transformer/diffusion_pytorch_model") -> dict[str, torch.Tensor]:
    return load_file(folder / f"{part}.safetensors")


def test_the_transformer_learns_and_all_else_stays(trained: Path, further: Path) -> None:
    for name in ("vae/config.json", "tokenizer/tokenizer.json"):
        assert (trained / name).read_bytes() == (further / name).read_bytes()
    for part, stays in (
        ("vae/diffusion_pytorch_model", True),
        ("text_encoder/model", True),
        ("transformer/diffusion_pytorch_model", False),
    ):
        before, after = network(trained, part), network(further, part)
        assert all(torch.equal(before[name], after[name]) for name in before) == stays
    loading.inspect(further, catalogue.TINY)


def test_with_lessons_in_words_the_text_encoder_begins_anew(trained: Path) -> None:
    learned = load_file(trained / "text_encoder/model.safetensors")["shared.weight"].float()
    for words, stays in ((0, True), (4, False)):
        parts = training._again(trained, replace(FURTHER, words=words), torch.device("cpu"))
        assert torch.equal(parts["text_encoder"].shared.weight, learned) == stays


def test_its_log_tells_of_both_trainings(trained: Path, further: Path) -> None:
    earlier, lines = (log.Log(folder / log.NAME).lines() for folder in (trained, further))
    assert lines[: len(earlier)] == earlier
    begun, *rest = lines[len(earlier) :]
    assert (begun["began"], begun["seed"], len(begun["from"])) == ("anew", 2, 16)
    assert {line["stage"] for line in rest} == {"heeds", "large", "vae", "whole"}


def test_an_interrupted_one_ends_with_the_same_weights(trained: Path, further: Path, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    with pytest.raises(Cancelled):
        train(folder, FURTHER, begin=trained, seed=2, compute="float32", hooks=Stopping(5))
    train(folder, FURTHER, begin=trained, seed=2, compute="float32")
    once, twice = network(further), network(folder)
    for name in once:
        torch.testing.assert_close(once[name].float(), twice[name].float(), rtol=2e-3, atol=2e-4)


def test_work_that_began_from_another_model_is_not_gone_on_with(trained: Path, further: Path) -> None:
    with pytest.raises(ArtifexError, match="another plan, seed or device"):
        train(further, FURTHER, begin=further, seed=2, compute="float32")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifexError, match="no trained model"):
        train(tmp_path / "out", FURTHER, begin=tmp_path)
    assert not (tmp_path / "out.work").exists()


@pytest.mark.parametrize("pairs", [0.0, 0.45, 0.75, 1.0])
def test_scenes_of_two_things_are_as_many_as_asked_for(pairs: float) -> None:
    seeds = autoencoding.lessons(3, "latents", 200, pairs)
    things = [len(scenes.scene(Random(seed)).things) for seed in seeds]
    assert things.count(2) == round(200 * pairs)
    assert len(set(seeds)) == 200
    assert autoencoding.lessons(3, "latents", 50, pairs) == seeds[:50]


def test_a_text_encoder_that_learned_along_with_clips_is_taught_again(trained: Path, tmp_path: Path) -> None:
    assert kept.is_taught(trained)
    lines = [line | {"recipe": "4"} if "began" in line else line for line in log.Log(trained / log.NAME).lines()]
    (tmp_path / log.NAME).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert not kept.is_taught(tmp_path)
    again = plan.on(10, "cpu", taught=False)
    assert min(again.words, again.heeds) > 0


def test_the_command_goes_on_by_a_plan_of_its_own(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[Any] = []
    monkeypatch.setattr(training, "train", lambda out, steps, **more: taken.append((steps, more["begin"])))
    assert training.main(["--out", str(tmp_path / "x"), "--from", str(trained), "--minutes", "10"]) == 0
    assert taken == [(plan.on(10, "cpu", taught=True), trained)]
    assert (taken[0][0].pictures, taken[0][0].words, taken[0][0].heeds) == (0, 0, 0)
    assert training.main(["--out", str(tmp_path / "x"), "--from", str(tmp_path), "--minutes", "10"]) == 1
    assert "no trained model" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        training.main(["--out", str(tmp_path / "x.safetensors"), "--from", str(tmp_path), "--lora"])
    assert "--model" in capsys.readouterr().err
