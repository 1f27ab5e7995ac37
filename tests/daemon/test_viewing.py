"""Viewers against a real daemon and a real viewing process."""

from __future__ import annotations

import json
import os
import signal
import struct
import time

import pytest

from artifexpro.core.protocol import FrameToken
from artifexpro.daemon import previews
from artifexpro.daemon.viewerprocess import ViewerPatience
from artifexpro.daemon.viewing import MAX_DEATHS, MAX_SESSIONS_A_CLIENT

CHAIN = {
    "card": ("Card", {}, {}),
    "first": ("Lift", {"by": 1.0}, {"video": "card"}),
    "middle": ("Lift", {"by": 0.0625}, {"video": "first"}),
    "last": ("Lift", {"by": 0.25}, {"video": "middle"}),
}
RED = 1.0 + 0.0625 + 0.25


def trapped(**params):
    return {"card": CHAIN["card"], "trap": ("Trap", params, {"video": "card"})}


def pixels(body):
    """Rows of (red, green, blue, alpha); None if the frame is gone."""
    token = FrameToken.model_validate(body["token"])
    data = previews.read(token)
    if data is None:
        return None
    row = token.width * 8
    rows = [list(struct.iter_unpack("<4e", data[at : at + row])) for at in range(0, len(data), row)]
    assert len(rows) == token.height
    return rows


def red(body):
    reds = {pixel[0] for row in pixels(body) for pixel in row}
    assert len(reds) == 1, f"not one colour but {reds}"
    return reds.pop()


def until(true, what="it"):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if value := true():
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} never happened")


def first_event(session):
    """The first that happens to a session."""
    until(lambda: session.heard() or (session.wire.receive(0.1) and None), "an event")
    return session.heard()[0]


def viewer_of(wire):
    return wire.ask("daemon.status")["viewer"]


def test_a_session_says_what_it_looks_at_and_shows_a_quarter_of_it(screen, looker):
    session = looker(screen, CHAIN, "last")
    assert session.error is None
    assert session.info == {
        "first": 1,
        "last": 20,
        "rate": {"num": 25, "den": 1},
        "width": 256,
        "height": 128,
        "space": "ACEScg",
        "still": False,
        "endless": False,
    }
    body = session.picture(7)
    assert (body["token"]["width"], body["token"]["height"]) == (64, 32)
    assert (body["scale"], body["frame"], body["region"], body["token"]["dtype"]) == (0.25, 7, None, "float16")
    assert red(body) == RED
    assert pixels(body)[0][0][1] == pytest.approx(0.07, abs=1e-4), "frame 7"


def test_an_edit_changes_the_picture_and_runs_only_what_depends_on_it(screen, looker):
    session = looker(screen, CHAIN, "last")
    session.picture()
    session.edit("middle", by=0.5)
    session.picture()
    before = session.runs()
    session.edit("middle", by=2.0)
    assert red(session.picture()) == 1 + 2 + 0.25
    after = session.runs()
    ran = {node for node in after if after[node] > before.get(node, 0)}
    assert ran == {"middle", "last"}
    assert red(session.picture()) == 1 + 2 + 0.25
    assert session.runs() == after, "the same look again runs nothing"


def test_of_a_flood_few_looks_are_answered_the_last_one_always_and_none_is_torn(screen, looker):
    session = looker(screen, CHAIN, "last")
    session.picture()
    sent = {}
    for step in range(200):
        session.edit("middle", by=step / 64)
        sent[session.look(1 + step % 20)] = step / 64
    newest = session.ended(session.number)
    shown = 0
    for event in session.heard():
        body = event["body"]
        if event["event"] != "preview.frame" or body["number"] not in sent or pixels(body) is None:
            continue
        later = {1.25 + value for number, value in sent.items() if number >= body["number"]}
        assert red(body) in later, "no picture is older than its look, and each is whole"
        assert pixels(body)[0][0][1] == pytest.approx(body["frame"] / 100, abs=1e-4)
        shown += 1
    assert newest["event"] == "preview.frame"
    assert red(newest["body"]) == 1.25 + sent[session.number]
    counted = screen.ask("preview.statistics", {"session": session.session})
    assert counted["superseded"] > 0 and shown >= 1
    answered = {event["body"]["number"] for event in session.heard()} & set(sent)
    assert len(answered) + counted["superseded"] <= 200
    assert sorted(event["body"]["number"] for event in session.heard()) == [
        event["body"]["number"] for event in session.heard()
    ], "never back to an older look"


