"""docs/graphs.md shows files that open and code that does what it says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from artifexpro.core.graph import definition, jsontext, operations, records
from artifexpro.core.graph.compile import compile_graph
from artifexpro.core.graph.definition import GroupFile
from artifexpro.core.graph.document import Document
from artifexpro.core.nodes import library

PAGE = Path(__file__).parents[3] / "docs" / "graphs.md"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the page's files, as its examples expect it around them."""
    shot, glow = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "shot.json").write_text(shot, encoding="utf-8")
    (tmp_path / "glow.json").write_text(glow, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_files_open(files: Path):
    document = Document.loads((files / "shot.json").read_bytes())
    assert len(compile_graph(document, library(), files).steps) == len(document.nodes) == 4
    assert GroupFile.loads((files / "glow.json").read_bytes()).group.name == "Glow"


def test_the_examples_do_what_they_say(files: Path):
    blocks = "\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    told: list[str] = []
    example = doctest.DocTestParser().get_doctest(blocks, {}, PAGE.name, str(PAGE), 0)
    assert len(example.examples) > 30
    assert doctest.DocTestRunner(verbose=False).run(example, out=told.append).failed == 0, "".join(told)


def test_the_limits_are_the_ones_told():
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    mebibytes = jsontext.LARGEST_TEXT // 2**20
    assert (
        f"{mebibytes} MiB of text, {jsontext.DEEPEST} levels of tables and lists, {records.MOST_NODES:,} nodes" in text
    )


def test_every_operation_is_listed():
    rows = [line.split("|")[1] for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`(\w+\.\w+)`", row)}
    assert listed == {kind.op for kind in operations.Operation.__subclasses__()}


def test_what_a_group_says_itself_is_listed():
    text = PAGE.read_text(encoding="utf-8")
    assert all(f'`"{title}"`' in text for title in definition.OWN)
