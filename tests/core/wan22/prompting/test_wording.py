"""What a clip is told: settled or refused before any work, and everything that is done to words is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.generate import LATENTS, decode_saved, generate, load_latents
from artifexpro.core.wan22.prompting import styles
from artifexpro.core.wan22.prompting.styles import STYLES
from artifexpro.core.wan22.prompting.wording import Wording
from artifexpro.core.wan22.request import ClipSpec, resolve

TINY = {"width": 64, "height": 64, "frames": 1, "steps": 1}


def told(prompt: str = "a red kite", **words: Any) -> ClipSpec:
    more = {name: words.pop(name) for name in ("style", "guidance", "model", "negative_prompt") if name in words}
    return resolve(prompt=prompt, words=Wording(**words), **TINY, **more)


@pytest.mark.parametrize("style", [name for name in STYLES if name != "none"])
def test_strength_is_the_share_of_a_styles_phrases(style: str) -> None:
    counts = [len([each for each in styles.words(style, at / 5).split(", ") if each]) for at in range(6)]
    assert counts == [0, 1, 2, 3, 4, 5]
    assert styles.words(style, 0.2) == STYLES[style][0]
    assert told(style=style, style_strength=0.4).words == f"a red kite, {', '.join(STYLES[style][:2])}"


def test_a_styles_share_is_said_and_without_a_word_it_is_empty() -> None:
    spec = told(style="watercolour", style_strength=0.5)
    assert "Style watercolour at 0.5: 3 of its 5 phrases." in spec.notes
    assert not any("phrases" in note for note in told(style="watercolour").notes)
    assert told(style="watercolour", style_strength=0.0).words == "a red kite"
    with pytest.raises(ArtifexError, match="prompt is empty"):
        told("", style="watercolour", style_strength=0.0)
    with pytest.raises(ArtifexError, match="strength is 0"):
        told(style="watercolour", style_strength=1.5)


def test_nothing_is_extended_unasked() -> None:
    spec = told("  a red kite ")
    assert (spec.extension, spec.words, spec.prompt) == (None, "a red kite", "  a red kite ")


@pytest.mark.parametrize(
    ("words", "because"),
    [
        ({"extend": "magic"}, "nothing of that name is known"),
        ({"extend": "rules", "extend_language": "Latin"}, "nothing of that name is known"),
        ({"extend": "rules", "extend_model": "reader"}, "only the way qwen uses one"),
        ({"extend": "rules", "extend_seed": -1}, "seeds are whole numbers"),
        ({"conflicts": "ignore"}, "there is no such way"),
        ({"avoid": "rain", "guidance": 1.0}, "without guidance no negative prompt is read"),
        ({"conflicts": "resolve", "guidance": 1.0}, "without guidance no negative prompt is read"),
        ({"avoid": "a" * 100_000}, "100,138 characters"),
    ],
)
def test_what_would_do_nothing_or_is_unknown_is_refused(words: dict[str, Any], because: str) -> None:
    with pytest.raises(ArtifexError, match=because):
        told(**words)


@pytest.mark.parametrize("extend", ["none", "rules"])
@pytest.mark.parametrize(
    ("prompt", "because"), [("", "empty"), (" \n\t", "empty"), ("a" * 100_000, "100,000 characters")]
)
def test_empty_and_enormous_prompts(extend: str, prompt: str, because: str) -> None:
    with pytest.raises(ArtifexError, match=because) as refused:
        told(prompt, extend=extend)
    assert refused.value.code == "prompt"


def test_a_style_alone_is_a_prompt_but_nothing_to_extend() -> None:
    assert told("", style="anime").words.startswith("hand-drawn anime")
    with pytest.raises(ArtifexError, match="it is empty, and nothing is made up"):
        told("", style="anime", extend="rules")


def test_contradictions_and_conflicts_are_notes_and_change_nothing() -> None:
    spec = told("an oil painting of a night in bright sun", negative_prompt="painting, blur")
    assert 'The prompt says "night" and "sun", which contradict each other' in "\n".join(spec.notes)
    assert 'The prompt asks for "painting", which the negative prompt forbids: painting.' in spec.notes
    assert spec.negative_prompt == "painting, blur"
    solved = told("an oil painting", negative_prompt="painting, blur", avoid="rain", conflicts="resolve")
    assert solved.negative_prompt == "blur, rain"
    assert "Taken out of the negative prompt, as asked: painting." in solved.notes
    styled = told(style="oil painting", negative_prompt="painting, blur")
    assert 'The prompt asks for "painting", which the negative prompt forbids: painting.' in styled.notes


def test_a_spec_with_an_extension_goes_through_json_and_old_ones_have_none() -> None:
    spec = told(extend="rules", extend_seed=4)
    assert ClipSpec.from_json(json.loads(json.dumps(spec.as_json()))) == spec
    old = told().as_json()
    for name in ("extension", "style_strength", "conflicts"):
        old.pop(name)
    assert ClipSpec.from_json(old) == told()


def test_the_text_encoder_reads_the_extended_prompt_and_all_of_it_is_kept(
    random_models: Path, tmp_path: Path, hooks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from artifexpro.core.wan22.embeddings import Embeddings

    seen: list[str] = []
    get = Embeddings.get
    monkeypatch.setattr(
        Embeddings, "get", lambda kept, prompt, *more: (seen.append(prompt), get(kept, prompt, *more))[1]
    )
    spec = told("a red kite at night", extend="rules", extend_seed=2, negative_prompt="rain")
    assert spec.extension is not None and spec.extension.extended == ""
    list(generate(spec, random_models, hooks, folder=tmp_path, device="cpu"))
    kept = load_latents(tmp_path / LATENTS)[1]
    assert kept.extension is not None
    assert seen[0] == kept.extension.extended == kept.words
    assert seen[0].startswith("a red kite at night. ") and "rain" in seen
    assert kept.prompt == kept.extension.original == "a red kite at night"
    for sentence in kept.extension.told():
        assert hooks.notes.count(sentence) == 1
    assert "prompt" in hooks.stages
    notes = list(hooks.notes)
    hooks.notes.clear()
    list(decode_saved(tmp_path / LATENTS, random_models, hooks, device="cpu"))
    assert [note for note in notes if "extended" in note.lower()] == [
        note for note in hooks.notes if "extended" in note.lower()
    ]


def test_a_language_model_extends_the_prompt_of_a_clip_and_its_new_conflicts_are_treated_as_asked(
    random_models: Path, tmp_path: Path, hooks: Any, monkeypatch: pytest.MonkeyPatch, language_models: Path
) -> None:
    from artifexpro.core.wan22.prompting import qwen

    monkeypatch.setattr(qwen, "_answer", lambda *_: "A red kite in the rain.")
    wording = {"extend": "qwen", "extend_model": str(language_models / "reader"), "conflicts": "resolve"}
    spec = resolve(
        prompt="a red kite", negative_prompt="rain, blur", words=Wording(**wording), models=random_models, **TINY
    )
    assert (spec.negative_prompt, spec.extension is not None) == ("rain, blur", True)
    list(generate(spec, random_models, hooks, folder=tmp_path, device="cpu"))
    kept = load_latents(tmp_path / LATENTS)[1]
    assert (kept.words, kept.negative_prompt) == ("A red kite in the rain.", "blur")
    assert "Taken out of the negative prompt, as asked: rain." in hooks.notes
    assert "Removed: a" in hooks.notes


def test_no_folder_means_no_clip(random_models: Path) -> None:
    with pytest.raises(ArtifexError, match="there is no such folder, and none is fetched"):
        resolve(prompt="a", words=Wording(extend="qwen", extend_model="reader"), models=random_models, **TINY)


def test_the_same_words_in_another_seed_or_method_are_another_spec(small: Callable[..., ClipSpec]) -> None:
    specs = [
        small(words=Wording(extend=method, extend_seed=seed))
        for method, seed in (("none", 0), ("rules", 0), ("rules", 1))
    ]
    assert len({json.dumps(spec.as_json(), sort_keys=True) for spec in specs}) == 3