def test_two_sessions_are_independent(screen, looker):
    one, other = looker(screen, CHAIN, "last"), looker(screen, CHAIN, "first", view="srgb", scale=0.5)
    one.edit("first", by=3.0)
    assert red(one.picture()) == 3 + 0.0625 + 0.25
    shown = other.picture()
    assert shown["token"]["dtype"] == "uint8" and shown["token"]["width"] == 128
    data = previews.read(FrameToken.model_validate(shown["token"]))
    assert data is not None and data[0] == 255 and data[3] == 255, "red is 1 and more, and opaque"
    screen.ask("preview.close", {"session": one.session})
    assert other.picture()["scale"] == 0.5
    assert screen.refused("preview.look", {"session": one.session, "number": 99, "frame": 1})["code"] == "no-preview"


OPERATIONS = {
    "preview.edit": {},
    "preview.look": {"number": 1000, "frame": 1},
    "preview.statistics": {},
    "preview.close": {},
}


@pytest.mark.parametrize(("operation", "body"), OPERATIONS.items(), ids=list(OPERATIONS))
def test_a_session_belongs_to_the_connection_that_opened_it(studio, screen, looker, wire_at, operation, body):
    session = looker(screen, CHAIN, "last")
    stranger = wire_at(studio.root)
    for name in (session.session, "nothing"):
        assert stranger.refused(operation, {"session": name, **body})["code"] == "no-preview"
    assert red(session.picture()) == RED


def test_a_graph_that_cannot_be_shown_names_the_node_and_can_be_mended(screen, looker):
    broken = {**CHAIN, "middle": ("Lift", {"by": 99.0}, {"video": "first"})}
    session = looker(screen, broken, "last")
    assert session.info is None and session.error["node"] == "middle" and "by" in session.error["attempted"]
    assert session.failure()["node"] == "middle"
    session.edit("middle", by=0.5)
    assert red(session.picture()) == 1.75
    session.edit("middle", by=-99.0)
    assert session.failure()["node"] == "middle"
    session.edit("middle", by=0.25)
    assert red(session.picture()) == 1.5
    assert session.failure(frame=21)["code"] == "range"
    assert red(session.picture()) == 1.5


def test_what_is_wrong_elsewhere_in_the_graph_hides_nothing(screen, looker):
    session = looker(screen, {**CHAIN, "loose": ("Lift", {}, {}), "odd": ("Teleporter", {}, {})}, "last")
    assert session.error is None and red(session.picture()) == RED


@pytest.mark.parametrize("document", [{}, {"nodes": 3}, {"format": "artifexpro.graph", "version": 99}])
def test_a_document_that_is_none_is_told_and_can_be_replaced(screen, as_graph, document):
    opened = screen.ask("preview.open", {"document": document, "node": "last"})
    assert opened["info"] is None and opened["error"]["code"] == "document"
    session = opened["session"]
    screen.ask("preview.edit", {"session": session, "document": as_graph(CHAIN), "node": "first"})
    screen.ask("preview.look", {"session": session, "number": 1, "frame": 1})
    until(
        lambda: [event for event in screen.events if event["body"].get("final")] or (screen.receive(0.1) and None),
        "a picture",
    )


def test_another_node_and_another_graph_are_shown_in_the_same_session(screen, looker, as_graph):
    session = looker(screen, CHAIN, "last")
    assert red(session.picture()) == RED
    screen.ask("preview.edit", {"session": session.session, "node": "first"})
    assert red(session.picture()) == 1.0
    changed = {**CHAIN, "first": ("Lift", {"by": 4.0}, {"video": "card"})}
    screen.ask(
        "preview.edit",
        {
            "session": session.session,
            "document": as_graph(changed),
            "changes": [{"node": "middle", "params": {"by": 1.0}}],
            "node": "last",
        },
    )
    assert red(session.picture()) == 5.25


def test_an_edit_of_a_node_that_is_not_there_changes_nothing(screen, looker):
    session = looker(screen, CHAIN, "last")
    changes = [{"node": "middle", "params": {"by": 5.0}}, {"node": "gone", "params": {"by": 5.0}}]
    assert screen.refused("preview.edit", {"session": session.session, "changes": changes})["code"] == "no-node"
    assert red(session.picture()) == RED


