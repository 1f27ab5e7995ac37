"""Room on the disk: what was not used for longest goes, what is kept or was just used never."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22 import catalogue, shelf, weights

DAY = 86400.0


def put(models: Path, name: str, size: int, days: float) -> Path:
    folder = models / name
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"\0" * (size - 2))
    index = folder / "model_index.json"
    index.write_text("{}")
    moment = time.time() - days * DAY
    os.utime(index, (moment, moment))
    return folder


@pytest.fixture
def models(tmp_path: Path) -> Path:
    put(tmp_path, "ti2v-5B", 1000, 9)
    put(tmp_path, "ti2v-5B-bf16", 500, 3)
    put(tmp_path, "t2v-A14B", 2000, 5)
    put(tmp_path, "t2v-A14B-int8", 700, 0.1)
    put(tmp_path, "smoke", 300, 90)
    put(tmp_path, "somebody's own", 900, 90)
    return tmp_path


def names(models: Path) -> list[str]:
    return sorted(path.name for path in models.iterdir() if path.is_dir() and path.name != weights.PARTIAL)


def test_the_least_recently_used_go_first_and_only_as_many_as_needed(models: Path, hooks: Any) -> None:
    gone = shelf.evict(models, 3500, hooks)
    assert [each.folder.name for each in gone] == ["ti2v-5B"]
    assert names(models) == ["smoke", "somebody's own", "t2v-A14B", "t2v-A14B-int8", "ti2v-5B-bf16"]
    assert hooks.notes == ["Removed ti2v-5B: 0.0 GB, not used for 9 days."]
    assert [each.folder.name for each in shelf.evict(models, 1300, hooks)] == ["t2v-A14B"]
    assert shelf.evict(models, 1300, hooks) == ()


def test_what_is_kept_or_was_just_used_stays_and_that_is_said(models: Path, hooks: Any) -> None:
    shelf.keep(models, catalogue.model("ti2v-5B"))
    gone = shelf.evict(models, 0, hooks)
    assert [each.folder.name for each in gone] == ["t2v-A14B"]
    assert "still take" in hooks.notes[-1]
    shelf.keep(models, catalogue.model("ti2v-5B"), wanted=False)
    assert {each.folder.name for each in shelf.evict(models, 0, hooks)} == {"ti2v-5B", "ti2v-5B-bf16"}
    assert names(models) == ["smoke", "somebody's own", "t2v-A14B-int8"]


def test_using_a_model_makes_it_young(models: Path) -> None:
    assert shelf.shelved(models)[0].folder.name == "ti2v-5B"
    weights.used(models / "ti2v-5B")
    assert shelf.shelved(models)[-1].folder.name == "ti2v-5B"
    assert sum(each.size for each in shelf.shelved(models)) == 4200


def test_a_damaged_list_of_kept_models_removes_nothing(models: Path, hooks: Any) -> None:
    (models / shelf.KEPT).write_text("{")
    with pytest.raises(ArtifexError, match="damaged"):
        shelf.evict(models, 0, hooks)
    assert "ti2v-5B" in names(models)
