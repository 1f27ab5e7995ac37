"""A prompt seen before does not load the text encoder; what is kept is bounded, and never believed when damaged."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import UMT5EncoderModel

from artifexpro.core.wan22 import embeddings, text
from artifexpro.core.wan22.embeddings import Embeddings
from artifexpro.core.wan22.text import TOKENS, Embedding

ONE = {"frames": 1, "steps": 1, "negative_prompt": "water"}


@pytest.fixture
def models(random_models: Path, tmp_path: Path) -> Path:
    shutil.copytree(random_models / "smoke-moe", tmp_path / "models" / "smoke-moe")
    return tmp_path / "models"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a text encoder was read."""
    counted: Counter[str] = Counter()
    read = UMT5EncoderModel.from_pretrained.__func__  # type: ignore[attr-defined]

    def counting(kind: Any, *where: Any, **how: Any) -> Any:
        counted["encoder"] += 1
        return read(kind, *where, **how)

    monkeypatch.setattr(UMT5EncoderModel, "from_pretrained", classmethod(counting))
    return counted


def test_the_second_clip_never_loads_the_encoder(make: Any, models: Path, loads: Counter[str]) -> None:
    first = make(models=models, **ONE)
    assert loads["encoder"] == 1
    assert torch.equal(make(models=models, **ONE), first)
    assert loads["encoder"] == 1
    make(models=models, **{**ONE, "negative_prompt": "fire"})
    assert loads["encoder"] == 2


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_file_is_thrown_away_and_said(
    content: bytes, make: Any, models: Path, loads: Counter[str], hooks: Any
) -> None:
    first = make(models=models, **ONE)
    damaged = next((models / embeddings.FOLDER).iterdir())
    damaged.write_bytes(content)
    assert torch.equal(make(models=models, hooks=hooks, **ONE), first)
    assert loads["encoder"] == 2
    assert any("damaged" in note for note in hooks.notes)
    assert damaged.stat().st_size > len(content)
    make(models=models, **ONE)
    assert loads["encoder"] == 2


def kept(folder: Path, budget: int = embeddings.BUDGET) -> Embeddings:
    return Embeddings(folder, "an encoder", budget)


@pytest.fixture
def encode(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Which prompts were encoded, by a stand-in that gives every prompt four tokens."""
    asked: Counter[str] = Counter()

    def encoding(prompt: str, *_: Any) -> Embedding:
        asked[prompt] += 1
        states = torch.zeros(1, TOKENS, 8)
        states[:, :4] = len(prompt)
        return Embedding(states, 4)

    monkeypatch.setattr(text, "encode", encoding)
    return asked


def load() -> tuple[Any, Any]:
    return None, None


def fail(sentence: str) -> None:
    raise AssertionError(sentence)


def test_an_embedding_comes_back_whole_and_is_stored_short(tmp_path: Path, encode: Counter[str]) -> None:
    store = kept(tmp_path)
    first, again = store.get("a kite", load, fail), store.get("a  kite ", load, fail)
    assert torch.equal(first.states, again.states)
    assert (again.tokens, again.states.shape) == (4, (1, TOKENS, 8))
    assert encode == {"a kite": 1}
    assert store.has("a kite") and not store.has("a boat")
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4 * 8 * 4 + 300


def test_another_encoder_knows_nothing_of_it(tmp_path: Path, encode: Counter[str]) -> None:
    kept(tmp_path).get("a kite", load, fail)
    Embeddings(tmp_path, "another encoder").get("a kite", load, fail)
    assert encode["a kite"] == 2


def test_the_least_recently_used_make_room(tmp_path: Path, encode: Counter[str]) -> None:
    store = kept(tmp_path)
    for age, prompt in enumerate(("old", "older", "oldest")):
        store.get(prompt, load, fail)
        os.utime(store._path(prompt), (1000 - age, 1000 - age))
    size = store._path("old").stat().st_size
    store.get("oldest", load, fail)
    kept(tmp_path, budget=3 * size + 10).get("new", load, fail)
    assert [store.has(prompt) for prompt in ("new", "oldest", "old", "older")] == [True, True, True, False]


def test_an_embedding_that_is_no_numbers_is_not_believed(tmp_path: Path, encode: Counter[str]) -> None:
    from safetensors.torch import save_file

    store, notes = kept(tmp_path), list[str]()
    tmp_path.mkdir(exist_ok=True)
    save_file({"words": torch.full((1, 4, 8), float("nan"))}, store._path("a kite"), metadata={"tokens": "4"})
    assert bool(torch.isfinite(store.get("a kite", load, notes.append).states).all())
    assert len(notes) == 1


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, encode: Counter[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    notes: list[str] = []
    assert kept(tmp_path / "file").get("a kite", load, notes.append).tokens == 4
    assert len(notes) == 1 and "could not be kept" in notes[0]


def test_the_key_is_the_weights_and_their_format(random_models: Path, models: Path) -> None:
    folder = models / "smoke-moe"
    first = embeddings.of(folder, torch.float32).encoder
    assert first == embeddings.of(random_models / "smoke-moe", torch.float32).encoder
    assert first != embeddings.of(folder, torch.bfloat16).encoder
    (folder / "artifexpro.json").unlink()
    by_hand = embeddings.of(folder, torch.float32).encoder
    path = next((folder / "text_encoder").glob("*.safetensors"))
    os.utime(path, (1000, 1000))
    assert embeddings.of(folder, torch.float32).encoder != by_hand
