"""The nodes. A built-in one is found by being declared in a module of this package, one of another package by an entry
point."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib import import_module

from artifexpro.core.graph.node import Node
from artifexpro.core.graph.registry import Registry
from artifexpro.core.nodes.packages import add_installed


@cache
def library() -> Registry:
    """All built-in nodes and those of installed packages. Loads no pixel library: declarations only."""
    registry = built_in()
    add_installed(registry)
    return registry


def built_in() -> Registry:
    """The nodes of this package."""
    return Registry(_declared())


def _declared() -> Iterator[type[Node]]:
    for entry in sorted(pkgutil.iter_modules(__path__), key=lambda entry: entry.name):
        module = import_module(f"{__name__}.{entry.name}")
        for name, found in vars(module).items():
            is_here = inspect.isclass(found) and issubclass(found, Node) and found.__module__ == module.__name__
            if is_here and not name.startswith("_"):
                yield found
