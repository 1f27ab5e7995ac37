"""Negative prompts: a base, what else is to be avoided, and where they forbid what the prompt asks for.

A conflict is found by concepts, over six languages (an "oil painting" and the reference's "画作"), and by the words
themselves. It is always told; terms are taken out only where that was asked for, and the ones that went are named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from artifexpro.core.wan22.prompting.concepts import RELATED
from artifexpro.core.wan22.prompting.prompt import words
from artifexpro.core.wan22.prompting.reading import Reading, denied, folded, read

# ruff: noqa: RUF001

RESOLUTIONS = ("tell", "resolve")
_TERM = re.compile(r"[^,;，、；。\n]+")
_HAN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_COMMON_WORDS = (
    "a an and at bad be by das de del den der des die do du eine el en es et for from i ich il im in is it ist la le "
    "les los low many mit more mucha muy no not of on or over poor sehr so the to too trop un una und une very viel "
    "with y zu"
)
_COMMON = frozenset(_COMMON_WORDS.split())
"""Words that say nothing by themselves."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """`asked` are the prompt's own words, `term` is the part of the negative prompt that works against them."""

    asked: str
    term: str


@dataclass(frozen=True, slots=True)
class Negative:
    """A negative prompt as it is used, its conflicts with the prompt, and the terms taken out because of them."""

    text: str
    conflicts: tuple[Conflict, ...] = ()
    removed: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        asked = dict.fromkeys(each.asked for each in self.conflicts)
        said = [
            f'The prompt asks for "{words}", which the negative prompt forbids: '
            f"{', '.join(each.term for each in self.conflicts if each.asked == words)}."
            for words in asked
        ]
        if self.removed:
            said.append(f"Taken out of the negative prompt, as asked: {', '.join(self.removed)}.")
        return tuple(said)


def together(base: str, avoid: str) -> str:
    """The base and what else is to be avoided, as one list."""
    if not base.strip() or not avoid.strip():
        return base if base.strip() else avoid.strip()
    comma = "，" if _HAN.search(base) else ", "
    return f"{base.rstrip(' ,，;、')}{comma}{avoid.strip()}"


def analysed(prompt: str, negative: str, *, resolve: bool = False) -> Negative:
    """`negative` beside `prompt`: its conflicts and, with `resolve`, without the terms that are in conflict."""
    said, plain = read(prompt), folded(prompt)
    found = [(term, asked) for term in terms(negative) if (asked := _against(term, said, plain))]
    conflicts = tuple(Conflict(asked, term) for term, asked in found)
    if not resolve or not found:
        return Negative(negative, conflicts)
    removed = tuple(term for term, _ in found)
    return Negative(_without(negative, removed), conflicts, removed)


def terms(negative: str) -> tuple[str, ...]:
    """The parts of a negative prompt between commas."""
    return tuple(dict.fromkeys(term for piece in _TERM.findall(negative) if (term := piece.strip())))


def _against(term: str, said: Reading, plain: str) -> str:
    """The prompt's words that a term forbids; empty where it forbids none. A term of several concepts ("hands that
    shake fast") forbids them together only."""
    forbidden = {each.concept for each in read(term).mentions if not each.denied} - _GENERAL
    against = {each: {each} | {asked for asked, against in RELATED if against == each} for each in forbidden}
    if forbidden and all(said.concepts & asked for asked in against.values()):
        wanted = frozenset().union(*against.values())
        return next(each.words for each in said.mentions if not each.denied and each.concept in wanted)
    return _shared(folded(term), plain, said)


_GENERAL = frozenset({"camera", "lens", "light", "colour", "pace", "texture", "weather", "other framing"})
"""Concepts that gather many things: one of them forbidden is not another one asked for."""


def _shared(term: str, plain: str, said: Reading) -> str:
    """A term that stands in the prompt itself, word for word, and is not denied there."""
    telling = [word for word in words(term) if word not in _COMMON]
    if not telling or (_HAN.search(term) and len(telling) < 2):
        return ""
    if any(each.denied and each.words in term for each in said.mentions):
        return ""
    pattern = re.escape(term) if _HAN.search(term) else rf"(?<!\w){re.escape(term)}(?!\w)"
    found = re.search(pattern, plain)
    return found[0] if found and not denied(plain, found.start(), found.end()) else ""


def _without(negative: str, removed: tuple[str, ...]) -> str:
    """The list without some terms; everything else stays as it was written, its commas too."""
    kept, pieces = [], re.split(r"([,;，、；。\n])", negative)
    for at in range(0, len(pieces), 2):
        if pieces[at].strip() not in removed:
            kept.append(pieces[at] + (pieces[at + 1] if at + 1 < len(pieces) else ""))
    return "".join(kept).strip().rstrip(",;，、；")
