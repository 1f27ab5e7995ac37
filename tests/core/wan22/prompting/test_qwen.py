"""Extension by a language model: seeded, limited, cleaned, the original kept; what is not whole is refused in words.

The models are random, so their text is noise: the tests hold what must be true of any text.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from artifexpro.core.errors import ArtifexError, Cancelled
from artifexpro.core.wan22.catalogue import TASKS
from artifexpro.core.wan22.hooks import Silent
from artifexpro.core.wan22.prompting import extending, qwen, systems, writers
from artifexpro.core.wan22.prompting.prompt import MOST, Prompt, count
from artifexpro.core.wan22.prompting.rules import Extended

# ruff: noqa: RUF001

PROMPT = 'a red kite over the sea, a sign says "ÓLA"'
PICTURE = torch.linspace(0, 1, 90 * 120 * 3).view(90, 120, 3)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qwen, "NEW_TOKENS", 60)


def extended(models: Path, hooks: Any = None, *, picture: Any = None, task: str = "t2v", **how: Any) -> Extended:
    wanted = extending.asked(PROMPT, "qwen", models=models, **{"model": "reader", **how})
    assert wanted is not None
    return extending.made(wanted, task, models, hooks or Silent(), picture=picture, device="cpu")


def test_the_same_seed_gives_the_same_text_and_another_one_another(language_models: Path) -> None:
    texts = [extended(language_models, seed=seed).prompt.extended for seed in (3, 3, 4)]
    assert texts[0] == texts[1] != texts[2]
    assert all(0 < count(text) <= MOST for text in texts)


def test_the_random_state_of_the_process_is_left_alone(language_models: Path) -> None:
    before = torch.random.get_rng_state()
    extended(language_models, seed=3)
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_original_is_kept_and_the_difference_makes_one_of_the_other(language_models: Path) -> None:
    made = extended(language_models).prompt
    assert (made.original, made.method, made.model, made.seed) == (PROMPT, "qwen", "reader", 0)
    assert "".join(each.text for each in made.difference if each.kind != "added") == PROMPT
    assert "".join(each.text for each in made.difference if each.kind != "removed") == made.extended
    assert len(made.release) == 16
    assert Prompt.from_json(json.loads(json.dumps(made.as_json()))) == made
    said = "\n".join(made.told())
    assert all(part in said for part in (PROMPT, made.extended, "reader", made.release, "Removed: "))


def test_long_answers_are_cut_and_said(language_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random models end their answers at random; one of six goes on for long enough."""
    monkeypatch.setattr(qwen, "NEW_TOKENS", 640)
    for seed in range(6):
        made = extended(language_models, seed=seed)
        assert count(made.prompt.extended) <= MOST
        if any("cut to 200" in note for note in made.notes):
            return
    pytest.fail("no answer was long enough to be cut")


def test_the_picture_is_seen_by_a_model_that_can(language_models: Path) -> None:
    dark, light = (
        extended(language_models, picture=picture, task="i2v", model="seer", seed=5).prompt.extended
        for picture in (PICTURE, 1 - PICTURE)
    )
    again = extended(language_models, picture=PICTURE, task="i2v", model="seer", seed=5)
    assert dark == again.prompt.extended != light
    assert not any("has not seen" in note for note in again.notes)
    assert extended(language_models, model="seer", seed=5).prompt.extended != dark


def test_a_model_that_reads_words_only_says_that_it_has_not_seen_the_picture(language_models: Path) -> None:
    made = extended(language_models, picture=PICTURE, task="i2v")
    assert "reader reads words only and has not seen the picture." in made.notes


def test_a_template_for_pictures_in_a_file_of_its_own_is_used_and_one_without_them_refused(
    language_models: Path, tmp_path: Path
) -> None:
    """As Qwen2.5-VL is published: the tokenizer has a template for words alone, chat_template.json one for pictures."""
    expected = extended(language_models, picture=PICTURE, task="i2v", model="seer").prompt
    shutil.copytree(language_models / "seer", tmp_path / "seer")
    file = tmp_path / "seer" / "chat_template.jinja"
    whole = file.read_text()
    (tmp_path / "seer" / "chat_template.json").write_text(json.dumps({"chat_template": whole}))
    file.unlink()
    made = extended(tmp_path, picture=PICTURE, task="i2v", model="seer").prompt
    assert made.extended == expected.extended
    blind = whole.replace("<|image_pad|>", "")
    (tmp_path / "seer" / "chat_template.json").write_text(json.dumps({"chat_template": blind}))
    with pytest.raises(ArtifexError, match="its chat template does not show it the picture"):
        extended(tmp_path, picture=PICTURE, task="i2v", model="seer")


def test_the_memory_it_takes_is_known_from_its_name_or_its_files(language_models: Path) -> None:
    assert writers.memory("") == writers.memory(writers.DEFAULT) == 16_600_000_000
    assert (
        writers.memory(str(language_models / "reader")) == (language_models / "reader/model.safetensors").stat().st_size
    )
    assert writers.memory("my own") == 0


def test_nothing_is_loaded_once_cancelled(language_models: Path) -> None:
    class Ended(Silent):
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        extended(language_models, Ended())


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def without_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings.pop("chat_template", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def another_kind(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "llama"}))


