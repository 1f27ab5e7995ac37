from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from artifexpro.core.graph.store import ResultStore

KEY = bytes(range(16))


def fill(folder: Path) -> None:
    (folder / "frame.bin").write_bytes(b"pixels")


def test_a_result_is_made_once(tmp_path):
    store = ResultStore(tmp_path)
    made = []
    for _ in range(3):
        place = store.ensure(KEY, lambda folder: (made.append(1), fill(folder)))
    assert made == [1]
    assert (place / "frame.bin").read_bytes() == b"pixels"


def test_failing_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        fill(folder)
        raise RuntimeError

    store = ResultStore(tmp_path)
    with pytest.raises(RuntimeError):
        store.ensure(KEY, fail)
    assert store.find(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_what_lies_halfway_outlives_a_failure_and_goes_with_the_result(tmp_path):
    store = ResultStore(tmp_path)

    def fail(folder: Path) -> None:
        store.halfway(KEY).mkdir()
        fill(store.halfway(KEY))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.ensure(KEY, fail)
    assert store.sweep() == 0
    assert (store.halfway(KEY) / "frame.bin").exists()
    place = store.ensure(KEY, fill)
    assert list(tmp_path.iterdir()) == [place]


def test_two_makers_of_one_key_agree(tmp_path):
    store = ResultStore(tmp_path)

    def slow(folder: Path) -> None:
        fill(folder)
        ResultStore(tmp_path).ensure(KEY, fill)

    place = store.ensure(KEY, slow)
    assert [path.name for path in tmp_path.iterdir()] == [place.name]


def _die_halfway(root: Path) -> None:
    def fill_and_die(folder: Path) -> None:
        fill(folder)
        os.kill(os.getpid(), signal.SIGKILL)

    ResultStore(root).ensure(KEY, fill_and_die)


def test_a_killed_maker_publishes_nothing_and_is_swept(tmp_path):
    process = multiprocessing.get_context("fork").Process(target=_die_halfway, args=(tmp_path,))
    process.start()
    process.join()
    store = ResultStore(tmp_path)
    assert process.exitcode == -signal.SIGKILL
    assert store.find(KEY) is None
    assert store.sweep() == 1
    assert list(tmp_path.iterdir()) == []


def test_trimming_removes_what_was_not_used_for_longest(tmp_path):
    store = ResultStore(tmp_path)
    for number in range(4):
        place = store.ensure(bytes([number]), lambda folder: (folder / "data").write_bytes(b"x" * 100))
        os.utime(place, (number, number))
    assert store.find(bytes([0])) is not None
    assert store.trim(250) == 2
    assert [store.find(bytes([number])) is not None for number in range(4)] == [True, False, False, True]
    assert store.trim(250) == 0
