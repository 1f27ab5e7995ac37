"""Weights into memory: checked by their headers before any work, then one component at a time.

Nothing here asks the network: all is read from the model's own folder. Components are loaded when their stage begins
and dropped when it ends, so that the text encoder, each expert and the VAE never share the card without need.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import catalogue, embeddings, prepared, quantised, smoke, weights
from artifexpro.core.wan22.catalogue import ModelSpec
from artifexpro.core.wan22.embeddings import Embeddings
from artifexpro.core.wan22.levers import Levers
from artifexpro.core.wan22.quiet import quiet
from artifexpro.core.wan22.request import ClipSpec
from artifexpro.core.wan22.s2v import layout
from artifexpro.core.wan22.tiny import shipped

if TYPE_CHECKING:
    from torch import device as Device
    from torch import dtype as DType


@dataclass(frozen=True, slots=True)
class Formats:
    """Number format of each component. `note` says where it differs from what was asked for."""

    text: DType
    transformer: DType
    vae: DType
    note: str = ""


def best_device() -> Device:
    """The first CUDA card, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def formats(spec: ClipSpec, model: ModelSpec, device: Device) -> Formats:
    """What each component computes in: text encoder bfloat16, VAE float32, transformer as the spec says.

    Processors have no useful float16: bfloat16 is used there, and said. Random models are float32 but for the
    transformer, which follows the spec.
    """
    wanted: DType = getattr(torch, spec.dtype)
    note = ""
    if device.type == "cpu" and wanted is torch.float16:
        wanted, note = torch.bfloat16, "Computed in bfloat16: float16 works on graphics cards only."
    return Formats(torch.float32 if model.random else torch.bfloat16, wanted, torch.float32, note)


def locate(models: Path, model: ModelSpec, dtype: str | None = None, quantise: str = "none") -> Path:
    """The folder to load `model` from, which counts as used now; random models are built, the embedded
    one is copied from the package. Raises `ArtifexError` (code "model") if missing."""
    if model.random:
        return smoke.ensure(models, model)
    if model.embedded:
        shipped.ensure(models, model)
    folder = weights.folder_of(models, model, dtype, quantise)
    if not (folder / "model_index.json").is_file():
        raise weights.missing(models, model)
    weights.used(folder)
    return folder


def files_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, bytes and time of every file of a model: another copy of it is told by them."""
    found = ((path, path.stat()) for path in sorted(folder.rglob("*")) if path.is_file())
    return tuple((path.relative_to(folder).as_posix(), about.st_size, about.st_mtime_ns) for path, about in found)


def inspect(folder: Path, model: ModelSpec, variant: str | None = None) -> None:
    """Refuse weights that are missing, cut short or another model's, from configurations and file headers alone.

    `variant` are other files of the networks, such as "ema".

    Raises `ArtifexError` (code "model"). Takes milliseconds, whatever the weights' size.
    """
    check_shape(folder, model)
    for component in model.components:
        place = folder / component.name
        own = variant if component.name.startswith("transformer") else None
        for name, tensors in _shards(place, model, own).items():
            found = _header(place / name, model)
            absent = tensors - found.keys() if tensors else set()
            if absent:
                raise _damaged(model, place / name, f"{len(absent)} of its tensors are not in it")


def check_shape(folder: Path, model: ModelSpec) -> None:
    """Refuse a folder whose configurations are another model's or incomplete. Raises `ArtifexError` (code "model")."""
    size = model.transformer
    wanted: dict[str, dict[str, Any]] = {
        "transformer": {
            "_class_name": size.kind,
            "num_layers": size.layers,
            "num_attention_heads": size.heads,
            "attention_head_dim": size.head_dim,
            "ffn_dim": size.ffn,
            "in_channels": size.in_channels,
            "text_dim": size.text_dim,
        },
        "vae": {"_class_name": "AutoencoderKLWan", "z_dim": model.vae.channels},
        "text_encoder": {"d_model": size.text_dim},
    }
    if size.control:
        wanted["transformer"]["vace_layers"] = list(size.control)
    if model.speech is not None:
        wanted["transformer"] |= {"audio_blocks": list(size.hearing), "past_frames": model.speech.past_frames}
        wanted["audio_encoder"] = {
            "hidden_size": model.speech.audio_dim,
            "num_hidden_layers": model.speech.audio_layers - 1,
        }
    if model.experts == 2:
        wanted["transformer_2"] = wanted["transformer"]
    elif (folder / "transformer_2" / "config.json").is_file():
        raise _another(model, folder, "it has two experts and this model has one network")
    for name, fields in wanted.items():
        config = _json(folder / name / "config.json", model)
        for key, value in fields.items():
            if config.get(key) != value:
                raise _another(model, folder, f"{key} in {name} is {config.get(key)}, and {model.name} has {value}")
    if model.speech is not None and not (folder / "audio_encoder" / "preprocessor_config.json").is_file():
        raise _damaged(model, folder / "audio_encoder", "it does not say how sound is prepared")
    if not (folder / "tokenizer" / "tokenizer.json").is_file() and not any(folder.glob("tokenizer/*.model")):
        raise _damaged(model, folder / "tokenizer", "there is no tokenizer in it")


