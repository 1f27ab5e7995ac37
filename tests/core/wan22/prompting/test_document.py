"""The examples in docs/prompts.md are what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from artifexpro.core.wan22.prompting import styles, writers
from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT
from artifexpro.core.wan22.prompting.negative import analysed
from artifexpro.core.wan22.prompting.phrases import PHRASES
from artifexpro.core.wan22.prompting.prompt import Prompt
from artifexpro.core.wan22.prompting.rules import RELEASE, extend


def document(tree: Path) -> str:
    return (tree / "docs" / "prompts.md").read_text(encoding="utf-8")


def rows(tree: Path, name: str) -> list[list[str]]:
    found = re.search(rf"<!-- example: {name} -->\n(.*?)<!-- end -->", document(tree), re.DOTALL)
    assert found is not None
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in found[1].splitlines()[2:]]


def test_extension_by_rules(tree: Path) -> None:
    for prompt, added in rows(tree, "rules"):
        made = extend(Prompt(prompt, "rules", "", RELEASE)).prompt
        assert made.extended.startswith(f"{prompt}. {added}")


def test_looks(tree: Path) -> None:
    for style, strength, added in rows(tree, "style"):
        assert styles.words(style, float(strength)) == added


def test_conflicts(tree: Path) -> None:
    for prompt, negative, terms in rows(tree, "conflicts"):
        found = analysed(prompt, DEFAULT_NEGATIVE_PROMPT if negative == "the reference's" else negative)
        assert ", ".join(each.term for each in found.conflicts) == terms.replace("nothing", "")


def test_what_is_counted_and_listed(tree: Path) -> None:
    text = document(tree)
    assert f"a table of {len(PHRASES)} in English" in text
    for name, known in writers.KNOWN.items():
        default = " (the default)" if name == writers.DEFAULT else ""
        assert f"| {name}{default} | {known.repository} | {'yes' if known.sees else 'no'} |" in text
