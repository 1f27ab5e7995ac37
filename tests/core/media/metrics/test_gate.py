"""Limits: kept, missed, and never kept by a score that has no number."""

from __future__ import annotations

from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.gate import Limit, missed
from artifexpro.core.media.metrics.scores import Found

FOUND = {scores.MOTION_SMOOTHNESS: Found(0.962, 1012), scores.COLOUR_DRIFT: Found(3.0)}


def test_a_limit_is_kept_up_to_its_very_value() -> None:
    kept = (
        Limit(scores.MOTION_SMOOTHNESS, 0.962, least=True),
        Limit(scores.MOTION_SMOOTHNESS, 0.9, least=True),
        Limit(scores.COLOUR_DRIFT, 3.0, least=False),
    )
    assert missed(kept, FOUND, {}) == ()


def test_what_is_missed_is_told_with_figure_unit_and_worst_frame() -> None:
    limits = (Limit(scores.MOTION_SMOOTHNESS, 0.98, least=True), Limit(scores.COLOUR_DRIFT, 2.5, least=False))
    assert missed(limits, FOUND, {}) == (
        "motion_smoothness (flow proxy) is 0.962 (0..1, worst at frame 1012) and at least 0.98 was asked for",
        "colour_drift is 3 (delta E 1976) and at most 2.5 was asked for",
    )


def test_a_score_without_a_number_keeps_no_limit() -> None:
    (said,) = missed(
        [Limit(scores.SUBJECT_CONSISTENCY, 0.9, least=True)], FOUND, {scores.SUBJECT_CONSISTENCY: "DINO is not on disk"}
    )
    assert said == "subject_consistency has no number (DINO is not on disk) and at least 0.9 was asked for"
