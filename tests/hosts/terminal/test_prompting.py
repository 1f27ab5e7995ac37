"""`artifexpro prompt`, and prompts of `generate` that are extended: all is shown, nothing is done unasked."""

from __future__ import annotations

import json

import pytest

from artifexpro.hosts.terminal.output import WrongUse
from artifexpro.hosts.terminal.prompting import Words, told

KITE = "a red kite at night, overexposed"


def test_a_prompt_is_shown_with_what_is_made_of_it(artifexpro):
    said = artifexpro("prompt", KITE, "--extend", "rules", "--extend-seed", "2", "--avoid", "rain")
    assert said.status == 0, said.err
    lines = dict(line.split(":", 1) for line in said.out.splitlines() if ":" in line)
    assert lines["Original"].strip() == KITE
    extended = lines["Extended"].strip()
    assert extended.startswith(f"{KITE}. ")
    assert f"{KITE}[+{extended.removeprefix(KITE)}+]" in said.out
    assert "By rules 1, seed 2." in said.out
    assert 'asks for "overexposed", which the negative prompt forbids: 过曝.' in said.out
    again = artifexpro("prompt", KITE, "--extend-seed", "2", "--json").document
    assert again["extended"] == extended
    assert again["conflicts"] == [{"asked": "overexposed", "term": "过曝"}]
    assert again["removed"] == []


def test_conflicts_are_resolved_on_request_and_a_style_is_looked_at(artifexpro):
    made = artifexpro(
        "prompt", "a harbour", "--extend", "none", "--style", "oil painting", "--style-strength", "0.4",
        "--conflicts", "resolve", "--json",
    ).document  # fmt: skip
    assert (made["method"], made["extended"], made["style"]) == (
        "none",
        "",
        "oil painting on canvas, thick brush strokes",
    )
    assert made["removed"] == ["风格", "作品", "画作"]
    assert "画作" not in made["negative_prompt"]


@pytest.mark.parametrize(
    ("arguments", "status", "because"),
    [
        (("",), 1, "the prompt is empty"),
        (("a" * 100_000,), 1, "100,000 characters"),
        (("kite", "--extend", "qwen"), 1, "there is no such folder, and none is fetched"),
        (("kite", "--extend", "none", "--extend-seed", "3"), 2, "--extend-seed says how"),
        (("kite", "--extend-model", "reader"), 2, "names the language model of --extend qwen"),
        (("kite", "--style-strength", "0.5"), 2, "--style NAME says which"),
        (("kite", "--image", "none.png"), 2, "there is no such file"),
        (("kite", "--extend", "magic"), 2, "magic"),
    ],
)
def test_what_cannot_be_extended_is_said(arguments, status, because, artifexpro):
    said = artifexpro("prompt", *arguments)
    assert (said.status, said.out) == (status, "")
    assert because in " ".join(said.err.replace("│", " ").split())


def test_generate_extends_on_request_and_the_report_keeps_both_texts(artifexpro, tmp_path):
    said = artifexpro(
        "generate", "a red kite", "--out", "kite.mp4", "--size", "64x64", "--frames", "5", "--steps", "2",
        "--extend", "rules", "--extend-language", "English", "--avoid", "rain",
    )  # fmt: skip
    assert said.status == 0, said.err
    report = json.loads((tmp_path / "report.json").read_text())
    (kept,) = report["prompts"]
    assert kept["original"] == report["prompt"] == "a red kite"
    assert kept["difference"][0] == ["kept", "a red kite"]
    assert f"Note: Extended: {kept['extended']}" in said.out
    assert report["settings"]["clip"]["negative_prompt"].endswith("rain")
    recipe = json.loads((tmp_path / "kite.recipe.json").read_text())
    assert [each["prompt"] for each in recipe["computed"].values()] == [kept]


def test_options_that_would_do_nothing_are_wrong_use():
    with pytest.raises(WrongUse, match="--extend-language"):
        Words("none", None, None, "English", None, None).stated()
    assert Words("none", None, None, None, None, None).stated() == {}
    assert Words("rules", None, 3, None, "rain", "resolve").stated() == {
        "extend": "rules",
        "extend_seed": 3,
        "avoid": "rain",
        "conflicts": "resolve",
    }


def test_removed_words_are_marked_too():
    made = {
        "original": "a red kite",
        "method": "qwen",
        "model": "reader",
        "release": "12",
        "seed": 0,
        "extended": "A kite",
        "difference": [["removed", "a red"], ["added", "A"], ["kept", " kite"]],
        "style": "",
        "contradictions": [],
        "remarks": [],
        "conflicts": [],
    }
    assert "Difference: [-a red-][+A+] kite" in told(made)
