"""Refusals and failures as the artist reads them, on the host's side of the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class BridgeError(Exception):
    """A failure with its remedy: the same three clauses as `protocol.Failure`, which it can be made from.

    `code` is a word for programs: the daemon's own, or one of the bridge's: "no-daemon", "no-start", "unreachable",
    "timeout", "key", "other-daemon", "version", "too-large", "closed", "stale", "segment", "reply".
    """

    def __init__(
        self, attempted: str, because: str, remedy: str, *, code: str = "failed", node: str | None = None
    ) -> None:
        super().__init__(attempted, because, remedy)
        self.attempted = attempted
        self.because = because
        self.remedy = remedy
        self.code = code
        self.node = node

    def __str__(self) -> str:
        return self.sentence()

    def sentence(self) -> str:
        return f"Attempted to {self.attempted}. Failed because {self.because}. Try {self.remedy}."

    def details(self) -> dict[str, Any]:
        """The fields of a `protocol.Failure`."""
        return {
            "code": self.code,
            "attempted": self.attempted,
            "because": self.because,
            "remedy": self.remedy,
            "node": self.node,
        }

    @classmethod
    def from_failure(cls, failure: Mapping[str, Any]) -> BridgeError:
        """The error a reply or a `failed` event carries."""
        return cls(
            str(failure["attempted"]),
            str(failure["because"]),
            str(failure["remedy"]),
            code=str(failure["code"]),
            node=failure.get("node"),
        )
