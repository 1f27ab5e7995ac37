"""The companion of the Lua script: a process of ours that speaks to the daemon, so that Lua needs files alone.

    python -m artifexpro.hosts.resolve.companion --mail FOLDER [--home DIR] [--luts DIR]

It gives orders to the script in Resolve and takes wishes from it, and it looks after the watched folder inside the
mail folder, for which no script has to run. It ends when neither script nor job was there for a while.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..bridge.errors import BridgeError
from ..bridge.home import Home
from ..bridge.jobs import Job
from ..bridge.line import dial
from ..bridge.session import Session
from . import watched
from .adapter import Adapter
from .hands import ByMail, get, put, served
from .identity import installers_python, introduction
from .luts import master_folder
from .wishes import Wish, refused

TICK_SECONDS = 0.05
LINGER_SECONDS = 600.0
_CDL = ("node", "slope", "offset", "power", "saturation")


def session_for(home: Path, endpoint: str | None = None, start: bool = True) -> Session:
    """A session whose daemon is found in `home`, and started where none runs."""
    ask = partial(
        dial, home, endpoint, start, introduction=introduction(), python=installers_python() or sys.executable
    )
    return Session(lambda: ask)


class Companion:
    """One mail folder, one adapter."""

    def __init__(self, mail: ByMail, adapter: Adapter) -> None:
        self.mail = mail
        self.adapter = adapter
        self._news: Any = None
        watched.make(mail.folder)

    def tick(self) -> bool:
        """Do what is due; whether anybody needs this process still."""
        self.mail.beat()
        for said in watched.take_wishes(self.mail.folder, lambda wish, out: self.adapter.ask(wish, out).said):
            self.adapter.told.append(said)
        for path in sorted((self.mail.folder / "wishes").iterdir()):
            self._grant(path)
        if self.mail.attended or self.adapter.busy:
            self.adapter.pump()
        self._tell()
        return self.mail.attended or self.adapter.busy

    def _grant(self, path: Path) -> None:
        said = get(path)
        if said is None:
            return
        path.unlink()
        try:
            if not isinstance(said, dict):
                raise refused("it is no table of names and values", 'kind = "clip", prompt = "..."')
            reply = self._do(said)
        except BridgeError as refusal:
            reply = {"said": refusal.sentence(), "refused": True}
        put(self.mail.folder / "replies" / path.name, reply)

    def _do(self, said: dict[str, Any]) -> dict[str, Any]:
        kind = said.get("kind", "clip")
        if kind == "cancel":
            self.adapter.cancel(self.adapter.job(said.get("key")))
            return {"said": "It will stop."}
        if kind == "again":
            seed = said.get("seed")
            if seed is not None and not isinstance(seed, int):
                raise refused("the seed is no whole number", "seed = 2")
            asked = self.adapter.again(self.adapter.job(said.get("key")), seed)
        elif kind == "cdl":
            if set(said) - {"kind"} != set(_CDL):
                raise refused(f"a CDL has {', '.join(_CDL)}, and nothing else", "all of these")
            if not isinstance(said["node"], int):
                raise refused("the node is counted from 1", "node = 1")
            return {"said": self.adapter.cdl(*(said[name] for name in _CDL))}
        elif said.get("under_playhead"):
            said.pop("under_playhead")
            asked = self.adapter.ask(Wish.of({**said, "image": str(self.adapter.still())}))
        else:
            asked = self.adapter.ask(Wish.of(said))
        return {"said": asked.said, **({} if asked.job is None else {"key": asked.job.key})}

    def _tell(self) -> None:
        jobs = [
            {"key": job.key, "title": job.title, "state": job.state, "job": job.job, "said": _line(job)}
            for job in self.adapter.session.book
        ]
        news = {"jobs": jobs, "trouble": self.adapter.session.trouble, "told": self.adapter.told[-20:]}
        if news != self._news:
            self._news = news
            put(self.mail.folder / "news.json", news)


def _line(job: Job) -> str:
    """A job in one line for Resolve's Console; tens of per cent, so that it is not flooded."""
    done = "" if job.progress is None else f" {int(job.progress * 10) * 10} %"
    return f"{job.title}: {job.state}{done}{'. ' + job.message if job.message else ''}"


def _book_of(folder: Path) -> str:
    """The name of the watched folder's own book of jobs."""
    return f"files-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m artifexpro.hosts.resolve.companion", description=__doc__)
    parser.add_argument("--mail", type=Path, required=True, help="The folder the script in Resolve looks into.")
    parser.add_argument("--home", type=Path, help="The daemon's folder.")
    parser.add_argument("--luts", type=Path, help="Resolve's master LUT folder, where it is not the usual one.")
    parser.add_argument("--linger", type=float, default=LINGER_SECONDS, help="Seconds to stay without work.")
    asked = parser.parse_args(arguments)
    if served(asked.mail):
        print("A companion looks after this folder already.")
        return 0
    home = Home.find(asked.home).root
    mail = ByMail(asked.mail)
    luts = asked.luts or master_folder()
    adapter = Adapter(mail, session_for(home), home / "resolve", luts, files=_book_of(asked.mail))
    companion = Companion(mail, adapter)
    until = time.monotonic() + asked.linger
    while time.monotonic() < until:
        if companion.tick():
            until = time.monotonic() + asked.linger
        time.sleep(TICK_SECONDS)
    adapter.close()
    mail.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
