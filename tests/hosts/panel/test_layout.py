"""No text is cut and nothing lies on anything else, whatever the Qt, the scale, the font and the width."""

from __future__ import annotations

import pytest

from tests.hosts.panel.conftest import PYSIDE2, PYSIDE6, Program, told

HERE = [pytest.param(PYSIDE6, 100), pytest.param(PYSIDE2, 150)]
MORE = [pytest.param(PYSIDE6, 150, marks=pytest.mark.nightly), pytest.param(PYSIDE2, 100, marks=pytest.mark.nightly)]


@pytest.mark.parametrize(("qt", "percent"), [*HERE, *MORE], indirect=["qt"])
def test_nothing_is_cut_and_nothing_overlaps(qt: Program, percent: int) -> None:
    found = told(qt.run("measure.py", percent=percent))
    assert found["missed"] == [], "the measuring does not find what is wrong"
    assert found["faults"] == []


@pytest.mark.nightly
@pytest.mark.parametrize("qt", [PYSIDE6], indirect=True)
def test_the_pictures_of_the_page_are_of_this_panel(qt: Program, tree, tmp_path) -> None:
    """Taken again, they have the names and sizes of those in docs/panel."""
    from PySide6.QtGui import QImageReader

    for percent in (100, 150):
        qt.run("shoot.py", str(tmp_path / "shots"), percent=percent)
    fresh = {path.name: QImageReader(str(path)).size().toTuple() for path in (tmp_path / "shots").glob("*.png")}
    shown = {path.name: QImageReader(str(path)).size().toTuple() for path in (tree / "docs" / "panel").glob("*.png")}
    assert len(shown) >= 8 and shown == {name: fresh[name] for name in shown}
