"""What is known of every step's pictures before any is computed: range, rate, size, space."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from artifexpro.core.graph.compile import Plan, Step
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.faces import FRAME_ROLES, Face, Role, face
from artifexpro.core.graph.kinds import FrameNode, GeneratorNode, SourceNode
from artifexpro.core.graph.values import AudioInfo, SocketType, StreamInfo

_MOVERS = frozenset({SocketType.AUDIO, SocketType.CONTROL})


class Descriptions:
    """Descriptions by step, made when asked for. `value` gives the sound that a step gives: how long a clip becomes may
    depend on it."""

    def __init__(self, plan: Plan, value: Callable[[int], Any]) -> None:
        self.plan = plan
        self._value = value
        self.infos: list[StreamInfo | None] = [None] * len(plan.steps)
        self._known: set[int] = set()

    def info(self, at: int) -> StreamInfo:
        """The description of a step's pictures. Opens sources; raises `NodeError`, also at a step without pictures."""
        if at not in self._known:
            self._describe(index for index in self.plan.upstream(at) if index not in self._known)
        info = self.infos[at]
        if info is None:
            step = self.plan.steps[at]
            raise NodeError(
                step.document_node, f"show node {step.name}", "it gives no pictures", "a node that gives pictures"
            )
        return info

    def replan(self, plan: Plan, changed: Iterable[int]) -> bool:
        """Go over to a plan of the same steps, of which `changed` (inputs first) have other parameters or keys. Returns
        whether any description is another one now. Raises `NodeError`; what is downstream of it is not known then."""
        self.plan = plan
        before = {at: self.infos[at] for at in changed if at in self._known}
        self._known.difference_update(before)
        self._describe(before)
        return any(self.infos[at] is not info and self.infos[at] != info for at, info in before.items())

    def _describe(self, steps: Iterable[int]) -> None:
        infos = self.infos
        for at in steps:
            step = self.plan.steps[at]
            about = face(type(step.node))
            if about.is_plain and len(step.inputs) == 1 and not step.moving:
                (source,) = step.inputs.values()
                infos[at] = infos[source]
            else:
                infos[at] = self._of(step, about)
            self._known.add(at)

    def _of(self, step: Step, about: Face) -> StreamInfo | None:
        if step.same_as is not None:
            return self.infos[step.same_as]
        if not about.gives_pictures:
            return None
        infos: dict[str, StreamInfo] = {}
        for name, source in step.inputs.items():
            info = self.infos[source]
            if info is not None and name in about.pictures:
                infos[name] = info
        node = step.node
        try:
            if about.role is Role.SOURCE:
                assert isinstance(node, SourceNode)
                return node.describe()
            if about.role is Role.GENERATOR:
                assert isinstance(node, GeneratorNode)
                return node.describe({**infos, **self._sounds(step, about)})
            assert about.role in FRAME_ROLES and isinstance(node, FrameNode)
            info = node.describe(infos)
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"open node {step.name}") from error
        return _in_time(info, infos, self._moves(step, about), about.has_description)

    def _sounds(self, step: Step, about: Face) -> dict[str, AudioInfo]:
        wired = ((name, source) for name, source in step.inputs.items() if about.inputs[name] is SocketType.AUDIO)
        return {name: self._value(source).info for name, source in wired}

    def _moves(self, step: Step, about: Face) -> bool:
        """Whether a step differs from frame to frame even where no picture it gets does."""
        return (
            type(step.node).depends_on_time
            or bool(step.moving)
            or any(about.inputs[name] in _MOVERS for name in about.values if name in step.inputs)
        )


def _in_time(info: StreamInfo, infos: dict[str, StreamInfo], moves: bool, described: bool) -> StreamInfo:
    """`info` as still, moving or endless: a still that something moves has any frame."""
    if not all(each.still for each in infos.values()):
        return replace(info, still=False, endless=True) if info.still and moves and described else info
    if not moves:
        return info if info.still else replace(info, still=True)
    return replace(info, still=False, endless=True)
