"""What Nuke pays at each start: paths and menus, nothing loaded, under 50 ms."""

from __future__ import annotations

import pytest

LIMIT = 0.05


@pytest.mark.parametrize("terminal", [False, True], ids=["window", "terminal"])
def test_starting_loads_nothing_of_ours(nuke, terminal):
    told = nuke.act("started", terminal=terminal)
    assert [name for name in told["modules"] if "artifexpro" in name] == []
    assert not {"zmq", "socket", "threading", "json", "ssl", "urllib"} & set(told["modules"])


def test_starting_takes_less_than_fifty_milliseconds(nuke):
    """The best of three starts: what the code costs, without what else the machine does."""
    best = min(nuke.act("started")["seconds"] for _ in range(3))
    print(f"init.py and menu.py: {best * 1000:.1f} ms")
    assert best < LIMIT