def test_region_and_scale_are_those_asked_for(screen, looker):
    session = looker(screen, CHAIN, "last", scale=0.5)
    whole = pixels(session.picture())
    assert (len(whole[0]), len(whole)) == (128, 64)
    body = session.picture(region={"x": 33, "y": 10, "width": 20, "height": 300})
    assert body["region"] == {"x": 16, "y": 5, "width": 11, "height": 59}
    assert pixels(body) == [row[16:27] for row in whole[5:]]
    body = session.picture(scale=1.0, region={"x": 33, "y": 10, "width": 20, "height": 30})
    assert (body["token"]["width"], body["token"]["height"], body["scale"]) == (20, 30, 1.0)
    assert session.picture(region={"x": -5, "y": -5, "width": 900, "height": 900})["region"] is None
    outside = session.ended(session.look(region={"x": 256, "y": 0, "width": 9, "height": 9}))
    assert outside["body"]["error"]["code"] == "region" and "256 x 128" in outside["body"]["error"]["because"]


def test_a_first_picture_comes_before_the_full_one_and_is_of_the_same_frame(screen, looker):
    slow = {**trapped(seconds=0.3), "last": ("Lift", {"by": 0.5}, {"video": "trap"})}
    session = looker(screen, slow, "last", scale=1.0)
    session.picture(3)
    session.edit("last", by=0.25)
    session.edit("trap", seconds=0.25)
    number = session.look(4)
    session.ended(number)
    first, *_, full = (event["body"] for event in session.heard() if event["body"]["number"] == number)
    assert (first["final"], full["final"]) == (False, True)
    assert first["scale"] < full["scale"] == 1.0
    assert first["token"]["width"] == round(256 * first["scale"]) and full["token"]["width"] == 256
    assert first["frame"] == full["frame"] == 4 and red(full) == 0.25


def test_a_newer_look_does_not_wait_for_the_full_picture_of_an_older_one(screen, looker):
    session = looker(screen, trapped(seconds=2.0, full_only=True), "trap", scale=1.0)
    session.look(1)
    assert not first_event(session)["body"]["final"]
    session.edit("trap", seconds=0.0)
    number = session.look(2)
    session.ended(number)
    assert [event["body"]["number"] for event in session.heard() if event["body"]["final"]] == [number]


def test_numbers_of_looks_only_grow(screen, looker):
    session = looker(screen, CHAIN, "last")
    session.picture()
    body = {"session": session.session, "number": session.number, "frame": 1}
    assert screen.refused("preview.look", body)["code"] == "bad-request"
    assert screen.ask("preview.look", {**body, "number": session.number + 5}) == {"superseded": None}


def test_a_clip_that_was_not_generated_is_no_reason_to_generate_it(screen, looker):
    nodes = {
        "clip": ("T2VGenerator", {"prompt": "a kite", "width": 64, "height": 64, "frames": 9}, {}),
        "last": ("Lift", {}, {"video": "clip"}),
    }
    session = looker(screen, nodes, "last")
    assert session.info["width"] == 64
    error = session.failure(1001)
    assert error["node"] == "clip" and error["code"] == "not-generated" and "generat" in error["remedy"]


def test_a_client_of_another_machine_gets_the_pixels_in_the_message(studio, looker, wire_at):
    session = looker(wire_at(studio.root), CHAIN, "last")
    event = session.ended(session.look())
    token = event["body"]["token"]
    assert token["segment"] is None and token["part"] == 0
    assert set(struct.iter_unpack("<e6x", event["parts"][0])) == {(RED,)}
    assert len(event["parts"][0]) == 64 * 32 * 8


def test_there_may_be_only_so_many_sessions(screen, looker):
    for _ in range(MAX_SESSIONS_A_CLIENT):
        last = looker(screen, CHAIN, "last")
    body = {"document": {}, "node": "last"}
    assert screen.refused("preview.open", body)["code"] == "too-many"
    screen.ask("preview.close", {"session": last.session})
    assert looker(screen, CHAIN, "last").error is None


def test_sessions_end_with_their_clients_connection(studio, looker, wire_at):
    watch = wire_at(studio.root)
    until(lambda: viewer_of(watch)["sessions"] == 0)
    leaving = wire_at(studio.root)
    looker(leaving, CHAIN, "last").picture()
    assert viewer_of(watch)["sessions"] == 1
    leaving.close()
    until(lambda: viewer_of(watch)["sessions"] == 0, "the end of the session")


# ------------------------------------------------------------------ accidents


def test_a_killed_viewer_is_replaced_and_the_session_goes_on_with_all_edits(screen, looker):
    session = looker(screen, CHAIN, "last")
    session.edit("middle", by=0.5)
    assert red(session.picture()) == 1.75
    session.edit("last", by=0.0)
    os.kill(viewer_of(screen)["pid"], signal.SIGKILL)
    assert red(session.picture()) == 1.5


