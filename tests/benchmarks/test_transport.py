"""The ways of a frame, in the order they must cost by the best rounds: times and ratios belong to machines."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from artifexpro.benchmarks import transport
from artifexpro.benchmarks.common import Figure


@pytest.fixture(scope="module")
def taken():
    return transport.measure(rounds=12)


def test_shared_memory_costs_less_than_a_message_and_a_message_less_than_an_encrypted_one(taken):
    best = {name: min(times) for name, times in taken.items()}
    print({name: round(time / best["memcpy"], 2) for name, time in best.items()})
    assert best["shm"] < best["message"] < best["curve"], "encryption is not free: was anything encrypted?"
    assert best["shm_copied"] < best["curve"]


def test_figures_have_their_public_shape(taken):
    made = transport.figures(taken)
    names = ("transport.shm_ms", "transport.message_ms", "transport.curve_ms", "transport.shm_copied_ms")
    assert tuple(each.name for each in made) == names
    for each in made:
        assert (each.unit, each.peer) == ("ms", "memcpy")
        assert each.value > 0
        assert each.peer_value > 0
        assert each.note


def test_a_frame_that_is_not_whole_is_noticed():
    frame = bytearray(transport.FRAME_BYTES)
    frame[:8] = frame[-8:] = (7).to_bytes(8, "little")
    transport.check(memoryview(frame), 7)
    with pytest.raises(RuntimeError, match="did not arrive whole"):
        transport.check(memoryview(frame), 8)
    frame[-1] = 1
    with pytest.raises(RuntimeError, match="did not arrive whole"):
        transport.check(memoryview(frame), 7)
    with pytest.raises(RuntimeError, match="did not arrive whole"):
        transport.check(memoryview(frame)[:-8], 7)


def test_the_command_prints_one_json_document():
    command = [sys.executable, "-m", "artifexpro.benchmarks.transport", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document) == {"machine", "figures"}
    for each in document["figures"]:
        assert set(each) == set(Figure.__dataclass_fields__)
