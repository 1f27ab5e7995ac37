"""`artifexpro host` for Nuke and Resolve, as its user runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hosts.terminal.conftest import Run, run_in


@pytest.fixture
def artifexpro(tmp_path: Path) -> Run:
    return run_in(tmp_path / "home", tmp_path)


@pytest.mark.parametrize("program", ["nuke", "resolve"])
def test_what_is_not_there_is_told_and_not_taken_out(program: str, artifexpro: Run, tmp_path: Path) -> None:
    into = ("--into", str(tmp_path / "plug-ins"))
    said = artifexpro("host", "uninstall", program, *into, "--json")
    assert (said.status, said.document["program"]) == (0, program)
    assert "does not have ArtifexPro" in said.document["said"][0]
    assert not (tmp_path / "plug-ins").exists()


def test_the_doctor_has_status_1_where_something_is_missing(artifexpro: Run, tmp_path: Path) -> None:
    said = artifexpro("host", "doctor", "nuke", "--into", str(tmp_path), "--json")
    assert said.status == 1 and said.reason == "ArtifexPro is not in order in Nuke."
    assert [finding["name"] for finding in said.document] == ["ArtifexPro", "init.py"]
    assert all(not finding["ok"] and finding["remedy"] == "artifexpro host install nuke" for finding in said.document)
