"""The names that Nuke's Python has, read from types-nuke: what is not among them is refused.

Its signatures are often `*args, **kwargs`: where they say more, the number of arguments is held too.
"""

import ast
import os
import sys
from pathlib import Path

NOT_IN_TYPES = frozenset()
"""What Nuke has from 14 on and types-nuke, made for 13.2, has not."""


def folder():
    """Where types-nuke lies: named by the environment, since the Python of a host does not have it installed."""
    stated = os.environ.get("STANDIN_TYPES_NUKE")
    places = [Path(stated)] if stated else [Path(entry) / "nuke-stubs" for entry in sys.path if entry]
    found = next((place for place in places if (place / "_nuke.pyi").is_file()), None)
    if found is None:
        raise ImportError(
            "types-nuke is not here: the stand-in does not know what Nuke has. Install types-nuke 13.2.8.0."
        )
    return found


class Spec:
    """Module names, and methods by class with those of the classes they come from."""

    def __init__(self, where=None):
        self.functions, self.values, self.classes, self._bases = {}, set(), {}, {}
        for path in sorted((where or folder()).glob("*.pyi")):
            if path.stem in ("_curveknob", "_curvelib", "_geo", "_splinewarp", "curveknob", "curvelib", "geo"):
                continue
            self._read(ast.parse(path.read_text(encoding="utf-8")).body)

    def _read(self, body):
        for item in body:
            if isinstance(item, ast.FunctionDef):
                self.functions.setdefault(item.name, []).append(item)
            elif isinstance(item, ast.ClassDef):
                methods = self.classes.setdefault(item.name, {})
                self._bases[item.name] = [base.id for base in item.bases if isinstance(base, ast.Name)]
                for each in item.body:
                    if isinstance(each, ast.FunctionDef):
                        methods.setdefault(each.name, []).append(each)
            elif isinstance(item, ast.AnnAssign):
                self.values.add(item.target.id)
            elif isinstance(item, ast.If):
                self._read(item.body)

    @property
    def names(self):
        return {*self.functions, *self.values, *self.classes, *NOT_IN_TYPES}

    def methods(self, name):
        """Each method of a class and of its bases, with its declarations."""
        found = {}
        for base in self._bases.get(name, ()):
            found.update(self.methods(base))
        return {**found, **self.classes.get(name, {})}


def takes(declarations, positional, method=False):
    """Whether a call with so many positional arguments fits one of the declarations."""
    for item in declarations:
        arguments = item.args
        if arguments.vararg is not None:
            return True
        most = len(arguments.args) - bool(method)
        least = most - len(arguments.defaults)
        if least <= positional <= most:
            return True
    return False


_LOADED = []


def spec():
    if not _LOADED:
        _LOADED.append(Spec())
    return _LOADED[0]
