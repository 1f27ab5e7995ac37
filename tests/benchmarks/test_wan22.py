"""The bench of the embedded model makes clips as the product does, each way beside the plain one, and says what it
measured; here on weights that were never trained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch

from artifexpro.benchmarks import wan22
from artifexpro.benchmarks.wan22 import DRAWN, Bench, Loading, Row, Size
from artifexpro.benchmarks.wan22_ways import PLAIN, Way, ways
from artifexpro.core.errors import ArtifexError
from artifexpro.core.media.metrics import scores
from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.levers import Levers, Lora
from artifexpro.core.wan22.tiny import log, model
from artifexpro.core.wan22.tiny import train as training
from artifexpro.core.wan22.warm import Warm

SMALL = Size(160, 64, 5)
BRIEF = {"steps": 2, "guidance": 3.0}
FEW = (
    Way(PLAIN, BRIEF),
    Way("again", BRIEF),
    Way("guidance 1", BRIEF | {"guidance": 1.0}),
    Way("offload block", BRIEF, Levers(offload="block")),
    Way("tile 512", BRIEF, Levers(tile=512)),
)


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bench") / "wan22-tiny"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = {"vae": model.vae(), "text_encoder": model.text_encoder(), "transformer": model.transformer()}
    told = log.Log(folder.with_name(log.NAME))
    told.write(began="never")
    parts["tokenizer"] = model.tokenizer(training._captions(0)[:200])
    model.save(folder, "untrained", parts, [told.path])
    return folder


@pytest.fixture(scope="module")
def bench(untrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with wan22.embedded(untrained):
        yield Bench(wan22.asked(1), SMALL, tmp_path_factory.mktemp("models"), Warm.of_this_machine())


@pytest.fixture(scope="module")
def table(bench: Bench) -> dict[str, Row]:
    return bench.table(FEW)


def test_every_way_is_timed_and_measured(table: dict[str, Row]) -> None:
    assert list(table) == [DRAWN, *(way.name for way in FEW)]
    for name in (PLAIN, "again", "guidance 1", "offload block"):
        assert len(table[name].seconds) == 2
        assert all(seconds > 0 for seconds in table[name].seconds)
        assert {*wan22.ONE, "everything", "two"} == table[name].right.keys()
        assert {scores.CONSISTENCY, scores.SHARPNESS} <= table[name].scores.keys()


def test_likeness_is_to_the_plain_clips_of_the_same_seeds(table: dict[str, Row]) -> None:
    assert table[PLAIN].psnr is None
    assert table["again"].psnr == table["offload block"].psnr == 100
    assert 0 < (table["guidance 1"].psnr or 0) < 100
    assert (table[DRAWN].psnr or 100) < 30


def test_what_was_asked_for_is_right_where_it_is_drawn() -> None:
    clips = wan22.asked(4)
    assert [len(each.scene.things) for each in clips] == [1, 1, 1, 1, 2, 2]
    assert all(each.scene.held_out for each in clips)
    row = Bench(clips, Size(96, 64, 9), Path(), Warm())._looked([each.drawn(Size(96, 64, 9)) for each in clips])
    assert row.right == dict.fromkeys(row.right, 1.0)


def test_every_column_has_a_figure_at_the_size_of_the_bench() -> None:
    clips, size = wan22.asked(1), replace(Size(), frames=9)
    row = Bench(clips, size, Path(), Warm())._looked([each.drawn(size) for each in clips])
    assert wan22.SHOWN.keys() <= row.scores.keys()


def test_a_way_that_cannot_act_here_is_said_with_its_reason(bench: Bench, table: dict[str, Row], capsys: Any) -> None:
    assert "would be one tile" in table["tile 512"].refused
    wan22.tell(bench, table, as_json=False)
    said = capsys.readouterr().out
    assert "tile 512: not on this machine: " in said
    assert said.count("\n| ") == 1 + len(table) - 1
    with pytest.raises(ArtifexError, match="one tile"):
        bench.table((Way(PLAIN, BRIEF, Levers(tile=512)),))


def test_the_document_has_every_figure_beside_the_plain_way(bench: Bench, table: dict[str, Row], capsys: Any) -> None:
    wan22.tell(bench, table, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert "160 x 64, 5 frames" in told["about"]
    assert told["table"]["tile 512"]["refused"]
    found = {each["name"]: each for each in told["figures"]}
    seconds = found["wan22.guidance_1.seconds"]
    assert seconds["peer_value"] == round(median(table[PLAIN].seconds), 4)
    assert found["wan22.guidance_1.psnr"]["unit"] == "dB"
    assert {"wan22.plain.colour", "wan22.guidance_1.two"} <= found.keys()


def test_loading_is_not_counted() -> None:
    hooks = Loading()
    with hooks.stage("denoise"):
        pass
    assert hooks.seconds == 0
    with hooks.stage("text"), hooks.stage("load"):
        pass
    assert hooks.seconds > 0


def test_every_way_differs_from_the_plain_one_and_from_the_others() -> None:
    lora = Lora("few.safetensors", steps=4)
    every = ways(lora)
    assert every[0].name == PLAIN
    assert len({way.name for way in every}) == len(every) == len({repr((way.asked, way.levers)) for way in every})
    assert {way.name for way in every} - {way.name for way in ways(None)} == {
        "4 steps by LoRA",
        "its 4 steps without the LoRA",
    }


def test_the_package_s_catalogue_is_as_it_was_afterwards(untrained: Path) -> None:
    before = catalogue.WEIGHTS, catalogue.CATALOGUE
    with wan22.embedded(untrained):
        assert untrained == catalogue.WEIGHTS
    assert before == (catalogue.WEIGHTS, catalogue.CATALOGUE)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "nowhere"], ("nowhere", "tiny.train")),
        (["--lora", "nowhere.safetensors", "--model", "UNTRAINED"], ("nowhere.safetensors", "--lora")),
    ],
)
def test_what_is_not_there_is_said(options: list[str], words: tuple[str, ...], untrained: Path, capsys: Any) -> None:
    assert wan22.main([str(untrained) if each == "UNTRAINED" else each for each in options]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Attempted to")
    assert all(word in said.err for word in words)


def test_without_the_embedded_model_in_the_package_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(catalogue, "WEIGHTS", tmp_path / "weights")
    assert wan22.main([]) == 1
    assert "the embedded model is not in this package" in capsys.readouterr().err


def test_the_command_runs_what_was_asked_for(untrained: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    taken: list[Any] = []

    def table(bench: Bench, chosen: Any) -> dict[str, Row]:
        taken.append((bench, chosen))
        return {DRAWN: Row(), PLAIN: Row(seconds=[1.0])}

    monkeypatch.setattr(Bench, "table", table)
    assert wan22.main(["--model", str(untrained), "--prompts", "2", "--json"]) == 0
    [(bench, chosen)] = taken
    assert (len(bench.wanted), bench.size, chosen) == (3, Size(), ways(None))
    assert json.loads(capsys.readouterr().out)["table"][PLAIN]["seconds"] == [1.0]
    with pytest.raises(SystemExit):
        wan22.main(["--prompts", "0"])


@pytest.mark.nightly
def test_every_way_runs(bench: Bench) -> None:
    every = [way if "steps" not in way.asked else replace(way, asked=way.asked | {"steps": 6}) for way in ways(None)]
    rows = replace(bench, size=replace(SMALL, frames=9)).table(every)
    assert {name: row.refused for name, row in rows.items() if row.refused} == {}
