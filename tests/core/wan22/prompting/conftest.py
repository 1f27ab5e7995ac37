"""Language models of the real classes with random weights: small folders on disk, as a published one is laid out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>")
WORDS = [f"{first}{last}" for first in "bcdfghjklmnprstvw" for last in ("a", "elo", "iri", "on", "un", "amata", "ode")]


def tokenizer() -> PreTrainedTokenizerFast:
    letters = [(chr(code), -9.0) for code in range(0x21, 0x7F)]
    pieces = [(word, 0.0) for word in SPECIAL] + [("\u2581", -6.0)] + letters
    pieces += [(f"\u2581{word}", -4.0) for word in WORDS] + [(f"<0x{value:02X}>", -12.0) for value in range(256)]
    made = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=True))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=list(SPECIAL),
        chat_template=TEMPLATE,
    )


def text_config(words: int) -> dict[str, Any]:
    return {
        "vocab_size": words,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 4096,
        "eos_token_id": 2,
        "bos_token_id": 0,
        "tie_word_embeddings": False,
        "initializer_range": 0.3,
    }


@pytest.fixture(scope="session")
def language_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with "reader" (Qwen2) and "seer" (Qwen2.5-VL), both random. Nobody writes to it."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2Config, Qwen2ForCausalLM
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    folder, words = tmp_path_factory.mktemp("writers"), tokenizer()
    with torch.random.fork_rng():
        torch.manual_seed(1)
        Qwen2ForCausalLM(Qwen2Config(**text_config(len(words)))).save_pretrained(folder / "reader")
        vision = {
            "depth": 2,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_heads": 2,
            "out_hidden_size": 32,
            "patch_size": 14,
            "fullatt_block_indexes": [1],
            "window_size": 56,
            "initializer_range": 0.3,
        }
        rotary = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
        config = Qwen2_5_VLConfig(
            text_config={**text_config(len(words)), "rope_parameters": rotary},
            vision_config=vision,
            image_token_id=5,
            vision_start_token_id=3,
            vision_end_token_id=4,
        )
        Qwen2_5_VLForConditionalGeneration(config).save_pretrained(folder / "seer")
    Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=112 * 112).save_pretrained(folder / "seer")
    for name in ("reader", "seer"):
        words.save_pretrained(folder / name)
    return folder


@pytest.fixture
def broken(language_models: Path, tmp_path: Path) -> Callable[[Callable[[Path], None]], Path]:
    """A folder of models in which `harm(folder of the reader)` was done."""

    def make(harm: Callable[[Path], None]) -> Path:
        shutil.copytree(language_models / "reader", tmp_path / "models" / "reader")
        harm(tmp_path / "models" / "reader")
        return tmp_path / "models"

    return make
