"""Extension without a language model: the artist's words, untouched, and sentences on how they are filmed.

Deterministic and closed: every sentence comes from `phrases`, and one is taken only where the prompt leaves its matter
open or asks for what it rests on. So nothing is added that is to be seen, and nothing that the prompt speaks against.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from artifexpro.core.wan22.prompting.languages import NAMES, language
from artifexpro.core.wan22.prompting.phrases import ASPECTS, PHRASES, Phrase
from artifexpro.core.wan22.prompting.prompt import LEAST, MOST, Prompt, count
from artifexpro.core.wan22.prompting.reading import Reading, read

RELEASE = "rules 1"
"""Part of a clip's key: other sentences or words make it another one."""
OPEN: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "t2v": ASPECTS,
        "ti2v": ASPECTS,
        "i2v": ("camera", "motion"),
        "s2v": ("motion",),
        "style": (),
        "edit": (),
    }
)
"""What is not decided yet by a picture or a clip that the task begins from. In other matters only what holds for every
clip is said."""
_ASIAN = ("zh", "ja")
_ENDS = ".!?…。！？"  # noqa: RUF001


@dataclass(frozen=True, slots=True)
class Extended:
    """An extended prompt and what the artist should know of it."""

    prompt: Prompt
    notes: tuple[str, ...] = ()


def extend(asked: Prompt, task: str = "t2v", *, picture: bool = False, look: str = "") -> Extended:
    """`asked` with its `extended` text: 60 to 200 words, where the prompt itself is not longer.

    `picture` says that the clip begins from one (TI2V), `look` has words a style will add: nothing contradicts either.
    """
    tongue = language(asked.original)
    code = "en" if asked.language == "English" else tongue.code
    notes = []
    if asked.language != "English" and not tongue.known:
        notes.append(
            "The prompt is in none of the six languages the rules know: the sentences added are English, and only such "
            "as hold for every clip."
        )
    if tongue.mixed:
        notes.append(
            f"The prompt mixes {' and '.join(NAMES[each] for each in (tongue.code, *tongue.mixed))}: the sentences "
            f"added are {NAMES[code]}."
        )
    own = count(asked.original)
    if own >= MOST:
        notes.append(f"The prompt has {own} words already, and {MOST} are enough: nothing was added.")
        return Extended(replace(asked, extended=asked.original), tuple(notes))
    said = read(f"{asked.original}, {look}" if look else asked.original)
    matters = OPEN["i2v"] if picture and task == "ti2v" else OPEN[task]
    chosen = _choose(asked, said, code, matters if tongue.known else (), MOST - own)
    text = _joined(asked.original, [each.text(code) for each in chosen], code)
    return Extended(replace(asked, extended=text), tuple(notes))


def _choose(asked: Prompt, said: Reading, code: str, aspects: tuple[str, ...], room: int) -> list[Phrase]:
    """One sentence an aspect, then more until there are enough words, in the order of aspects."""
    fitting = [each for each in PHRASES if each.always or (each.aspect in aspects and fits(each, said))]
    ranked = sorted(fitting, key=lambda each: (each.always, not each.needs, _draw(asked, each)))
    chosen: list[Phrase] = []
    words = 0
    for phrase in _one_each_first(ranked):
        enough = words + count(asked.original) >= LEAST
        first = all(each.aspect != phrase.aspect for each in chosen)
        if (first or not enough) and words + count(phrase.text(code)) <= room:
            chosen.append(phrase)
            words += count(phrase.text(code))
    return sorted(chosen, key=lambda each: (ASPECTS.index(each.aspect), PHRASES.index(each)))


def _one_each_first(ranked: list[Phrase]) -> Iterator[Phrase]:
    first = [next(each for each in ranked if each.aspect == aspect) for aspect in ASPECTS]
    yield from first
    yield from (each for each in ranked if each not in first)


def fits(phrase: Phrase, said: Reading) -> bool:
    """Whether a sentence contradicts nothing that was said and rests on something that was."""
    topic = next((each.topic for each in said.mentions if each.concept == phrase.needs), "")
    if phrase.needs and phrase.needs not in said.concepts:
        return False
    if said.topics & (set(phrase.free) - {topic}):
        return False
    return not any(each.concept in phrase.unless for each in said.mentions)


def _draw(asked: Prompt, phrase: Phrase) -> bytes:
    """Where a sentence stands in the seed's order: the same on every machine and in every release of Python."""
    return hashlib.sha256(f"{asked.seed}\n{asked.original}\n{phrase.name}".encode()).digest()


def _joined(original: str, sentences: list[str], code: str) -> str:
    stop, gap = ("。", "") if code in _ASIAN else (".", " ")
    kept = original.rstrip()
    ended = kept if not kept or kept[-1] in _ENDS else kept + stop
    return ended + "".join(f"{gap}{sentence}{stop}" for sentence in sentences)
