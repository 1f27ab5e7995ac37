"""The one door to extension: what was asked for is settled before any work, and made where pictures are known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.prompting import rules, writers
from artifexpro.core.wan22.prompting.prompt import LANGUAGES, METHODS, Prompt
from artifexpro.core.wan22.prompting.rules import Extended

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_SEED = 2**63 - 1


def asked(
    prompt: str, method: str, *, model: str = "", seed: int = 0, language: str = "same", models: Path | None = None
) -> Prompt | None:
    """What `method` is asked to make of `prompt`, nothing of it done yet; None for "none".

    With the folder of `models` a language model is looked through and named with what it is made of. Raises
    `ArtifexError` (codes "settings", "prompt", "model").
    """
    _check(method, METHODS, "extend a prompt by")
    _check(language, LANGUAGES, "extend a prompt in")
    if method != "qwen" and model:
        raise ArtifexError(
            f"extend a prompt by {method} with the language model {model}",
            "only the way qwen uses one",
            "qwen, or no language model",
            code="settings",
        )
    if not 0 <= seed <= LARGEST_SEED:
        raise ArtifexError(
            f"extend a prompt with the seed {seed}",
            f"seeds are whole numbers from 0 to {LARGEST_SEED}",
            f"{abs(seed) % 2**31}",
            code="settings",
        )
    if method == "none":
        return None
    if not prompt.strip():
        raise ArtifexError(
            "extend the prompt",
            "it is empty, and nothing is made up",
            "a few words on what should be seen",
            code="prompt",
        )
    if method == "rules":
        return Prompt(prompt, method, "", rules.RELEASE, seed, language)
    name = model or writers.DEFAULT
    return Prompt(prompt, method, name, writers.find(models, name).identity() if models else "", seed, language)


def made(
    wanted: Prompt,
    task: str,
    models: Path,
    hooks: Hooks,
    *,
    picture: Tensor | None = None,
    look: str = "",
    device: Any = None,
) -> Extended:
    """`wanted`, extended. `picture` (H, W, 3) is what the clip begins with; `look` are a style's words. Raises
    `ArtifexError`.
    """
    if wanted.method == "rules":
        with hooks.stage("prompt"):
            return rules.extend(wanted, task, picture=picture is not None, look=look)
    from artifexpro.core.wan22.prompting import qwen

    return qwen.extend(wanted, task, writers.find(models, wanted.model), hooks, picture=picture, device=device)


def _check(word: str, known: tuple[str, ...], attempted: str) -> None:
    if word not in known:
        raise ArtifexError(
            f"{attempted} {word!r}", "nothing of that name is known", f"one of {', '.join(known)}", code="settings"
        )
