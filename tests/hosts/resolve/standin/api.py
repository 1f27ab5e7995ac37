"""What Resolve's scripting has: classes, methods and how many values each takes, read from fusionscript-stubs by AST.

The stubs are read as text: they do not type check, and nothing in them runs.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

ANY = 1_000
"""As many values as somebody likes to give."""
LATER = """
class Resolve:
    def GetLayoutPresetList(self): ...
    def GetBurnInPresetList(self): ...
    def DeleteBurnInPreset(self, presetName): ...
    def GetUserPreferencesPresetList(self): ...
    def SaveUserPreferencesPreset(self, presetName): ...
    def LoadUserPreferencesPreset(self, presetName): ...
    def DeleteUserPreferencesPreset(self, presetName): ...
    def ImportUserPreferencesPreset(self, presetPath, presetName: Optional[str]): ...
    def ExportUserPreferencesPreset(self, presetName, presetPath): ...
class ProjectManager:
    def GetProjectAttributesInCurrentFolder(self): ...
class Timeline:
    def GetSelectedClips(self): ...
class MediaPoolItem:
    def GetTimeline(self): ...
"""
"""The twelve methods that the vendor's text of 24 July 2026 has and the stubs have not."""
MAY_BE_LEFT_OUT = frozenset({"subframe_precision", "subTrackType", "exportSubtype", "Bool"})
"""Values that the stubs ask for and the vendor's text calls optional, or did not have before release 20."""
MUST_BE_GIVEN = frozenset(
    {"SetTrackEnable", "SetTrackLock", "SetClipsLinked", "SetClipEnabled", "GetTrackSubType", "SetClipProperty"}
)
"""Methods whose values, named like one of those above, are not optional."""


@dataclass(frozen=True)
class Arity:
    """How many values one way of calling a method takes."""

    least: int
    most: int

    def takes(self, count: int) -> bool:
        return self.least <= count <= self.most


Spec = dict[str, dict[str, tuple[Arity, ...]]]


@cache
def stubs() -> ast.Module:
    """The stubs' syntax tree."""
    package = metadata.distribution("fusionscript-stubs")
    path = Path(str(package.locate_file("fusionscript-stubs/fusionscript.pyi")))
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def api() -> Spec:
    """Every class, every method of it, and each way of calling that method."""
    found: Spec = {}
    for tree in (stubs(), ast.parse(LATER)):
        for name, methods in _classes(tree).items():
            found.setdefault(name, {}).update(methods)
    return found


@cache
def fields(table: str) -> frozenset[str]:
    """The keys of one of the tables that methods take, such as RenderSettings."""
    for node in stubs().body:
        if isinstance(node, ast.ClassDef) and node.name == table:
            lines = [line for line in node.body if isinstance(line, ast.AnnAssign)]
            return frozenset(line.target.id for line in lines if isinstance(line.target, ast.Name))
    raise LookupError(table)


@cache
def choices(name: str) -> frozenset[str]:
    """The words that a value may have: pages, kinds of track, colours of markers."""
    for node in stubs().body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            if isinstance(node.value, ast.Name):
                return choices(node.value.id)
            return frozenset(str(leaf.value) for leaf in ast.walk(node.value) if isinstance(leaf, ast.Constant))
    raise LookupError(name)


def _classes(tree: ast.Module) -> Spec:
    found: Spec = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.bases and node.name != "ValueRange":
            methods: dict[str, tuple[Arity, ...]] = {}
            for each in node.body:
                if isinstance(each, ast.FunctionDef):
                    methods[each.name] = (*methods.get(each.name, ()), _arity(each))
            found[node.name] = methods
    return found


def _arity(function: ast.FunctionDef) -> Arity:
    given = function.args.args[1:]
    with_default = len(function.args.defaults)
    asked = given[: len(given) - with_default] if with_default else given
    loose = frozenset() if function.name in MUST_BE_GIVEN else MAY_BE_LEFT_OUT
    needed = [each for each in asked if not _optional(each) and each.arg not in loose]
    return Arity(len(needed), ANY if function.args.vararg else len(given))


def _optional(argument: ast.arg) -> bool:
    return argument.annotation is not None and ast.unparse(argument.annotation).startswith("Optional[")
