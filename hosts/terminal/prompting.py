"""`artifexpro prompt`, and what `generate` takes about words: extension, difference, conflicts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artifexpro.hosts.bridge import graphs
from artifexpro.hosts.terminal import talk
from artifexpro.hosts.terminal.following import run
from artifexpro.hosts.terminal.output import WrongUse, document, lines


@dataclass(frozen=True)
class Words:
    """What was said about the use of a prompt, as typed; None is not stated."""

    extend: str
    extend_model: str | None
    extend_seed: int | None
    extend_language: str | None
    avoid: str | None
    conflicts: str | None

    def stated(self) -> dict[str, Any]:
        """Parameters of a generator, or fields of a prompt job. Raises `WrongUse` for one that would do nothing."""
        if self.extend == "none":
            for option, value in (("seed", self.extend_seed), ("language", self.extend_language)):
                if value is not None:
                    raise WrongUse(
                        f"--extend-{option} says how a prompt is extended: --extend rules or qwen extends it."
                    )
        if self.extend != "qwen" and self.extend_model is not None:
            raise WrongUse("--extend-model names the language model of --extend qwen.")
        model = self.extend_model
        if model is not None and Path(model).is_dir():
            model = str(Path(model).absolute())
        given = {
            "extend": None if self.extend == "none" else str(self.extend),
            "extend_model": model,
            "extend_seed": self.extend_seed,
            "extend_language": self.extend_language,
            "avoid": self.avoid,
            "conflicts": self.conflicts,
        }
        return {name: value for name, value in given.items() if value is not None}


def look(
    text: str,
    words: Words,
    task: str | None,
    image: Path | None,
    style: str | None,
    style_strength: float | None,
    negative: str | None,
    *,
    as_json: bool,
) -> None:
    """Print the prompt, what is made of it, the difference, and what is against it."""
    if image is not None and not image.is_file():
        raise WrongUse(f"--image {image}: there is no such file.")
    if style_strength is not None and style is None:
        raise WrongUse("--style-strength says how much of a look is used: --style NAME says which.")
    stated = {
        "task": task or (None if image is None else "i2v"),
        "image": None if image is None else str(image.absolute()),
        "style_preset": style,
        "style_strength": style_strength,
        "negative_prompt": negative,
    }
    work = {"kind": "prompt", "prompt": text, "extend": "none", **words.stated()}
    work |= {name: value for name, value in stated.items() if value is not None}
    with talk.daemon() as client:
        _, result = run(client, graphs.job_request(work, title="prompt", client=client.info))
    made = result["recipe"]["prompt"]
    if as_json:
        document(made)
    else:
        lines(told(made))


def told(made: dict[str, Any]) -> list[str]:
    """The answer for a person. In the difference added words stand in [+ +] and removed ones in [- -]."""
    said = [f"Original:   {made['original']}"]
    if made["method"] != "none":
        by = made["model"] or made["release"]
        said.append(f"Extended:   {made['extended']}")
        said.append(f"Difference: {''.join(_marked(kind, text) for kind, text in made['difference'])}")
        said.append(f"By {by}, seed {made['seed']}.")
    if made["style"]:
        said.append(f"Style adds: {made['style']}")
    said += [f"Contradiction: {each}" for each in made["contradictions"]]
    said += [f"Note: {each}" for each in made["remarks"]]
    if not made["conflicts"]:
        said.append("The negative prompt forbids nothing that is asked for.")
    return said


def _marked(kind: str, text: str) -> str:
    if kind == "kept":
        return text
    inside = text.strip()
    if not inside:
        return text
    at = text.index(inside)
    mark = "+" if kind == "added" else "-"
    return f"{text[:at]}[{mark}{inside}{mark}]{text[at + len(inside) :]}"
