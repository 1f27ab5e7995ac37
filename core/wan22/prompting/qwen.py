"""Extension by a language model on this machine: seeded, limited, cleaned, and beside the original.

The model is in memory for one prompt only and gone before the text encoder comes. Its answer is taken as text and
nothing else; one of which nothing is left after cleaning is refused, so that no prompt changes unseen or unasked.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from artifexpro.core.errors import ArtifexError
from artifexpro.core.lazy import torch
from artifexpro.core.wan22 import picture as pictures
from artifexpro.core.wan22.hooks import Hooks
from artifexpro.core.wan22.prompting.prompt import LEAST, MOST, Prompt, count
from artifexpro.core.wan22.prompting.rules import Extended
from artifexpro.core.wan22.prompting.systems import system
from artifexpro.core.wan22.prompting.writers import Writer
from artifexpro.core.wan22.quiet import quiet

if TYPE_CHECKING:
    from torch import Tensor

# ruff: noqa: RUF001

NEW_TOKENS = 640
"""Room for 200 words in any of the languages."""
SAMPLING = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "repetition_penalty": 1.05}
"""As the Qwen2.5 instruct models' own generation_config.json has them, whatever a folder's says."""
LARGEST_VIEW = 768
"""Pixels of the longer side of the picture it is shown."""
_THOUGHTS = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_LABEL = re.compile(
    r"^(?:\*\*)?(?:here is[^:]{0,60}|(?:the )?(?:extended|rewritten|final|enhanced)? ?prompt|提示词|プロンプト)"
    r"(?:\*\*)?\s*[:：](?:\*\*)?\s*",
    re.IGNORECASE,
)
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」", "'": "'"}
_ENDED = re.compile(r"[.!?…](?=\s|$)|[。！？]")


def extend(
    asked: Prompt, task: str, writer: Writer, hooks: Hooks, *, picture: Tensor | None = None, device: Any = None
) -> Extended:
    """`asked` with what the language model makes of it, at most 200 words of it.

    `picture` is what the clip begins with, (H, W, 3), display-referred sRGB in 0..1; only some models can see it, and a
    note says so where one cannot. `device` is by default the first card, else the processor. Raises `ArtifexError`
    (codes "model", "memory", "prompt").
    """
    where = torch.device("cuda" if torch.cuda.is_available() else "cpu") if device is None else torch.device(device)
    shown = picture if writer.sees else None
    instructions = system(
        task, asked.language, asked.original, begins_with_picture=picture is not None, sees=shown is not None
    )
    hooks.check()
    with quiet():
        with hooks.stage("load"):
            tokenizer, model = _loaded(writer, where)
        hooks.check()
        with hooks.stage("prompt"):
            answer = _answer(asked, writer, tokenizer, model, instructions, shown, where)
        del model
        if where.type == "cuda":
            torch.cuda.empty_cache()
    text, notes = cleaned(answer)
    if not text:
        raise ArtifexError(
            f"extend the prompt with {writer.name}",
            "of its answer nothing was left that could be a prompt",
            "another seed for the extension, rules, or no extension",
            code="prompt",
        )
    if picture is not None and shown is None:
        notes = (*notes, f"{writer.name} reads words only and has not seen the picture.")
    return Extended(replace(asked, extended=text, release=writer.identity()), notes)


def cleaned(answer: str) -> tuple[str, tuple[str, ...]]:
    """(the prompt in an answer, notes): thoughts, labels, quotation marks, broken and unprintable characters and line
    breaks removed, at most 200 words, up to the end of a sentence where one ends after the sixtieth. Empty where
    nothing is left."""
    text = _THOUGHTS.sub(" ", answer)
    text = "".join(char for char in " ".join(text.split()) if char == " " or unicodedata.category(char)[0] not in "CZ")
    text = text.replace("\ufffd", "")
    text = _LABEL.sub("", " ".join(text.split())).strip("*# ")
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        text = text[1:-1].strip()
    found = count(text)
    if found == 0:
        return "", ()
    if found <= MOST:
        few = f"The language model wrote {found} words; {LEAST} to {MOST} were asked for."
        return text, ((few,) if found < LEAST else ())
    return _cut(text), (f"The language model wrote {found} words and was cut to {MOST} at most.",)


def _cut(text: str) -> str:
    ends = [match.end() for match in _ENDED.finditer(text)]
    whole = [end for end in ends if LEAST <= count(text[:end]) <= MOST]
    if whole:
        return text[: whole[-1]]
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count(text[:middle]) <= MOST else (low, middle - 1)
    cut = text[:low]
    return cut.rsplit(" ", 1)[0] if " " in cut[-40:] else cut


def _loaded(writer: Writer, device: Any) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, AutoTokenizer

    kind = AutoModelForImageTextToText if writer.sees else AutoModelForCausalLM
    place = str(writer.folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
        loaded: Any = kind.from_pretrained(
            place, local_files_only=True, use_safetensors=True, dtype="auto", output_loading_info=True
        )
        missing = loaded[1]["missing_keys"]
        model = loaded[0].eval().to(device)
    except torch.OutOfMemoryError as error:
        raise _no_memory(writer) from error
    except Exception as error:  # its Rust half and its many models raise nothing narrower
        raise _damaged(writer, f"it cannot be loaded ({' '.join(str(error).split())[:160]})") from error
    if missing:
        raise _damaged(writer, f"{len(missing)} of its tensors are missing, such as {min(missing)}")
    return tokenizer, model


def _answer(
    asked: Prompt, writer: Writer, tokenizer: Any, model: Any, instructions: str, picture: Tensor | None, device: Any
) -> str:
    from transformers import GenerationConfig

    said = _rendered(writer, tokenizer, instructions, asked.original, picture is not None)
    inputs: dict[str, Any] = {}
    if picture is not None:
        inputs = _seen(writer, picture)
        mark = tokenizer.convert_ids_to_tokens(model.config.image_token_id)
        if said.count(mark) != 1:
            raise _damaged(writer, "its chat template does not show it the picture")
        patches = int(inputs["image_grid_thw"].prod()) // _merged(writer) ** 2
        said = said.replace(mark, mark * patches)
    inputs |= dict(tokenizer(said, return_tensors="pt", add_special_tokens=False))
    if picture is not None:
        inputs["mm_token_type_ids"] = (inputs["input_ids"] == model.config.image_token_id).long()
    inputs.pop("token_type_ids", None)
    ends = model.generation_config.eos_token_id
    how = GenerationConfig(
        do_sample=True,
        max_new_tokens=NEW_TOKENS,
        eos_token_id=tokenizer.eos_token_id if ends is None else ends,
        pad_token_id=tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        **SAMPLING,
    )
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    try:
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            torch.manual_seed(asked.seed)
            ids = model.generate(**{name: value.to(device) for name, value in inputs.items()}, generation_config=how)
    except torch.OutOfMemoryError as error:
        raise _no_memory(writer) from error
    return str(tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))


def _rendered(writer: Writer, tokenizer: Any, instructions: str, prompt: str, picture: bool) -> str:
    """The conversation as the model's own chat template writes it."""
    asked: Any = [{"type": "image"}, {"type": "text", "text": prompt}] if picture else prompt
    conversation = [{"role": "system", "content": instructions}, {"role": "user", "content": asked}]
    try:
        said = str(
            tokenizer.apply_chat_template(
                conversation,
                chat_template=writer.template(),
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,
            )
        )
    except Exception as error:  # templates are programs
        raise _damaged(writer, f"its chat template does not work ({' '.join(str(error).split())[:160]})") from error
    if instructions not in said or prompt.strip() not in said:
        raise _damaged(writer, "its chat template leaves out what it is told")
    return said


def _seen(writer: Writer, picture: Tensor) -> dict[str, Any]:
    """A picture as the model takes it, no larger than `LARGEST_VIEW`."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    rows, columns = picture.shape[:2]
    share = min(1.0, LARGEST_VIEW / max(rows, columns))
    small = pictures.fitted(picture.cpu(), max(1, round(columns * share)), max(1, round(rows * share)))
    image = (small[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
    processor = Qwen2VLImageProcessorPil.from_pretrained(str(writer.folder), local_files_only=True)
    return dict(processor(images=[image], return_tensors="pt"))


def _merged(writer: Writer) -> int:
    """Patches along a side that the model sees as one."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    return int(Qwen2VLImageProcessorPil.from_pretrained(str(writer.folder), local_files_only=True).merge_size)


def _damaged(writer: Writer, because: str) -> ArtifexError:
    return ArtifexError(
        f"extend a prompt with the language model in {writer.folder}",
        because,
        "getting its files again, rules, or no extension",
        code="model",
    )


def _no_memory(writer: Writer) -> ArtifexError:
    return ArtifexError(
        f"extend a prompt with {writer.name}",
        "there is not enough memory for it on the card",
        "a smaller language model, rules, or closing other programs that use the card",
        code="memory",
    )
