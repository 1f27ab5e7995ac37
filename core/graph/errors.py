"""Errors of a graph: each names the node it belongs to."""

from __future__ import annotations

from typing import Any

from artifexpro.core.errors import ArtifexError


class NodeError(ArtifexError):
    """A failure at one node. `node` is the node's id in its document."""

    code = "node"

    def __init__(
        self, node: str, attempted: str, because: str, remedy: str, *, frame: int | None = None, code: str | None = None
    ) -> None:
        super().__init__(attempted, because, remedy, code=code)
        self.node = node
        self.frame = frame

    def details(self) -> dict[str, Any]:
        return {**super().details(), "node": self.node}

    @classmethod
    def at(cls, node: str, cause: Exception, attempted: str, *, frame: int | None = None) -> NodeError:
        """`cause` as an error of `node`: an `ArtifexError` keeps its words, anything else is told as it came."""
        if isinstance(cause, NodeError):
            return cause
        if isinstance(cause, ArtifexError):
            return cls(node, cause.attempted, cause.because, cause.remedy, frame=frame, code=cause.code)
        said = " ".join(str(cause).split()) or type(cause).__name__
        return cls(
            node,
            attempted,
            f"the node stopped with: {said.rstrip('.')}",
            "the node with default settings; if it still fails, its input is at fault or this is a defect to report",
            frame=frame,
        )


class DocumentError(ArtifexError):
    """A graph document that cannot be read as a whole: not JSON, not a graph, from a newer release."""

    code = "document"


class GraphError(ArtifexError):
    """All problems found in one graph. Speaks with the first; `problems` has every one."""

    code = "graph"

    def __init__(self, problems: list[NodeError]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more problems in this graph)" if len(problems) > 1 else ""
        super().__init__(first.attempted, first.because + more, first.remedy)
        self.problems = tuple(problems)
        self.node = first.node

    def details(self) -> dict[str, Any]:
        return {**super().details(), "node": self.node}
