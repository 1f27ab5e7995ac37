"""Frames in shared memory: written by the daemon's ring, read by the bridge, in processes that may die at any time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.daemon import ring
from artifexpro.daemon.ring import Ring, sweep_orphans
from artifexpro.hosts.bridge import frames
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.frames import FrameReader, Stale

SIZE = (64, 32)
BYTES = SIZE[0] * SIZE[1] * 8


def picture(value: int) -> bytes:
    return bytes([value]) * BYTES


def token_of(made: Ring, value: int):
    return made.write(picture(value), *SIZE).model_dump(mode="json")


@pytest.fixture
def made(tmp_path):
    segment = Ring(BYTES, slots=3, where=tmp_path)
    yield segment
    segment.close()


@pytest.fixture
def reader(tmp_path):
    opened = FrameReader(tmp_path)
    yield opened
    opened.close()


def test_both_sides_know_one_layout():
    for name in ("MAGIC", "PAGE", "DTYPES"):
        assert getattr(ring, name) == getattr(frames, name)
    for name in ("FILE_HEADER", "SLOT_HEADER"):
        assert getattr(ring, name).format == getattr(frames, name).format
    assert ring.folder() == frames.folder()


def test_a_frame_arrives_as_it_was_written(made, reader):
    data = os.urandom(BYTES)
    token = made.write(data, *SIZE, space="ACEScg").model_dump(mode="json")
    frame = reader.copy(token)
    assert (frame.pixels, frame.width, frame.height, frame.dtype, frame.space) == (data, *SIZE, "float16", "ACEScg")


def test_a_frame_rendered_in_place_is_seen_only_when_it_is_done(made, reader):
    with made.slot(*SIZE, "uint8") as slot:
        slot.pixels[:] = bytes([9]) * (BYTES // 2)
        token = slot.token.model_dump(mode="json")
        with pytest.raises(Stale):
            reader.copy(token)
    assert set(reader.copy(token).pixels) == {9}


def test_a_frame_that_failed_half_way_is_never_shown(made, reader):
    kept = token_of(made, 1)
    with pytest.raises(ZeroDivisionError), made.slot(*SIZE) as slot:
        slot.pixels[:100] = bytes(100)
        raise ZeroDivisionError
    with pytest.raises(Stale):
        reader.copy(slot.token.model_dump(mode="json"))
    assert set(reader.copy(kept).pixels) == {1}
    assert set(reader.copy(token_of(made, 2)).pixels) == {2}


def test_a_slot_that_was_written_again_is_stale(made, reader):
    first = token_of(made, 1)
    for value in (2, 3):
        token_of(made, value)
    assert set(reader.copy(first).pixels) == {1}
    token_of(made, 4)
    with pytest.raises(Stale):
        reader.copy(first)


def test_looking_without_copying_ends_stale_where_the_slot_changed_meanwhile(made, reader):
    token = token_of(made, 1)
    with pytest.raises(Stale), reader.view(token) as pixels:
        assert pixels.readonly and pixels[0] == 1
        for value in (2, 3, 4):
            token_of(made, value)
    with reader.view(token_of(made, 5)) as pixels:
        assert pixels[-1] == 5


@pytest.mark.parametrize("at", range(ring.SLOT_HEADER.size))
def test_a_damaged_slot_header_is_stale_whichever_byte_it_is(made, reader, at):
    token = token_of(made, 1)
    with made.path.open("r+b") as file:
        file.seek(ring.PAGE + at)
        byte = file.read(1)[0]
        file.seek(ring.PAGE + at)
        file.write(bytes([byte ^ 0xFF]))
    with pytest.raises(Stale):
        reader.copy(token)


@pytest.mark.parametrize("change", [{"slot": 3}, {"slot": -1}, {"generation": 4}, {"width": 65}, {"dtype": "uint8"}])
def test_a_token_that_does_not_fit_the_slot_is_stale(made, reader, change):
    with pytest.raises(Stale):
        reader.copy({**token_of(made, 1), **change})


@pytest.mark.parametrize("name", ["../keys", "/etc/passwd", "artifexpro-00000000-1-00000000.ring", ""])
def test_a_segment_that_is_none_is_refused(reader, name):
    with pytest.raises(BridgeError) as caught:
        reader.copy({"segment": name, "slot": 0, "generation": 2, "width": 1, "height": 1})
    assert caught.value.code == "segment"


@pytest.mark.parametrize("keep", [0, 10, 5000])
def test_a_file_that_is_no_segment_is_refused(made, tmp_path, reader, keep):
    token = token_of(made, 1)
    os.truncate(made.path, keep)
    with pytest.raises(BridgeError) as caught:
        reader.copy(token)
    assert caught.value.code == "segment"


def test_a_closed_ring_leaves_nothing_and_readers_keep_what_they_have(tmp_path, reader):
    segment = Ring(BYTES, where=tmp_path)
    token = token_of(segment, 7)
    reader.copy(token)
    segment.close()
    segment.close()
    assert list(tmp_path.iterdir()) == []
    assert set(reader.copy(token).pixels) == {7}
    with pytest.raises(BridgeError, match="has ended"):
        FrameReader(tmp_path).copy(token)


def test_a_frame_that_does_not_fit_is_a_mistake_of_the_caller(made):
    with pytest.raises(ValueError, match="does not fit"):
        made.write(bytes(BYTES * 2), SIZE[0] * 2, SIZE[1])
    with pytest.raises(ValueError, match="3 slots of 0"):
        Ring(0, slots=3)


def test_no_room_is_told_and_leaves_nothing(tmp_path, monkeypatch):
    def full(file: int, size: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ring, "_set_aside", full)
    with pytest.raises(ArtifexError, match="No space left") as caught:
        Ring(BYTES, where=tmp_path)
    assert caught.value.code == "shared-memory"
    assert list(tmp_path.iterdir()) == []


def test_only_this_user_may_look(made):
    assert made.path.stat().st_mode & 0o777 == 0o600


def test_a_frame_in_a_message(reader):
    token = {"part": 1, "width": 2, "height": 1, "dtype": "uint8", "space": "srgb_tx"}
    assert reader.copy(token, (b"", b"12345678")).pixels == b"12345678"
    for parts in ((), (b"",), (b"", b"1234567")):
        with pytest.raises(BridgeError, match="does not carry"):
            reader.copy(token, parts)


def test_a_frame_as_numbers():
    small = frames.Frame(1, 2, "uint8", "srgb_tx", bytes([0, 51, 102, 255, 255, 255, 255, 0]))
    assert small.floats() == [0.0, 0.2, 0.4, 1.0, 1.0, 1.0, 1.0, 0.0]
    assert small.floats(bottom_up=True) == [1.0, 1.0, 1.0, 0.0, 0.0, 0.2, 0.4, 1.0]
    half = frames.Frame(1, 1, "float16", "ACEScg", bytes.fromhex("003c 0038 0000 0042"))
    assert half.floats() == [1.0, 0.5, 0.0, 3.0]


# ---------------------------------------------------------------------- processes


def run(code: str, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert not check or done.returncode == 0, done.stderr
    return done


ATTACH = """
import json, sys
from pathlib import Path
from artifexpro.hosts.bridge.frames import FrameReader
print(FrameReader(Path(sys.argv[1])).copy(json.loads(sys.argv[2])).pixels[0])
"""
ATTACH_BY_THE_STANDARD_LIBRARY = """
import sys
from multiprocessing.shared_memory import SharedMemory
attached = SharedMemory(name=sys.argv[1])
print(attached.buf[0])
"""
OWN_BY_THE_STANDARD_LIBRARY = """
import subprocess, sys
from multiprocessing.shared_memory import SharedMemory
owned = SharedMemory(create=True, size=100)
owned.buf[0] = 5
print(subprocess.run([sys.executable, "-c", sys.argv[1], owned.name], capture_output=True, text=True).stdout.strip())
try:
    SharedMemory(name=owned.name).close()
    print("there")
