"""The bridge on the Python of each host, with that Python's own pyzmq, against a real daemon over a real socket."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

HOSTS = Path(__file__).resolve().parents[3] / "hosts"

ROUND = """
import json, sys, time
from functools import partial
from bridge import graphs, jobs, line, session

home, output, version = sys.argv[1:]
dial = partial(line.dial, home, None, False, introduction={"name": "test", "version": version, "host": "test"})
talk = session.Session(lambda: dial)


def ask(size):
    nodes = {
        "field": graphs.node("Solid", {"red": 0.5, "width": size, "height": size}),
        "file": graphs.node("FileOutput", {"path": "field.%04d.exr"}, video="field"),
    }
    work = graphs.render_work(graphs.document(nodes), frames=(1001, 1002))
    request = graphs.job_request(work, title="field", output=output)
    job = jobs.Job(request["key"], "field", request, {"frame": 1001})
    talk.book.add(job)
    return job


def pump_until(done):
    until = time.monotonic() + 60
    while not done():
        assert time.monotonic() < until, (talk.trouble, [vars(job) for job in talk.book])
        talk.pump()
        time.sleep(0.01)


made, refused = ask(16), ask(0)
pump_until(lambda: made.state == jobs.FINISHED and not refused.open)
kept = talk.book.as_text()
talk.hang_up(wait=True)

again = session.Session(lambda: dial)
again.book.adopt(kept)
assert again.book.get(made.key).result == made.result
print(json.dumps({"job": made.job, "result": made.result, "refused": refused.message}))
"""


def test_a_job_goes_to_the_daemon_and_comes_back(host_python: Path, daemon_home: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(host_python), "-c", ROUND, str(daemon_home), str(tmp_path), host_python.parents[1].name],
        env={**environment, "PYTHONPATH": str(HOSTS), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert sorted(path.name for path in tmp_path.glob("*.exr")) == ["field.1001.exr", "field.1002.exr"]
    assert told["result"]["artefacts"][0]["frames"] == {"first": 1001, "last": 1002}
    assert told["refused"].startswith("Attempted to") and "Failed because" in told["refused"]