def _shards(place: Path, model: ModelSpec, variant: str | None) -> dict[str, set[str]]:
    """Weight files of a component and the tensors each must have (empty where no index says)."""
    for index in sorted(place.glob(f"*.safetensors.index.{variant}.json" if variant else "*.safetensors.index.json")):
        shards: dict[str, set[str]] = {}
        for tensor, name in _json(index, model).get("weight_map", {}).items():
            shards.setdefault(str(name), set()).add(tensor)
        return shards
    ending = f"{variant}.safetensors" if variant else "safetensors"
    single = sorted(path.name for path in place.glob("*.safetensors") if path.name.partition(".")[2] == ending)
    if not single:
        raise _damaged(model, place, "there are no weights in it")
    return {single[0]: set()}


def _header(path: Path, model: ModelSpec) -> dict[str, Any]:
    """The tensors a safetensors file declares, once its length is what they need.

    Format: 8 bytes little-endian length of the JSON header, the header, then the data its offsets point into.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= 100_000_000:
                raise ValueError
            header = json.loads(file.read(length))
        tensors: dict[str, Any] = {name: item for name, item in header.items() if name != "__metadata__"}
        needed = 8 + length + max((item["data_offsets"][1] for item in tensors.values()), default=0)
        size = path.stat().st_size
    except FileNotFoundError:
        raise _damaged(model, path, "the file is missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise _damaged(model, path, "it is not a whole safetensors file") from None
    if size != needed:
        raise _damaged(model, path, f"it has {size:,} bytes instead of {needed:,}")
    return tensors


def _json(path: Path, model: ModelSpec) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _damaged(model, path, "the file is missing") from None
    except (OSError, ValueError):
        raise _damaged(model, path, "it cannot be read") from None
    if not isinstance(data, dict):
        raise _damaged(model, path, "it cannot be read")
    return data


def _damaged(model: ModelSpec, path: Path, why: str) -> ArtifexError:
    return ArtifexError(
        f"load {model.name} from {path}",
        why,
        f"`artifexpro models verify {model.name}`, then `artifexpro models get {model.name}`",
        code="model",
    )


def _another(model: ModelSpec, folder: Path, why: str) -> ArtifexError:
    return ArtifexError(
        f"load {model.name} from {folder}",
        f"the weights there are of another model: {why}",
        f"the weights of {model.repository or model.name} in that folder",
        code="model",
    )


@dataclass(frozen=True, slots=True)
class Loader:
    """Gives one model's components from its folder, ready to use on `device` as `levers` say.

    Each call reads the disk again, but for what stays in main memory after its first use and leaves the card when
    another one is asked for: all components with `levers.offload` "model", otherwise those that `room` bytes hold.
    `files` are what the folder's files were when the loader was made: loaders of other files are not equal.
    """

    folder: Path
    model: ModelSpec
    device: Device
    formats: Formats
    levers: Levers = Levers()
    files: tuple[tuple[str, int, int], ...] = field(default=(), repr=False)
    room: int = field(default=0, compare=False)
    kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def movable(self) -> bool:
        """Whether components can stay for a later clip: they can leave the card, remember nothing of a clip, and the
        clip does not hold on to several of them itself."""
        levers = self.levers
        return levers.offload != "block" and levers.parallel == 1 and not levers.cache and self.model.speech is None

    def embeddings(self) -> Embeddings:
        """Where this model's text embeddings are kept from earlier clips."""
        return embeddings.of(self.folder, self.formats.text)

    def tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        place = self.folder / "tokenizer"
        try:
            with quiet():
                return AutoTokenizer.from_pretrained(str(place), local_files_only=True)
        except Exception as error:  # its Rust half raises nothing narrower
            raise _damaged(self.model, place, "the tokenizer cannot be read") from error

    def text_encoder(self) -> Any:
        from transformers import UMT5EncoderModel

        place = torch.device("cpu") if self.levers.text_on_cpu else self.device
        return self._once("text_encoder", place, partial(self._read, UMT5EncoderModel, dtype=self.formats.text))

    def vae(self) -> Any:
        from diffusers import AutoencoderKLWan

        return self._once("vae", self.device, partial(self._read, AutoencoderKLWan, torch_dtype=self.formats.vae))

    def transformer(self, name: str) -> Any:
        """`name` is "transformer" or "transformer_2"."""
        helper = partial(_ready_elsewhere, self.folder, self.model.name, self.formats, self.levers, name)
        if (there := self._back(name, self.device)) is not None:
            return there
        network = prepared.ready(self.network(name), name, self.levers, self.device, helper)
        return self._keep(name, network)

    def network(self, name: str) -> Any:
        """The network in main memory as it was saved or quantised, nothing else done to it."""
        stored = quantised.stored(self.folder / name)
        config = None if stored != "none" else quantised.config(self.levers.quantise)
        return self._read(
            layout.network(self.model.transformer.kind),
            name,
            torch_dtype=self.formats.transformer,
            variant=prepared.variant(self.levers),
            **({} if config is None else {"quantization_config": config}),
        )

    def audio_encoder(self) -> tuple[Any, Any]:
        """What brings sound to the speech model, and the speech model (float32, as the reference uses it)."""
        from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model

        model = self._read(Wav2Vec2Model, "audio_encoder", dtype=torch.float32).to(self.device)
        return Wav2Vec2FeatureExtractor.from_pretrained(str(self.folder / "audio_encoder")), model

    def _once(self, name: str, device: Device, read: Any) -> Any:
        there = self._back(name, device)
        return self._keep(name, read(name).to(device)) if there is None else there

    def _keep(self, name: str, component: Any) -> Any:
        if self.levers.offload == "model" or self._has_room(component):
            self.kept[name] = component
        return component

    def _has_room(self, component: Any) -> bool:
        if not self.room:
            return False
        return sum(map(quantised.bytes_held, (component, *self.kept.values()))) <= self.room

    def _back(self, name: str, device: Device) -> Any:
        """The component `name` from main memory, if it is there; all others leave the card first."""
        for other, component in self.kept.items():
            if other != name:
                component.to("cpu")
        found = self.kept.get(name)
        if found is not None:
            found.to(device)
        return found

    def _read(self, kind: Any, name: str, **options: Any) -> Any:
        with quiet():
            loaded, info = kind.from_pretrained(
                str(self.folder / name),
                local_files_only=True,
                output_loading_info=True,
                use_safetensors=True,
                **options,
            )
        wrong = sorted(str(key) for key in [*info["missing_keys"], *info.get("mismatched_keys", ())])
        if wrong:
            raise _damaged(
                self.model, self.folder / name, f"{len(wrong)} tensors are missing or misshapen ({wrong[0]})"
            )
        return loaded.eval()


def _ready_elsewhere(folder: Path, model: str, formats: Formats, levers: Levers, name: str, device: Device) -> Any:
    """The same network in a helper's process, which knows the model by name."""
    loader = Loader(folder, catalogue.model(model), device, formats, levers)
    return prepared.own(loader.network(name), name, levers, device)
