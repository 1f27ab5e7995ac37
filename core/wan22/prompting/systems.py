"""What a language model is told before it extends a prompt, by task and language: our own words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from artifexpro.core.wan22.prompting.languages import NAMES, language
from artifexpro.core.wan22.prompting.prompt import MOST

_ROLE = (
    "You prepare prompts for a model that makes short film clips. You are given a prompt by an artist. Write one "
    f"prompt of at most {MOST} words that says the same, in more detail, as a single paragraph."
)
_RULES = (
    "Keep everything the artist asks for: who and what is seen, how many, which colours, what happens, where, and "
    "every word about camera, light, style and mood. Add no person, animal, object, place or text that is not "
    "there. Do not soften, judge or moralise. Where the artist leaves it open, add how things move, the light, the "
    "lens, the camera and the texture. Words in quotation marks stay as they are, in their own language. Write what "
    "is seen and never what is not. Answer with the prompt alone: no heading, no list, no quotation marks around "
    "it, no explanation."
)
_TASKS: Mapping[str, str] = MappingProxyType(
    {
        "t2v": "The clip is made from words alone. Begin with the subject and what it does, then the surroundings, "
        "then light, camera and look.",
        "ti2v": "The clip is made from words, and begins with the picture where one is shown.",
        "i2v": "The clip begins with a given picture, which decides what is there and how it looks. Write about what "
        "moves, how, and what the camera does, and describe of the picture only what is needed to say which "
        "thing moves.",
        "s2v": "The clip films somebody speaking or singing to a given sound, as seen in a given picture. Write about "
        "expression, posture, gestures and gaze, and how they follow the voice. Never write what is said.",
        "style": "The clip is an existing clip made again in another style. What happens in it stays. Write about the "
        "style: technique, material, line, colours, surface. Add no event and no camera movement.",
        "edit": "Part of an existing clip, under a mask, is made new. Write about what is seen there and how it fits "
        "the light, the perspective and the movement around it. Write nothing about the rest of the picture.",
    }
)
_SEEN = "The picture is shown to you. Keep to what it shows, and contradict none of it."
_UNSEEN = "You cannot see the picture: say nothing about it that the artist does not say."


def system(task: str, tongue: str, prompt: str, *, begins_with_picture: bool, sees: bool) -> str:
    """The instructions for one prompt. `tongue` is "same" or "English"; `begins_with_picture` where the clip has one,
    and `sees` where the model is shown it."""
    said = [_ROLE, _TASKS[task], _RULES]
    if begins_with_picture:
        said.append(_SEEN if sees else _UNSEEN)
    if tongue == "English":
        said.append("Write in English, whatever the language of the prompt.")
    else:
        found = language(prompt)
        said.append(f"Write in {NAMES[found.code]}." if found.known else "Write in the language of the prompt.")
    return "\n".join(said)
