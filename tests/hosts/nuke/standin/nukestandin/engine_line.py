"""The line to the process that computes pixels: Nuke's own engine is no Python of the host's either.

It runs on the Python named by STANDIN_ENGINE_PYTHON, which has OpenImageIO, OpenColorIO and numpy; the host's has not.
"""

import atexit
import json
import os
import subprocess
from pathlib import Path

_process = []


def ask(what, **more):
    """One question, one answer. Raises RuntimeError with what went wrong."""
    if not _process:
        command = [os.environ["STANDIN_ENGINE_PYTHON"], str(Path(__file__).parents[1] / "engine.py")]
        hidden = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        started = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=hidden
        )
        _process.append(started)
        atexit.register(_end)
    line = _process[0]
    line.stdin.write(json.dumps({"what": what, **more}) + "\n")
    line.stdin.flush()
    answer = json.loads(line.stdout.readline())
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer


def _end():
    _process[0].stdin.close()
    _process[0].wait(10)
