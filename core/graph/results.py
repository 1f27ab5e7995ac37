"""What is made once, not frame by frame: sound, data, controls, analyses and generated clips.

Values stay in memory for as long as their plan; clips and analyses go to the store on disk, by key, and are found there
by later jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from artifexpro.core.errors import Cancelled
from artifexpro.core.graph.compile import Plan, Step
from artifexpro.core.graph.context import JobContext
from artifexpro.core.graph.errors import NodeError
from artifexpro.core.graph.faces import face
from artifexpro.core.graph.kinds import AnalysisNode, GeneratorNode, ValueNode
from artifexpro.core.graph.store import ResultStore, load_data, save_data
from artifexpro.core.graph.values import AudioStream, MaskStream, VideoStream
from artifexpro.core.graph.vram import VramGate

Stream = VideoStream | MaskStream


class Results:
    """The results of one plan. `stream` gives a step's pictures; with `may_generate` False, clips that are not in the
    store are an error."""

    def __init__(
        self,
        plan: Plan,
        context: JobContext,
        vram: VramGate,
        stream: Callable[[int, float], Stream],
        may_generate: bool,
    ) -> None:
        self.plan = plan
        self._context = context
        self._vram = vram
        self._stream = stream
        self._may_generate = may_generate
        self._store = ResultStore(context.store)
        self._values: dict[int, Any] = {}
        self._clips: dict[int, Path] = {}
        self._prepared: set[int] = set()
        slow = (GeneratorNode, AnalysisNode)
        self._slow = tuple(at for at, step in enumerate(plan.steps) if isinstance(step.node, slow))

    def replan(self, plan: Plan, changed: Iterable[int]) -> None:
        """Go over to a plan of the same steps, of which `changed` have other keys."""
        self.plan = plan
        for at in changed:
            self._values.pop(at, None)
            self._clips.pop(at, None)
        self._prepared.clear()

    def clip(self, at: int) -> Path:
        """The folder of a generator's clip, which was prepared."""
        return self._clips[at]

    def value(self, at: int) -> Any:
        """The sound, data or control that a step gives. Raises `NodeError`."""
        if at not in self._values:
            for index in self.plan.upstream(at):
                above = self.plan.steps[index]
                if index not in self._values and isinstance(above.node, ValueNode | AnalysisNode):
                    self._values[index] = self._evaluate(index, above)
        return self._values[at]

    def prepare(self, at: int) -> None:
        """Make, or find on disk, the clips and analyses that `at` depends on."""
        if not self._slow or at in self._prepared:
            return
        wanted = set(self.plan.upstream(at))
        for index in self._slow:
            if index in wanted and index not in self._clips and index not in self._values:
                step = self.plan.steps[index]
                if isinstance(step.node, GeneratorNode):
                    self._clips[index] = self._generate(step, step.node)
                else:
                    self._values[index] = self._evaluate(index, step)
        self._prepared.add(at)

    def input(self, source: int, scale: float = 1.0) -> Any:
        step = self.plan.steps[source]
        return self._stream(source, scale) if face(type(step.node)).gives_pictures else self.value(source)

    def _evaluate(self, at: int, step: Step) -> Any:
        """A value or an analysis from what is upstream, whose values are known."""
        try:
            if isinstance(step.node, ValueNode):
                return step.node.evaluate(**{name: self.value(source) for name, source in step.inputs.items()})
            assert isinstance(step.node, AnalysisNode)
            node, inputs = step.node, {name: self.input(source) for name, source in step.inputs.items()}
            folder = self._store.ensure(
                step.key, lambda folder: save_data(folder, node.analyse(self._context, **inputs))
            )
            return load_data(folder)
        except (Cancelled, NodeError):
            raise
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"work out node {step.name}") from error

    def _generate(self, step: Step, node: GeneratorNode) -> Path:
        found = self._store.find(step.key)
        try:
            if found is None and not self._may_generate:
                raise NodeError(
                    step.document_node,
                    f"show the clip of node {step.name}",
                    "it has not been generated yet with these settings",
                    "generating it first",
                    code="not-generated",
                )
            if found is None:
                found = self._make(step, node)
            else:
                node.remember(self._context, found)
            node.record(self._context, found)
            return found
        except (Cancelled, NodeError):
            raise
        except Exception as error:
            raise NodeError.at(step.document_node, error, f"generate the clip of node {step.name}") from error

    def _make(self, step: Step, node: GeneratorNode) -> Path:
        inputs = {name: self.input(source) for name, source in step.inputs.items()}
        halfway = self._store.halfway(step.key)
        described = VideoStream | MaskStream | AudioStream
        infos = {name: stream.info for name, stream in inputs.items() if isinstance(stream, described)}
        with self._room(node, infos):
            return self._store.ensure(step.key, lambda folder: node.generate(self._context, folder, halfway, **inputs))

    def _room(self, node: GeneratorNode, infos: Mapping[str, Any]) -> AbstractContextManager[None]:
        """Room on the card for as long as a clip is generated."""
        need = node.peak_vram(infos)
        if not need:
            return nullcontext()
        info = node.describe(infos)
        kind = (node.type_name(), len(info), info.width, info.height)
        return self._vram.admit(kind, need, self._context.check)
