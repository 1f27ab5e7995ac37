"""The tree's own files, and its modules as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOTS = ("core", "daemon", "hosts", "installers", "benchmarks")
MADE_BY_TOOLS = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the root, its name once installed, what it imports by absolute name."""

    path: Path
    name: str
    imports: frozenset[str]


def files(root: Path) -> list[Path]:
    """Every file of the top folder `root` that belongs to the project."""
    return [path for path in sorted(root.rglob("*")) if path.is_file() and not MADE_BY_TOOLS & set(path.parts)]


def imported(path: Path, name: str) -> frozenset[str]:
    """Absolute names of all that `path` imports, relative imports included, at any depth of the code.

    What stands under `if TYPE_CHECKING:` never runs and is left out.
    """
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return frozenset(_names(ast.parse(path.read_text(encoding="utf-8")), package))


def _names(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
        for other in node.orelse:
            yield from _names(other, package)
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module") and node.args:
        name = node.args[0]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield name.value
    for child in ast.iter_child_nodes(node):
        yield from _names(child, package)


@pytest.fixture(scope="session")
def modules(tree: Path) -> list[Module]:
    """Every module of the project."""
    found = []
    for root in ROOTS:
        for path in files(tree / root):
            if path.suffix == ".py":
                parts = path.relative_to(tree).with_suffix("").parts
                name = ".".join(("artifexpro", *(part for part in parts if part != "__init__")))
                found.append(Module(path.relative_to(tree), name, imported(path, name)))
    return found
