"""Commands that the documents tell people to type exist."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

import torch

from artifexpro.core.graph import kinds, node, values
from artifexpro.core.graph.registry import Registry

PROGRAM = [sys.executable, "-c", "from artifexpro.hosts.terminal.main import main; main()"]
TYPED = re.compile(r"artifexpro ((?:[a-z0-9]+(?: |`|$))+)([^`\n#]*)", re.MULTILINE)


@cache
def help_of(*command: str) -> str | None:
    """What `--help` says, or None if there is no such command."""
    done = subprocess.run([*PROGRAM, *command, "--help"], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else None


def typed(tree) -> dict[tuple[str, ...], set[str]]:
    """Commands in the documents, each with the options it is given there."""
    found: dict[tuple[str, ...], set[str]] = {}
    for document in (tree / "README.md", *(tree / "docs").glob("*.md")):
        for words, rest in TYPED.findall(document.read_text(encoding="utf-8")):
            first, *more = words.strip(" `").split()
            group = "\nCommands:" in (help_of(first) or "")
            command = (first, more[0]) if group and more else (first,)
            found.setdefault(command, set()).update(re.findall(r"--[a-z-]+", rest))
    return found


def test_documented_commands_and_options_exist(tree):
    commands = typed(tree)
    assert {("demo",), ("doctor",), ("models", "get"), ("host", "install")} <= set(commands)
    for command, options in commands.items():
        said = help_of(*command)
        assert said is not None, f"artifexpro {' '.join(command)}"
        assert [option for option in options if option not in said] == [], f"artifexpro {' '.join(command)}"


def test_the_node_shown_to_contributors_works(tree):
    """The example is a node: it compiles, passes the registry's rules, and inverts."""
    source = re.search(r"```python\n(.*?)```", (tree / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert source is not None
    names = {**vars(kinds), **vars(node), **vars(values), "torch": torch}
    exec(source[1], names)
    invert = names["Invert"]
    Registry([invert])
    half_covered = torch.tensor([0.1, 0.2, 0.3, 0.5]).reshape(1, 4, 1, 1)
    out = invert(amount=1.0).render(values.FrameRequest(1001), image=values.ImageBuffer(half_covered))
    assert torch.allclose(out.pixels.flatten(), torch.tensor([0.4, 0.3, 0.2, 0.5]))
