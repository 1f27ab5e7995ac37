"""Two results compared: equal, or every place named where what made them differs."""

from __future__ import annotations

from typing import Any

from artifexpro.core.protocol import Artefact, JobResult
from artifexpro.daemon import reproduce


def result(digest: str, recipe: dict[str, Any]) -> JobResult:
    return JobResult(artefacts=(Artefact(path="/x.mp4", role="clip", node="out", sha256=digest),), recipe=recipe)


def recipe(**changes: Any) -> dict[str, Any]:
    spec = {"seed": 7, "dtype": "bfloat16", "scheduler": "unipc", "guidance": [3.0, 4.0]}
    return {
        "versions": {"torch": "2.13.0", "diffusers": "0.42.1"},
        "nodes": {"wan": {"spec": spec, "model": {"files": {"vae/model.safetensors": "aa"}}}},
        "computed": {"key": {"levers": {"quantise": "none", "tile": 0}, "device": "one card"}},
        **changes,
    }


def test_equal_content_is_equal_whatever_the_recipes_say() -> None:
    assert reproduce.compare("1", result("a", recipe()), result("a", recipe(extra=1))).equal


def test_each_difference_of_what_made_it_is_named_by_its_place() -> None:
    now = recipe()
    now["versions"] = {"torch": "2.14.0", "diffusers": "0.42.1"}
    now["nodes"] = {
        "wan": {
            "spec": {"seed": 7, "dtype": "bfloat16", "scheduler": "unipc", "guidance": [3.0, 5.0]},
            "model": {"files": {"vae/model.safetensors": "bb"}},
        }
    }
    now["computed"] = {"key": {"levers": {"quantise": "int8", "tile": 0}}}
    compared = reproduce.compare("1", result("a", recipe()), result("b", now))
    assert compared.equal is False
    assert compared.differs == (
        "clip of node out has other content",
        "torch was 2.13.0 then and is 2.14.0 now",
        "computed.key.device in the recipe was one card then and is not there now",
        "computed.key.levers.quantise in the recipe was none then and is int8 now",
        "nodes.wan.model.files.vae/model.safetensors in the recipe was aa then and is bb now",
        "nodes.wan.spec.guidance.1 in the recipe was 4.0 then and is 5.0 now",
    )


def test_many_differences_are_not_all_told() -> None:
    then = {"graph": {str(index): index for index in range(40)}}
    now = {"graph": {str(index): -index - 1 for index in range(40)}}
    differs = reproduce.compare("1", result("a", then), result("b", now)).differs
    assert len(differs) == 1 + reproduce.MOST_DIFFERENCES + 1
    assert differs[-1] == "and more"


def test_long_values_are_cut() -> None:
    compared = reproduce.compare("1", result("a", {"text": "x" * 500}), result("b", {"text": "y"}))
    assert len(compared.differs[1]) < 150