def missing_shard(folder: Path) -> None:
    index = {"weight_map": {"lm_head.weight": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def missing_tensor_of_index(folder: Path) -> None:
    index = {"weight_map": {"lm_head.bias": "model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("harm", "because"),
    [
        (shutil.rmtree, "there is no such folder, and none is fetched while a job runs"),
        (cut_weights, "model.safetensors is cut short or damaged"),
        (without_template, "it has no chat template"),
        (another_kind, "a model of the kind llama, and a Qwen is needed"),
        (missing_shard, "model-00001-of-00002.safetensors is missing"),
        (missing_tensor_of_index, "1 tensors are not in model.safetensors"),
        (lambda folder: (folder / "model.safetensors").unlink(), "there are no weights in it"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "there is no tokenizer in it"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json cannot be read"),
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
    ],
)
def test_what_is_not_whole_is_refused_before_any_work(
    harm: Callable[[Path], None], because: str, broken: Callable[..., Path]
) -> None:
    with pytest.raises(ArtifexError, match=because) as refused:
        extending.asked(PROMPT, "qwen", model="reader", models=broken(harm))
    assert refused.value.code == "model"


def drop_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("model.layers.1.mlp.up_proj.weight")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def template(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / "chat_template.jinja").write_text(text) and None


@pytest.mark.parametrize(
    ("harm", "because"),
    [
        (drop_a_tensor, "1 of its tensors are missing, such as model.layers.1.mlp.up_proj.weight"),
        (template("{{ raise_exception('no system role') }}"), "its chat template does not work"),
        (template("{% for"), "its chat template does not work"),
        (template("{{ messages[1].content }}"), "its chat template leaves out what it is told"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "it cannot be loaded"),
    ],
)
def test_what_turns_out_broken_when_it_is_loaded_is_refused(
    harm: Callable[[Path], None], because: str, broken: Callable[..., Path]
) -> None:
    with pytest.raises(ArtifexError, match=because):
        extended(broken(harm))


def test_an_answer_of_which_nothing_is_left_is_refused(language_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qwen, "_answer", lambda *_: "<think>I wonder")
    with pytest.raises(ArtifexError, match="nothing was left that could be a prompt") as refused:
        extended(language_models)
    assert refused.value.code == "prompt"


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("<think>hm\n</think>\n\nA kite flies.", "A kite flies."),
        ('"A kite flies."', "A kite flies."),
        ("“A kite flies.”", "A kite flies."),
        ("**Prompt:** A kite\n flies.", "A kite flies."),
        ("Here is the extended prompt: A kite flies.", "A kite flies."),
        ("提示词：风筝在飞。", "风筝在飞。"),
        ("A kite\x00\u200b flies\ufffd.", "A kite flies."),
        ("\n \t", ""),
        ("\ufffd\ufffd\x1b", ""),
        ('A sign says "ÓLA".', 'A sign says "ÓLA".'),
    ],
)
def test_answers_are_cleaned(answer: str, text: str) -> None:
    assert qwen.cleaned(answer)[0] == text


def test_a_long_answer_ends_with_a_sentence_where_it_can() -> None:
    sentences = " ".join(f"This is sentence number {at} of many." for at in range(60))
    text, notes = qwen.cleaned(sentences)
    assert text.endswith("of many.") and 190 < count(text) <= MOST
    assert "420 words" in notes[0]
    unbroken, _ = qwen.cleaned("word " * 500)
    assert count(unbroken) == MOST
    chinese, _ = qwen.cleaned("风" * 500)
    assert chinese == "风" * MOST


def test_every_task_has_instructions_of_its_own_in_the_language_asked_for() -> None:
    told = {
        task: systems.system(task, "same", "ein roter Drachen", begins_with_picture=False, sees=False) for task in TASKS
    }
    assert len(set(told.values())) == len(TASKS)
    assert all("Write in German." in each and "200 words" in each for each in told.values())
    english = systems.system("t2v", "English", "ein roter Drachen", begins_with_picture=False, sees=False)
    assert "Write in English, whatever" in english
    unknown = systems.system("t2v", "same", "Красный змей летит", begins_with_picture=False, sees=False)
    assert "Write in the language of the prompt." in unknown
    pictures = [systems.system("i2v", "same", "x", begins_with_picture=True, sees=sees) for sees in (True, False)]
    assert "is shown to you" in pictures[0] and "cannot see the picture" in pictures[1]


def test_the_identity_is_of_what_the_files_hold(language_models: Path, broken: Callable[..., Path]) -> None:
    same = writers.find(broken(lambda folder: None), "reader")
    first = writers.find(language_models, "reader").identity()
    assert same.identity() == first
    tensors = load_file(same.folder / "model.safetensors")
    tensors["lm_head.weight"][0, 0] += 1
    save_file(tensors, same.folder / "model.safetensors", metadata={"format": "pt"})
    assert same.identity() != first


def test_a_folder_anywhere_is_used_by_its_whole_path_and_nothing_else_by_a_part_of_one(language_models: Path) -> None:
    place = str(language_models / "reader")
    assert writers.find(Path("/nowhere"), place).sees is False
    assert writers.find(language_models, "seer").sees is True
    for name in ("../reader", "a/b", ".."):
        with pytest.raises(ArtifexError, match="neither a folder in the folder of models nor a whole path"):
            writers.find(language_models, name)


def test_known_models_are_free_and_the_default_sees() -> None:
    assert {each.licence for each in writers.KNOWN.values()} == {"Apache-2.0"}
    assert writers.KNOWN[writers.DEFAULT].sees
    with pytest.raises(ArtifexError, match=f"the files of {writers.KNOWN[writers.DEFAULT].repository} there"):
        writers.find(Path("/nowhere"))


def test_a_prompt_is_what_it_was_until_it_is_extended() -> None:
    wanted = Prompt("a kite", "qwen", "reader")
    assert wanted.text == "a kite"
    assert replace(wanted, extended="a kite flies").text == "a kite flies"
