"""Who carries out the verbs: this process by Python, or the Lua script by files in a folder."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from ..bridge.errors import BridgeError
from .troubles import SENTENCES, Troubled, told
from .verbs import VERBS, Values

END = "\n--whole\n"
"""The last line of each file: one without it is still being written."""
PATIENCE_SECONDS = 20.0
ALIVE_SECONDS = 10.0
_TICK_SECONDS = 0.02
_LOOKS = 10
"""So often a file that the script is writing at this moment is read again."""


class Hands(Protocol):
    """Carries out a verb of `verbs.py` and gives its values. Raises `BridgeError`."""

    def do(self, verb: str, **values: Any) -> Values: ...


class Direct:
    """Resolve's own objects in this process. `connect` gives the object `resolve`, or None where it is not let in;
    `remedy` is what helps then."""

    def __init__(
        self,
        connect: Callable[[], Any],
        remedy: str = "Workspace > Scripts > ArtifexPro, which works in both editions",
    ) -> None:
        self._connect = connect
        self._remedy = remedy
        self._resolve: Any = None

    def do(self, verb: str, **values: Any) -> Values:
        if self._resolve is None:
            self._resolve = self._connect()
        if self._resolve is None:
            raise _not_let_in(self._remedy)
        try:
            return VERBS[verb](self._resolve, values)
        except Troubled as trouble:
            if trouble.code == "gone":
                self._resolve = None
            raise told(trouble) from None


def _not_let_in(remedy: str) -> BridgeError:
    return BridgeError(
        "speak with Resolve",
        "it lets no Python script in: it is not running, scripting is off in Preferences > System > General, or it is "
        "the free edition, in which release 21.1 and later run only Lua scripts",
        remedy,
        code="no-python",
    )


class ByMail:
    """Orders as files for the Lua script, and its answers. `script` is its name in Resolve's menu.

    The script cannot list a folder, so orders are numbered without gaps under this process's session. Whoever gives up
    on an order takes its file away; where the script had read it just then, the marker on the clip says so later.
    """

    def __init__(self, folder: Path, patience: float = PATIENCE_SECONDS, script: str = "ArtifexPro") -> None:
        self.folder = folder
        self._script = script
        self._patience = patience
        self._session = uuid.uuid4().hex[:12]
        self._next = 1
        self._heard = 0
        for name in ("orders", "answers", "wishes", "replies"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        for stale in (*(folder / "orders").iterdir(), *(folder / "answers").iterdir()):
            stale.unlink()
        self.beat()

    def beat(self) -> None:
        """Say that this process lives, and which order comes next."""
        self._say(int(time.time()))

    def end(self) -> None:
        """Say that this process is gone, so that the script may start another."""
        self._say(0)

    @property
    def attended(self) -> bool:
        """Whether the script in Resolve was heard of just now."""
        file = self.folder / "hands.json"
        for _ in range(_LOOKS):
            seen = get(file)
            if seen is not None:
                self._heard = seen["time"]
                break
            if not file.exists():
                break
            time.sleep(_TICK_SECONDS / 10)
        return time.time() - self._heard < ALIVE_SECONDS

    def do(self, verb: str, **values: Any) -> Values:
        if not self.attended:
            raise self._no_script("the script in it is not running")
        name = f"{self._session}-{self._next}.json"
        order, answer = self.folder / "orders" / name, self.folder / "answers" / name
        put(order, {"verb": verb, "values": values})
        until, beat_at = time.monotonic() + self._patience, 0.0
        while time.monotonic() < until:
            said = get(answer)
            if said is not None:
                self._over(order, answer)
                return _answer(said)
            if time.monotonic() > beat_at:
                self.beat()
                beat_at = time.monotonic() + 1.0
            time.sleep(_TICK_SECONDS)
        self._over(order, answer)
        raise self._no_script(f"the script in it did not answer within {self._patience:.0f} seconds")

    def _over(self, order: Path, answer: Path) -> None:
        for file in (order, answer):
            if file.exists():
                file.unlink()
        self._next += 1
        self.beat()

    def _say(self, now: int) -> None:
        told = {"time": now, "session": self._session, "next": self._next, "pid": os.getpid()}
        put(self.folder / "companion.json", told)

    def _no_script(self, because: str) -> BridgeError:
        return BridgeError(
            "speak with Resolve",
            because,
            f"Workspace > Scripts > {self._script}, and closing any message in Resolve's window",
            code="no-script",
        )


def served(folder: Path) -> bool:
    """Whether a process of ours looks after this mail folder already."""
    seen = get(folder / "companion.json")
    return seen is not None and time.time() - seen["time"] < ALIVE_SECONDS


def put(path: Path, value: Any) -> None:
    """Write a file of the mailbox, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_bytes((json.dumps(value, ensure_ascii=False) + END).encode("utf-8"))
    part.replace(path)


def get(path: Path) -> Any:
    """What a file of the mailbox says; None where there is none, or it is not whole yet."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    if not text.endswith(END):
        return None
    try:
        return json.loads(text[: -len(END)])
    except ValueError:
        return None


def _answer(said: Values) -> Values:
    if "trouble" in said:
        code = said["trouble"] if said["trouble"] in SENTENCES else "defect"
        raise told(Troubled(code, str(said.get("about", ""))))
    answer: Values = said["answer"]
    return answer
