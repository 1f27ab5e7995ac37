"""What a host gives to the panel, and what every host answers alike.

A refusal is a `BridgeError`: its three clauses are shown in the panel as one sentence.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..bridge.jobs import Job


class Host(Protocol):
    """The program the panel sits in. All of it is called in the host's main thread, and answers at once."""

    title: str
    """As the artist knows it: "Nuke", "Resolve", "ArtifexPro"."""

    def place(self) -> dict[str, Any]:
        """Where a clip asked for now shall go, as JSON that this host reads again in `deliver`. Raises `BridgeError`.

        The panel itself reads three names in it: "output" (whole path of the folder in which each job gets one of its
        own; without it, the daemon's), "frames" (true where scene-linear EXR frames are needed beside the movie) and
        "target" (the protocol's `Target`).
        """

    def picture(self) -> str | None:
        """The file of a reference picture the host offers now, None where it has none. Raises `BridgeError`."""

    def deliver(self, job: Job) -> str:
        """Put a finished job in its place, once; returns a sentence. Raises `BridgeError`: the result then waits."""

    def reveal(self, job: Job) -> None:
        """Show a job's files to the artist. Raises `BridgeError` where there are none any more."""
