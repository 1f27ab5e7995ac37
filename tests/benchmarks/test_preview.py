"""The measurement itself on a small clip: every change is answered for, and figures name what they are."""

from __future__ import annotations

import pytest

from artifexpro.benchmarks import preview
from artifexpro.benchmarks.preview import DRAGS, Drag


def test_every_change_of_every_drag_is_accounted_for(tmp_path, monkeypatch):
    monkeypatch.setattr(preview, "WARM_UP", 3)
    drags, floor = preview.measure(tmp_path, changes=12, size=(192, 108), frames=2)
    assert list(drags) == list(DRAGS)
    for drag in drags.values():
        assert len(drag.milliseconds) == 12 and min(drag.milliseconds) > 0
        assert 1 <= drag.pictures <= 24
    assert min(floor) > 0


def test_the_percentile_is_that_of_all_changes(monkeypatch):
    drags = {name: Drag([float(each) for each in range(1, 101)], pictures=90, small=4) for name in DRAGS}
    monkeypatch.setattr(preview, "measure", lambda folder, changes: (drags, [1.0, 2.0, 3.0]))
    made = {figure.name: figure for figure in preview.figures(100)}
    first = made["preview.drag_p95_ms"]
    assert first.value == pytest.approx(95.95) and first.peer_value == 2.0 and first.target == "<= 50 ms"
    assert "90 pictures for 100 changes, 4 of them small" in first.note
    assert made["preview.drag_ms"].value == 50.5
    assert [name for name, figure in made.items() if figure.target] == ["preview.drag_p95_ms"]


def test_a_change_that_is_never_shown_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(preview, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(RuntimeError, match="no picture came"):
        preview.measure(tmp_path, changes=1, size=(192, 108), frames=2)
