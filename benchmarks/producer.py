"""The daemon's side of `benchmarks.transport`, in a process of its own: a frame in memory, handed over as asked."""

from __future__ import annotations

import json
import os
import struct
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import zmq

from artifexpro.core.errors import ArtifexError
from artifexpro.daemon.gate import Address, Arrived, Gate
from artifexpro.daemon.home import Home
from artifexpro.daemon.keys import KnownClients, make_keys
from artifexpro.daemon.ring import Ring

HEAD = struct.Struct("<Qd")
"""What precedes a frame on the plain socket: its number, and when its handing over began."""


class Producer:
    """Answers "shm", "curve" and "stop" behind the daemon's gate, and anything on a plain socket with the frame."""

    def __init__(self, home: Home, width: int, height: int) -> None:
        self._size = (width, height)
        self._frame = bytearray(os.urandom(width * height * 8))
        self._ring = Ring(len(self._frame))
        self._stamp = 0
        keys = make_keys(home)
        self._gate = Gate(keys, KnownClients(home.clients))
        endpoint = self._gate.bind("tcp://127.0.0.1:*")
        self._context = zmq.Context()
        self._plain = self._context.socket(zmq.ROUTER)
        self._plain.setsockopt(zmq.LINGER, 0)
        self._plain.bind("tcp://127.0.0.1:*")
        home.publish(endpoint, keys.public.decode("ascii"), serving=True)

    @property
    def plain_endpoint(self) -> str:
        return self._plain.getsockopt_string(zmq.LAST_ENDPOINT)

    def run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._gate.socket, zmq.POLLIN)
        poller.register(self._plain, zmq.POLLIN)
        going = True
        while going:
            poller.poll()
            while (arrived := self._gate.receive()) is not None:
                going = self._answer(arrived) and going
            self._answer_plain()

    def close(self) -> None:
        self._ring.close()
        self._gate.close()
        self._plain.close(0)
        self._context.term()

    def _answer(self, arrived: Arrived) -> bool:
        said = json.loads(arrived.header)
        body: dict[str, Any] = {}
        parts: list[bytes] = []
        if said["op"] == "shm":
            body["stamp"] = self._next_frame()
            body["began"] = perf_counter()
            body["frame"] = self._ring.write(memoryview(self._frame), *self._size).model_dump(mode="json")
        elif said["op"] == "curve":
            body["stamp"] = self._next_frame()
            body["began"] = perf_counter()
            parts.append(self._frame)  # type: ignore[arg-type]
        reply = {"v": 1, "id": said["id"], "ok": True, "body": body}
        self._send(arrived.sender, [json.dumps(reply).encode(), *parts])
        return bool(said["op"] != "stop")

    def _send(self, to: Address, frames: list[bytes]) -> None:
        while not self._gate.send(to, frames):
            self._gate.socket.poll(1, zmq.POLLOUT)

    def _answer_plain(self) -> None:
        try:
            routing, _ = self._plain.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return
        head = HEAD.pack(self._next_frame(), perf_counter())
        sending = self._plain.send_multipart([routing, head, self._frame], copy=False, track=True)
        assert sending is not None
        sending.wait()

    def _next_frame(self) -> int:
        """Number the frame at both ends, so that the reader knows which one it got and that it is whole."""
        self._stamp += 1
        mark = self._stamp.to_bytes(8, "little")
        self._frame[:8] = mark
        self._frame[-8:] = mark
        return self._stamp


def main(arguments: list[str]) -> int:
    folder, width, height = arguments
    home = Home(Path(folder))
    home.prepare()
    try:
        producer = Producer(home, int(width), int(height))
    except ArtifexError as error:
        print(error, file=sys.stderr)
        return 1
    print(producer.plain_endpoint, flush=True)
    try:
        producer.run()
    finally:
        producer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
