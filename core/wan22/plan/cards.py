"""How fast a card is: by its published peak until runs here have measured it.

Peaks are dense matrix products in bfloat16 with float32 sums, from NVIDIA's architecture papers and data sheets (Ampere
GA102, A100, Ada, Hopper, Blackwell). float32 there is TF32, at half of that on all of these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TERA = 1e12
SHARE = 0.6
"""Share of the peak that a run reaches. From the official table of Wan2.2 (its README, one card, 720p, 50 or 40 guided
steps): 0.63 on a 4090 (ti2v-5B), 0.61 on an A100, 0.51 on an H100, 0.87 on an H20 (t2v-A14B); their median."""
LINK_BYTES = 12e9
"""Bytes a second from main memory to the card: half of what PCI Express 4.0 x16 could carry, as copies from ordinary
memory reach."""

_PEAKS = {
    r"RTX 3080": 59.5,
    r"RTX 3090": 71.0,
    r"RTX 3090 Ti": 80.0,
    r"RTX A5000": 111.1,
    r"RTX A6000": 154.8,
    r"A10": 125.0,
    r"A100\b.*": 312.0,
    r"RTX 4080": 97.5,
    r"RTX 4090": 165.2,
    r"RTX 6000 Ada Generation": 364.2,
    r"L4": 121.0,
    r"L40S": 362.0,
    r"RTX 5080": 112.6,
    r"RTX 5090": 209.5,
    r"H20": 148.0,
    r"H100 PCIe": 756.0,
    r"H100 NVL": 835.0,
    r"H100(?: SXM.*| 80GB HBM3)?": 989.4,
    r"H200": 989.4,
    r"B200": 2250.0,
}


@dataclass(frozen=True, slots=True)
class Card:
    """Where a clip would be computed. `name` as torch says it, "" where only the size is known; 0 GB is no card."""

    vram_gb: float
    name: str = ""

    @property
    def peak(self) -> float | None:
        """Published operations a second in bfloat16; None for a card that the table does not know."""
        short = re.sub(r"^(NVIDIA )?(GeForce )?", "", self.name.strip())
        return next((peak * TERA for known, peak in _PEAKS.items() if re.fullmatch(known, short)), None)

    def rate(self, dtype: str) -> float | None:
        """Operations a second that a run may be expected to reach in `dtype`; None where nothing is known."""
        peak = self.peak
        return None if peak is None else peak * SHARE * (0.5 if dtype == "float32" else 1.0)
