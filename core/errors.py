"""Errors that speak to an artist.

Every refusal in the project has the same three parts, so that the command line, the daemon and each host
can show it whole: what was attempted, why it failed, what to try.
"""

from __future__ import annotations

from typing import Any


class ArtifexError(Exception):
    """A failure with its remedy.

    `attempted`, `because` and `remedy` are clauses without a capital or a full stop; `str()` joins them to
    "Attempted to X. Failed because Y. Try Z." `code` is a stable word for programs: see `core.protocol`.
    """

    code = "failed"

    def __init__(self, attempted: str, because: str, remedy: str, *, code: str | None = None) -> None:
        super().__init__(attempted, because, remedy)
        self.attempted = attempted
        self.because = because
        self.remedy = remedy
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"Attempted to {self.attempted}. Failed because {self.because}. Try {self.remedy}."

    def details(self) -> dict[str, Any]:
        """The fields of `protocol.Failure`, ready to be sent."""
        return {"code": self.code, "attempted": self.attempted, "because": self.because, "remedy": self.remedy}


class Cancelled(Exception):
    """Raised from `check()` inside long work once its job was cancelled; nothing after it runs."""
