"""What no file of the repository may contain, and where the documents point."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TEXT = {".py", ".md", ".toml", ".lock", ".json", ".yml", ".cfg", ".lua", ".glsl", ".txt", ""}
ELSEWHERE = {"build", "dist", "artifexpro-demo", "typings"}
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/\w|[A-Z]:\\\\?Users\\")


def texts(tree: Path) -> list[Path]:
    """Every text file of the repository; what tools and runs leave in the tree is not of it."""
    left = re.compile(r".*(?:pycache__|_cache|\.egg-info)$")
    tops = [top for top in tree.iterdir() if top.name == ".ci" or not (top.name in ELSEWHERE or top.name[0] == ".")]
    paths = [path for top in tops for path in ([top] if top.is_file() else top.rglob("*"))]
    ours = [path for path in paths if not any(left.match(part) for part in path.relative_to(tree).parts)]
    return [path for path in ours if path.is_file() and path.suffix in TEXT]


def test_no_file_speaks_of_one_machine(tree):
    assert MACHINE_PATHS.search("see /" + "home/ann/shots")
    said = [
        f"{path.relative_to(tree)}:{number}: {line.strip()[:100]}"
        for path in texts(tree)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if MACHINE_PATHS.search(line)
    ]
    assert said == []


def test_modules_are_of_one_idea(modules, tree):
    lengths = {
        str(module.path): len((tree / module.path).read_text(encoding="utf-8").splitlines()) for module in modules
    }
    assert {path: length for path, length in lengths.items() if length > 500} == {}


def test_modules_say_why_they_exist(modules, tree):
    silent = [
        str(module.path)
        for module in modules
        if (text := (tree / module.path).read_text(encoding="utf-8")) and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_links_between_documents_lead_somewhere(tree):
    documents = [*tree.glob("*.md"), *(tree / "docs").rglob("*.md")]
    dead = [
        f"{document.relative_to(tree)} -> {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert dead == []


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_the_house_has_its_papers(name, tree):
    assert len((tree / name).read_text(encoding="utf-8")) > 300


def test_the_licence_is_whole(tree):
    text = (tree / "LICENSE").read_text(encoding="utf-8")
    assert "Version 2.0, January 2004" in text
    assert all(f"   {section}. " in text for section in range(1, 10))
    assert "END OF TERMS AND CONDITIONS" in text
