"""The language of a prompt, as far as sentences are to be added in it: by script, then by small words.

Six languages have sentences of ours; what is in another one gets English ones, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from artifexpro.core.wan22.prompting.reading import folded

# ruff: noqa: E501, RUF001

NAMES: Mapping[str, str] = MappingProxyType(
    {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "zh": "Chinese", "ja": "Japanese"}
)
_SMALL: Mapping[str, str] = MappingProxyType(
    {
        "en": "a an the of in on at with and over under through into from by to is are its her his their as while behind "
        "between against across slowly moving walks runs standing sitting shot",
        "de": "der die das ein eine einer einem einen des dem den im am auf mit und über unter durch in von zum zur ist "
        "sind vor hinter zwischen bei nach aus langsam während kein keine ohne nicht fährt geht steht läuft",
        "fr": "le la les un une des du de au aux dans sur sous avec et par vers est sont son sa ses leur qui derrière "
        "devant entre pendant sans lentement d'un d'une l'eau marche court traverse",
        "es": "el la los las un una unos unas del de al en sobre bajo con y por hacia es son su sus que detrás entre "
        "mientras sin lentamente junto camina corre cruza desde",
        "it": "il lo gli un uno una di del della nel nella sul sulla con e per verso è sono che dietro tra mentre senza",
        "pt": "o a os as um uma do da dos das no na em sobre com e por para é são que atrás entre enquanto sem ao",
        "nl": "de het een van in op met en over onder door uit naar is zijn voor achter tussen bij terwijl zonder niet",
        "pl": "w na z ze i do pod nad przez przy się jest są oraz między za bez nie",
        "sv": "en ett och i på med över under genom från till är som bakom mellan medan utan inte",
    }
)
"""Small words, and a few that prompts often have. Languages beyond the six are here so as not to be taken for one."""
_LETTERS: Mapping[str, str] = MappingProxyType({"de": "äöüß", "fr": "çèêëîïûœàù", "es": "ñ¿¡áíóú"})
_KANA = re.compile("[\u3040-\u30ff]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LATIN = re.compile(r"[a-zà-öø-ÿāăąćčďđēėęěğīįłńňōőœřśşšţťūůűųźżžßı]+(?:['’][a-zà-ÿ]+)*")
_OTHER = re.compile(r"[^\W\d_]")
_ENOUGH = 3
"""Words of a second language before a prompt counts as mixed; in Han or kana, characters."""


@dataclass(frozen=True, slots=True)
class Language:
    """`code` is that of the sentences to add. `known` is false where the prompt's own language is none of the six;
    `mixed` has the codes of others that the prompt speaks too."""

    code: str
    known: bool = True
    mixed: tuple[str, ...] = ()


def language(text: str) -> Language:
    """The language most of `text` is in. Latin words that are in no list count as English."""
    plain = folded(text)
    latin = _LATIN.findall(plain)
    kana, han = len(_KANA.findall(plain)), len(_HAN.findall(plain))
    rest = len(_OTHER.findall(_LATIN.sub("", _HAN.sub("", _KANA.sub("", plain)))))
    asian = "ja" if kana else "zh"
    scripts = {"asian": kana + han, "latin": sum(map(len, latin)) / 2.5, "rest": rest}
    leading = max(scripts, key=lambda each: scripts[each])
    tongue, known = _latin(latin)
    if leading == "rest" and rest:
        return Language("en", known=False)
    if leading == "asian" and kana + han:
        mixed = (tongue,) if known and len(latin) >= _ENOUGH else ()
        return Language(asian, mixed=mixed)
    return Language(tongue, known, (asian,) if kana + han >= _ENOUGH else _others(latin, tongue))


def _points(latin: list[str]) -> dict[str, float]:
    points = dict.fromkeys(_SMALL, 0.0)
    for code, small in _SMALL.items():
        known = frozenset(small.split())
        points[code] += sum(1 for word in latin if word in known)
    for code, letters in _LETTERS.items():
        points[code] += sum(0.75 for word in latin if any(letter in word for letter in letters))
    return points


def _latin(latin: list[str]) -> tuple[str, bool]:
    points = _points(latin)
    best = max(points, key=lambda code: points[code])
    if points[best] == 0 or best == "en":
        return "en", True
    return (best, True) if best in NAMES else ("en", False)


def _others(latin: list[str], main: str) -> tuple[str, ...]:
    """Other languages of the six that have small words of their own here, which the main one lacks."""
    own = frozenset(_SMALL[main].split())
    found = []
    for code in ("en", "de", "fr", "es"):
        others = frozenset(
            word for other in ("en", "de", "fr", "es") if other != code for word in _SMALL[other].split()
        )
        told = sum(1 for word in latin if word in frozenset(_SMALL[code].split()) - others - own)
        if code != main and told >= _ENOUGH:
            found.append(code)
    return tuple(found)
