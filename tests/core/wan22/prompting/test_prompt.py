"""The difference of two texts gives back both; words are counted as word processors count them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT
from artifexpro.core.wan22.prompting.negative import analysed
from artifexpro.core.wan22.prompting.prompt import Change, count, difference
from artifexpro.core.wan22.prompting.wording import LONGEST_PROMPT

TEXTS = st.text(alphabet="ab 夜の,.é\n", max_size=60)


@given(TEXTS, TEXTS)
def test_both_texts_are_in_the_difference(before: str, after: str) -> None:
    found = difference(before, after)
    assert "".join(each.text for each in found if each.kind != "added") == before
    assert "".join(each.text for each in found if each.kind != "removed") == after


def test_the_difference_is_word_by_word_and_character_by_character() -> None:
    assert difference("a red kite", "a blue kite") == (
        Change("kept", "a "),
        Change("removed", "red"),
        Change("added", "blue"),
        Change("kept", " kite"),
    )
    assert difference("夜の街", "夜の古い街")[1] == Change("added", "古い")
    assert difference("a", "a") == (Change("kept", "a"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [("a red kite", 3), ("it's well-made", 2), ("夜の街", 3), ("風 and wind", 3), ("...", 0), ("L'été, déjà 35 mm", 4)],
)
def test_words_are_counted(text: str, words: int) -> None:
    assert count(text) == words


@pytest.mark.parametrize(("text", "term"), [("风", ""), ("no ", ""), ("rain, crowd ", "背景人很多"), ("夜雨光, ", "")])
def test_the_longest_prompt_of_repeated_words_is_looked_through(text: str, term: str) -> None:
    prompt = (text * LONGEST_PROMPT)[:LONGEST_PROMPT]
    assert [each.term for each in analysed(prompt, DEFAULT_NEGATIVE_PROMPT).conflicts] == ([term] if term else [])
    other = f"x{prompt[600::-1]}"
    found = difference(prompt, other)
    assert "".join(each.text for each in found if each.kind != "removed") == other
    assert "".join(each.text for each in found if each.kind != "added") == prompt
