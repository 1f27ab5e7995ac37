"""The embedded model's weights, from the package to the artist's models.

They are copied once, so that everything that works on a model's folder (copies in other formats, embeddings kept
beside it, checks) works on this one too, and nothing ever writes into the package.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from artifexpro.core.wan22 import catalogue
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.tiny import captions
from artifexpro.core.wan22.weights import Manifest, building

_NAMED = 6
"""Unknown words that are named, at most."""


def ensure(models: Path, model: ModelSpec) -> Path:
    """The folder of the embedded model under `models`, copied there if it is not, or if it is another version's."""
    folder = models / model.name
    source = Manifest.read(catalogue.WEIGHTS)

    def current(place: Path) -> bool:
        there = Manifest.read(place)
        return there is not None and source is not None and there.revision == source.revision

    if not current(folder):
        with building(folder, unless=current) as workplace:
            shutil.copytree(catalogue.WEIGHTS, workplace, dirs_exist_ok=True)
    return folder


def say(model: ModelSpec, prompt: str, hooks: Hooks) -> None:
    """Tell the audience what the small model does not know of `prompt`, if there is such a thing."""
    words = list(dict.fromkeys(captions.unknown(prompt)))
    if not words and prompt.strip():
        return
    missed = ", ".join(words[:_NAMED]) + (" and more" if words[_NAMED:] else "")
    hooks.note(
        f"This is the small model that comes with the package. {model.name} knows coloured circles, squares, triangles "
        "and stars that move, in English, and fills in the rest by chance. "
        + (f"It does not know: {missed}. " if words else "")
        + "Get ti2v-5B for anything else."
    )
