"""Weights written once more in the number format they are used in: a fraction of the bytes, five times faster to load.

Published weights are float32. The copy lies beside them as `<name>-bf16`, `-fp16`, `-int8` or `-fp8`, and
`weights.folder_of` prefers it. What the classes keep in float32 stays so, as does the VAE; the text encoder is bfloat16
in all copies. In 8 bits are the networks' matrices alone (`quantised`); what else they have is bfloat16.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import loading, quantised, weights
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.weights import MANIFEST, SUFFIXES, Manifest, records_of

if TYPE_CHECKING:
    from torch import Tensor
    from torch import dtype as DType

_CAST = ("text_encoder", "transformer", "transformer_2")


def convert(models: Path, model: ModelSpec, dtype: str, hooks: Hooks) -> Path:
    """Write `model` to `<models>/<name>-bf16` (`dtype` "bfloat16"), `-fp16` ("float16"), `-int8` or `-fp8` and return
    that folder.

    One file of weights is in memory at a time; for 8 bits, one network in 8 bits.
    Tells `hooks.progress("convert", bytes read, total)`.
    Raises `ArtifexError` (codes "model", "settings", "disk").
    """
    attempted = f"convert {model.name} to {dtype}"
    if dtype not in SUFFIXES:
        raise ArtifexError(attempted, "there is no such copy", f"one of {', '.join(SUFFIXES)}", code="settings")
    if model.random:
        raise ArtifexError(
            attempted, "random weights are built as they are used", "ti2v-5B or t2v-A14B", code="settings"
        )
    eight = dtype in weights.EIGHT_BIT
    if eight and model.transformer.kind != "WanTransformer3DModel":
        because = f"{model.transformer.kind} is stored in 8 bits only while it is loaded"
        raise ArtifexError(attempted, because, "bfloat16, and the profile Memory when generating", code="settings")
    source = models / model.name
    if not (source / "model_index.json").is_file():
        raise weights.missing(models, model)
    loading.inspect(source, model)
    target = models / (model.name + SUFFIXES[dtype])
    files = sorted(path for path in source.rglob("*") if path.is_file() and path.name != MANIFEST)
    total = sum(path.stat().st_size for path in files)
    _check_space(models, attempted, total)
    origin = Manifest.read(source)
    with weights.building(target) as workplace, hooks.stage("convert"):
        done = 0
        for path in files:
            hooks.check()
            name = path.relative_to(source)
            (workplace / name).parent.mkdir(parents=True, exist_ok=True)
            if eight and name.parts[0].startswith("transformer"):
                _store(source, workplace, name.parts[0], dtype)
            elif path.suffix == ".safetensors" and name.parts[0] in _CAST:
                _cast_file(path, workplace / name, name.parts[0], torch.bfloat16 if eight else getattr(torch, dtype))
            else:
                shutil.copyfile(path, workplace / name)
            done += path.stat().st_size
            hooks.progress("convert", done, total)
        _correct_indexes(workplace)
        repository, revision = (origin.repository, origin.revision) if origin else ("unknown", "unknown")
        Manifest(model.name, repository, f"{revision} in {dtype}", records_of(workplace, hooks)).write(workplace)
    return target


def _store(source: Path, target: Path, name: str, dtype: str) -> None:
    """The network called `name` in 8 bits, all its files at once, if that has not happened yet."""
    if not (target / name / "config.json").is_file():
        quantised.save(source / name, target / name, "int8" if dtype == "int8" else "fp8", torch.bfloat16)


def _cast_file(source: Path, target: Path, component: str, dtype: DType) -> None:
    from safetensors import safe_open
    from safetensors.torch import save_file

    kept = _kept(component)
    wanted = torch.bfloat16 if component == "text_encoder" else dtype
    tensors: dict[str, Tensor] = {}
    with safe_open(source, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118
            tensor = file.get_tensor(name)
            if tensor.is_floating_point():
                tensor = tensor.to(torch.float32 if kept & set(name.split(".")) else wanted)
            tensors[name] = tensor.contiguous()
    save_file(tensors, target, metadata={"format": "pt"})


def _kept(component: str) -> set[str]:
    """Names of modules that the class itself keeps in float32 whatever is asked for."""
    if component == "text_encoder":
        return set()
    from diffusers import WanTransformer3DModel

    return set(WanTransformer3DModel._keep_in_fp32_modules or ())


def _correct_indexes(folder: Path) -> None:
    """Shard indexes say how large the tensors are together: they are smaller now."""
    for path in folder.rglob("*.safetensors.index.json"):
        index: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        shards = {path.parent / name for name in index["weight_map"].values()}
        index.setdefault("metadata", {})["total_size"] = sum(_data_bytes(shard) for shard in shards)
        path.write_text(json.dumps(index, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _data_bytes(shard: Path) -> int:
    with shard.open("rb") as file:
        return shard.stat().st_size - 8 - int.from_bytes(file.read(8), "little")


def _check_space(models: Path, attempted: str, total: int) -> None:
    free = shutil.disk_usage(models).free
    if total > free:
        raise ArtifexError(
            attempted,
            f"the copy may need {total / 1e9:.1f} GB and {free / 1e9:.1f} GB are free",
            "freeing space on that disk: `artifexpro models evict` does",
            code="disk",
        )
