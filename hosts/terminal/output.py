"""What is printed where: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any


class Failed(Exception):
    """Ends the command with status 1; the words are a sentence for standard error."""


class WrongUse(Exception):
    """Ends the command with status 2: the arguments make no sense."""


def refuse(attempted: str, because: str, remedy: str) -> Failed:
    """A refusal in the three parts that every one has."""
    return Failed(f"Attempted to {attempted}. Failed because {because}. Try {remedy}.")


def complain(sentence: str) -> None:
    """One line on standard error."""
    print(" ".join(sentence.split()), file=sys.stderr)


def remark(sentence: str) -> None:
    """A line beside the results, which scripts do not read."""
    print(sentence, file=sys.stderr)


def document(data: Any) -> None:
    """The one JSON document of `--json`."""
    print(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def lines(said: Iterable[str]) -> None:
    for line in said:
        print(line)


def table(rows: Iterable[Sequence[object]], heads: Sequence[str]) -> None:
    """Columns as wide as their widest word, the last one as long as it is."""
    cells = [[str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def seconds(amount: float) -> str:
    """A length of time as people say it."""
    if amount < 120:
        return f"{amount:.1f} s"
    if amount < 7200:
        return f"{amount / 60:.0f} min"
    return f"{amount / 3600:.1f} h"
