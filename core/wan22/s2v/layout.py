"""S2V on disk, in the layout of diffusers: one folder a component, and `model_index.json` that names their classes.

diffusers has no pipeline for speech; the index bears the name that its unfinished one has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artifexpro.core.wan22.catalogue import ModelSpec

KIND = "WanS2VTransformer3DModel"
INDEX: Mapping[str, Any] = {
    "_class_name": "WanSpeechToVideoPipeline",
    "boundary_ratio": None,
    "audio_encoder": ["transformers", "Wav2Vec2Model"],
    "feature_extractor": ["transformers", "Wav2Vec2FeatureExtractor"],
    "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    "text_encoder": ["transformers", "UMT5EncoderModel"],
    "tokenizer": ["transformers", "T5TokenizerFast"],
    "transformer": ["artifexpro.core.wan22.s2v.model", KIND],
    "vae": ["diffusers", "AutoencoderKLWan"],
}


def network(kind: str) -> Any:
    """The class of a network by its name: diffusers' or our own."""
    if kind == KIND:
        from artifexpro.core.wan22.s2v.model import WanS2VTransformer3DModel

        return WanS2VTransformer3DModel
    import diffusers

    return getattr(diffusers, kind)


def network_config(model: ModelSpec) -> dict[str, Any]:
    """Arguments of the network that only speech has, for `model`."""
    assert model.speech is not None
    return {
        "audio_dim": model.speech.audio_dim,
        "audio_layers": model.speech.audio_layers,
        "audio_blocks": model.transformer.hearing,
        "pose_channels": model.vae.channels,
        "past_frames": model.speech.past_frames,
    }


def write(folder: Path, parts: Mapping[str, Any]) -> None:
    """Save components to `folder`, each in a folder of its name; the feature extractor lies with the speech model."""
    for name, part in parts.items():
        if part is not None:
            part.save_pretrained(str(folder / ("audio_encoder" if name == "feature_extractor" else name)))
    write_index(folder)


def write_index(folder: Path) -> None:
    text = json.dumps(INDEX, indent=2, sort_keys=True) + "\n"
    (folder / "model_index.json").write_text(text, encoding="utf-8")
