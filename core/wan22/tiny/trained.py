"""An embedded model that was trained before, as another training takes it up."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import loading
from artifexpro.core.wan22.catalogue import TINY
from artifexpro.core.wan22.loading import Formats, Loader
from artifexpro.core.wan22.tiny import log

_KEPT = 5
"""The recipe since which a text encoder stays as it was taught."""


def check(folder: Path, doing: str) -> None:
    """Raises `ArtifexError` (code "model") where `folder` has no whole model; `doing` is what it was wanted for."""
    if not (folder / "model_index.json").is_file():
        raise ArtifexError(
            f"{doing} the model in {folder}",
            "there is no trained model in that folder",
            "the folder that a training of the embedded model wrote",
            code="model",
        )
    loading.inspect(folder, TINY)


def identity(folder: Path) -> str:
    """Of the network's weights: work on another model is not gone on with."""
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted((folder / "transformer").glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def is_taught(folder: Path) -> bool:
    """Whether its text encoder is as the stage of words left it: earlier recipes let it learn on and forget."""
    begun = [line for line in log.Log(folder / log.NAME).lines() if "began" in line]
    return bool(begun) and int(begun[-1]["recipe"]) >= _KEPT


def parts(folder: Path, place: Any, words: str = "bfloat16") -> dict[str, Any]:
    """Tokenizer, text encoder (in the number format `words`), transformer and VAE (float32), in eval mode."""
    loader = Loader(folder, TINY, place, Formats(getattr(torch, words), torch.float32, torch.float32))
    return {
        "tokenizer": loader.tokenizer(),
        "text_encoder": loader.text_encoder(),
        "transformer": loader.transformer("transformer"),
        "vae": loader.vae(),
    }
