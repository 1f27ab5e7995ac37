"""Nodes that other installed packages bring, by the entry point "artifexpro.nodes".

An entry point names a module; every node class that is declared in it is offered, called by the entry point's name, a
dot and its own. What fails while it is loaded is told and leaves all other nodes as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from artifexpro.core.graph.node import Node
from artifexpro.core.graph.registry import Registry

GROUP = "artifexpro.nodes"
log = logging.getLogger(__name__)


def add_installed(registry: Registry, found: Iterable[EntryPoint] | None = None) -> None:
    """Add the nodes of all installed packages; `registry.missing` tells of those that cannot be used."""
    for entry in sorted(entry_points(group=GROUP) if found is None else found, key=lambda entry: entry.name):
        try:
            _add(registry, entry)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            said = " ".join(str(error).split()) or type(error).__name__
            registry.missing[entry.name] = f'the package "{entry.name}" could not be loaded ({said})'
            log.warning("nodes of %s (%s) are not offered: %s", entry.name, entry.value, said)


def _add(registry: Registry, entry: EntryPoint) -> None:
    if not entry.name.isidentifier():
        raise ValueError(f"{entry.name} is no name for a package of nodes: letters, digits and underscores")
    module = entry.load()
    if not isinstance(module, ModuleType):
        raise TypeError(f"its entry point {entry.value} is no module")
    nodes = [each for each in vars(module).values() if _is_node(each, module)]
    if not nodes:
        raise ValueError(f"{entry.value} declares no nodes")
    for node in nodes:
        node.package = entry.name
    for node in Registry(nodes):
        registry.add(node)


def _is_node(found: object, module: ModuleType) -> bool:
    return (
        isinstance(found, type)
        and issubclass(found, Node)
        and found.__module__ == module.__name__
        and not found.__name__.startswith("_")
    )
