"""Reading JSON that may be damaged, hostile or huge: whole and exact, or refused with a sentence, in bounded memory.

What passes can always be saved again: no number that JSON cannot hold, no half of a surrogate pair, no name twice in
one table, no nesting that a later reader chokes on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from itertools import islice
from typing import Any

from artifexpro.core.graph.errors import DocumentError

LARGEST_TEXT = 64 * 2**20
"""Bytes of a document's text. Parsed, JSON takes up to 25 times its text in memory."""
DEEPEST = 100
"""Tables and lists inside one another."""
LARGEST_NUMBER = sys.float_info.max
"""Numbers beyond it are whole to Python and infinite to everybody else."""
MOST_LISTED = 20
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


class Odd(ValueError):
    """A sentence about a value that JSON holds badly or not at all."""


def read(text: str | bytes, thing: str) -> Any:
    """The data of a JSON text, values unchecked: see `check`. Raises `DocumentError` about opening `thing`."""
    if len(text) > LARGEST_TEXT:
        raise DocumentError(
            f"open the {thing}",
            f"its text has {len(text):,} bytes and {LARGEST_TEXT:,} is the most",
            "parts of it that repeat as a group, or two graphs",
        )
    try:
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text))
        return json.loads(text, object_pairs_hook=_without_doubles, parse_float=_finite, parse_constant=_constant)
    except RecursionError:
        raise unreadable(thing, "its tables and lists lie too deep inside one another") from None
    except UnicodeDecodeError as error:
        raise unreadable(thing, f"it is not text from byte {error.start} on") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise unreadable(thing, f"it is not whole JSON ({where}: {error.msg[0].lower()}{error.msg[1:]})") from None
    except Odd as error:
        raise unreadable(thing, str(error)) from None
    except ValueError:
        raise unreadable(thing, "it is not whole JSON (a number in it has thousands of digits)") from None


def check(value: Any, room: int = DEEPEST, *, finite: bool = True) -> None:
    """Raise `Odd` unless `value` is plain data of at most `room` levels that JSON holds exactly.

    Unless `finite`, infinity and NaN pass, which no text has, but data from a program may: they are no reason to refuse
    more than the parameter that has them.
    """
    if isinstance(value, (dict, list, tuple)):
        if not room:
            raise Odd(f"tables and lists lie more than {DEEPEST} deep inside one another")
        if isinstance(value, dict):
            for name in value:
                if not isinstance(name, str):
                    raise Odd("a name in a table is not text")
                if not name.isascii():
                    check_text(name)
            value = value.values()
        for inner in value:
            kind = type(inner)
            if kind is str:
                if not inner.isascii():
                    check_text(inner)
            elif kind is float:
                if finite:
                    check_number(inner)
            elif kind is int:
                check_number(inner)
            elif kind is not bool:
                check(inner, room - 1, finite=finite)
    elif isinstance(value, str):
        check_text(value)
    elif isinstance(value, int) or (finite and isinstance(value, float)):
        check_number(value)
    elif value is not None and not isinstance(value, float):
        raise Odd("a value is none of a number, text, yes or no, nothing, a list or a table")


def check_number(number: float) -> None:
    """Raise `Odd` for a number that is not finite to every reader of JSON."""
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise Odd(
            f"{number} is not a number that can be saved" if isinstance(number, float) else "a number is too large"
        )


def check_text(text: str) -> None:
    """Raise `Odd` for text that cannot be written to a file."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Odd(f"{text[:80]!a} has half of a character") from None


def unreadable(thing: str, because: str) -> DocumentError:
    return DocumentError(f"open the {thing}", because, f"a {thing} saved by ArtifexPro, or an earlier copy of this one")


def _finite(text: str) -> float:
    number = float(text)
    if not -LARGEST_NUMBER <= number <= LARGEST_NUMBER:
        raise Odd("a number is too large")
    return number


def _constant(name: str) -> float:
    raise Odd(f"{name} is not a number in JSON")


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Odd(f'"{quoted(name)}" stands twice in one table')
            seen.add(name)
    return table


def quoted(name: str) -> str:
    """`name` for a sentence: short, and with nothing in it that cannot be printed."""
    shown = name if len(name) <= 80 else f"{name[:77]}..."
    return shown.encode("utf-8", "backslashreplace").decode()


def written(value: Any, levels: int, indent: int = 1) -> str:
    """The JSON of data that passed `check`: the entries of tables down to `levels` have a line each."""
    if not levels or not isinstance(value, dict) or not value:
        return _ENCODER.encode(value)
    rows = [
        f"{' ' * indent}{_ENCODER.encode(name)}: {written(row, levels - 1, indent + 1)}" for name, row in value.items()
    ]
    return "{\n" + ",\n".join(rows) + f"\n{' ' * (indent - 1)}}}"


def listed(names: Iterable[str], nothing: str) -> str:
    """`names` for "one of ...": not more than a few, or `nothing`."""
    first = [quoted(name) for name in islice(names, MOST_LISTED + 1)]
    return ", ".join([*first[:MOST_LISTED], "..."] if len(first) > MOST_LISTED else first) or nothing
