"""The model that tests of the hosts generate with."""

from __future__ import annotations

MODEL = "smoke"
"""Needs no download and makes noise: it is for trying the way."""
