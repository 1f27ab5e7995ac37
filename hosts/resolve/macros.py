"""Graph documents as Fusion settings, and back: every node of the catalogue is a macro with controls.

A macro's sockets are routers inside it, because Fusion drops a wire that names a macro and not a tool in one. It hands
on its first picture; the daemon computes what the node makes. What Fusion has no control for is in the macro's custom
data.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..bridge.catalogue import CHOICE, FILE, LINES, MOTION, NUMBER, TICK, WHOLE, Control, Entry, Shown
from ..bridge.errors import BridgeError
from ..bridge.graphs import Document
from ..bridge.native import SELF, Native, Words, damaged, free, fresh, plain, remembered_controls
from ..bridge.nativegraph import document as folded
from ..bridge.nativegraph import natives
from . import splines
from .settingtext import KEYWORDS, ORDERED, Table, made, read, written

RECORD = "artifexpro"
GROUPS = "artifexpro_groups"
CARRIER = "ArtifexPro_groups"
PAGE = "ArtifexPro"
COMMENTS = "Comments"
WORDS = Words(
    handles=frozenset({COMMENTS, "EffectMask", "Output", "Input", "PassThrough", *KEYWORDS})
    | {f"MainInput{at}" for at in range(1, 65)},
    names=frozenset({CARRIER, *KEYWORDS}),
)
_MACRO = "MacroOperator"
_OURS = (_MACRO, "GroupOperator")
_ROUTER = "PipeRouter"
_LONGEST_TEXT = 4


def macro(node: Entry) -> str:
    """The macro of one catalogue entry, as the file of a template."""
    return _text([fresh(node, WORDS)], {})


def setting(document: Document, catalogue: Iterable[Entry]) -> str:
    """A graph document as the text of a setting. Raises `BridgeError`."""
    return _text(*natives(document, catalogue, WORDS))


def document(setting_text: str) -> Document:
    """The graph document of the macros of ours in a setting; other tools are left out. Raises `BridgeError` where one
    of ours takes from a tool that is not, where a control cannot be read, and where the text is not whole."""
    tools = read(setting_text).table("Tools")
    unused: dict[str, Any] = {}
    for name, tool in tools.tables():
        if tool.table("CustomData").get(GROUPS) is not None:
            unused.update(_record(tool, GROUPS, name))
    return folded(_Reading(tools).natives, unused)


# ---------------------------------------------------------------------------- writing


def _text(found: Sequence[Native], unused: Mapping[str, Any]) -> str:
    writer = _Writer(found)
    tools = writer.level(found, {})
    if unused:
        tools.items.append((CARRIER, made(_ROUTER, NameSet=True, CustomData=made(**{GROUPS: _json(unused)}))))
    first = {"ActiveTool": found[0].name} if found else {}
    return written(made(Tools=tools, **first)) + "\n"


class _Writer:
    def __init__(self, found: Sequence[Native]) -> None:
        self._taken = {CARRIER, *(native.name for native in _everywhere(found))}
        self._outs: dict[tuple[str, str], str] = {}

    def level(self, found: Sequence[Native], inputs: Mapping[str, str]) -> Table:
        """The tools of a setting or of a group, whose own inputs are the routers `inputs`."""
        return Table(ORDERED, [(native.name, self._macro(native, inputs)) for native in found])

    def _macro(self, native: Native, inputs: Mapping[str, str]) -> Table:
        tools = Table(ORDERED)
        routers = {socket: self._name(f"{native.name}_{plain(socket)}") for socket in native.sockets}
        for socket, router in routers.items():
            name, output = native.sources.get(socket, ("", ""))
            source = inputs.get(output) if name == SELF else self._outs.get((name, output))
            tools.items.append((router, _router(source)))
        controls = self._controls(native, tools)
        ends = self._ends(native, routers, tools)
        sockets = [
            (f"MainInput{at}", made("InstanceInput", SourceOp=router, Source="Input", Name=socket))
            for at, (socket, router) in enumerate(routers.items(), 1)
        ]
        inside = {"UserControls": Table(ORDERED, _declared(native))} if native.controls else {}
        return made(
            _MACRO if native.inside is None else "GroupOperator",
            NameSet=True,
            CustomData=made(**{RECORD: _json(native.record)}),
            Inputs=Table(ORDERED, [*sockets, *controls, *_comments(native)]),
            Outputs=Table(ORDERED, [(f"MainOutput{at}", end) for at, end in enumerate(ends, 1)]),
            ViewInfo=made("GroupInfo", Pos=made("", *native.place)),
            Tools=tools,
            **inside,
        )

    def _controls(self, native: Native, tools: Table) -> list[tuple[str, Table]]:
        found = []
        for control in native.controls:
            handle, shown = native.handle(control.name), native.shown[control.name]
            if isinstance(shown, tuple):
                spline = self._name(f"{native.name}_{handle}")
                tools.items.append((spline, splines.written(shown)))
                found.append((handle, made("Input", SourceOp=spline, Source="Value")))
            else:
                found.append((handle, made("Input", Value=_value(control, shown))))
        return found

    def _ends(self, native: Native, routers: Mapping[str, str], tools: Table) -> list[Table]:
        """The routers that are the node's outputs. A group's own tools come before them."""
        inner = self.level(native.inside, routers).items if native.inside is not None else []
        tools.items.extend(inner)
        ends = []
        for index, output in enumerate(native.outputs):
            router = self._name(f"{native.name}_{plain(output)}")
            end = native.ends.get(output)
            shown = routers.get(native.passes or "") if index == 0 and native.inside is None else None
            tools.items.append((router, _router(self._outs.get(end) if end is not None else shown)))
            self._outs[native.name, output] = router
            ends.append(made("InstanceOutput", SourceOp=router, Source="Output", Name=output))
        return ends

    def _name(self, wanted: str) -> str:
        name = free(wanted, self._taken)
        self._taken.add(name)
        return name


def _everywhere(found: Iterable[Native]) -> Iterable[Native]:
    for native in found:
        yield native
        yield from _everywhere(native.inside or ())


def _router(source: str | None) -> Table:
    if source is None:
        return made(_ROUTER, NameSet=True)
    return made(_ROUTER, NameSet=True, Inputs=made(Input=made("Input", SourceOp=source, Source="Output")))


def _comments(native: Native) -> list[tuple[str, Table]]:
    return [(COMMENTS, made("Input", Value=native.label))] if native.label else []


def _declared(native: Native) -> list[tuple[str, Table]]:
    return [(native.handle(control.name), _declaration(control)) for control in native.controls]


def _declaration(control: Control) -> Table:
    named: dict[str, Any] = {"LINKS_Name": control.label, "ICS_ControlPage": PAGE}
    listed = []
    if control.kind in (NUMBER, MOTION, WHOLE):
        named.update(LINKID_DataType="Number", INPID_InputControl="SliderControl", INP_Integer=control.kind == WHOLE)
        named.update(_ranges(control))
    elif control.kind == TICK:
        named.update(LINKID_DataType="Number", INPID_InputControl="CheckboxControl", INP_Integer=True)
    elif control.kind == CHOICE:
        named.update(LINKID_DataType="Number", INPID_InputControl="ComboControl", INP_Integer=True)
        listed = [made(CCS_AddString=choice) for choice in control.choices]
    elif control.kind == FILE:
        named.update(LINKID_DataType="Text", INPID_InputControl="FileControl", FC_IsSaver=False)
    else:
        lines = _LONGEST_TEXT if control.kind == LINES else 1
        named.update(LINKID_DataType="Text", INPID_InputControl="TextEditControl", TEC_Lines=lines)
    default = control.default[0].value if isinstance(control.default, tuple) else _value(control, control.default)
    return made("", *listed, **named, INP_Default=default, INPS_ToolTip=control.doc)


def _ranges(control: Control) -> dict[str, float]:
    ranges = {}
    if control.minimum is not None:
        ranges["INP_MinAllowed"] = ranges["INP_MinScale"] = control.minimum
    if control.maximum is not None:
        ranges["INP_MaxAllowed"] = ranges["INP_MaxScale"] = control.maximum
    return ranges


def _value(control: Control, shown: Shown) -> Any:
    if control.kind == TICK:
        return 1 if shown else 0
    return control.choices.index(str(shown)) if control.kind == CHOICE else shown


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)


# ---------------------------------------------------------------------------- reading


class _Reading:
    """Macros of ours with what they take from: wires name routers inside macros, which are looked up here."""

    def __init__(self, tools: Table) -> None:
        self._outs: dict[str, tuple[str, str]] = {}
        self._find_outs(tools)
        self.natives = self._level(tools, {})

    def _find_outs(self, tools: Table) -> None:
        for name, tool in tools.tables():
            if _is_ours(tool):
                outputs = _record(tool, RECORD, name).get("outputs", [])
                for index, (key, end) in enumerate(tool.table("Outputs").tables()):
                    output = end.get("Name") or (outputs[index] if index < len(outputs) else "out")
                    self._outs[str(end.get("SourceOp"))] = (name, output)
                    self._outs[f"{name}.{key}"] = (name, output)
            if tool.kind in _OURS:
                self._find_outs(tool.table("Tools"))

    def _level(self, tools: Table, own: Mapping[str, str]) -> list[Native]:
        """The natives among some tools; `own` are the routers of the group's own inputs, by router."""
        found = []
        for name, tool in tools.tables():
            if _is_ours(tool):
                found.append(self._native(name, tool, own))
            elif tool.kind in _OURS and any(_is_ours(inner) for inner in _inside(tool)):
                raise BridgeError(
                    "read the setting as a graph",
                    f"macros of ArtifexPro are inside the group {name}, which is not of ArtifexPro",
                    f"ungrouping {name}",
                    code="usage",
                )
        return found

    def _native(self, name: str, tool: Table, own: Mapping[str, str]) -> Native:
        record = _record(tool, RECORD, name)
        inputs, inside = tool.table("Inputs"), tool.table("Tools")
        routers = {
            str(told.get("SourceOp")): str(told.get("Name") or key)
            for key, told in inputs.tables()
            if told.kind == "InstanceInput"
        }
        label = inputs.table(COMMENTS).get("Value", "")
        native = Native(name, record, sockets=list(routers.values()), label=str(label), place=_place(tool))
        native.shown = {
            parameter: _shown(inputs.table(told["handle"]), told, inside, name)
            for parameter, told in record.get("controls", {}).items()
        }
        for router, socket in routers.items():
            wire = inside.table(router).table("Inputs").table("Input")
            source = self._source(wire, own, name)
            if source is not None:
                native.sources[socket] = source
        if "group" in record:
            native.inside = self._level(inside, routers)
            for key, end in tool.table("Outputs").tables():
                wire = inside.table(str(end.get("SourceOp"))).table("Inputs").table("Input")
                source = self._source(wire, routers, name)
                if source is not None and source[0] != SELF:
                    native.ends[str(end.get("Name") or key)] = source
        return native

    def _source(self, wire: Table, own: Mapping[str, str], reader: str) -> tuple[str, str] | None:
        named = wire.get("SourceOp")
        if named is None:
            return None
        if named in own:
            return SELF, own[named]
        found = self._outs.get(named) or self._outs.get(f"{named}.{wire.get('Source')}")
        if found is None:
            raise BridgeError(
                f"read the node {reader}",
                f"it is connected to {named}, which is a tool of Fusion's and not in the graph",
                f"rendering {named} to files and reading them with a SequenceInput node",
                code="usage",
                node=reader,
            )
        return found


