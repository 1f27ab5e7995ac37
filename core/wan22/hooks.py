"""What long work tells its caller, and how it hears that it was cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch


class Hooks(Protocol):
    """The audience of a generation or a download.

    `stage` blocks are entered as often as work of that name is done: the seconds of equal names add up.
    """

    def check(self) -> None:
        """Raise `Cancelled` if nobody wants the result any more."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """Tell how far `stage` is: steps, frames or bytes."""

    def preview(self, pixels: torch.Tensor) -> None:
        """Show a small picture on the way: (H, W, 3), float32 on the processor, display-referred sRGB in 0..1."""

    def note(self, sentence: str) -> None:
        """A sentence the artist must see with the result."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Time the block as `name`."""


class Silent:
    """Hooks without an audience."""

    def check(self) -> None:
        pass

    def progress(self, stage: str, done: int, total: int) -> None:
        pass

    def preview(self, pixels: torch.Tensor) -> None:
        pass

    def note(self, sentence: str) -> None:
        pass

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        yield
