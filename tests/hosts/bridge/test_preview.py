"""A host's viewer against a daemon that does as it is told, and against a real one."""

from __future__ import annotations

import os
import signal

import pytest

from artifexpro.hosts.bridge.client import Client
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.preview import Preview

GRAPH = {"format": "artifexpro.graph", "version": 1, "nodes": {"grade": {"type": "CDL", "params": {"saturation": 1.0}}}}
INFO = {
    "first": 1,
    "last": 9,
    "rate": {"num": 24, "den": 1},
    "width": 8,
    "height": 4,
    "space": "ACEScg",
    "still": False,
    "endless": False,
}
ONE_PIXEL = bytes([1, 2, 3, 4])


class Played:
    """A daemon's side of a preview: `answers` says whether looks are acknowledged."""

    def __init__(self, double, refusal):
        self.double = double
        self.refusal = refusal
        self.sessions = 0
        self.error = None
        self.answers = True
        double.answer = self.answer

    def answer(self, said):
        op, body = said["op"], said["body"]
        if op == "preview.open":
            self.sessions += 1
            return {"session": f"s{self.sessions}", "info": INFO, "error": self.error}
        if op.startswith("preview.") and body["session"] != f"s{self.sessions}":
            raise self.refusal("no-preview")
        if op == "preview.look" and not self.answers:
            return None
        return {}

    def show(self, number, final=True, pixels=(ONE_PIXEL,), **more):
        token = {"segment": None, "slot": 0, "generation": 0, "part": 0, "width": 1, "height": 1}
        body = {
            "number": number,
            "frame": 5,
            "scale": 0.25,
            "region": None,
            "token": {**token, "dtype": "uint8", "space": "srgb_tx", **more},
            "seconds": 0.01,
            "final": final,
            "info": INFO,
            "notes": [],
        }
        self.event("preview.frame", body, *pixels)

    def event(self, kind, body, *parts):
        self.double.send({"v": 1, "event": kind, "session": f"s{self.sessions}", "body": body}, *parts)


@pytest.fixture
def played(double, refusal):
    return Played(double, refusal)


@pytest.fixture
def make_preview(client, played):
    made = []

    def make(**settings):
        preview = Preview(client, GRAPH, "grade", **settings)
        made.append(preview)
        return preview

    yield make
    for preview in made:
        preview.close()


def test_a_look_becomes_a_picture(make_preview, played, double, wait):
    ready = []
    preview = make_preview(scale=0.5, region=(1, 2, 3, 4), view="linear", ready=lambda: ready.append(1))
    number = preview.look(5)
    wait(lambda: double.ops("preview.look"))
    (opened,) = double.ops("preview.open")
    assert opened["body"] == {
        "document": GRAPH,
        "node": "grade",
        "scale": 0.5,
        "region": {"x": 1, "y": 2, "width": 3, "height": 4},
        "view": "linear",
    }
    assert preview.take() is None and preview.waiting
    played.show(number, final=False)
    picture = wait(preview.take)
    assert (picture.frame.pixels, picture.look, picture.at, picture.final) == (ONE_PIXEL, number, 5, False)
    assert preview.waiting and preview.info == INFO and ready
    played.show(number)
    assert wait(preview.take).final and not preview.waiting
    assert preview.take() is None, "each picture is given once"


def test_edits_and_looks_that_wait_are_sent_together_the_newest_look_only(make_preview, played, double, wait):
    played.answers = False
    preview = make_preview()
    preview.look(1)
    wait(lambda: double.ops("preview.look"))
    for step in range(50):
        preview.edit("grade", {"saturation": step / 10, "power_red": 1.5})
        number = preview.look(step)
    played.answers = True
    double.send({"v": 1, "id": double.ops("preview.look")[0]["id"], "ok": True, "body": {}})
    wait(lambda: len(double.ops("preview.look")) == 2)
    (edit,) = double.ops("preview.edit")
    assert edit["body"] == {
        "session": "s1",
        "changes": [{"node": "grade", "params": {"saturation": 4.9, "power_red": 1.5}}],
    }
    look = double.ops("preview.look")[1]["body"]
    assert (look["number"], look["frame"]) == (number, 49)


def test_a_session_the_daemon_does_not_know_is_opened_again_with_all_edits(make_preview, played, double, wait):
    preview = make_preview()
    preview.edit("grade", {"saturation": 2.0})
    preview.look(1)
    wait(lambda: double.ops("preview.look"))
    played.sessions = 7
    preview.edit("grade", {"power_red": 3.0})
    number = preview.look(2)
    wait(lambda: double.ops("preview.look")[-1]["body"]["session"] == "s8")
    opened = double.ops("preview.open")[-1]["body"]["document"]["nodes"]["grade"]["params"]
    assert opened == {"saturation": 2.0, "power_red": 3.0}
    assert double.ops("preview.look")[-1]["body"]["number"] == number
    assert GRAPH["nodes"]["grade"]["params"] == {"saturation": 1.0}, "the host's own graph is not touched"


def test_a_picture_lost_with_the_line_is_asked_for_again(make_preview, played, double, wait, impatient):
    preview = make_preview()
    number = preview.look(3)
    wait(lambda: double.ops("preview.look"))
    endpoint = double.endpoint
    double.stop()
    double.start(endpoint)
    wait(lambda: preview.take() or len(double.ops("preview.open")) == 2)
    wait(lambda: preview.take() or double.ops("preview.look")[-1]["body"] == {**look_body(number, 3), "session": "s2"})
    played.show(number)
    assert wait(preview.take).look == number


def look_body(number, frame):
    return {"number": number, "frame": frame, "scale": None, "region": None}


