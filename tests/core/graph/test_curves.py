"""Curves: what they are between keys and outside them, how far they go, what is refused. Their likeness to Blender's is
tested in tests/hosts/blender."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import BaseModel, ValidationError

from artifexpro.core.errors import ArtifexError
from artifexpro.core.graph.curves import EASES, Curve


class Holder(BaseModel):
    """Stands for a node with a curve as a parameter."""

    curve: Curve


EASY = sorted(EASES - {"constant", "linear", "bezier"})


def curve(*keys: tuple, **outside: str) -> Curve:
    """From (frame, value, ease, more) each."""
    told = [dict(zip(("frame", "value", "ease"), key, strict=False)) | (key[3] if len(key) > 3 else {}) for key in keys]
    return Curve.parse({"curve": {"keys": told, **outside}})


keys = some.fixed_dictionaries(
    {
        "frame": some.integers(-4000, 4000).map(lambda eighths: eighths / 8),
        "value": some.floats(-100, 100),
        "ease": some.sampled_from(sorted(EASES)),
        "left": some.tuples(some.floats(-50, 0), some.floats(-50, 50)).map(list),
        "right": some.tuples(some.floats(0, 50), some.floats(-50, 50)).map(list),
        "back": some.floats(0, 5),
        "amplitude": some.floats(0, 200),
        "period": some.floats(0.5, 50),
    }
)
curves = some.builds(
    lambda keys, before, after: Curve.parse({"curve": {"keys": keys, "before": before, "after": after}}),
    some.lists(keys, min_size=1, max_size=6, unique_by=lambda key: key["frame"]),
    some.sampled_from(("hold", "linear", "cycle")),
    some.sampled_from(("hold", "linear", "cycle")),
)


@given(curves)
def test_a_curve_passes_its_keys_and_keeps_its_bounds(found: Curve) -> None:
    low, high = found.bounds()
    room = 1e-9 * max(abs(key.value) + key.amplitude for key in found.keys)
    for key in found.keys:
        assert found.at(key.frame) == pytest.approx(key.value, abs=1e-9)
    for eighth in range(-5000, 5000, 37):
        assert low - room <= found.at(eighth / 8) <= high + room


@given(curves)
def test_json_and_pickle_give_an_equal_curve_back(found: Curve) -> None:
    assert Curve.parse(found.to_json()) == found
    assert pickle.loads(pickle.dumps(found)) == found


@given(curves, some.integers(-1000, 1000))
def test_a_shifted_curve_is_the_same_later(found: Curve, by: int) -> None:
    later = found.shifted(by)
    for frame in (-900.5, -3.25, 0.0, 77.75, 1200.0):
        assert later.at(frame + by) == pytest.approx(found.at(frame), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("ease", EASY)
def test_bounds_of_an_easing_are_reached(ease: str) -> None:
    found = curve((0, 1.0, ease), (10, 3.0))
    sampled = [found.at(at / 2000) for at in range(20001)]
    assert found.bounds() == pytest.approx((min(sampled), max(sampled)), abs=1e-4)


def test_bounds_have_what_a_bezier_overshoots() -> None:
    found = curve((0, 0.0, "bezier", {"right": [5, 3.0]}), (10, 0.0, "bezier", {"left": [-5, 3.0]}))
    assert found.bounds() == (0.0, pytest.approx(2.25))
    assert found.at(5) == pytest.approx(2.25)


@pytest.mark.parametrize(
    ("ease", "values"),
    [("constant", [1, 1, 1, 1, 3]), ("linear", [1, 1.5, 2, 2.5, 3]), ("bezier", [1, 1.3125, 2, 2.6875, 3])],
)
def test_between_two_keys(ease: str, values: list[float]) -> None:
    found = curve((0, 1.0, ease), (8, 3.0))
    assert [found.at(frame) for frame in (0, 2, 4, 6, 8)] == pytest.approx(values)


@pytest.mark.parametrize(
    ("outside", "before", "after"), [("hold", 1.0, 3.0), ("linear", 0.5, 4.0), ("cycle", 2.5, 2.0)]
)
def test_outside_the_keys(outside: str, before: float, after: float) -> None:
    found = curve((0, 1.0), (8, 3.0), before=outside, after=outside)
    assert (found.at(-2), found.at(12)) == (before, after)


def test_a_line_goes_on_by_the_outer_handle() -> None:
    found = curve((0, 1.0, "bezier", {"left": [-2, 1.0]}), (8, 3.0, "sine_in", {"right": [4, 2.0]}), before="linear")
    assert found.at(-4) == 3.0
    assert found.bounds() == (1.0, math.inf)
    assert found.at(12) == 3.0


def test_what_never_changes_is_constant() -> None:
    assert curve((5, 2.0)).is_constant
    assert curve((0, 2.0, "bezier"), (5, 2.0, "back_out"), (9, 2.0), after="linear").is_constant
    assert not curve((0, 2.0, "bezier", {"right": [2, 1.0]}), (5, 2.0)).is_constant
    assert not curve((0, 2.0, "bezier", {"left": [-1, 1.0]}), before="linear").is_constant
    assert not curve((0, 2.0, "elastic_in"), (5, 2.0)).is_constant


def test_keys_are_put_in_order() -> None:
    assert curve((9, 3.0), (1, 2.0)) == curve((1, 2.0), (9, 3.0))


def test_a_node_may_have_a_curve_as_parameter() -> None:
    told = {"curve": curve((1, 2.0), (9, 3.0)).to_json()}
    held = Holder.model_validate(told, strict=True)
    assert held.model_dump(mode="json") == told
    assert Holder.model_validate(held.model_dump(), strict=True) == held


@pytest.mark.parametrize(
    ("told", "because"),
    [
        ({"keys": []}, "it has no keys"),
        ({}, "in the curve, keys is missing"),
        ({"keys": [{"frame": 1}]}, "in key 1, value is missing"),
        ({"keys": [{"frame": 1, "value": math.nan}]}, "in key 1, value is not a finite number"),
        ({"keys": [{"frame": 1, "value": math.inf}]}, "in key 1, value is not a finite number"),
        ({"keys": [{"frame": True, "value": 1}]}, "in key 1, frame is not a number"),
        ({"keys": [{"frame": 1, "value": "2"}]}, "in key 1, value is not a number"),
        ({"keys": [{"frame": 1e12, "value": 1}]}, "in key 1, frame is too large"),
        ({"keys": [{"frame": 1, "value": 1}, {"frame": 1.0, "value": 2}]}, "two keys stand on frame 1"),
        ({"keys": [{"frame": 0, "value": 1}, {"frame": 1e-9, "value": 2}]}, "two keys stand on frame 0"),
        ({"keys": [{"frame": 1, "value": 1, "ease": "swing"}]}, 'no ease is called "swing"'),
        ({"keys": [{"frame": 1, "value": 1, "left": [-1]}]}, "in key 1, left is not a pair of numbers"),
        ({"keys": [{"frame": 1, "value": 1, "right": [-1, 0]}]}, "the right handle at frame 1 is on the other side"),
        ({"keys": [{"frame": 1, "value": 1, "tangent": 3}]}, "in key 1, tangent is no setting here"),
        ({"keys": [7]}, "key 1 is not of the right shape"),
        ({"keys": [{"frame": 1, "value": 1}], "after": "bounce"}, "in the curve, after is none of"),
        ({"keys": [{"frame": 1, "value": 1}], "loop": True}, "in the curve, loop is no setting here"),
        ([], "the curve is not of the right shape"),
    ],
)
def test_what_is_no_curve_is_refused_in_words(told: Any, because: str) -> None:
    with pytest.raises(ArtifexError) as refusal:
        Curve.parse({"curve": told})
    assert refusal.value.attempted == "read a curve"
    assert refusal.value.because.startswith(because)
    with pytest.raises(ValidationError) as inside:
        Holder.model_validate({"curve": {"curve": told}}, strict=True)
    assert [problem["loc"] for problem in inside.value.errors()] == [("curve",)]
    assert inside.value.errors()[0]["msg"].startswith(because)
