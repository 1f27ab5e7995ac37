"""Libraries that talk while they load: their bars and hints would drown what a job has to say."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

for _name in (
    "torchao",
    "torch.utils._pytree",
    "diffusers.quantizers.torchao.torchao_quantizer",
    "diffusers.hooks.context_parallel",
):
    logging.getLogger(_name).setLevel(logging.ERROR)
"""What torchao says at import of kernels for other machines (diffusers imports it, wanted or not), and hints for
programmers that come at every call."""


@contextmanager
def quiet() -> Iterator[None]:
    """Only errors of diffusers and transformers, and none of their progress bars, inside the block."""
    from diffusers.utils import logging as of_diffusers
    from transformers.utils import logging as of_transformers

    libraries = (of_diffusers, of_transformers)
    levels = [library.get_verbosity() for library in libraries]
    bars = [library.is_progress_bar_enabled() for library in libraries]
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library, level, bar in zip(libraries, levels, bars, strict=True):
            library.set_verbosity(level)
            if bar:
                library.enable_progress_bar()
