"""What still has to be sent to one client, however slowly it reads.

Replies wait in a short list. Stored events are not copied: a client has a position in the event table, so none is
ever dropped for a slow reader and none costs memory. Progress and previews are passing: only the latest of each job
is kept, and of each viewer's session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from artifexpro.core.protocol import Event, EventKind
from artifexpro.daemon.gate import Address
from artifexpro.daemon.queue import Queue

Frames = list[bytes]
MAX_UNREAD_REPLIES = 1000
_BATCH = 64
_PASSING = (EventKind.PROGRESS, EventKind.PREVIEW)


@dataclass
class Peer:
    """One client on one connection: what it listens to and what waits for it.

    `watched` None is every job. `position` is the number of the last event that was looked at for this client.
    """

    address: Address
    shared_memory: bool = False
    watched: set[str] | None = field(default_factory=set)
    position: int = 0
    _replies: deque[Frames] = field(default_factory=deque)
    _again: deque[int] = field(default_factory=deque)
    _events: deque[Event] = field(default_factory=deque)
    _passing: dict[tuple[str, str], Frames] = field(default_factory=dict)

    def reply(self, frames: Frames) -> bool:
        """False, and dropped, where too many replies are unread: sending the request again is safe."""
        if len(self._replies) >= MAX_UNREAD_REPLIES:
            return False
        self._replies.append(frames)
        return True

    def watch_all(self, after: int) -> None:
        """Every job's events from number `after` on."""
        self.watched = None
        self.position = after
        self._again.clear()
        self._events.clear()

    def watch(self, jobs: Iterable[str], after: int, queue: Queue) -> None:
        """Also these jobs' events; those after number `after` that this client has passed by are sent again."""
        for job in jobs:
            self._again.extend(queue.event_numbers(job, after, self.position))
            if self.watched is not None:
                self.watched.add(job)
        self._again = deque(sorted(set(self._again)))

    def idle(self, head: int) -> bool:
        """Whether nothing waits; `head` is the number of the newest event."""
        return self.position >= head and not (self._replies or self._again or self._events or self._passing)

    def hears(self, job: str) -> bool:
        return self.watched is None or job in self.watched

    def pass_on(self, about: str, kind: str, frames: Frames) -> None:
        """Replace what waits of that kind about a job or a session by this."""
        self._passing.pop((about, kind), None)
        self._passing[about, kind] = frames

    def send_all(self, queue: Queue, send: Callable[[Frames], bool], *, events: bool) -> bool:
        """Send what can be sent, replies first; True if nothing waits any more. `events` False: replies only."""
        while self._replies:
            if not send(self._replies[0]):
                return False
            self._replies.popleft()
        return not events or (self._send_stored(queue, send) and self._send_passing(send))

    def _send_stored(self, queue: Queue, send: Callable[[Frames], bool]) -> bool:
        while self._again:
            if not send(header(queue.event(self._again[0]))):
                return False
            self._again.popleft()
        while self._fill(queue):
            while self._events:
                event = self._events[0]
                if self.hears(event.job):
                    if not send(header(event)):
                        return False
                    if event.event not in (EventKind.QUEUED, EventKind.STARTED):
                        self._drop_passing(event.job)
                self._events.popleft()
                self.position = event.seq
        return True

    def _fill(self, queue: Queue) -> bool:
        if not self._events:
            self._events.extend(queue.events_after(self.position, _BATCH))
        return bool(self._events)

    def _send_passing(self, send: Callable[[Frames], bool]) -> bool:
        for key in list(self._passing):
            if not send(self._passing[key]):
                return False
            del self._passing[key]
        return True

    def _drop_passing(self, job: str) -> None:
        for kind in _PASSING:
            self._passing.pop((job, kind), None)


def header(message: Event) -> Frames:
    return [message.model_dump_json().encode()]
