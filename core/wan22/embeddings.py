"""Embeddings of prompts on disk, so that a prompt seen before does not load the text encoder: 11 GB for a sentence.

One file a prompt, named by what decides its content: the encoder's weights, its number format and the cleaned text.
Only the words are stored, not the zeros after them: some 8 kB a token. The least recently used make room for new ones.
"""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import text
from artifexpro.core.wan22.text import TOKENS, Embedding
from artifexpro.core.wan22.weights import MANIFEST, Manifest

FOLDER = ".embeddings"
BUDGET = 1 << 30
"""Bytes the files may take together."""


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Embeddings kept in `folder` for one text encoder. `encoder` names its weights and number format."""

    folder: Path
    encoder: str
    budget: int = BUDGET

    def get(self, prompt: str, load: Callable[[], tuple[Any, Any]], note: Callable[[str], None]) -> Embedding:
        """The embedding of `prompt`; `load` gives (tokenizer, encoder) and is called only where it is not kept yet.

        A damaged file is removed and made again, and `note` is told; so it is where the folder cannot be written.
        """
        path = self._path(prompt)
        found = self._read(path, note)
        if found is None:
            found = text.encode(prompt, *load())
            self._keep(path, found, note)
        return found

    def has(self, prompt: str) -> bool:
        return self._path(prompt).is_file()

    def _path(self, prompt: str) -> Path:
        name = hashlib.sha256(f"{self.encoder}\n{text.clean(prompt)}".encode()).hexdigest()
        return self.folder / f"{name}.safetensors"

    def _read(self, path: Path, note: Callable[[str], None]) -> Embedding | None:
        from safetensors import SafetensorError, safe_open

        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                words, tokens = file.get_tensor("words"), int(file.metadata()["tokens"])
            if words.ndim != 3 or words.shape[1] != min(tokens, TOKENS) or not bool(torch.isfinite(words).all()):
                raise ValueError("not an embedding")
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):
            with suppress(OSError):
                path.unlink()
            note("A kept text embedding was damaged; it was removed and the text read again.")
            return None
        with suppress(OSError):
            os.utime(path)
        states = torch.nn.functional.pad(words, (0, 0, 0, TOKENS - words.shape[1]))
        return Embedding(states, tokens)

    def _keep(self, path: Path, embedding: Embedding, note: Callable[[str], None]) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        words = embedding.states[:, : min(embedding.tokens, TOKENS)].detach().cpu().contiguous()
        partial = path.with_name(f"{uuid.uuid4().hex}.partial")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file({"words": words}, partial, metadata={"tokens": str(embedding.tokens)})
            partial.replace(path)
            self._make_room(path)
        except (OSError, SafetensorError) as error:
            with suppress(OSError):
                partial.unlink()
            note(f"The text embedding could not be kept for next time in {self.folder}: {error}.")

    def _make_room(self, newest: Path) -> None:
        kept = sorted(self.folder.glob("*.safetensors"), key=lambda path: path.stat().st_mtime, reverse=True)
        total = 0
        for path in [newest, *(path for path in kept if path != newest)]:
            total += path.stat().st_size
            if total > self.budget:
                path.unlink(missing_ok=True)


def of(folder: Path, dtype: Any) -> Embeddings:
    """Embeddings for the text encoder and tokenizer in the model folder `folder`, computed in `dtype`."""
    digest = hashlib.sha256(str(dtype).encode())
    manifest = Manifest.read(folder) if (folder / MANIFEST).is_file() else None
    for name, identity in sorted(_identities(folder, manifest)):
        digest.update(f"\n{name} {identity}".encode())
    return Embeddings(folder.parent / FOLDER, digest.hexdigest())


def _identities(folder: Path, manifest: Manifest | None) -> list[tuple[str, str]]:
    """Checksums of what the embedding rests on; sizes and times of files that were put there by hand."""
    places = ("text_encoder/", "tokenizer/")
    if manifest is not None:
        return [(name, record.sha256) for name, record in manifest.files.items() if name.startswith(places)]
    files = [path for place in places for path in (folder / place).iterdir() if path.is_file()]
    return [(path.name, f"{path.stat().st_size} {path.stat().st_mtime_ns}") for path in files]
