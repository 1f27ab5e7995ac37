"""Limits that a clip must keep, and what is said of one that does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from artifexpro.core.media.metrics.scores import SCORES, Found


@dataclass(frozen=True, slots=True)
class Limit:
    """The least or the most that a score may be."""

    score: str
    value: float
    least: bool

    def missed(self, scores: Mapping[str, Found], missing: Mapping[str, str]) -> str:
        """Why a clip does not keep this limit, with the figure and the worst frame; empty where it does. A score that
        has no number does not."""
        asked = f"at {'least' if self.least else 'most'} {self.value:g} was asked for"
        found = scores.get(self.score)
        if found is None:
            return f"{self.score} has no number ({missing.get(self.score, 'it was not measured')}) and {asked}"
        if found.value >= self.value if self.least else found.value <= self.value:
            return ""
        unit = SCORES[self.score].unit
        worst = "" if found.worst is None else f", worst at frame {found.worst}"
        return f"{self.score} is {found.value:.4g} ({unit}{worst}) and {asked}"


def missed(limits: Iterable[Limit], scores: Mapping[str, Found], missing: Mapping[str, str]) -> tuple[str, ...]:
    """One clause for each limit that is not kept."""
    return tuple(said for said in (limit.missed(scores, missing) for limit in limits) if said)