def test_a_look_during_which_the_viewer_dies_is_taken_again(screen, looker, tmp_path):
    session = looker(screen, trapped(die=True, once=str(tmp_path / "once")), "trap")
    assert red(session.picture()) == 0.0
    assert (tmp_path / "once").exists()


def test_a_look_that_always_kills_the_viewer_fails_and_takes_nobody_with_it(screen, looker):
    other = looker(screen, CHAIN, "last")
    session = looker(screen, trapped(die=True), "trap")
    error = session.failure()
    assert error["code"] == "viewer-died" and error["node"] == "trap" and str(MAX_DEATHS) in error["because"]
    assert red(other.picture()) == RED
    session.edit("trap", die=False)
    assert red(session.picture()) == 0.0


def test_a_look_that_hangs_is_given_up_when_others_wait(serve, looker):
    daemon = serve(viewer_patience=ViewerPatience(look=1.0))
    wire = daemon.client()
    wire.ask("hello", {"shared_memory": True})
    hanging = looker(wire, trapped(seconds=600.0), "trap")
    other = looker(wire, CHAIN, "last")
    number = hanging.look()
    assert red(other.picture()) == RED
    assert hanging.ended(number)["body"]["error"]["code"] == "viewer-died"
    number = hanging.look()
    hanging.edit("trap", seconds=0.0)
    newer = hanging.look()
    assert hanging.ended(number)["event"] == "preview.failed"
    assert hanging.ended(newer)["event"] == "preview.frame"


def test_a_viewer_that_falls_silent_is_replaced(serve, looker):
    daemon = serve(viewer_patience=ViewerPatience(silence=4.0))
    wire = daemon.client()
    session = looker(wire, CHAIN, "last")
    pid = viewer_of(wire)["pid"]
    os.kill(pid, signal.SIGSTOP)
    assert session.ended(session.look())["event"] == "preview.frame"
    assert viewer_of(wire)["pid"] != pid


def test_a_viewer_with_nothing_to_do_ends_and_comes_back(serve, looker):
    wire = serve(viewer_patience=ViewerPatience(idle=0.3)).client()
    session = looker(wire, CHAIN, "last")
    session.edit("middle", by=0.5)
    session.ended(session.look())
    until(lambda: viewer_of(wire)["state"] == "stopped", "the viewer's end")
    event = session.ended(session.look())
    assert struct.unpack_from("<e", event["parts"][0]) == (1.75,)


def test_a_session_that_nobody_uses_is_closed(serve, looker):
    wire = serve(viewer_patience=ViewerPatience(lease=0.5)).client()
    session = looker(wire, CHAIN, "last")
    assert first_event(session)["event"] == "preview.closed"
    assert wire.refused("preview.statistics", {"session": session.session})["code"] == "no-preview"


def test_a_viewer_that_cannot_start_is_told(serve, as_graph):
    patience = ViewerPatience(start_again=0.01)
    wire = serve(viewer=("false",), viewer_patience=patience).client()
    opened = wire.ask("preview.open", {"document": as_graph(CHAIN), "node": "last"})
    assert opened["error"]["code"] == "no-viewer"
    wire.ask("preview.look", {"session": opened["session"], "number": 1, "frame": 1})
    until(lambda: wire.events or (wire.receive(0.1) and None))
    assert wire.events[0]["event"] == "preview.failed" and wire.events[0]["body"]["error"]["code"] == "no-viewer"


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has no niceness")
def test_work_in_the_queue_stands_back_for_viewers(serve, looker):
    wire = serve().client()
    job = wire.submit(steps=1)
    wire.wait_for(job, "finished")
    looker(wire, CHAIN, "last")
    status = wire.ask("daemon.status")
    worker = next(lane["pid"] for lane in status["lanes"] if lane["name"] == "gpu")
    assert os.getpriority(os.PRIO_PROCESS, worker) > os.getpriority(os.PRIO_PROCESS, status["viewer"]["pid"])


def test_a_message_that_fits_nothing_is_refused_and_ends_no_session(screen, looker):
    session = looker(screen, CHAIN, "last")
    for op, body in (
        ("preview.look", {"session": session.session, "number": 9, "frame": 1, "scale": 0}),
        ("preview.look", {"session": session.session, "number": 9, "frame": 1, "region": {"x": 0, "y": 0, "width": 0}}),
        ("preview.edit", {"session": session.session, "changes": [{"node": "last"}]}),
        ("preview.open", {"document": json.dumps({}), "node": "last"}),
        ("preview.open", {"document": {}, "node": ""}),
    ):
        assert screen.refused(op, body)["code"] == "bad-request"
    assert red(session.picture()) == RED
