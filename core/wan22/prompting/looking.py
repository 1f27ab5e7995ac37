"""A prompt looked at by itself: what an extension makes of it and what the negative prompt has against it, no clip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.prompting import extending, negative, styles
from artifexpro.core.wan22.prompting.defaults import DEFAULT_NEGATIVE_PROMPT, SPEECH_NEGATIVE_PROMPT
from artifexpro.core.wan22.prompting.prompt import Prompt
from artifexpro.core.wan22.prompting.wording import Settled, Wording, contradictions, settle

if TYPE_CHECKING:
    from torch import Tensor


def settled(asked: Mapping[str, Any], models: Path) -> Settled:
    """What is settled of the fields of a `protocol.ExtendPrompt` before any work. Raises `ArtifexError`."""
    base = asked["negative_prompt"]
    if base is None:
        base = SPEECH_NEGATIVE_PROMPT if asked["task"] == "s2v" else DEFAULT_NEGATIVE_PROMPT
    wording = Wording(
        extend=asked["extend"],
        extend_model=asked["extend_model"],
        extend_seed=asked["extend_seed"],
        extend_language=asked["extend_language"],
        avoid=asked["avoid"],
        conflicts=asked["conflicts"],
        style_strength=asked["style_strength"],
    )
    return settle(asked["prompt"], base, asked["style_preset"], wording, guided=True, models=models)


def looked(
    asked: Mapping[str, Any], models: Path, hooks: Hooks, *, picture: Tensor | None = None, device: Any = None
) -> dict[str, Any]:
    """As plain data: the prompt with its difference (see `Prompt.as_json`), the words of the style, the negative
    prompt, {"conflicts": [{"asked", "term"}]}, what was taken out of it, contradictions inside the prompt, remarks.

    Raises `ArtifexError`.
    """
    told = settled(asked, models)
    look = styles.words(asked["style_preset"], asked["style_strength"])
    prompt = Prompt(told.prompt, "none")
    remarks: tuple[str, ...] = ()
    if told.extension is not None:
        made = extending.made(told.extension, asked["task"], models, hooks, picture=picture, look=look, device=device)
        prompt, remarks = made.prompt, made.notes
    base = settled({**asked, "conflicts": "tell"}, models).negative_prompt
    shown = ", ".join(part for part in (prompt.text, look) if part)
    found = negative.analysed(shown, base, resolve=asked["conflicts"] == "resolve")
    return {
        **prompt.as_json(),
        "style": look,
        "negative_prompt": found.text,
        "conflicts": [{"asked": each.asked, "term": each.term} for each in found.conflicts],
        "removed": list(found.removed),
        "contradictions": contradictions(told.prompt),
        "remarks": [*remarks, *found.notes()],
    }
