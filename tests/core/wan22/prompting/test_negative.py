"""What the prompt asks for and the negative prompt forbids is found, over languages, and nothing else is."""

from __future__ import annotations

import pytest

from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT
from artifexpro.core.wan22.prompting.negative import analysed, terms, together
from artifexpro.core.wan22.prompting.reading import read

# ruff: noqa: RUF001


@pytest.mark.parametrize(
    ("prompt", "negative", "conflicts"),
    [
        ("overexposed snow field", "blurry, overexposed, text", [("overexposed", "overexposed")]),
        ("überbelichtetes Schneefeld", "blurry, overexposed", [("überbelichtetes", "overexposed")]),
        (
            "an oil painting",
            DEFAULT_NEGATIVE_PROMPT,
            [("painting", "风格"), ("painting", "作品"), ("painting", "画作")],
        ),
        ("a crowd in the street", DEFAULT_NEGATIVE_PROMPT, [("crowd", "背景人很多")]),
        ("une foule dans la rue", DEFAULT_NEGATIVE_PROMPT, [("foule", "背景人很多")]),
        ("手持字幕的人", "subtitles", [("字幕", "subtitles")]),
        ("a man walks backwards", DEFAULT_NEGATIVE_PROMPT, [("backwards", "倒着走")]),
        ("rain on a street", "rain, low quality", [("rain", "rain")]),
        ("Regen auf der Straße", "rain", [("regen", "rain")]),
        ("a dog", "dog, cat", [("dog", "dog")]),
        ("下雨的街道", "下雨，模糊", [("雨", "下雨")]),
        ("static camera, a lake", "static", [("static camera", "static")]),
        ("a red kite over the sea", DEFAULT_NEGATIVE_PROMPT, []),
        ("a street without rain", "rain", []),
        ("keine Menschenmenge", DEFAULT_NEGATIVE_PROMPT, []),
        ("雨なしの街", "rain", []),
        ("a fast car", "手快速抖动", []),
        ("soft light", "harsh light", []),
        ("a dogwood tree", "dog", []),
        ("bokeh behind a flower", DEFAULT_NEGATIVE_PROMPT, []),
        ("", "rain", []),
        ("rain", "", []),
        ("the kite", "the, a, no", []),
    ],
)
def test_conflicts(prompt: str, negative: str, conflicts: list[tuple[str, str]]) -> None:
    found = analysed(prompt, negative)
    assert [(each.asked, each.term) for each in found.conflicts] == conflicts
    assert (found.text, found.removed) == (negative, ())


def test_terms_are_taken_out_only_on_request_and_named() -> None:
    told = analysed("an oil painting of a crowd", DEFAULT_NEGATIVE_PROMPT)
    assert told.text == DEFAULT_NEGATIVE_PROMPT
    solved = analysed("an oil painting of a crowd", DEFAULT_NEGATIVE_PROMPT, resolve=True)
    assert solved.removed == ("风格", "作品", "画作", "背景人很多")
    assert set(terms(solved.text)) == set(terms(DEFAULT_NEGATIVE_PROMPT)) - set(solved.removed)
    assert "Taken out of the negative prompt, as asked: 风格, 作品, 画作, 背景人很多." in solved.notes()
    assert solved.conflicts == told.conflicts
    assert analysed("an oil painting of a crowd", solved.text).conflicts == ()


def test_what_stays_is_as_it_was_written() -> None:
    assert analysed("rain", "Blur , rain; noise,  text", resolve=True).text == "Blur , noise,  text"
    assert analysed("rain", "rain", resolve=True).text == ""


def test_base_and_what_else_is_avoided_are_one_list() -> None:
    assert together("blur, noise", "rain") == "blur, noise, rain"
    assert together("过曝，静态", "雨") == "过曝，静态，雨"
    assert (together("", "rain"), together("blur", " "), together("", "")) == ("rain", "blur", "")


@pytest.mark.parametrize(
    ("prompt", "pairs"),
    [
        ("a night street in bright sun", [("night", "sun")]),
        ("static camera, then it pans left", [("static camera", "pans")]),
        ("Zeitlupe und Zeitraffer", [("zeitlupe", "zeitraffer")]),
        ("白黒で色鮮やかに, 鮮やか", [("白黒", "鮮やか")]),
        ("a night without sun", []),
        ("ein Hund bei Nacht", []),
        ("夜晚，没有阳光", []),
    ],
)
def test_contradictions_inside_a_prompt(prompt: str, pairs: list[tuple[str, str]]) -> None:
    assert list(read(prompt).contradictions) == pairs


@pytest.mark.parametrize(
    "prompt", ["a horse-drawn cart", "a painted door", "an animated talk", "ink runs over the desk", "35mm film grain"]
)
def test_words_with_another_sense_are_no_conflict(prompt: str) -> None:
    assert analysed(prompt, DEFAULT_NEGATIVE_PROMPT).conflicts == ()
