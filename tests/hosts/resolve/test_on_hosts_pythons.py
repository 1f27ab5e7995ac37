"""The whole round on each Python that Resolve runs, with that Python's own pyzmq and nothing else of ours installed.

The adapter runs in that Python; the stand-in runs here and is reached as Resolve is, from another process.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.pythons import RESOLVE
from tests.hosts.resolve.conftest import SMALL
from tests.hosts.resolve.standin import remote

TREE = Path(__file__).resolve().parents[3]
QUIET = {"PYTHONDONTWRITEBYTECODE": "1"}
ROUND = """
import json, sys, time
from functools import partial
from pathlib import Path

sys.path[:0] = [sys.argv[1], sys.argv[2]]
import remote
from hosts.bridge.line import dial
from hosts.bridge.session import Session
from hosts.resolve.adapter import Adapter
from hosts.resolve.hands import Direct
from hosts.resolve.identity import introduction
from hosts.resolve.wishes import Wish

_, _, _, home, address, luts, wish = sys.argv
resolve = remote.resolve_at(address)


def adapter():
    ask = partial(dial, home, None, False, introduction=introduction())
    return Adapter(Direct(lambda: resolve), Session(lambda: ask), Path(home) / "resolve", Path(luts))


def until(one, done):
    ends = time.monotonic() + 90
    while not done():
        assert time.monotonic() < ends, [vars(job) for job in one.session.book]
        one.pump()
        time.sleep(0.01)


first = adapter()
job = first.ask(Wish.of(json.loads(wish))).job
until(first, lambda: not job.open)
resolve.GetProjectManager().SaveProject()
first.close()

again = adapter()
again.edit()
known = again.session.book.get(job.key)
varied = again.again(known, seed=2).job
slow = again.ask(Wish.of({**json.loads(wish), "frames": 41, "steps": 500, "seed": 9})).job
until(again, lambda: slow.state == "running")
again.cancel(slow)
until(again, lambda: not slow.open and not varied.open)
heavy = {name.split(".")[0] for name in sys.modules} & {"torch", "pydantic", "numpy"}
told = {"states": [known.state, varied.state, slow.state], "message": known.message, "heavy": sorted(heavy)}
again.close()
print(json.dumps({**told, "python": "%d.%d" % sys.version_info[:2]}))
"""


PARTS = """
import importlib, sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
folder = Path(sys.argv[1], "hosts", "resolve")
for path in sorted(folder.glob("*.py")):
    importlib.import_module(f"hosts.resolve.{path.stem}")
from hosts.resolve import delivering, hands, looks, otio

file = Path(sys.argv[2], "x.json")
hands.put(file, {"a": "\u00e9"})
assert hands.get(file) == {"a": "\u00e9"}
looks.POINTS = 3
looks.write_lattice(file.parent)
table = looks.cube(file.parent / looks.LATTICE, "x").splitlines()
assert table[4].split() == ["-0.5000000"] * 3 and table[-1].split() == ["1.5000000"] * 3 and len(table) == 31
delivering.write_lut(file.parent / "deep" / "x.cube", "x")
"""


@pytest.mark.parametrize("host_python", ("3.9", *RESOLVE), indirect=True)
def test_every_part_loads_and_works(host_python: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(host_python), "-c", PARTS, str(TREE), str(tmp_path)],
        env={**{name: value for name, value in os.environ.items() if name != "PYTHONPATH"}, **QUIET},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("host_python", RESOLVE, indirect=True)
def test_the_whole_round(host_python: Path, daemon_home: Path, make_host: Any, tmp_path: Path) -> None:
    host = make_host()
    far = remote.Far(host.scriptapp("Python"), str(tmp_path / "line"))
    hidden = ("PYTHONPATH", "VIRTUAL_ENV")
    standin = TREE / "tests" / "hosts" / "resolve" / "standin"
    wish = json.dumps({**SMALL, "prompt": "a red kite over the sea"})
    done = subprocess.run(
        [str(host_python), "-c", ROUND, str(TREE), str(standin), str(daemon_home), str(tmp_path / "line"),
         str(host.luts), wish],
        env={**{name: value for name, value in os.environ.items() if name not in hidden},
             "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )  # fmt: skip
    far.close()
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["states"] == ["delivered", "delivered", "cancelled"] and told["heavy"] == []
    assert told["python"] == host_python.parents[1].name and "On V1 at 01:00:00:00." in told["message"]
    assert [[(item.start, item.end) for item in track.items] for track in host.project.edit.video] == [
        [(86400, 86405)],
        [(86400, 86405)],
    ]
