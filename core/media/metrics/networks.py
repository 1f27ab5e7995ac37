"""VBench's networks, where someone has put them on disk. Nothing is ever fetched.

DINO ViT-B/16 and CLIP ViT-B/32 are read as transformers saves them (`config.json` and `model.safetensors`), from
`vbench/dino-vitb16` and `vbench/clip-vit-base-patch32` in the folder of models. AMT-S, RAFT and MUSIQ are not read:
no library of this project has these networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import cv2, numpy, torch
from artifexpro.core.media.files import identity
from artifexpro.core.media.metrics import scores
from artifexpro.core.media.metrics.consistency import Feature
from artifexpro.core.media.metrics.looked import Looked

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDER = "vbench"
_WEIGHTS = ("config.json", "model.safetensors")
_SIDE = 224


@dataclass(frozen=True, slots=True)
class Network:
    """A network of VBench's: the score that it gives, its folder, and how it sees pictures."""

    score: str
    title: str
    folder: str
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    cut: bool
    """Whether pictures are cut to a square."""

    def place(self, models: Path) -> Path:
        return models / FOLDER / self.folder

    def is_there(self, models: Path) -> bool:
        return any((self.place(models) / name).exists() for name in _WEIGHTS)

    def identity(self, models: Path) -> str:
        """What changes when the files do; empty where they are not there."""
        place = self.place(models)
        return "\0".join(identity(place / name) for name in _WEIGHTS if (place / name).exists())

    def missing(self) -> str:
        return f"{self.title} is not on disk ({FOLDER}/{self.folder} in the folder of models)"


DINO = Network(
    scores.SUBJECT_CONSISTENCY,
    "DINO ViT-B/16",
    "dino-vitb16",
    (0.485, 0.456, 0.406),
    (0.229, 0.224, 0.225),
    cut=False,
)
CLIP = Network(
    scores.BACKGROUND_CONSISTENCY,
    "CLIP ViT-B/32",
    "clip-vit-base-patch32",
    (0.48145466, 0.4578275, 0.40821073),
    (0.26862954, 0.26130258, 0.27577711),
    cut=True,
)
NETWORKS = (DINO, CLIP)


def load(models: Path) -> Mapping[str, Feature]:
    """The feature for each score whose network is in the folder `models`.

    Raises `ArtifexError` (code "damaged") for a network that is there and cannot be read, or is another one.
    """
    return {
        network.score: _feature(network, _loaded(network, models)) for network in NETWORKS if network.is_there(models)
    }


def seen(picture: NDArray[Any], network: Network) -> NDArray[Any]:
    """(1, 3, h, w) float32: a picture as the network is shown it, its shorter side 224 pixels.

    VBench resizes without smoothing, bilinear for DINO and bicubic for CLIP, and cuts CLIP's around the centre.
    """
    height, width = picture.shape[:2]
    scale = _SIDE / min(height, width)
    size = max(_SIDE, int(width * scale)), max(_SIDE, int(height * scale))
    how = cv2.INTER_CUBIC if network.cut else cv2.INTER_LINEAR
    small = cv2.resize(picture, size, interpolation=how)
    if network.cut:
        left, top = (size[0] - _SIDE) // 2, (size[1] - _SIDE) // 2
        small = small[top : top + _SIDE, left : left + _SIDE].clip(0, 1)
    straight = (small - numpy.array(network.mean, numpy.float32)) / numpy.array(network.deviation, numpy.float32)
    planes: NDArray[Any] = numpy.ascontiguousarray(straight.transpose(2, 0, 1)[None])
    return planes


def _feature(network: Network, model: Any) -> Feature:
    def of(frame: Looked) -> tuple[NDArray[Any]]:
        with torch.no_grad():
            given = torch.from_numpy(seen(frame.rgb, network)).to(model.device)
            if network.cut:
                found = model(given).image_embeds[0]
            else:
                found = model(given, interpolate_pos_encoding=True).last_hidden_state[0, 0]
        return (found.float().cpu().numpy(),)

    return of


def _loaded(network: Network, models: Path) -> Any:
    from transformers import CLIPVisionModelWithProjection, ViTModel

    place = network.place(models)
    kind: Any = CLIPVisionModelWithProjection if network.cut else ViTModel
    more = {} if network.cut else {"add_pooling_layer": False}
    try:
        model, info = kind.from_pretrained(
            str(place), local_files_only=True, use_safetensors=True, output_loading_info=True, **more
        )
    except Exception as error:  # of many kinds, from three libraries
        raise _damaged(network, place, "its files cannot be read") from error
    wrong = sorted(str(key) for key in [*info["missing_keys"], *info.get("mismatched_keys", ())])
    if wrong:
        raise _damaged(network, place, f"{len(wrong)} tensors are missing or misshapen ({wrong[0]})")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.eval().to(device)


def _damaged(network: Network, place: Path, because: str) -> ArtifexError:
    return ArtifexError(
        f"load {network.title} from {place}",
        because,
        "putting it there again, or measuring with networks off",
        code="damaged",
    )
