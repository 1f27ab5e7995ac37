"""Everything the panel does, without Qt: what it asks the daemon, what comes back, what a host is told.

`pump()` never waits; the widgets call it from a timer, then show what `take_news()` says has changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ..bridge import graphs
from ..bridge.errors import BridgeError
from ..bridge.jobs import DELIVERED, FAILED, FINISHED, Job, sentence
from ..bridge.session import Body, Session, Trouble
from . import cost, wish
from .cost import Cost
from .history import History
from .host import Host
from .keeping import Keeping
from .wish import Extension, Wish

WORDS = "words"
"""The keeper of jobs that only extend a prompt: they are neither shown in the queue nor saved."""
MODELS, COST, JOBS, HISTORY, EXTENSION, STATUS = "models", "cost", "jobs", "history", "extension", "status"
ALL = (MODELS, COST, JOBS, HISTORY, EXTENSION, STATUS)
"""What `take_news` may name."""


class Desk:
    """One panel's work. Refusals of the host and of the daemon are told as sentences, never raised from `pump()`."""

    def __init__(
        self,
        host: Host,
        session: Session,
        client: Mapping[str, str],
        keeping: Keeping | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.host = host
        self.session = session
        self.models: list[dict[str, Any]] = []
        self.cost: Cost = cost.NOT_CONNECTED
        self.history = History(self._ask, lambda: self._changed(HISTORY), clock)
        self.notice = ""
        self.extension: dict[str, Any] | None = None
        self.extension_trouble = ""
        self._client = dict(client)
        self._keeping = keeping
        self._news: set[str] = set()
        self._up = False
        self._closed = False
        self._refused: set[str] = set()
        self._wanted: Wish | None = None
        self._question = 0
        self._answers: dict[str, Any] = {}
        if keeping is not None:
            self.notice = keeping.load(session.book)

    # ------------------------------------------------------------------ the line

    def pump(self) -> None:
        """Take in what happened, deliver what is finished, save what changed."""
        before = (self.session.connected, self.session.connecting, self.session.trouble)
        states = self._states()
        for job in self.session.pump():
            if job.keeper == WORDS:
                self._extended(job)
            elif job.key not in self._refused:
                self.deliver(job)
        self._closed_words()
        if self.session.connected != self._up:
            self._up = self.session.connected
            self._line_changed()
        if (self.session.connected, self.session.connecting, self.session.trouble) != before:
            self._changed(STATUS)
        if self._states() != states:
            self._changed(JOBS)
            self.history.outdated()
        self.history.pump(self._up)
        self._save()

    def take_news(self) -> set[str]:
        """What changed since the last time, by the names above."""
        news, self._news = self._news, set()
        return news

    def close(self, *, wait: bool = False) -> None:
        """Hang up, once; jobs go on in the daemon."""
        if self._closed:
            return
        self._closed = True
        self._save()
        self.session.hang_up(wait=wait)
        if self._keeping is not None:
            self._keeping.close()

    def _changed(self, *what: str) -> None:
        self._news.update(what)

    def _states(self) -> list[tuple[str, str, str, bool]]:
        return [(job.key, job.state, job.message, job.cancel_asked) for job in self.jobs()]

    def _line_changed(self) -> None:
        if not self._up:
            self.cost = cost.NOT_CONNECTED
            self._changed(COST)
            return
        self._ask("models.list", {}, self._models_came)
        self.history.outdated()
        if self._wanted is not None:
            self.ask_cost(self._wanted)

    def _ask(self, op: str, body: Body, done: Callable[[Body | None, Trouble | None], None]) -> bool:
        """Ask on the open line. A question that the line lost closes it: the panel then says so and offers Connect."""

        def came(reply: Body | None, trouble: Trouble | None) -> None:
            if trouble is not None and trouble.passing and not self._closed:
                self.session.hang_up()
                self.session.trouble = trouble.sentence
            done(reply, trouble)

        return self.session.ask(op, body, came)

    def _models_came(self, reply: Body | None, trouble: Trouble | None) -> None:
        if reply is None:
            self.tell("" if trouble is None or trouble.passing else trouble.sentence)
            return
        self.models = [model for model in reply["models"] if model["usable"]]
        self._changed(MODELS)

    def tell(self, said: str) -> None:
        """Show a sentence until something else is told; empty takes it away."""
        if said != self.notice:
            self.notice = said
            self._changed(STATUS)

    def _save(self) -> None:
        if self._keeping is None or not self.session.book.take_changed():
            return
        try:
            self._keeping.save(self.session.book)
        except OSError as error:
            self.tell(
                f"Attempted to save the panel's jobs. Failed because {self._keeping.path} cannot be written "
                f"({error.strerror}). Try making room on that disk."
            )

    # ------------------------------------------------------------------ cost

    def ask_cost(self, wanted: Wish) -> None:
        """Ask what `wanted` would cost; a newer question makes an older one's answers void."""
        self._wanted = wanted
        if not self._up:
            return
        self._question += 1
        question = self._question
        try:
            wanted.refuse_gaps()
        except BridgeError as gap:
            refusal = "" if gap.code == "prompt" else gap.sentence()
            self.cost = cost.untold("Known when it is clear what to make.", refusal)
            self._changed(COST)
            return
        self._answers = {}
        self.cost = cost.ASKING
        self._changed(COST)
        request = graphs.job_request(graphs.render_work(wanted.document()), client=self._client)
        self._ask("models.plan", _plan_body(wanted), lambda *said: self._cost_came(question, "plan", *said))
        self._ask("job.estimate", request, lambda *said: self._cost_came(question, "estimate", *said))

    def _cost_came(self, question: int, which: str, reply: Body | None, trouble: Trouble | None) -> None:
        if question != self._question:
            return
        self._answers[which] = reply
        if trouble is not None and not trouble.passing:
            self._answers["refusal"] = trouble.sentence
        if {"plan", "estimate"} <= set(self._answers):
            refusal = self._answers.get("refusal", "")
            self.cost = cost.told(self._answers["plan"], self._answers["estimate"], refusal)
            self._changed(COST)

    # ------------------------------------------------------------------ clips

    def jobs(self) -> list[Job]:
        """The clips asked for here, newest first."""
        return [job for job in self.session.book if job.keeper != WORDS][::-1]

    def generate(self, wanted: Wish) -> Job:
        """Put a clip into the queue, its place frozen now. Raises `BridgeError`."""
        wanted.refuse_gaps()
        place = self.host.place()
        return self._add(
            wanted.document(exr=bool(place.get("frames"))), wish.title_of(wanted.params()["prompt"]), place
        )

    def repeat(self, document: graphs.Document, title: str, *, vary: bool) -> Job:
        """Make a graph once more, with another seed where `vary` says so. Raises `BridgeError`."""
        seed = wish.another_seed(wish.seed_of(document)) if vary else None
        return self._add(wish.once_more(document, title, seed), title, self.host.place())

    def _add(self, document: graphs.Document, title: str, place: dict[str, Any]) -> Job:
        job = wish.job_for(document, title, place, self._client)
        self.session.book.add(job)
        self.tell("")
        self._changed(JOBS)
        self._save()
        return job

    def deliver(self, job: Job) -> None:
        """Give a finished job to the host; where it is refused, the result waits with the reason beside it."""
        try:
            said = self.host.deliver(job)
        except BridgeError as refusal:
            self._refused.add(job.key)
            job.message = refusal.sentence()
            self.session.book.touch(job)
        else:
            self._refused.discard(job.key)
            self.session.book.close(job, DELIVERED, said)
        self._changed(JOBS)

    def waits_for_its_place(self, job: Job) -> bool:
        """Whether the host refused to take it: the artist may ask again with `deliver`."""
        return job.state == FINISHED and job.key in self._refused

    def dismiss(self, job: Job) -> None:
        """Let a finished clip wait no longer for a place that it does not get; its files stay."""
        self._refused.discard(job.key)
        self.session.book.close(job, DELIVERED, "Not put in place. Its files stay where they are.")
        self._changed(JOBS)

    def cancel(self, job: Job) -> None:
        self.session.cancel(job)
        self._changed(JOBS)

    def clear(self) -> None:
        """Take what is over out of the queue; the history keeps it."""
        self.session.book.clear_closed()
        self._changed(JOBS)

    def document_of(self, job: Job) -> graphs.Document:
        """The graph of a job asked for here."""
        document: graphs.Document = job.request["work"]["document"]
        return document

    def recall(self, view: dict[str, Any], then: Callable[[graphs.Document, str], None]) -> None:
        """Ask the daemon for the graph of a job in the history, then hand it on with its title."""
        title = wish.title_of(view.get("title") or view["job"])

        def came(reply: Body | None, trouble: Trouble | None) -> None:
            if reply is None:
                self.tell("" if trouble is None else trouble.sentence)
            else:
                then(reply["request"]["work"]["document"], title)

        if not self._ask("job.show", {"job": view["job"]}, came):
            self.tell(_no_line(f"look up “{title}”"))

    def reveal(self, job: Job) -> None:
        """Raises `BridgeError`."""
        self.host.reveal(job)

    # ------------------------------------------------------------------ words

    @property
    def extending(self) -> bool:
        return any(job.keeper == WORDS and job.open for job in self.session.book)

    def extend(self, wanted: Wish, method: str, seed: int) -> None:
        """Ask for more of the prompt; `extension` has the answer, `extension_trouble` the reason why there is none."""
        self.forget_extension()
        work: dict[str, Any] = {
            "kind": "prompt",
            "prompt": wanted.prompt,
            "task": wanted.task,
            "extend": method,
            "extend_seed": seed,
        }
        if wanted.avoid.strip():
            work["negative_prompt"] = wanted.avoid
        if "image" in wanted.media:
            work["image"] = wanted.media["image"]
        request = graphs.job_request(work, title="prompt", client=self._client, priority=100)
        self.session.book.add(Job(request["key"], "prompt", request, {}, keeper=WORDS))
        self._changed(EXTENSION)

    def forget_extension(self) -> None:
        """Close the card: what was asked is cancelled, what was told is forgotten."""
        for job in self.session.book:
            if job.keeper == WORDS and job.open:
                self.session.cancel(job)
        self.extension, self.extension_trouble = None, ""
        self._changed(EXTENSION)

    def extension_of(self, wanted: Wish) -> Extension | None:
        """What was made of the words, for a wish that takes it over."""
        made = self.extension
        if made is None:
            return None
        return Extension(made["original"], made["extended"], made["method"], int(made["seed"]), wanted.task)

    def _extended(self, job: Job) -> None:
        asked_last = not job.cancel_asked
        self.session.book.close(job, DELIVERED)
        if asked_last and job.result is not None:
            self.extension = job.result["recipe"]["prompt"]
        self._changed(EXTENSION)

    def _closed_words(self) -> None:
        closed = [job for job in self.session.book if job.keeper == WORDS and not job.open]
        if not closed:
            return
        for job in closed:
            if job.state == FAILED and not job.cancel_asked:
                self.extension_trouble = job.message or sentence(None)
        self.session.book.clear_closed(WORDS)
        self._changed(EXTENSION)


def _plan_body(wanted: Wish) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": wanted.model,
        "task": wanted.task,
        "preset": wanted.preset,
        "profile": wanted.profile,
        "frames": wanted.frames,
        "steps": wanted.steps,
    }
    if wanted.size is not None:
        body["width"], body["height"] = wanted.size
    return body


def _no_line(attempted: str) -> str:
    return BridgeError(
        attempted, "the daemon is not there", "Connect, at the top of the panel", code="unreachable"
    ).sentence()
