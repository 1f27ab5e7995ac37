"""What a clip will cost, in the artist's words, from what the daemon knows and no more.

Two answers are joined: the plan (memory, and seconds by what was measured of this machine) and the estimate (seconds
of equal jobs that ran here, bytes on disk, or why the job would be refused).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cost:
    """Three figures, from what they are, and what speaks against the job. `refusal` says that it would be refused."""

    time: str = "…"
    memory: str = "…"
    memory_of: str = "memory"
    disk: str = "…"
    basis: str = ""
    warning: str = ""
    refusal: str = ""


ASKING = Cost(basis="Asking the daemon …")
UNTOLD = "—"


def untold(basis: str, warning: str = "") -> Cost:
    """No figures, and why."""
    return Cost(time=UNTOLD, memory=UNTOLD, disk=UNTOLD, basis=basis, warning=warning)


NOT_CONNECTED = untold("Known when the daemon is there.")


def told(plan: dict[str, Any] | None, estimate: dict[str, Any] | None, refusal: str) -> Cost:
    """The cost by both answers; either may be missing where it was refused, `refusal` then says why."""
    plan, estimate = plan or {}, estimate or {}
    seconds = estimate.get("seconds")
    measured = seconds is not None
    if not measured:
        seconds = plan.get("seconds")
    on_card = float(plan.get("peak_vram_gb") or 0.0)
    memory = on_card or plan.get("peak_ram_gb")
    disk = estimate.get("disk_bytes")
    missing = UNTOLD if refusal else "unknown"
    return Cost(
        time=missing if seconds is None else f"about {lasting(seconds)}",
        memory=missing if memory is None else f"{memory:.1f} GB",
        memory_of="graphics card" if on_card else "memory",
        disk=missing if disk is None else f"up to {size(disk)}",
        basis=_basis(seconds, measured, plan, estimate),
        warning="" if plan.get("fits", True) or refusal else f"Does not fit: {plan['reason']}.",
        refusal=refusal,
    )


def _basis(seconds: float | None, measured: bool, plan: dict[str, Any], estimate: dict[str, Any]) -> str:
    if not plan and not estimate:
        return ""
    if seconds is None:
        return "The time is not known before a clip like this has been made here once."
    if measured:
        said = str(estimate["basis"]).split(";", maxsplit=1)[0]
        return f"{said[0].upper()}{said[1:]}."
    return "Time: from what is known of the speed of this machine."


def lasting(seconds: float) -> str:
    """A length of time, as long as one speaks it: "6 s", "4 min", "2 h 10 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """Bytes in the unit that one would say."""
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000 or unit == "GB":
            break
    return f"{count:.0f} {unit}" if count >= 10 else f"{max(count, 0.1):.1f} {unit}"
