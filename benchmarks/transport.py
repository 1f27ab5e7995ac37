"""How long a full HD frame takes from the daemon's process to a host's: `python -m artifexpro.benchmarks.transport`.

1920 x 1080, RGBA, half float: 16.6 MB. A producer process has the frame in its memory. The clock starts there when it
begins to hand the frame over and stops here when the pixels can be read; both processes read the system's one
monotonic clock. Each way is timed in turn, in the same round as a plain copy of the same bytes, because the ratio of
the two holds from machine to machine and from hour to hour, and the times alone do not.

The shared memory and the encrypted way go through the product's own parts: the bridge's `Client` here, the daemon's
`Gate` and `Ring` there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import zmq

from artifexpro.benchmarks.common import Figure, figure, tell
from artifexpro.benchmarks.producer import HEAD
from artifexpro.hosts.bridge.client import Client
from artifexpro.hosts.bridge.errors import BridgeError
from artifexpro.hosts.bridge.frames import FrameReader

WIDTH, HEIGHT = 1920, 1080
FRAME_BYTES = WIDTH * HEIGHT * 8
WARM_UP = 6
ROUNDS = 40
SHM_TARGET, MESSAGE_TARGET = 2.5, 12.0
"""Times a plain copy of the same bytes."""


class Consumer:
    """The host's side. Each way gets one frame and returns the seconds it took; a wrong frame is an error."""

    def __init__(self, home: Path, plain_endpoint: str) -> None:
        self._client = Client(home, name="bench")
        self._client.connect(start=False)
        self._frames = FrameReader()
        self._context = zmq.Context()
        self._plain = self._context.socket(zmq.DEALER)
        self._plain.setsockopt(zmq.LINGER, 0)
        self._plain.setsockopt(zmq.RCVTIMEO, 30_000)
        self._plain.connect(plain_endpoint)
        self._source = bytearray(FRAME_BYTES)
        self._target = bytearray(FRAME_BYTES)
        self._source[:] = bytes(range(256)) * (FRAME_BYTES // 256)

    def memcpy(self) -> float:
        """The peer: the same number of bytes from memory to memory, in this process."""
        began = perf_counter()
        memoryview(self._target)[:] = memoryview(self._source)
        return perf_counter() - began

    def shm(self) -> float:
        asked = perf_counter()
        body, _ = self._client.request("shm")
        with self._frames.view(body["frame"]) as pixels:
            check(pixels, body["stamp"])
            return since(asked, body["began"])

    def shm_copied(self) -> float:
        asked = perf_counter()
        body, _ = self._client.request("shm")
        with self._frames.view(body["frame"]) as pixels:
            memoryview(self._target)[:] = pixels
        check(memoryview(self._target), body["stamp"])
        return since(asked, body["began"])

    def message(self) -> float:
        asked = perf_counter()
        self._plain.send(b"")
        head, pixels = self._plain.recv_multipart(copy=False)
        stamp, began = HEAD.unpack(head.bytes)
        check(pixels.buffer, stamp)
        return since(asked, began)

    def curve(self) -> float:
        asked = perf_counter()
        body, parts = self._client.request("curve")
        check(memoryview(parts[0]), body["stamp"])
        return since(asked, body["began"])

    def stop(self) -> None:
        self._client.request("stop")

    def close(self) -> None:
        self._frames.close()
        self._client.close()
        self._plain.close(0)
        self._context.term()


def since(asked: float, began: float) -> float:
    """Seconds since the producer began, which was after it was asked, or the two clocks are not one."""
    now = perf_counter()
    if not asked <= began <= now:
        raise RuntimeError("the two processes read different clocks: this system cannot be measured in this way")
    return now - began


def check(pixels: memoryview, stamp: int) -> None:
    """The whole frame has arrived, and it is the one that was sent now: first and last bytes carry its number."""
    ends = int.from_bytes(pixels[:8], "little"), int.from_bytes(pixels[-8:], "little")
    if len(pixels) != FRAME_BYTES or ends != (stamp, stamp):
        raise RuntimeError(f"frame {stamp} did not arrive whole: {len(pixels)} bytes, stamped {ends}")


@contextmanager
def producer() -> Iterator[Consumer]:
    """A producer in a process of its own, and a consumer connected to it."""
    with tempfile.TemporaryDirectory(prefix="artifexpro-bench-") as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "artifexpro.benchmarks.producer", folder, str(WIDTH), str(HEIGHT)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            endpoint = process.stdout.readline().strip()
            if not endpoint:
                raise RuntimeError("the producing process did not start; its reason stands above")
            consumer = Consumer(Path(folder), endpoint)
            try:
                yield consumer
                consumer.stop()
            finally:
                consumer.close()
            process.wait(10)
        finally:
            process.kill()
            process.wait()


def measure(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds of each way in each round."""
    with producer() as consumer:
        ways: dict[str, Callable[[], float]] = {
            "memcpy": consumer.memcpy,
            "shm": consumer.shm,
            "shm_copied": consumer.shm_copied,
            "message": consumer.message,
            "curve": consumer.curve,
        }
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(WARM_UP + rounds):
            for name, way in ways.items():
                seconds = way()
                if number >= WARM_UP:
                    taken[name].append(seconds * 1000)
    return taken


def figures(taken: dict[str, list[float]]) -> list[Figure]:
    copied = taken["memcpy"]

    def one(name: str, values: Sequence[float], note: str, target: str = "") -> Figure:
        return figure(name, values, "ms", peer="memcpy", peers=copied, target=target, note=note)

    return [
        one(
            "transport.shm_ms",
            taken["shm"],
            "as previews travel: written once into the ring, an encrypted token to the bridge, read where it lies",
            f"<= {SHM_TARGET:g} x memcpy",
        ),
        one(
            "transport.message_ms",
            taken["message"],
            "a ZeroMQ message over TCP on loopback without encryption or copies in Python: the floor of the wire, "
            "which the product itself does not use",
            f"<= {MESSAGE_TARGET:g} x memcpy",
        ),
        one(
            "transport.curve_ms",
            taken["curve"],
            "as the product sends to another machine: the daemon's encrypted socket to the bridge, here over loopback",
        ),
        one("transport.shm_copied_ms", taken["shm_copied"], "as shm_ms, and copied out of the ring by the reader"),
    ]


def main(arguments: Sequence[str]) -> int:
    try:
        taken = measure()
    except (BridgeError, RuntimeError, zmq.ZMQError) as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    tell(figures(taken), as_json="--json" in arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