def _is_ours(tool: Table) -> bool:
    return tool.kind in _OURS and tool.table("CustomData").get(RECORD) is not None


def _inside(tool: Table) -> Iterable[Table]:
    for _, inner in tool.table("Tools").tables():
        yield inner
        yield from _inside(inner)


def _record(tool: Table, title: str, name: str) -> dict[str, Any]:
    try:
        told = json.loads(tool.table("CustomData").get(title))
    except (TypeError, ValueError):
        raise damaged(name, "it is no JSON") from None
    if not isinstance(told, dict):
        raise damaged(name, "it is no table")
    return told


def _place(tool: Table) -> tuple[int, int]:
    at = tool.table("ViewInfo").table("Pos").listed()
    return (round(at[0]), round(at[1])) if len(at) == 2 else (0, 0)


def _shown(told: Table, control: Mapping[str, Any], tools: Table, node: str) -> Shown:
    """What a control says; one that Fusion did not write is at its default."""
    handle, kind = control["handle"], control["kind"]
    if told.get("Expression") is not None:
        raise _unreadable(handle, node, f'it has the expression "{told.get("Expression")}"', "baking it into keys")
    driver = told.get("SourceOp")
    if driver is not None:
        spline = tools.table(driver)
        if spline.kind != splines.KIND:
            raise _unreadable(handle, node, f"{driver} drives it, which is no spline", "keys, or a plain value")
        return splines.read(spline, handle, node)
    value = told.get("Value")
    if value is None:
        return _default(control)
    if kind == TICK:
        return bool(value)
    if kind == CHOICE:
        return _choice(value, control, node)
    if kind in (NUMBER, MOTION, WHOLE):
        return int(value) if kind == WHOLE and value == int(value) else value
    return str(value)


def _choice(value: Any, control: Mapping[str, Any], node: str) -> str:
    choices = control["choices"]
    if isinstance(value, (int, float)) and 0 <= value < len(choices):
        return str(choices[int(value)])
    raise _unreadable(control["handle"], node, f"{value} is none of its choices", "choosing one")


def _default(control: Mapping[str, Any]) -> Shown:
    return remembered_controls({"controls": {"it": control}})[0].default


def _unreadable(control: str, node: str, because: str, remedy: str) -> BridgeError:
    return BridgeError(f"read {control} of {node}", because, remedy, code="usage", node=node)
