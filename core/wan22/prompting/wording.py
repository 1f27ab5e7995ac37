"""What a clip is told, settled before any work: prompt, style, extension, negative prompt and its conflicts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.prompting import extending, negative, styles
from artifexpro.core.wan22.prompting.prompt import Prompt
from artifexpro.core.wan22.prompting.reading import read

LONGEST_PROMPT = 10_000
"""Characters. The text encoder reads 512 tokens, about 2,000 characters; far more than that is a mistake."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How an artist's words are to be used. `extend` is "none", "rules" or "qwen" (see `extending.asked`).

    `avoid` joins the negative prompt; `conflicts` is "tell" or "resolve", which takes terms out of it that forbid what
    the prompt asks for. `style_strength` is 0 (no phrase of the style) to 1 (all).
    """

    extend: str = "none"
    extend_model: str = ""
    extend_seed: int = 0
    extend_language: str = "same"
    avoid: str = ""
    conflicts: str = "tell"
    style_strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Settled:
    """What goes into a `ClipSpec`; `notes` are sentences the artist must see."""

    prompt: str
    negative_prompt: str
    extension: Prompt | None
    notes: tuple[str, ...]


def settle(
    prompt: str, forbidden: str, style: str, wording: Wording, *, guided: bool, models: Path | None = None
) -> Settled:
    """The words of a clip, whose negative prompt is read only where it is `guided`.

    Raises `ArtifexError` (codes "prompt", "settings", "model").
    """
    look = styles.words(style, wording.style_strength)
    if not prompt.strip() and not look:
        raise _refusal("generate a clip", "the prompt is empty", "a few words on what should be seen", "prompt")
    check_length(prompt, "")
    extension = extending.asked(
        prompt,
        wording.extend,
        model=wording.extend_model,
        seed=wording.extend_seed,
        language=wording.extend_language,
        models=models,
    )
    if wording.conflicts not in negative.RESOLUTIONS:
        raise _refusal(
            f"treat conflicts by {wording.conflicts!r}", "there is no such way", " or ".join(negative.RESOLUTIONS)
        )
    if not guided and (wording.avoid.strip() or wording.conflicts != "tell"):
        raise _refusal(
            f"avoid {wording.avoid.strip()!r}" if wording.avoid.strip() else "resolve conflicts",
            "guidance is 1, and without guidance no negative prompt is read",
            "guidance above 1, or leaving it out",
        )
    avoided = check_length(negative.together(forbidden, wording.avoid), "negative ")
    told = [each for each in (styles.said(style, wording.style_strength),) if each]
    told += contradictions(prompt)
    if not guided:
        return Settled(prompt, avoided, extension, tuple(told))
    shown = ", ".join(part for part in (prompt, look) if part)
    found = negative.analysed(shown, avoided, resolve=wording.conflicts == "resolve")
    return Settled(prompt, found.text, extension, (*told, *found.notes()))


def contradictions(prompt: str) -> list[str]:
    """A sentence for each pair of things the prompt says that one clip cannot be both."""
    return [
        f'The prompt says "{one}" and "{other}", which contradict each other: the model will follow one, or neither.'
        for one, other in read(prompt).contradictions
    ]


def check_length(prompt: str, which: str) -> str:
    """Refuse a `which` ("" or "negative ") prompt that nothing could read. Raises `ArtifexError` (code "prompt")."""
    if len(prompt) > LONGEST_PROMPT:
        raise _refusal(
            f"read a {which}prompt of {len(prompt):,} characters",
            f"the model reads 512 words or parts of words, and more than {LONGEST_PROMPT:,} characters are a mistake",
            "a description of at most 2,000 characters",
            "prompt",
        )
    return prompt


def _refusal(attempted: str, because: str, remedy: str, code: str = "settings") -> ArtifexError:
    return ArtifexError(attempted, because, remedy, code=code)
