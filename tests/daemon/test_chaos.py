"""kill -9 at random moments: nothing acknowledged is lost, nothing has two results."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from artifexpro.benchmarks import chaos

DOUBLE = [sys.executable, str(Path(__file__).with_name("double_daemon.py"))]
LIGHT = {"kind": "graph", "document": {"double": {"steps": 5, "seconds": 0.02}}}
KILLS = 20


def judge(report: chaos.Report, kills: int) -> None:
    print(report)
    assert report.kills == kills
    assert report.acknowledged > 10, "too little happened for this test to show anything"
    assert report.run_again > 0, "no kill hit a job"
    assert (report.lost, report.renamed, report.two_results) == (0, 0, 0)
    assert (report.unended, report.different_results, report.integrity) == (0, 0, "ok")
    assert report.flawless()


@pytest.mark.parametrize("victim", ["worker", "daemon"])
def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path, victim):
    plan = chaos.Plan(victim, KILLS, longest_wait=0.8, seed=7)
    report = chaos.Run(plan, tmp_path / "home", DOUBLE, LIGHT).carry_out()
    judge(report, KILLS)
    if victim == "daemon":
        assert report.resent > 0, "no kill hit a client that was waiting for its answer"
        print(f"serving again after at most {max(report.serving_again):.2f} s (target 1 s)")
        assert len(report.serving_again) == KILLS and max(report.serving_again) < 10


@pytest.mark.parametrize("kills", [3, pytest.param(KILLS, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("victim", ["worker", "daemon"])
def test_real_graphs_in_real_workers_survive_too(tmp_path, victim, kills):
    work = chaos.graph_work(tmp_path)
    plan = chaos.Plan(victim, kills, longest_wait=4.0, seed=11)
    report = chaos.Run(plan, tmp_path / "home", chaos.daemon_command(), work).carry_out()
    judge(report, kills)


def test_the_audit_would_see_a_lost_job(tmp_path):
    run = chaos.Run(chaos.Plan("worker", 0, 0.1), tmp_path / "home", DOUBLE, LIGHT)
    run.carry_out()
    run._audit({"a-key-nobody-stored": "a-job-nobody-ran"})
    assert run.report.lost == 1 and not run.report.flawless()
