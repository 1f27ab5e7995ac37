"""A prompt with its history: what the artist wrote, what a writer made of it, and the difference between the two.

Both texts and the difference go into notes, recipes and reports, so that no word reaches the model unseen.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

# ruff: noqa: RUF001

METHODS = ("none", "rules", "qwen")
LANGUAGES = ("same", "English")
"""What an extension is written in: the language of the prompt, or English."""
LEAST, MOST = 60, 200
"""Words of an extended prompt, as `count` counts them."""

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:['’\-][^\W_{_CJK}]+)*")
_PIECE = re.compile(rf"\s+|[{_CJK}]|[^\W{_CJK}]+(?:['’\-][^\W{_CJK}]+)*|.", re.DOTALL)

_COMPARED = 500_000
"""Pairs of pieces looked at to find what two texts share; with more, one replaces the other as a whole."""

Kind = Literal["kept", "added", "removed"]


@dataclass(frozen=True, slots=True)
class Change:
    """A piece of text that was kept, added or removed."""

    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What an artist wrote, and what `method` ("rules" or "qwen") is asked to make, or made, of it.

    `extended` is empty until that is done. `model` is the language model by name or whole path, empty for rules;
    `release` says which rules, or is a digest of the model's files. The same prompt, method, release, language, seed
    and picture give the same text.
    """

    original: str
    method: str
    model: str = ""
    release: str = ""
    seed: int = 0
    language: str = "same"
    extended: str = ""

    @property
    def text(self) -> str:
        """What the text encoder reads: the extended prompt, or the original where nothing was made yet."""
        return self.extended or self.original

    @property
    def difference(self) -> tuple[Change, ...]:
        return difference(self.original, self.text)

    def as_json(self) -> dict[str, Any]:
        """Plain data, the difference included."""
        return {**asdict(self), "difference": [[each.kind, each.text] for each in self.difference]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Prompt:
        """A prompt from `as_json` or from its fields alone. Raises TypeError for anything else."""
        return cls(**{name: value for name, value in data.items() if name != "difference"})

    def told(self) -> tuple[str, ...]:
        """Sentences for the artist: by whom, both texts, and every piece added or removed."""
        by = self.release if self.method == "rules" else f"{self.model} ({self.release})"
        said = [
            f"The prompt was extended by {by} (seed {self.seed}).",
            f"Original: {self.original}",
            f"Extended: {self.text}",
        ]
        for kind, which in (("added", "Added"), ("removed", "Removed")):
            pieces = [each.text.strip() for each in self.difference if each.kind == kind and each.text.strip()]
            if pieces:
                said.append(f"{which}: {' … '.join(pieces)}")
        return tuple(said)


def difference(before: str, after: str) -> tuple[Change, ...]:
    """What was kept, removed and added on the way from one text to another, word by word (Han and kana character by
    character). The kept and removed pieces joined are `before`, the kept and added ones are `after`. Of texts of
    thousands of words that have no beginning in common all is removed and added."""
    if after.startswith(before):
        grown = Change("kept", before), Change("added", after[len(before) :])
        return tuple(each for each in grown if each.text)
    old, new = _PIECE.findall(before), _PIECE.findall(after)
    if len(old) * len(new) > _COMPARED:
        return Change("removed", before), Change("added", after)
    changes: list[Change] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            changes.append(Change("kept", "".join(old[a:b])))
            continue
        if b > a:
            changes.append(Change("removed", "".join(old[a:b])))
        if d > c:
            changes.append(Change("added", "".join(new[c:d])))
    return tuple(changes)


def words(text: str) -> list[str]:
    """The words of a text; each Han or kana character is one, as word processors count them."""
    return _WORD.findall(unicodedata.normalize("NFC", text))


def count(text: str) -> int:
    """Number of words, where each Han or kana character is one."""
    return len(words(text))
