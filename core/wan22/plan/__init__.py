"""What a clip would need, before anything is loaded, and how it is computed so that it fits.

The plan describes what `generate` does: one component at a time. Gigabytes are 10^9 bytes, and a card's size is taken
as that many of them: the seven percent by which "24 GB" of memory is larger stay free for the driver and for
fragmentation.
"""

from __future__ import annotations

from artifexpro.core.wan22.plan import flops
from artifexpro.core.wan22.plan.ladder import Step, ladder
from artifexpro.core.wan22.plan.making import Plan, make
from artifexpro.core.wan22.plan.memory import GB
from artifexpro.core.wan22.plan.stages import Stage

__all__ = ["GB", "Plan", "Stage", "Step", "flops", "ladder", "make"]
