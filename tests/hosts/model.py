"""The model that tests of the hosts generate with."""

from __future__ import annotations

MODEL = "wan22-tiny"
"""Comes with the package and shows what the prompt says."""