except FileNotFoundError:
    print("deleted")
try:
    owned.unlink()
except FileNotFoundError:
    pass
"""


def test_a_reader_that_exits_does_not_take_the_segment_with_it(made, reader, tmp_path):
    token = token_of(made, 5)
    for _ in range(2):
        assert run(ATTACH, tmp_path, json.dumps(token)).stdout.strip() == "5"
    assert made.path.exists()
    assert set(reader.copy(token).pixels) == {5}


@pytest.mark.skipif(sys.platform == "win32", reason="segments of Windows have no names to delete")
def test_the_standard_librarys_shared_memory_is_deleted_by_a_reader_that_exits():
    """Why the ring does not use it: hosts run on Python 3.9 to 3.12. If this fails on those, the trap is gone."""
    read, after = run(OWN_BY_THE_STANDARD_LIBRARY, ATTACH_BY_THE_STANDARD_LIBRARY).stdout.split()
    assert read == "5"
    assert after == ("deleted" if sys.version_info < (3, 13) else after)


OWN_AND_END = """
import sys
from pathlib import Path
from artifexpro.daemon.ring import Ring
made = Ring(1000, where=Path(sys.argv[1]))
with made.slot(10, 10) as slot:
    print(made.path.exists())
    sys.exit(0)
"""


def test_an_owner_that_ends_by_itself_leaves_nothing(tmp_path):
    assert run(OWN_AND_END, tmp_path).stdout.strip() == "True"
    assert list(tmp_path.iterdir()) == []


OWN_AND_WAIT = """
import os, subprocess, sys, time
from pathlib import Path
from artifexpro.daemon.ring import Ring
made = Ring(1000, where=Path(sys.argv[1]))
made.write(bytes(800), 10, 10)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(made.name, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups to kill")
def test_what_a_killed_process_group_leaves_is_swept_at_the_next_start(tmp_path, made):
    owner = subprocess.Popen(
        [sys.executable, "-c", OWN_AND_WAIT, str(tmp_path)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert owner.stdout is not None
    name = owner.stdout.readline().strip()
    assert sweep_orphans(tmp_path) == [], "its owner lives"
    os.killpg(owner.pid, signal.SIGKILL)
    owner.wait()
    assert (tmp_path / name).exists(), "nobody could clean up"
    assert sweep_orphans(tmp_path) == [name]
    assert made.path.exists(), "the segment of a living process stays"
    assert sweep_orphans(tmp_path) == []


def test_a_name_of_another_boot_or_a_reused_pid_does_not_protect_an_orphan(tmp_path):
    names = [
        f"artifexpro-{ring.boot_id()}-{os.getpid()}-0123abcd.ring",
        f"artifexpro-00000000-{os.getpid()}-0123abcd.ring",
        f"artifexpro-{ring.boot_id()}-999999999-0123abcd.ring",
    ]
    for name in names:
        (tmp_path / name).write_bytes(b"left behind")
    (tmp_path / "artifexpro-of-somebody-else.ring").write_bytes(b"")
    assert sweep_orphans(tmp_path) == sorted(names)
    assert [path.name for path in tmp_path.iterdir()] == ["artifexpro-of-somebody-else.ring"]


def test_a_segment_that_is_just_being_made_is_not_swept(tmp_path, monkeypatch):
    swept = []
    hold = ring._hold

    def sweep_first(file: int) -> None:
        swept.extend(sweep_orphans(tmp_path))
        hold(file)

    monkeypatch.setattr(ring, "_hold", sweep_first)
    segment = Ring(BYTES, where=tmp_path)
    assert swept == []
    segment.close()


RACE = """
import sys, time
from pathlib import Path
from artifexpro.daemon.ring import Ring
width, height = 256, 128
made = Ring(width * height * 4, slots=3, where=Path(sys.argv[1]))
pictures = [bytes([value]) * (width * height * 4) for value in range(256)]
until = time.monotonic() + float(sys.argv[2])
count = 0
sys.stdout.write(made.name + "\\n")
while time.monotonic() < until:
    token = made.write(pictures[count % 256], width, height, "uint8")
    sys.stdout.write(f"{token.slot} {token.generation} {count % 256}\\n")
    if count % 3 == 0:
        sys.stdout.flush()
    count += 1
made.close()
"""


def test_a_racing_writer_is_never_seen_half_way(tmp_path):
    """A writer that never waits, a reader that takes what it gets: each frame is whole, or known to be stale."""
    writer = subprocess.Popen(
        [sys.executable, "-c", RACE, str(tmp_path), "1.5"], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert writer.stdout is not None
    name = writer.stdout.readline().strip()
    told: list[str] = []
    listener = threading.Thread(target=lambda: told.extend(writer.stdout), daemon=True)  # type: ignore[arg-type]
    listener.start()
    reader = FrameReader(tmp_path)
    whole = stale = torn = at = 0
    while listener.is_alive() or at < len(told):
        if at >= len(told):
            time.sleep(0)
            continue
        at = len(told) - 1 if whole % 2 else min(at + 1, len(told) - 1)
        slot, generation, value = map(int, told[at].split())
        token = {"segment": name, "slot": slot, "generation": generation, "width": 256, "height": 128, "dtype": "uint8"}
        try:
            pixels = reader.copy(token).pixels
        except Stale:
            stale += 1
        except BridgeError:
            break
        else:
            whole += 1
            torn += pixels.count(value) != len(pixels)
        at += 1
    writer.wait(30)
    print(f"{len(told)} written, {whole} whole, {stale} stale, {torn} torn")
    assert torn == 0
    assert whole > 20
    assert stale > 0, "the writer was never faster than the reader: this test saw no race"


def test_segments_lie_in_memory_where_the_system_has_it():
    if sys.platform == "linux" and Path("/dev/shm").is_dir():
        assert ring.folder() == Path("/dev/shm")
    assert frames.can_share()
