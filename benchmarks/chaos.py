"""kill -9 of workers and of the daemon at random moments, under clients that resend.

    python -m artifexpro.benchmarks.chaos [--kills 200] [--victim worker|daemon|both] [--seed N] [--json]

Clients submit small graph jobs and send each request again, under its key, until it is acknowledged. Afterwards the
queue's file is audited: every acknowledged job is there, under the id that was told, and ended in one result.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import zmq
from zmq import auth

Victim = Literal["worker", "daemon"]
RESEND_SECONDS = 0.25
PAUSE_SECONDS = 0.01
BACKLOG = 12
NEW_A_KILL = 2
DRAIN_SECONDS = 300.0
SIZE = 32


@dataclass(frozen=True)
class Plan:
    """Who is killed, how often, and how long the longest wait before a kill is, in seconds."""

    victim: Victim
    kills: int
    longest_wait: float
    clients: int = 4
    seed: int = 1


@dataclass
class Report:
    """What the audit found. `lost` to `different_results` must be 0; `run_again` counts attempts beyond a job's first;
    `serving_again` is seconds from each start of the daemon to its first answer."""

    victim: Victim
    kills: int = 0
    acknowledged: int = 0
    resent: int = 0
    run_again: int = 0
    given_up_then_retried: int = 0
    lost: int = 0
    renamed: int = 0
    two_results: int = 0
    unended: int = 0
    different_results: int = 0
    integrity: str = "not looked at"
    serving_again: list[float] = field(default_factory=list)

    def flawless(self) -> bool:
        flaws = (self.lost, self.renamed, self.two_results, self.unended, self.different_results)
        return not any(flaws) and self.integrity == "ok" and self.acknowledged > 0


class Line:
    """One client's connection: asks, and gives up after a while. A fresh socket after each silence (Lazy Pirate)."""

    def __init__(self, home: Path, context: zmq.Context[Any]) -> None:
        self._home = home
        self._context = context
        self._socket: zmq.Socket[bytes] | None = None

    def ask(self, op: str, body: dict[str, Any], seconds: float = RESEND_SECONDS) -> dict[str, Any] | None:
        """The reply, or None if none came in time."""
        name = uuid.uuid4().hex
        connection = self._connected()
        connection.send(json.dumps({"v": 1, "id": name, "op": op, "body": body}).encode())
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and connection.poll(int(left * 1000) + 1):
            said = json.loads(connection.recv_multipart()[0])
            if said.get("id") == name:
                return dict(said)
        self.close()
        return None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close(0)
            self._socket = None

    def _connected(self) -> zmq.Socket[bytes]:
        if self._socket is None:
            record = json.loads((self._home / "daemon.json").read_text())
            public, secret = auth.load_certificate(self._home / "keys" / "client.key_secret")
            assert secret is not None
            self._socket = self._context.socket(zmq.DEALER)
            self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
            self._socket.curve_serverkey = record["public_key"].encode()
            self._socket.connect(record["endpoint"])
        return self._socket


class Client(threading.Thread):
    """Submits jobs until told to stop, each until it is acknowledged; where enough wait, sends old ones once more."""

    def __init__(self, run: Run, number: int) -> None:
        super().__init__(name=f"client {number}", daemon=True)
        self._run = run
        self._random = random.Random(run.plan.seed * 1000 + number)
        self.acknowledged: dict[str, str] = {}
        self.renamed = 0
        self.resent = 0

    def run(self) -> None:
        line = Line(self._run.home, self._run.context)
        while not self._run.enough.is_set():
            time.sleep(PAUSE_SECONDS)
            enough_waits = self._run.busy.is_set() or self._random.random() < 0.1
            again = self.acknowledged and enough_waits
            key = self._random.choice(list(self.acknowledged)) if again else uuid.uuid4().hex
            self._submit(line, key)
        line.close()

    def _submit(self, line: Line, key: str) -> None:
        body = {"key": key, "work": self._run.work}
        while (reply := line.ask("job.submit", body)) is None:
            self.resent += 1
            if self._run.enough.is_set():
                return
        if not reply["ok"]:
            raise RuntimeError(f"a submit was refused: {reply['error']}")
        job = reply["body"]["job"]
        if self.acknowledged.setdefault(key, job) != job:
            self.renamed += 1


