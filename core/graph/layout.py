"""Which steps are computed together.

The steps that a picture takes are cut into blocks. Inside a block every step is asked for the same frame, scale and
region, so it is a plain loop that costs well under a microsecond a step; only between blocks are requests mapped,
pictures cached and work handed to threads. A block ends

- at what is read from files or waits in another lane,
- before a node that asks for other frames or another part of its input,
- where something still becomes part of something that moves, so that it is computed once for all frames,
- where two blocks read the same step,
- where pictures are to be kept: the inputs of the node that is being edited, and, in long lines, about every `LONGEST`
  steps a place through which all that is upstream passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from artifexpro.core.graph.compile import Plan
from artifexpro.core.graph.faces import Face, Role, face
from artifexpro.core.graph.kinds import PointNode
from artifexpro.core.graph.values import StreamInfo

LONGEST = 512
"""Steps of a long line after which a picture is kept: an edit computes no more of the line than that again. Lines are
cut by the steps' numbers, so that one cut more elsewhere moves no other."""


class Op(NamedTuple):
    """One step: computed into register `out` from other registers by socket."""

    step: int
    out: int
    sources: tuple[tuple[str, int], ...]


class Entry(NamedTuple):
    """A picture that a block gets from another. Where `reader` is None it is the picture of the request itself, else
    what `reader` needs of its input `socket`; it lies in register `out`."""

    source: int
    out: int
    reader: int | None = None
    socket: str = ""


@dataclass(slots=True)
class Block:
    """Steps computed in one go; the last of them is `root`, in register `result`."""

    root: int
    lane: str
    ops: list[Op] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    registers: int = 0
    result: int = 0
    readers: list[int] = field(default_factory=list)
    """Steps in this block that map the request."""


@dataclass(slots=True)
class Layout:
    """The blocks by their root."""

    target: int
    blocks: dict[int, Block]


Runs = Callable[[int], Sequence[int]]
"""For an affine step, the steps that are resampled together with it, first to last."""


def lay_out(plan: Plan, target: int, infos: Sequence[StreamInfo | None], kept: frozenset[int], runs: Runs) -> Layout:
    """The blocks that the picture of step `target` takes. `kept` are steps whose pictures are to be cached."""
    owner, sources = _owners(plan, target, infos, kept, runs)
    blocks: dict[int, Block] = {}
    for at in sorted(owner):
        root = owner[at]
        if root not in blocks:
            blocks[root] = Block(root, face(type(plan.steps[root].node)).lane)
        blocks[root].ops.append(Op(at, -1, ()))
    for block in blocks.values():
        _wire(plan, block, owner, infos, sources)
    return Layout(target, blocks)


def source_of(plan: Plan, at: int) -> int:
    """The step whose pictures `at` has: itself, unless it hands on another's."""
    while (same := plan.steps[at].same_as) is not None:
        at = same
    return at


def affine_run(plan: Plan, at: int) -> list[int]:
    """The affine steps that are resampled together with `at`, which is the last of them, first to last."""
    run = [at]
    while True:
        (source,) = plan.steps[run[-1]].inputs.values()
        source = source_of(plan, source)
        about = face(type(plan.steps[source].node))
        if about.role is not Role.AFFINE or about.has_description:
            return run[::-1]
        run.append(source)


def asks_otherwise(plan: Plan, at: int, infos: Sequence[StreamInfo | None]) -> bool:
    """Whether a step asks its inputs for another frame or region than it was asked for."""
    step = plan.steps[at]
    about = face(type(step.node))
    if not about.has_needs:
        return False
    if about.role is not Role.POINT:
        return True
    assert isinstance(step.node, PointNode)
    known = {name: infos[source] for name, source in step.inputs.items() if name in about.pictures}
    return not step.node.is_pointwise(known)  # type: ignore[arg-type]


def _owners(
    plan: Plan, target: int, infos: Sequence[StreamInfo | None], kept: frozenset[int], runs: Runs
) -> tuple[dict[int, int], dict[int, Sources]]:
    """For each step that `target` takes, the root of the block it lies in, and what it reads; found from the target
    backwards: when a step's turn comes, all its readers have had theirs."""
    steps = plan.steps
    owner: dict[int, int] = {}
    claimed: dict[int, int] = {target: target}
    sources: dict[int, Sources] = {}
    for at in range(target, -1, -1):
        root = claimed.pop(at, None)
        if root is None:
            continue
        step = steps[at]
        about = face(type(step.node))
        is_neck = not claimed and root >= 0 and at // LONGEST != root // LONGEST
        if is_neck or at in kept or _starts(about.role):
            root = -1
        if root < 0:
            root = at
        owner[at] = root
        moves = not _still(infos, at)
        apart = at if asks_otherwise(plan, at, infos) else None
        sources[at] = reads = _sources(plan, at, about, runs)
        for _, source in reads:
            alone = apart is not None or (moves and _still(infos, source))
            previous = claimed.get(source)
            claimed[source] = -1 if alone or (previous is not None and previous != root) else root
    return owner, sources


def _starts(role: Role) -> bool:
    return role is Role.SOURCE or role is Role.GENERATOR


def _still(infos: Sequence[StreamInfo | None], at: int) -> bool:
    info = infos[at]
    return info is not None and info.still


Sources = list[tuple[str, int]]


def _sources(plan: Plan, at: int, about: Face, runs: Runs) -> Sources:
    """The steps whose pictures a step reads, by socket."""
    if _starts(about.role):
        return []
    step = plan.steps[at]
    if about.role is Role.AFFINE:
        (source,) = plan.steps[runs(at)[0]].inputs.values()
        return [(about.pictures[0], source_of(plan, source))]
    if about.is_plain:
        return [(name, source_of(plan, source)) for name, source in step.inputs.items()]
    return [(name, source_of(plan, source)) for name, source in step.inputs.items() if name in about.pictures]


def _wire(
    plan: Plan,
    block: Block,
    owner: Mapping[int, int],
    infos: Sequence[StreamInfo | None],
    sources: Mapping[int, Sources],
) -> None:
    """Give every step a register and find what the block gets from others."""
    last_use: dict[int, int] = {}
    wired: list[tuple[int, list[tuple[str, int, bool]], bool]] = []
    root = block.root
    for place, op in enumerate(block.ops):
        at = op.step
        otherwise = asks_otherwise(plan, at, infos)
        if otherwise:
            block.readers.append(at)
        ends = [(name, source, not otherwise and owner[source] == root) for name, source in sources[at]]
        for _, source, inside in ends:
            if inside:
                last_use[source] = place
        wired.append((at, ends, otherwise))
    free: list[int] = []
    register: dict[int, int] = {}
    entered: dict[int, int] = {}
    entries = block.entries
    for place, (at, ends, otherwise) in enumerate(wired):
        given: list[tuple[str, int]] = []
        for name, source, inside in ends:
            if inside:
                given.append((name, register[source]))
            elif otherwise:
                out = _new(block)
                entries.append(Entry(source, out, at, name))
                given.append((name, out))
            else:
                if source not in entered:
                    entered[source] = _new(block)
                    entries.append(Entry(source, entered[source]))
                given.append((name, entered[source]))
        for _, source, inside in ends:
            if inside and last_use.get(source) == place:
                free.append(register[source])
                last_use.pop(source)
        register[at] = free.pop() if free else _new(block)
        block.ops[place] = Op(at, register[at], tuple(given))
    block.result = register[block.root]


def _new(block: Block) -> int:
    block.registers += 1
    return block.registers - 1
