"""Pictures that come and go take no more memory in the end than at the beginning."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from artifexpro.core import memory

FRAMES = """
import sys, psutil
from pathlib import Path
from artifexpro.benchmarks import look
from artifexpro.benchmarks.pixels import Graph
from artifexpro.core.memory import keep_freed
keep_freed()
folder = Path(sys.argv[1])
graph = Graph(look.chain(folder, (960, 540)), folder)
graph.rate(60)
before = psutil.Process().memory_info().rss
graph.rate(60)
print((psutil.Process().memory_info().rss - before) / 2**20)
"""
PICTURE = 960 * 540 * 16 / 2**20


def growth(environment: dict[str, str], folder: Path) -> float:
    """Mebibytes that a process grows by over sixty frames, after the first sixty of blurs, grades and a LUT."""
    command = [sys.executable, "-c", FRAMES, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout.split()[-1])


@pytest.mark.skipif(sys.platform != "linux", reason="settings of glibc")
def test_sixty_frames_take_no_more_memory(tmp_path: Path) -> None:
    assert growth(memory.environment(os.environ), tmp_path) < 10 * PICTURE


def test_the_environment_keeps_what_was_set_and_says_it_once():
    given = {"HOME": "/somewhere", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    once = memory.environment(given)
    assert once["HOME"] == "/somewhere"
    assert once["GLIBC_TUNABLES"] == "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=0"
    assert memory.environment(once) == once


@pytest.mark.skipif(sys.platform != "linux", reason="settings of glibc")
def test_a_program_starts_again_once_with_its_arguments():
    program = "import sys; from artifexpro.core.memory import start_again; start_again(); print(sys.argv[1:])"
    plain = {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"}
    command = [sys.executable, "-c", program, "a b", "--json"]
    done = subprocess.run(command, env=plain, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['a b', '--json']"