class Run:
    """One plan carried out on one home."""

    def __init__(self, plan: Plan, home: Path, command: Sequence[str], work: dict[str, Any]) -> None:
        """`command` starts the daemon; `work` is what each job does (a `protocol.Work` as data)."""
        self.plan = plan
        self.home = home
        self.work = work
        self.context: zmq.Context[Any] = zmq.Context()
        self.enough = threading.Event()
        self.busy = threading.Event()
        self._command = [*command, "--home", str(home)]
        self._random = random.Random(plan.seed)
        self._daemon = self._start()
        self._line = Line(home, self.context)
        self.report = Report(plan.victim)

    def carry_out(self, tell: Callable[[str], None] = lambda said: None) -> Report:
        """Kill, restart, audit."""
        clients = [Client(self, number) for number in range(self.plan.clients)]
        try:
            for client in clients:
                client.start()
            for number in range(self.plan.kills):
                self._wait_a_random_time()
                self._kill()
                self.report.kills += 1
                tell(f"{self.plan.victim} killed {number + 1} of {self.plan.kills} times")
            self.enough.set()
            for client in clients:
                client.join(30)
            self._drain()
            self._stop()
        finally:
            self.enough.set()
            self._daemon.kill()
            self._daemon.wait()
            self._line.close()
            self.context.destroy(0)
        acknowledged = {key: job for client in clients for key, job in client.acknowledged.items()}
        self.report.acknowledged = len(acknowledged)
        self.report.renamed = sum(client.renamed for client in clients)
        self.report.resent = sum(client.resent for client in clients)
        self._audit(acknowledged)
        return self.report

    # ------------------------------------------------------------------ killing

    def _start(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert child.stdout is not None
        if not child.stdout.readline().startswith(b"serving"):
            raise RuntimeError("the daemon did not start")
        return child

    def _wait_a_random_time(self) -> None:
        """Uniform in 0 to `longest_wait` seconds from when there is something to kill; every other time from when a
        job runs, which a queue of short jobs and slow starts would otherwise seldom be hit at."""
        self._victim_pid()
        longest = self.plan.longest_wait
        if self.report.kills % 2:
            longest /= 10
            while self._regulate()["running"] == 0:
                time.sleep(0.01)
        until = time.monotonic() + self._random.uniform(0, longest)
        while time.monotonic() < until:
            self._regulate()
            time.sleep(min(0.05, max(0.0, until - time.monotonic())))

    def _kill(self) -> None:
        pid = self._victim_pid()
        os.kill(pid, signal.SIGKILL)
        if self.plan.victim == "daemon":
            self._daemon.wait()
            began = time.perf_counter()
            self._daemon = subprocess.Popen(self._command, stdout=subprocess.PIPE)
            while self._line.ask("daemon.status", {}, 0.05) is None:
                pass
            self.report.serving_again.append(time.perf_counter() - began)
        else:
            while self._worker() == pid:
                time.sleep(0.01)

    def _victim_pid(self) -> int:
        if self.plan.victim == "daemon":
            return self._daemon.pid
        while (pid := self._worker()) is None:
            time.sleep(0.01)
        return pid

    def _worker(self) -> int | None:
        lanes = {lane["name"]: lane["pid"] for lane in self._status()["lanes"]}
        pid: int | None = lanes["gpu"]
        return pid

    def _status(self) -> dict[str, Any]:
        while (reply := self._line.ask("daemon.status", {}, 2.0)) is None:
            pass
        return dict(reply["body"])

    def _regulate(self) -> dict[str, int]:
        """Keep jobs waiting and new ones coming between kills, but not too many; returns how many of each state."""
        counts: dict[str, int] = self._status()["queue"]
        if counts["queued"] > BACKLOG + NEW_A_KILL * self.report.kills:
            self.busy.set()
        else:
            self.busy.clear()
        return counts

    # ------------------------------------------------------------------ the end

    def _drain(self) -> None:
        """Wait until nothing is left to do. What was given up because workers kept dying is retried by hand."""
        until = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < until:
            counts = self._status()["queue"]
            if counts["queued"] + counts["running"] + counts["failed"] == 0:
                return
            if counts["failed"]:
                self._retry_failed()
            time.sleep(0.1)

    def _retry_failed(self) -> None:
        reply = self._line.ask("job.list", {"states": ["failed"]}, 5.0)
        for view in reply["body"]["jobs"] if reply else ():
            if view["error"]["code"] not in ("worker-died", "no-worker"):
                raise RuntimeError(f"job {view['job']} failed by itself: {view['error']}")
            self._line.ask("job.retry", {"job": view["job"]}, 5.0)
            self.report.given_up_then_retried += 1

    def _stop(self) -> None:
        self._line.ask("daemon.stop", {}, 5.0)
        self._daemon.wait(30)

    def _audit(self, acknowledged: dict[str, str]) -> None:
        database = sqlite3.connect(f"file:{self.home / 'queue.sqlite'}?mode=ro", uri=True)
        stored = dict(database.execute("SELECT key, id FROM jobs"))
        states = dict(database.execute("SELECT id, state FROM jobs"))
        ends = "SELECT job, count(*) FROM events WHERE kind = 'finished' GROUP BY job"
        finishes = dict(database.execute(ends))
        report = self.report
        report.lost = sum(1 for key in acknowledged if key not in stored)
        report.renamed += sum(1 for key, job in acknowledged.items() if stored.get(key, job) != job)
        report.unended = sum(1 for state in states.values() if state != "finished")
        report.two_results = sum(1 for count in finishes.values() if count != 1)
        report.run_again = database.execute("SELECT coalesce(sum(attempt - 1), 0) FROM jobs").fetchone()[0]
        report.integrity = database.execute("PRAGMA integrity_check").fetchone()[0]
        made = {_made(text) for (text,) in database.execute("SELECT result FROM jobs WHERE state = 'finished'")}
        report.different_results = max(0, len(made) - 1)
        database.close()


def _made(result: str) -> tuple[str | None, ...]:
    """Hashes of what a job made; equal work must have made equal things."""
    return tuple(artefact["sha256"] for artefact in json.loads(result)["artefacts"])


def graph_work(folder: Path) -> dict[str, Any]:
    """Work of two small frames, read and written through the node engine; makes the frames in `folder`."""
    import numpy
    import OpenImageIO

    for number in (1, 2):
        gradient = numpy.linspace(0, number / 2, SIZE * SIZE * 4, dtype=numpy.float32).reshape(SIZE, SIZE, 4)
        picture = OpenImageIO.ImageBuf(gradient)
        picture.write(str(folder / f"plate.{number:04}.exr"), OpenImageIO.HALF)
    document = {
        "format": "artifexpro.graph",
        "version": 1,
        "nodes": {
            "plate": {"type": "SequenceInput", "params": {"path": str(folder / "plate.%04d.exr"), "rate": "24"}},
            "written": {
                "type": "FileOutput",
                "params": {"path": "again.%04d.exr"},
                "inputs": {"video": ["plate", "out"]},
            },
        },
    }
    return {"kind": "graph", "document": document}


def daemon_command() -> list[str]:
    return [sys.executable, "-m", "artifexpro.daemon"]


def figures(report: Report) -> list[dict[str, Any]]:
    """The report in the shape of `bench --json`."""
    values: dict[str, tuple[float, str, float | None]] = {
        "kills": (report.kills, "kills", None),
        "acknowledged": (report.acknowledged, "jobs", None),
        "lost": (report.lost, "jobs", 0),
        "two_results": (report.two_results, "jobs", 0),
        "renamed": (report.renamed, "jobs", 0),
        "unended": (report.unended, "jobs", 0),
        "different_results": (report.different_results, "results", 0),
        "run_again": (report.run_again, "attempts", None),
    }
    if report.serving_again:
        values["serving_again_median"] = (statistics.median(report.serving_again), "s", 1.0)
        values["serving_again_worst"] = (max(report.serving_again), "s", 1.0)
    return [
        {
            "name": f"chaos.{report.victim}.{name}",
            "value": value,
            "unit": unit,
            "target": target,
            "peer": None,
            "peer_value": None,
            "note": "",
        }
        for name, (value, unit, target) in values.items()
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="artifexpro.benchmarks.chaos", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="how often each victim is killed")
    parser.add_argument("--victim", choices=("worker", "daemon", "both"), default="both")
    parser.add_argument("--longest-wait", type=float, default=4.0, help="seconds before a kill, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output and nothing else")
    chosen = parser.parse_args(arguments)
    victims: tuple[Victim, ...] = ("worker", "daemon") if chosen.victim == "both" else (chosen.victim,)
    reports = []
    for victim in victims:
        with tempfile.TemporaryDirectory(prefix="artifexpro-chaos-") as folder:
            plan = Plan(victim, chosen.kills, chosen.longest_wait, seed=chosen.seed)
            work = graph_work(Path(folder))
            run = Run(plan, Path(folder) / "home", daemon_command(), work)
            reports.append(run.carry_out(lambda said: print(said, file=sys.stderr)))
    if chosen.json:
        machine = {"system": platform.platform(), "python": platform.python_version(), "processors": os.cpu_count()}
        print(json.dumps({"machine": machine, "figures": [one for report in reports for one in figures(report)]}))
    else:
        for report in reports:
            print(json.dumps({**asdict(report), "flawless": report.flawless()}, indent=2))
    return 0 if all(report.flawless() for report in reports) else 1


if __name__ == "__main__":
    sys.exit(main())
