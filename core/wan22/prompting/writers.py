"""Language models that extend prompts: which are known, where one lies on disk, whether it is whole.

They are folders as published on the hub, in the folder of models or anywhere else. Nothing here fetches one, and all of
it reads headers only, so that a job is refused before it is accepted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from artifexpro.core.errors import ArtifexError


@dataclass(frozen=True, slots=True)
class Known:
    """A language model that may be used in any production."""

    repository: str
    parameters_billion: float
    sees: bool = False
    licence: str = "Apache-2.0"


KNOWN: Mapping[str, Known] = MappingProxyType(
    {
        "Qwen2.5-7B-Instruct": Known("Qwen/Qwen2.5-7B-Instruct", 7.6),
        "Qwen2.5-14B-Instruct": Known("Qwen/Qwen2.5-14B-Instruct", 14.8),
        "Qwen3-4B-Instruct-2507": Known("Qwen/Qwen3-4B-Instruct-2507", 4.0),
        "Qwen2.5-VL-7B-Instruct": Known("Qwen/Qwen2.5-VL-7B-Instruct", 8.3, sees=True),
    }
)
DEFAULT = "Qwen2.5-VL-7B-Instruct"
"""It sees pictures, and extends words alone just as well."""
READ = ("qwen2", "qwen3", "qwen2_moe", "qwen3_moe")
SEE = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl")
_SAMPLE = 1 << 16


@dataclass(frozen=True, slots=True)
class Writer:
    """A language model on disk, looked through: `sees` says that it can be shown a picture."""

    name: str
    folder: Path
    sees: bool

    def identity(self) -> str:
        """A digest of its settings and of its weights' sizes, headers and samples: the same wherever the same files
        lie, and quick whatever their size."""
        digest = hashlib.sha256()
        for path in sorted(self.folder.iterdir()):
            if path.suffix == ".safetensors":
                digest.update(f"\n{path.name} {path.stat().st_size}\n".encode())
                for piece in _samples(path):
                    digest.update(piece)
            elif path.suffix in (".json", ".jinja", ".txt"):
                digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
        return digest.hexdigest()[:16]

    def template(self) -> str | None:
        """The chat template in a file of its own, as VL models have for pictures; None leaves it to the tokenizer."""
        if (self.folder / "chat_template.jinja").is_file():
            return (self.folder / "chat_template.jinja").read_text(encoding="utf-8")
        if (self.folder / "chat_template.json").is_file():
            return str(_json(self.folder, "chat_template.json").get("chat_template", "")) or None
        return None


def memory(name: str) -> int:
    """Bytes the language model called `name` takes, as far as the name tells: of a known one in 16 bits, or of the
    files in a folder that is a whole path; else 0."""
    wanted = name or DEFAULT
    if wanted in KNOWN:
        return round(KNOWN[wanted].parameters_billion * 2e9)
    if not Path(wanted).is_absolute():
        return 0
    return sum(path.stat().st_size for path in Path(wanted).glob("*.safetensors"))


def find(models: Path, name: str = "") -> Writer:
    """The language model called `name` ("" is the default one): a folder in `models`, or a whole path.

    Raises `ArtifexError` (code "model") where it is missing, cut short, without a chat template, or no Qwen.
    """
    wanted = name or DEFAULT
    folder = Path(wanted) if Path(wanted).is_absolute() else models / wanted
    if not Path(wanted).is_absolute() and (Path(wanted).name != wanted or wanted in (".", "..")):
        raise _refused(folder, "that is neither a folder in the folder of models nor a whole path", "one of them")
    if not folder.is_dir():
        known = KNOWN.get(wanted)
        source = f"the files of {known.repository} there" if known else f"one of {', '.join(KNOWN)}"
        raise _refused(folder, "there is no such folder, and none is fetched while a job runs", f"{source}, or rules")
    kind = str(_json(folder, "config.json").get("model_type"))
    if kind not in (*READ, *SEE):
        raise _refused(
            folder, f"it holds a model of the kind {kind}, and a Qwen is needed", f"one of {', '.join(KNOWN)}"
        )
    _check_tokenizer(folder)
    _check_weights(folder)
    if kind in SEE and not (folder / "preprocessor_config.json").is_file():
        raise _refused(folder, "preprocessor_config.json is missing: how it sees pictures", "the whole repository")
    return Writer(folder.name, folder, kind in SEE)


def _check_tokenizer(folder: Path) -> None:
    there = {path.name for path in folder.iterdir()}
    if "tokenizer.json" not in there and not {"vocab.json", "merges.txt"} <= there:
        raise _refused(folder, "there is no tokenizer in it", "the whole repository")
    settings = _json(folder, "tokenizer_config.json")
    if "chat_template.jinja" in there or settings.get("chat_template"):
        return
    if "chat_template.json" in there and _json(folder, "chat_template.json").get("chat_template"):
        return
    raise _refused(
        folder,
        "it has no chat template: it completes texts and takes no instructions",
        "its Instruct variant, or rules",
    )


def _check_weights(folder: Path) -> None:
    """Every shard is there, whole by its header, with the tensors that the index says."""
    from safetensors import SafetensorError, safe_open

    shards: dict[str, set[str]] = {path.name: set() for path in folder.glob("*.safetensors")}
    if (folder / "model.safetensors.index.json").is_file():
        shards = {}
        for tensor, name in dict(_json(folder, "model.safetensors.index.json").get("weight_map", {})).items():
            shards.setdefault(str(name), set()).add(str(tensor))
    if not shards:
        raise _refused(folder, "there are no weights in it (*.safetensors)", "the whole repository")
    for name, tensors in sorted(shards.items()):
        if not (folder / name).is_file():
            raise _refused(folder, f"{name} is missing", "getting that file again")
        try:
            with safe_open(folder / name, framework="numpy") as file:
                absent = tensors - set(file.keys())
        except (OSError, SafetensorError):
            raise _refused(folder, f"{name} is cut short or damaged", "getting that file again") from None
        if absent:
            raise _refused(folder, f"{len(absent)} tensors are not in {name}", "getting that file again")


def _samples(path: Path) -> tuple[bytes, bytes, bytes]:
    """The beginning (with the header), the middle and the end of a file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        file.seek(0)
        first = file.read(min(size, 8 + length + _SAMPLE))
        file.seek(size // 2)
        middle = file.read(_SAMPLE)
        file.seek(max(0, size - _SAMPLE))
        return first, middle, file.read()


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _refused(folder, f"{name} is missing", "the whole repository") from None
    except (OSError, ValueError):
        data = None
    if not isinstance(data, dict):
        raise _refused(folder, f"{name} cannot be read", "getting that file again")
    return data


def _refused(folder: Path, because: str, remedy: str) -> ArtifexError:
    return ArtifexError(f"extend a prompt with the language model in {folder}", because, remedy, code="model")
