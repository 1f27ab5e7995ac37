"""The card's benchmark runs on a processor too, with random models of the same classes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from artifexpro.benchmarks import wan22_gpu, wan22_models
from artifexpro.core.wan22 import catalogue

SMALL = ("--device", "cpu", "--dtype", "float32", "--size", "64x64", "--steps", "3", "--matrix", "64", "--no-compile")


def figures(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert wan22_gpu.main([*SMALL, *arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["figures"]
    return {each["name"]: each for each in told}


@pytest.mark.parametrize(
    "model",
    ["smoke", "smoke-vace", *(pytest.param(each, marks=pytest.mark.nightly) for each in ("smoke-moe", "smoke-i2v"))],
)
def test_both_loops_are_timed_and_make_the_same(model, capsys):
    told = figures(capsys, "--model", model, "--frames", "5")
    for stage in ("text_s", "step_s", "step_share", "decode_s", "decode_share"):
        row = told[f"wan22_gpu.{model}.{stage}"]
        assert row["value"] >= 0 and row["peer_value"] > 0
    apart = float(told[f"wan22_gpu.{model}.step_s"]["note"].split("differ by ")[1].split()[0])
    assert apart <= 1e-5


def test_speech_has_no_peer_but_the_matrix_product(capsys):
    told = figures(capsys, "--model", "smoke-s2v", "--frames", "16")
    assert told["wan22_gpu.smoke-s2v.step_s"]["peer"] == "the matrix product"


@pytest.mark.parametrize("name", wan22_gpu.MODELS)
def test_networks_have_the_size_of_the_published_ones(name):
    model = catalogue.model(name)
    built = wan22_models.network(model, torch.device("meta"), torch.bfloat16)
    wanted = next(part.parameters for part in model.components if part.name == "transformer")
    assert sum(parameter.numel() for parameter in built.parameters()) == wanted
    vae = wan22_models.vae(model, torch.device("meta"))
    counted = next(part.parameters for part in model.components if part.name == "vae")
    assert sum(parameter.numel() for parameter in vae.parameters()) == counted


def test_the_text_encoder_has_the_size_of_the_published_one():
    model = catalogue.model("ti2v-5B")
    built = wan22_models.text_encoder(model, torch.device("meta"), torch.bfloat16)
    wanted = next(part.parameters for part in model.components if part.name == "text_encoder")
    assert sum(parameter.numel() for parameter in built.parameters()) == wanted


@pytest.mark.skipif(torch.cuda.is_available(), reason="says what it says where there is no card")
def test_without_a_card_it_says_so(capsys):
    assert wan22_gpu.main([]) == 1
    assert "torch sees none" in capsys.readouterr().err
