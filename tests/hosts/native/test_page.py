"""The example of docs/hosts.md is run as it stands there."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from tests.hosts.pythons import TREE


def test_the_example_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = doctest.testfile(str(TREE / "docs" / "hosts.md"), module_relative=False)
    assert (done.failed, done.attempted) == (0, 11)
