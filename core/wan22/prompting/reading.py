"""What a prompt says about how it is filmed: concepts found in any of six languages, and what it denies."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from artifexpro.core.wan22.prompting.concepts import CONCEPTS, EXCLUSIVE

# ruff: noqa: RUF001

_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")
_NO = re.compile(
    r"(?:(?<!\w)(?:no|not|never|without|n['’]t|avoid|kein\w*|nicht|ohne|nie|sans|pas|aucune?|jamais|sin|ning[uú]n\w*|nunca)"
    r"(?:\s+[\w'’-]+){0,2}\s+|(?:没有|沒有|不要|不是|无|無|不|没|非|避免)[^，。、,.]{0,2})$"
)
"""A denial that reaches to the end of the text: in Latin scripts with up to two words between."""
_NOT_AFTER = re.compile(r"^[^、。，,.]{0,4}?(?:なし|無し|ない|なく|せず|ません)")
_BEFORE = 40


@dataclass(frozen=True, slots=True)
class Mention:
    """A concept, the words that say it, where they begin, and whether they are denied ("no rain")."""

    concept: str
    topic: str
    words: str
    at: int
    denied: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a text says."""

    mentions: tuple[Mention, ...]

    @property
    def topics(self) -> frozenset[str]:
        """Matters the text speaks of, denials included."""
        return frozenset(each.topic for each in self.mentions)

    @property
    def concepts(self) -> frozenset[str]:
        """What the text wants to be seen."""
        return frozenset(each.concept for each in self.mentions if not each.denied)

    def words(self, concept: str) -> str:
        """The text's own words for a concept that it wants."""
        return next(each.words for each in self.mentions if each.concept == concept and not each.denied)

    @property
    def contradictions(self) -> tuple[tuple[str, str], ...]:
        """Pairs of the text's own words that one clip cannot follow both."""
        wanted = self.concepts
        pairs = [(one, other) for one, other in EXCLUSIVE if one in wanted and other in wanted]
        return tuple((self.words(one), self.words(other)) for one, other in pairs)


def folded(text: str) -> str:
    """A text as words are looked up in it."""
    return unicodedata.normalize("NFKC", text).casefold()


def read(text: str) -> Reading:
    """What `text` says. A word belongs to the longest words around it only: "black and white film" is not "white"."""
    plain = folded(text)
    found = [
        (match.start(), match.end(), concept.name, concept.topic)
        for concept, pattern in zip(CONCEPTS, _patterns(), strict=True)
        for match in pattern.finditer(plain)
    ]
    found.sort(key=lambda each: (each[0] - each[1], each[0]))
    mentions: list[Mention] = []
    covered: list[tuple[int, int] | None] = [None] * len(plain)
    for start, end, name, topic in found:
        around = covered[start]
        if around is not None and around == covered[end - 1] and around != (start, end):
            continue
        covered[start:end] = [each or (start, end) for each in covered[start:end]]
        mentions.append(Mention(name, topic, plain[start:end], start, denied(plain, start, end)))
    return Reading(tuple(sorted(mentions, key=lambda each: each.at)))


def denied(text: str, start: int, end: int) -> bool:
    """Whether what stands from `start` to `end` of a folded text is denied there."""
    if _NO.search(text[max(0, start - _BEFORE) : start]):
        return True
    return bool(_ASIAN.search(text[start:end]) and _NOT_AFTER.match(text[end : end + 12]))


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """For each concept a pattern of all its words, the longest first."""
    patterns = []
    for concept in CONCEPTS:
        words = sorted({folded(word) for word in concept.words}, key=len, reverse=True)
        asian = [re.escape(word) for word in words if _ASIAN.search(word)]
        latin = [
            re.escape(word[:-1]) + r"\w*" if word.endswith("*") else re.escape(word)
            for word in words
            if not _ASIAN.search(word)
        ]
        ways = ([rf"(?<![a-zà-ÿ0-9])(?:{'|'.join(latin)})(?![a-zà-ÿ0-9])"] if latin else []) + asian
        patterns.append(re.compile("|".join(ways)))
    return tuple(patterns)
