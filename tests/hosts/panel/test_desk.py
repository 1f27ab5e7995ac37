"""What the panel asks, tells and keeps, with a daemon whose answers a test gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from artifexpro.hosts.bridge import jobs as states
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.panel import desk as news
from artifexpro.hosts.panel.keeping import Keeping
from artifexpro.hosts.panel.wish import Wish
from tests.hosts.model import MODEL

FOX = Wish(prompt="a red fox", task="t2v", model=MODEL, seed=7, frames=5)
PLAN = {"fits": True, "reason": "fits", "seconds": None, "peak_vram_gb": 0.0, "peak_ram_gb": 1.5}
ESTIMATE = {"seconds": 6.0, "disk_bytes": 590_000, "basis": "time: the median of 2 earlier jobs; disk: at most"}


def test_the_cost_is_asked_of_the_plan_and_of_the_very_request(bench):
    bench.desk.ask_cost(FOX)
    assert bench.line.bodies("models.plan")[0] | {"model": MODEL, "frames": 5} == bench.line.bodies("models.plan")[0]
    assert bench.line.bodies("job.estimate")[0]["work"]["document"] == FOX.document()
    bench.line.answer("models.plan", PLAN)
    bench.pump()
    assert bench.desk.cost.time == "…"
    bench.line.answer("job.estimate", ESTIMATE)
    assert news.COST in bench.pump()
    assert (bench.desk.cost.time, bench.desk.cost.memory, bench.desk.cost.disk) == (
        "about 6 s",
        "1.5 GB",
        "up to 590 kB",
    )


def test_an_answer_to_an_older_question_is_void(bench):
    bench.desk.ask_cost(FOX)
    bench.desk.ask_cost(replace(FOX, frames=81))
    for _ in range(2):
        bench.line.answer("models.plan", PLAN)
    bench.line.answer("job.estimate", ESTIMATE)
    bench.pump()
    assert bench.desk.cost.time == "…"
    bench.line.answer("job.estimate", {**ESTIMATE, "seconds": 60.0})
    bench.pump()
    assert bench.desk.cost.time == "about 60 s"


def test_a_job_that_would_be_refused_says_so_before_generate(bench):
    bench.desk.ask_cost(FOX)
    bench.line.answer("models.plan", PLAN)
    bench.line.answer("job.estimate", None, "Attempted to X. Failed because Y. Try Z.")
    bench.pump()
    assert bench.desk.cost.refusal == "Attempted to X. Failed because Y. Try Z."


def test_the_place_is_the_hosts_and_frames_are_written_where_it_needs_them(bench):
    bench.host.wants_frames = True
    job = bench.desk.generate(FOX)
    assert job.place["node"] == "Wan1"
    assert "frames" in job.request["work"]["document"]["nodes"]
    bench.host.wants_frames = False
    assert "frames" not in bench.desk.generate(FOX).request["work"]["document"]["nodes"]


def test_a_host_without_a_place_refuses_before_anything_is_queued(bench):
    def nowhere():
        raise BridgeError("make a clip", "no script is open", "opening one")

    bench.host.place = nowhere
    with pytest.raises(BridgeError, match="no script is open"):
        bench.desk.generate(FOX)
    assert bench.desk.jobs() == []


def test_a_finished_clip_is_delivered_once(bench):
    bench.desk.generate(FOX)
    job = bench.accepted()
    bench.finished(job)
    bench.pump(5)
    assert bench.host.delivered == [job.key]
    assert (job.state, job.message) == (states.DELIVERED, "In Wan1.")


def test_what_the_host_refuses_waits_and_is_tried_again_when_asked(bench):
    bench.desk.generate(FOX)
    job = bench.accepted()
    bench.host.refusing = BridgeError("put the clip into Wan1", "its script is not open", "opening it")
    bench.finished(job)
    bench.pump(5)
    assert bench.desk.waits_for_its_place(job) and "its script is not open" in job.message
    bench.host.refusing = None
    bench.pump(5)
    assert bench.host.delivered == []
    bench.desk.deliver(job)
    assert bench.host.delivered == [job.key] and job.state == states.DELIVERED


def test_a_clip_that_gets_no_place_can_be_dismissed(bench):
    bench.desk.generate(FOX)
    job = bench.accepted()
    bench.host.refusing = BridgeError("put the clip into Wan1", "its script is gone", "another")
    bench.finished(job)
    bench.desk.dismiss(job)
    bench.pump(3)
    assert not job.open and not bench.desk.waits_for_its_place(job)


def test_jobs_survive_the_program_and_arrive_at_its_next_start(make_bench, tmp_path):
    first = make_bench(Keeping(tmp_path / "kept", "Nuke"))
    first.desk.generate(FOX)
    job = first.accepted()
    first.desk.close()
    second = make_bench(Keeping(tmp_path / "kept", "Nuke"))
    kept = second.desk.session.book.get(job.key)
    assert kept is not None and kept.job == job.job and kept.place == job.place
    second.finished(kept)
    assert second.host.delivered == [job.key]
    assert second.line.bodies("job.submit") == []


def test_two_programs_at_once_have_a_file_each(make_bench, tmp_path):
    first, second = Keeping(tmp_path, "Nuke"), Keeping(tmp_path, "Nuke")
    assert first.path != second.path
    make_bench(first).desk.generate(FOX)
    assert len(make_bench(second).desk.jobs()) == 0
    first.close()
    assert Keeping(tmp_path, "Nuke").path == first.path


def test_a_damaged_file_of_jobs_is_told_and_kept(make_bench, tmp_path):
    (tmp_path / "nuke-1.json").write_text("[{")
    bench = make_bench(Keeping(tmp_path, "Nuke"))
    assert "nuke-1.json is damaged" in bench.desk.notice
    assert (tmp_path / "nuke-1.damaged").read_text() == "[{"
    bench.desk.generate(FOX)
    assert len(make_bench(Keeping(tmp_path / "other", "Nuke")).desk.jobs()) == 0


def test_a_file_that_cannot_be_written_is_told(make_bench, tmp_path):
    bench = make_bench(Keeping(tmp_path, "Nuke"))
    (tmp_path / "nuke-1.new").mkdir()
    bench.desk.generate(FOX)
    assert "nuke-1.json cannot be written" in bench.desk.notice


def test_an_extension_is_a_job_of_its_own_that_the_queue_does_not_show(bench):
    bench.desk.extend(FOX, "rules", 3)
    assert bench.desk.extending and bench.desk.jobs() == []
    bench.pump()
    work = bench.line.bodies("job.submit")[0]["work"]
    assert work == {"kind": "prompt", "prompt": "a red fox", "task": "t2v", "extend": "rules", "extend_seed": 3}
    bench.line.answer("job.submit", {"job": "words", "state": "queued", "duplicate": False})
    bench.pump()
    made = {"original": "a red fox", "extended": "a red fox, dusk", "method": "rules", "seed": 3}
    result = {"artefacts": [], "notes": [], "recipe": {"prompt": made}}
    bench.line.events.append({"event": "finished", "job": "words", "seq": 1, "body": {"result": result}})
    assert news.EXTENSION in bench.pump()
    taken = bench.desk.extension_of(FOX)
    assert taken is not None and taken.extended == "a red fox, dusk" and taken.seed == 3
    assert not bench.desk.extending and bench.host.delivered == [] and len(bench.desk.session.book) == 0


def test_an_extension_that_is_refused_says_why(bench):
    bench.desk.extend(FOX, "qwen", 0)
    bench.pump()
    bench.line.answer("job.submit", None, "Attempted to extend a prompt. Failed because no model is here. Try rules.")
    bench.pump()
    assert "no model is here" in bench.desk.extension_trouble and not bench.desk.extending


def test_an_extension_that_nobody_waits_for_any_more_is_cancelled_and_never_shown(bench):
    bench.desk.extend(FOX, "rules", 0)
    bench.pump()
    bench.desk.forget_extension()
    bench.line.answer("job.submit", {"job": "words", "state": "queued", "duplicate": False})
    bench.pump(3)
    assert bench.line.bodies("job.cancel") == [{"job": "words"}]
    result = {"artefacts": [], "notes": [], "recipe": {"prompt": {"extended": "late"}}}
    bench.line.events.append({"event": "finished", "job": "words", "seq": 1, "body": {"result": result}})
    bench.pump()
    assert bench.desk.extension is None


def test_again_from_the_history_asks_for_the_whole_graph(bench):
    heard = []
    bench.desk.recall({"job": "abc", "title": "a red fox"}, lambda document, title: heard.append((document, title)))
    bench.line.answer("job.show", {"request": {"work": {"kind": "graph", "document": FOX.document()}}})
    bench.pump()
    document, title = heard[0]
    job = bench.desk.repeat(document, title, vary=True)
    seed = job.request["work"]["document"]["nodes"]["clip"]["params"]["seed"]
    assert seed != 7 and job.title == "a red fox" and job.place["node"] == "Wan1"


def test_without_a_daemon_the_reason_is_told_and_nothing_is_lost(bench):
    bench.desk.session.hang_up()
    assert bench.desk.notice == ""
    bench.desk.recall({"job": "abc", "title": "fox"}, lambda *_: None)
    assert bench.desk.notice.startswith("Attempted to look up “fox”. Failed because the daemon is not there.")
    bench.desk.generate(FOX)
    assert bench.desk.jobs()[0].state == states.WAITING


def test_a_daemon_that_went_away_is_noticed_by_any_question(bench):
    bench.desk.ask_cost(FOX)
    bench.line.answer("models.plan", None, "Attempted to talk to the daemon. Failed because it is gone. Try X.", True)
    assert news.STATUS in bench.pump()
    assert not bench.desk.session.connected and "it is gone" in bench.desk.session.trouble
    assert bench.desk.cost.time == "—"


def test_a_line_that_comes_back_is_asked_for_all_of_it_again(bench):
    bench.desk.ask_cost(FOX)
    bench.desk.session.hang_up()
    bench.line.asked.clear()
    bench.pump()
    assert bench.desk.cost.time == "—"
    bench.desk.session.dial_now()
    while not bench.desk.session.connected:
        bench.desk.pump()
    bench.pump()
    assert bench.line.bodies("models.list") and bench.line.bodies("job.estimate")