def test_a_session_that_the_daemon_closed_is_opened_again_when_it_is_needed(make_preview, played, double, wait):
    preview = make_preview()
    wait(lambda: preview.info)
    played.show(preview.look(1))
    wait(preview.take)
    played.event("preview.closed", {"because": "nobody used it"})
    wait(lambda: preview._session is None)
    preview.take()
    assert len(double.ops("preview.open")) == 1, "not before it is needed"
    preview.look(2)
    wait(lambda: len(double.ops("preview.open")) == 2)


def test_a_failure_is_told_and_the_next_picture_ends_it(make_preview, played, wait):
    preview = make_preview()
    number = preview.look(1)
    wait(lambda: preview.info)
    error = {"code": "range", "attempted": "show", "because": "it ends", "remedy": "another", "node": "grade"}
    played.event("preview.failed", {"number": number, "error": error})
    problem = wait(lambda: preview.problem)
    assert (problem.code, problem.node) == ("range", "grade") and not preview.waiting
    played.show(preview.look(2))
    wait(preview.take)
    assert preview.problem is None


def test_a_graph_that_cannot_be_shown_yet_says_why_at_once(make_preview, played, wait):
    played.error = {"code": "graph", "attempted": "open", "because": "no wire", "remedy": "one", "node": "grade"}
    preview = make_preview()
    assert wait(lambda: preview.problem).node == "grade"


def test_pixels_that_are_gone_are_asked_for_again_but_not_for_ever(make_preview, played, double, wait):
    preview = make_preview()
    number = preview.look(1)
    wait(lambda: preview.info)
    gone = {"segment": "artifexpro-00000000-1-00000000.ring", "part": None}
    while preview.problem is None:
        played.show(number, pixels=(), **gone)
        wait(lambda number=number: preview.take() or preview.problem or preview._looks > number)
        number = preview._looks
    assert preview.problem.code == "segment"
    assert [look["body"]["frame"] for look in double.ops("preview.look")] == [1] * number and number <= 5


def test_another_graph_takes_the_place_of_edits_and_goes_as_a_whole(make_preview, played, double, wait):
    preview = make_preview()
    wait(lambda: preview.info)
    preview.edit("grade", {"saturation": 3.0})
    other = {**GRAPH, "nodes": {"other": {"type": "CDL"}}}
    preview.show(other, "other")
    preview.edit("other", {"saturation": 0.5})
    preview.look(1)
    wait(lambda: double.ops("preview.look"))
    (edit,) = double.ops("preview.edit")
    whole = {**GRAPH, "nodes": {"other": {"type": "CDL", "params": {"saturation": 0.5}}}}
    assert edit["body"] == {"session": "s1", "document": whole, "node": "other"}
    assert other["nodes"] == {"other": {"type": "CDL"}}
    with pytest.raises(BridgeError, match="no such node"):
        preview.edit("grade", {})


def test_previews_are_kept_apart_and_out_of_the_jobs_events(client, played, make_preview, double, wait):
    one = make_preview()
    wait(lambda: one.info)
    two = make_preview()
    wait(lambda: two.info)
    two.look(1)
    wait(lambda: double.ops("preview.look"))
    played.show(1)
    assert wait(two.take).look == 1
    assert one.take() is None and client.poll() == []


def test_a_closed_preview_asks_for_nothing_more(make_preview, played, double, wait):
    preview = make_preview()
    wait(lambda: preview.info)
    preview.close()
    wait(lambda: double.ops("preview.close"))
    preview.look(1)
    assert preview.take() is None and not preview.waiting
    assert double.ops("preview.look") == []


def test_a_closed_line_is_told(make_preview, client, played, wait):
    preview = make_preview()
    wait(lambda: preview.info)
    client.close()
    preview.look(1)
    assert wait(lambda: preview.problem).code == "closed"


SOLID = {
    "format": "artifexpro.graph",
    "version": 1,
    "nodes": {
        "solid": {"type": "Solid", "params": {"red": 0.25, "green": 0.5, "blue": 1.0, "width": 640, "height": 320}},
        "grade": {"type": "ColorCorrector", "params": {}, "inputs": {"video": ["solid"]}},
    },
}


def final(preview, wait):
    def look():
        picture = preview.take()
        assert preview.problem is None, preview.problem
        return picture if picture and picture.final else None

    return wait(look)


def test_a_daemon_home_shows_what_is_edited_even_after_its_viewer_died(daemon_home, wait):
    with Client(daemon_home, name="test") as client:
        client.connect(start=False)
        preview = Preview(client, SOLID, "grade", view="linear")
        preview.look(1)
        picture = final(preview, wait)
        assert (picture.frame.width, picture.frame.height, picture.frame.dtype) == (160, 80, "float16")
        assert picture.frame.floats()[:4] == pytest.approx([0.25, 0.5, 1.0, 1.0], abs=1e-3)
        preview.edit("grade", {"exposure": 1.0})
        preview.look(1)
        assert final(preview, wait).frame.floats()[:4] == pytest.approx([0.5, 1.0, 2.0, 1.0], abs=1e-3)
        os.kill(client.request("daemon.status")[0]["viewer"]["pid"], signal.SIGKILL)
        preview.edit("grade", {"exposure": -1.0})
        preview.look(1)
        assert final(preview, wait).frame.floats()[:3] == pytest.approx([0.125, 0.25, 0.5], abs=1e-3)
        counted = []
        preview.statistics(lambda body, error: counted.append(body or error))
        wait(lambda: client.poll() or counted)
        assert {each["node"] for each in counted[0]["nodes"]} == {"solid", "grade"}
        preview.close()
        wait(lambda: client.request("daemon.status")[0]["viewer"]["sessions"] == 0)
