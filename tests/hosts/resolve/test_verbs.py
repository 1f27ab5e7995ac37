"""The verbs in Python and in Lua are the same: same values in, same values out, same calls, same troubles.

Lua runs in a real LuaJIT, with and without the libraries that Resolve is said to lack at times.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lupa.luajit21 import LuaError

from artifexpro.hosts.resolve import script
from artifexpro.hosts.resolve.hands import get, put
from artifexpro.hosts.resolve.troubles import SENTENCES, Troubled, told
from artifexpro.hosts.resolve.verbs import VERBS
from tests.hosts.resolve.conftest import put_clip
from tests.hosts.resolve.standin import lua, pictures
from tests.hosts.resolve.standin.host import StandIn
from tests.hosts.resolve.standin.state import Node, Take
from tests.hosts.resolve.standin.timeline import TimelineItem

START = 86400
BARE = ("ffi", "jit", "package", "require", "bmd", "debug")
Verb = Callable[..., Any]


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> Any:
    runtime = lua.runtime(None, without=BARE)
    folder = tmp_path_factory.mktemp("mail")
    return runtime.execute(script.console(folder, "", folder))


@pytest.fixture
def both(make_host: Any, tmp_path: Path) -> Any:
    """(by Python, by Lua, the two stand-ins): each of two equal projects with a graded clip and a clip to insert."""
    picture = tmp_path / "clip.png"
    pictures.write(picture, np.full((4, 4, 3), 0.5, np.float32))
    one = make_host()
    put_clip(one, 1, START, 5, str(picture)).nodes = [Node(), Node()]
    (one.luts / "show.cube").write_text("LUT_1D_SIZE 2\n0 0 0\n1 1 1\n")
    other = StandIn(tmp_path / "resolve")
    other.project = pickle.loads(pickle.dumps(one.project))

    def by_python(verb: str, values: dict[str, Any]) -> Any:
        return VERBS[verb](one.scriptapp(), values)

    runtime = lua.runtime(other.scriptapp("Lua"), without=BARE)
    table = runtime.execute(script.console(tmp_path, "", tmp_path))

    def by_lua(verb: str, values: dict[str, Any]) -> Any:
        order = table.decode(json.dumps(values))
        fine, answer = runtime.eval("function(verb, values) return pcall(verb, resolve, values) end")(
            table.verbs[verb], order
        )
        if not fine:
            assert lua.lua_type(answer) == "table", answer
            raise Troubled(answer.trouble, answer.about)
        return json.loads(table.encode(answer))

    return by_python, by_lua, one, other


def item_of(host: StandIn) -> str:
    assert host.project is not None and host.project.edit is not None
    return host.project.edit.video[0].items[0].id


def orders(host: StandIn, folder: Path) -> list[tuple[str, dict[str, Any]]]:
    item, names = item_of(host), {"project": host.project.id, "timeline": host.project.edit.id}
    media = {
        "media": str(folder / "clip.png"),
        "first": 0,
        "end": 1,
        "name": "made",
        "note": "n",
        "mark": "artifexpro:j",
    }
    words = {"Slope": "1 1 1", "Offset": "0 0 0", "Power": "1 1 1", "Saturation": "1"}
    elsewhere = {"project": "other", "project_name": "Der andere Film"}
    return [
        ("look", {}),
        ("where", {}),
        ("item", {"item": item, **names}),
        ("find", {"mark": "artifexpro:j", **names}),
        ("insert", {**media, "track": 2, "record": START + 5, **names}),
        ("insert", {**media, "track": 3, "record": START + 9, "mark": "artifexpro:k", **names}),
        ("insert", {**media, "track": 1, "record": START + 2, **names}),
        ("insert", {**media, "media": "/nowhere.mov", "track": 1, "record": START + 50, **names}),
        ("insert", {**media, "track": 1, "record": START, **elsewhere}),
        ("find", {"mark": "artifexpro:j", **names}),
        ("take", {**media, "item": item, "mark": "artifexpro:t", **names}),
        ("take", {**media, "item": "gone", **names}),
        ("item", {"item": item, **names}),
        ("lut", {"item": item, "node": 2, "lut": "show.cube", **names}),
        ("lut", {"item": item, "node": 3, "lut": "show.cube", **names}),
        ("lut", {"item": item, "node": 1, "lut": "absent.cube", **names}),
        ("cdl", {"item": item, "node": 1, **words, **names}),
        ("cdl", {"item": item, "node": 1, **{**words, "Slope": "1"}, **names}),
        ("seek", {"timecode": "01:00:01:00", **names}),
        ("still", {"path": str(folder / "still.png"), **names}),
        ("still", {"path": str(folder / "still.xyz"), **names}),
        ("render_start", {"folder": str(folder), "name": "p.", "first": START, "last": START + 1, **names}),
        ("render_start", {"folder": str(folder), "name": "p.", "first": START, "last": START + 1, **names}),
        ("render_status", {"render": "nobody's"}),
        ("render_end", {"render": "nobody's"}),
    ]


def test_both_do_the_same_and_call_the_same(both: Any, tmp_path: Path) -> None:
    by_python, by_lua, one, other = both
    seen = set()
    for verb, values in orders(one, tmp_path):
        one.calls.clear()
        other.calls.clear()
        answers = []
        for do in (by_python, by_lua):
            try:
                answers.append(do(verb, values))
            except Troubled as trouble:
                answers.append((trouble.code, trouble.about))
                seen.add(trouble.code)
        first, second = (without_new_ids(answer) for answer in answers)
        assert first == second, verb
        assert changes(one) == changes(other), verb
        assert {name for name, _ in one.calls} == {name for name, _ in other.calls}, verb
    assert tracks(one) == tracks(other)
    assert {"dropped", "unread", "other-project", "no-item", "no-node", "no-lut", "no-cdl", "no-still"} <= seen
    assert "rendering" in seen and seen <= set(SENTENCES)


def changes(host: StandIn) -> list[str]:
    """The calls that may change something, in their order."""
    return [name for name, _ in host.calls if not name.split(".")[1].startswith(("Get", "Is"))]


def without_new_ids(answer: Any) -> Any:
    if isinstance(answer, dict):
        hidden = {"id", "render"}
        return {name: without_new_ids(value) for name, value in answer.items() if name not in hidden}
    return [without_new_ids(each) for each in answer] if isinstance(answer, list) else answer


def tracks(host: StandIn) -> Any:
    assert host.project is not None and host.project.edit is not None
    return [
        [(item.name, item.start, item.end, item.nodes, len(item.takes), item.markers) for item in track.items]
        for track in host.project.edit.video
    ]


def test_both_have_the_same_verbs(codec: Any) -> None:
    assert set(codec.verbs) == set(VERBS)


@pytest.mark.parametrize("code", SENTENCES)
def test_every_trouble_is_a_sentence(code: str) -> None:
    sentence = told(Troubled(code, "the clip")).sentence()
    assert sentence.startswith("Attempted to ") and "{" not in sentence and ". Try " in sentence


@pytest.mark.parametrize("close", [False, True], ids=["message box", "closed"])
def test_a_program_that_does_not_answer_is_told_by_both(both: Any, close: bool) -> None:
    by_python, by_lua, one, other = both
    for host in (one, other):
        host.modal, host.gone = not close, close
    for do in (by_python, by_lua):
        with pytest.raises(Troubled) as trouble:
            do("look", {})
        assert trouble.value.code == ("gone" if close else "silent")


def test_a_failed_insertion_leaves_nothing_behind(both: Any, tmp_path: Path) -> None:
    by_python, by_lua, one, other = both
    media = {"media": str(tmp_path / "clip.png"), "first": 0, "end": 1, "name": "made", "note": "n", "mark": "m"}
    for do, host in ((by_python, one), (by_lua, other)):
        before, host.page = tracks(host), "fusion"
        with pytest.raises(Troubled):
            do("insert", {**media, "track": 3, "record": START})
        assert tracks(host) == before
        (ours,) = host.project.root.bins
        assert ours.clips == [] and host.project.bin != ours.id


@pytest.mark.parametrize("takes", [0, 3])
def test_a_take_that_loses_the_grade_is_taken_back(both: Any, tmp_path: Path, takes: int, monkeypatch: Any) -> None:
    """And none of the takes that were there goes with it."""
    by_python, by_lua, one, other = both
    media = {"media": str(tmp_path / "clip.png"), "first": 0, "end": 1, "name": "made", "note": "n", "mark": "m"}
    select = TimelineItem.SelectTakeByIndex

    def forgetful(self: Any, number: int) -> Any:
        self._state.version = f"Version {number}"
        return select(self, number)

    monkeypatch.setattr(TimelineItem, "SelectTakeByIndex", forgetful)
    for do, host in ((by_python, one), (by_lua, other)):
        (item,) = host.project.edit.video[0].items
        item.takes = [Take(item.clip, number, 5) for number in range(takes)]
        item.selected = 1 if takes else 0
        with pytest.raises(Troubled) as trouble:
            do("take", {**media, "item": item.id})
        assert trouble.value.code == "grade-lost"
        assert len(item.takes) == max(takes, 1) and item.selected == 1
        assert item.markers == {} and host.project.root.bins[0].clips == []


JSON = st.recursive(
    st.booleans()
    | st.integers(-(2**50), 2**50)
    | st.floats(allow_nan=False, allow_infinity=False, width=32)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(value=st.dictionaries(st.text(max_size=8), JSON, min_size=1, max_size=4))
def test_what_goes_through_lua_comes_back_the_same(codec: Any, value: dict[str, Any]) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        assert json.loads(codec.encode(codec.decode(text))) == value


@pytest.mark.parametrize("broken", ["", "{", '{"a" 1}', "[1 2]", '{"a": "x', "{'a': 1}", "nothing", '{"a": 1e}'])
def test_a_file_that_is_not_whole_is_not_read(codec: Any, broken: str) -> None:
    with pytest.raises(LuaError):
        codec.decode(broken)


def test_an_order_that_is_no_verb_is_never_done(make_host: Any, tmp_path: Path) -> None:
    """Whatever lies in the folder: only the verbs are carried out, never a method of Resolve's by its name."""
    host = make_host()
    for name in ("orders", "answers", "wishes", "replies"):
        (tmp_path / name).mkdir()
    runtime = lua.runtime(host.scriptapp("Lua"), without=BARE)
    table = runtime.execute(script.console(tmp_path, "", tmp_path))
    put(tmp_path / "companion.json", {"time": 0, "session": "s", "next": 1})
    put(tmp_path / "orders" / "s-1.json", {"verb": "Quit", "values": {}})
    host.calls.clear()
    assert table.round() == 1
    assert get(tmp_path / "answers" / "s-1.json")["trouble"] == "defect" and host.calls == [] and not host.gone
