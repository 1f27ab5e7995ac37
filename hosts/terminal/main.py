"""The `artifexpro` command: what it takes and which module does it.

Only declarations are here, and only typer is imported, because `--help` and wrong use must answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="artifexpro",
    help="AI video generation and a node engine, native in DaVinci Resolve, Nuke and Blender.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="Weights on disk, and what a job would need.", no_args_is_help=True)
jobs_app = typer.Typer(help="What was asked for, and what became of it.", no_args_is_help=True)
host_app = typer.Typer(help="Put ArtifexPro into another program, take it out, look after it.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(jobs_app, name="jobs")
app.add_typer(host_app, name="host")


class Task(StrEnum):
    """What a clip is made from."""

    T2V = "t2v"
    I2V = "i2v"
    TI2V = "ti2v"
    S2V = "s2v"
    STYLE = "style"
    EDIT = "edit"


class Preset(StrEnum):
    """Size, length, steps and guidance in one word."""

    DRAFT = "Draft"
    PREVIEW = "Preview"
    PRODUCTION = "Production"
    CINEMA = "Cinema"


class Profile(StrEnum):
    """What a clip is made to spare."""

    SPEED = "Speed"
    MEMORY = "Memory"
    QUALITY = "Quality"


class Extend(StrEnum):
    """What writes more of a prompt."""

    NONE = "none"
    RULES = "rules"
    QWEN = "qwen"


class Conflicts(StrEnum):
    """What becomes of terms of the negative prompt that forbid what the prompt asks for."""

    TELL = "tell"
    RESOLVE = "resolve"


class Language(StrEnum):
    """What an extension is written in."""

    SAME = "same"
    ENGLISH = "English"


class Program(StrEnum):
    """Programs with an adapter, or to have one."""

    BLENDER = "blender"
    NUKE = "nuke"
    RESOLVE = "resolve"


class Bench(StrEnum):
    """Groups of figures."""

    ENGINE = "engine"
    PIXELS = "pixels"
    TRANSPORT = "transport"
    WAN22 = "wan22"


class Format(StrEnum):
    """Number formats of converted weights."""

    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help='As "artifexpro models list" names it.')]
JobName = Annotated[str, typer.Argument(metavar="JOB", help='As "artifexpro jobs list" names it.')]
TaskName = Annotated[Task | None, typer.Option(case_sensitive=False, help="By default the model's first.")]
PresetName = Annotated[Preset, typer.Option(case_sensitive=False, help="Size, length, steps and guidance.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Denoising steps; by default the preset's.")]
Size = Annotated[str | None, typer.Option(metavar="WxH", help="Width and height in pixels.")]
ProfileName = Annotated[
    Profile | None, typer.Option(case_sensitive=False, help="Speed, Memory or Quality; by default only what fits.")
]
Shift = Annotated[
    float | None, typer.Option(help="Shift of the noise schedule; by default what the model was made for.")
]
Negative = Annotated[str | None, typer.Option(metavar="PROMPT", help="What should not be seen.")]
Avoid = Annotated[str | None, typer.Option(metavar="WORDS", help="What else should not be seen.")]
ExtendBy = Annotated[Extend, typer.Option(help="What writes more of the prompt; told and kept beside it.")]
ExtendModel = Annotated[
    str | None, typer.Option(metavar="NAME or DIR", help="The language model for qwen, among the models or a folder.")
]
ExtendSeed = Annotated[int | None, typer.Option(min=0, help="Another one extends in other words.")]
ExtendLanguage = Annotated[
    Language | None, typer.Option(case_sensitive=False, help="What an extension is written in; by default the same.")
]
OnConflicts = Annotated[
    Conflicts | None, typer.Option(help="resolve takes out of the negative prompt what forbids what is asked for.")
]
StyleName = Annotated[str | None, typer.Option(metavar="NAME", help="A look: anime, watercolour, film noir, ...")]
StyleStrength = Annotated[
    float | None, typer.Option(metavar="0..1", min=0, max=1, help="How much of the look; by default all of it.")
]
Frames = Annotated[int | None, typer.Option(min=1, help="Length in frames.")]
Into = Annotated[Path | None, typer.Option(metavar="DIR", help="The program's user folder; by default each found.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]


@app.callback(invoke_without_command=True)
def artifexpro(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        from artifexpro.hosts.terminal.talk import release

        print(release())
        raise typer.Exit


@app.command()
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where to write.")] = Path("artifexpro-demo"),
    json: Json = False,
) -> None:
    """The main job from end to end on the embedded model; prints what it made and where."""
    from artifexpro.hosts.terminal import making

    making.demo(out, as_json=json)


@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="What should be seen.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="A movie (.mp4, .mov, .mkv) or frame.%04d.exr.")],
    task: TaskName = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The picture the clip starts from, or an edit is like.")
    ] = None,
    last_image: Annotated[Path | None, typer.Option(metavar="FILE", help="The picture the clip ends with.")] = None,
    audio: Annotated[Path | None, typer.Option(metavar="FILE", help="Speech.")] = None,
    video: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The clip to restyle or edit, or whose motion to follow.")
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(metavar="FILE", help="White where the clip is made new: a picture or a movie.")
    ] = None,
    strength: Annotated[
        float | None, typer.Option(metavar="0..1", help="How far from the clip given: 0.3 near it, 1 nothing of it.")
    ] = None,
    style: StyleName = None,
    style_strength: StyleStrength = None,
    extend: ExtendBy = Extend.NONE,
    extend_model: ExtendModel = None,
    extend_seed: ExtendSeed = None,
    extend_language: ExtendLanguage = None,
    model: Annotated[
        str | None, typer.Option(help='As "artifexpro models list" names it; by default noise from random weights.')
    ] = None,
    preset: PresetName = Preset.DRAFT,
    profile: ProfileName = None,
    negative: Negative = None,
    avoid: Avoid = None,
    conflicts: OnConflicts = None,
    frames: Frames = None,
    size: Size = None,
    steps: Steps = None,
    guidance: Annotated[
        str | None, typer.Option(metavar="G or LOW,HIGH", help="How strongly the prompt is followed; 1 is least.")
    ] = None,
    shift: Shift = None,
    scheduler: Annotated[str | None, typer.Option(metavar="NAME", help="unipc, dpm++ or euler.")] = None,
    lora: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A LoRA; beside --lora-low for high noise only.")
    ] = None,
    lora_low: Annotated[Path | None, typer.Option(metavar="FILE", help="A LoRA for the low noise expert.")] = None,
    lora_strength: Annotated[float | None, typer.Option(help="How much of the LoRAs; 1 is as made.")] = None,
    lora_steps: Annotated[int | None, typer.Option(min=1, help="Steps the LoRAs distil the model to.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same clip.")] = 0,
    json: Json = False,
) -> None:
    """One clip from words."""
    from artifexpro.hosts.terminal import making

    wish = making.Wish(
        prompt=prompt,
        out=out,
        task=task,
        image=image,
        last_image=last_image,
        audio=audio,
        video=video,
        mask=mask,
        strength=strength,
        style=style,
        style_strength=style_strength,
        words=making.Words(extend, extend_model, extend_seed, extend_language, avoid, conflicts),
        model=model,
        preset=preset,
        profile=profile,
        negative=negative,
        frames=frames,
        size=size,
        steps=steps,
        guidance=guidance,
        shift=shift,
        scheduler=scheduler,
        lora=lora,
        lora_low=lora_low,
        lora_strength=lora_strength,
        lora_steps=lora_steps,
        seed=seed,
    )
    making.generate(wish, as_json=json)


@app.command()
def prompt(
    text: Annotated[str, typer.Argument(help="What should be seen.")],
    extend: ExtendBy = Extend.RULES,
    extend_model: ExtendModel = None,
    extend_seed: ExtendSeed = None,
    extend_language: ExtendLanguage = None,
    task: TaskName = None,
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="The picture the clip would start from.")] = None,
    style: StyleName = None,
    style_strength: StyleStrength = None,
    negative: Negative = None,
    avoid: Avoid = None,
    conflicts: OnConflicts = None,
    json: Json = False,
) -> None:
    """A prompt, what an extension makes of it, and what the negative prompt has against it."""
    from artifexpro.hosts.terminal import prompting

    words = prompting.Words(extend, extend_model, extend_seed, extend_language, avoid, conflicts)
    prompting.look(text, words, task, image, style, style_strength, negative, as_json=json)


@app.command()
def render(
    graph: Annotated[Path, typer.Argument(metavar="GRAPH.json", help="A graph document.")],
    frames: Annotated[str | None, typer.Option(metavar="A-B", help="Frames from A to B, both included.")] = None,
    scale: Annotated[float, typer.Option(min=0.01, max=1.0, help="0.25 is a quarter of the width.")] = 1.0,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NODE.PARAM=VALUE", help="Change a parameter; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="PATTERN", help="Where the graph's output goes: comp.%04d.exr, comp.mp4.")
    ] = None,
    each_clip: Annotated[
        Path | None, typer.Option(metavar="FILE.otio", help="Run the graph on each clip of this timeline's track.")
    ] = None,
    into: Annotated[str | None, typer.Option(metavar="NODE", help="The input that is pointed at each clip.")] = None,
    track: Annotated[str | None, typer.Option(metavar="NAME", help="By default the lowest video track.")] = None,
    handles: Annotated[int | None, typer.Option(min=0, metavar="N", help="Frames to add at each clip's ends.")] = None,
    json: Json = False,
) -> None:
    """Run a node graph and write its outputs."""
    from artifexpro.hosts.terminal import making

    clips = making.Clips(timeline=each_clip, into=into, track=track, handles=handles)
    making.render(graph, frames, scale, settings or [], out, clips, as_json=json)


@app.command()
def nodes(
    name: Annotated[str | None, typer.Argument(help="One node, with its parameters.")] = None, json: Json = False
) -> None:
    """The catalogue of nodes."""
    from artifexpro.hosts.terminal import asking

    asking.nodes(name, as_json=json)


@app.command()
def doctor(json: Json = False) -> None:
    """What is missing, in plain words."""
    from artifexpro.hosts.terminal import asking

    asking.doctor(as_json=json)


@app.command()
def daemon(
    home: Annotated[Path | None, typer.Option(metavar="DIR", help="Keys, queue, models and results.")] = None,
    endpoint: Annotated[
        str | None, typer.Option(metavar="URL", help="Where to listen: tcp://127.0.0.1:49321, ipc:///path.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the one that runs; its jobs stay in the queue.")] = False,
) -> None:
    """Run the daemon in this terminal. Other commands start one by themselves."""
    from artifexpro.hosts.terminal import running

    if stop:
        running.stop(home)
    else:
        running.daemon(home, endpoint)


@app.command()
def bench(name: Bench, json: Json = False) -> None:
    """Figures the project claims, measured here beside a peer."""
    from artifexpro.hosts.terminal import running

    running.bench(name, as_json=json)


@models_app.command("list")
def models_list(json: Json = False) -> None:
    """Every known model, and whether its weights are here."""
    from artifexpro.hosts.terminal import asking

    asking.models(as_json=json)


@models_app.command("plan")
def models_plan(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="By default the one made for the task.")
    ] = None,
    task: TaskName = None,
    preset: PresetName = Preset.DRAFT,
    profile: ProfileName = None,
    frames: Frames = None,
    size: Size = None,
    steps: Steps = None,
    shift: Shift = None,
    vram: Annotated[float | None, typer.Option(metavar="GB", min=0, help="A card of this size, not yours.")] = None,
    ram: Annotated[float | None, typer.Option(metavar="GB", min=0, help="Main memory, if not yours.")] = None,
    card: Annotated[str, typer.Option(metavar="NAME", help='That card, such as "RTX 4090": gives seconds.')] = "",
    json: Json = False,
) -> None:
    """What a clip would need and how it would be computed, before anything is loaded."""
    from artifexpro.hosts.terminal import asking

    wanted = asking.Clip(model, task, preset, profile, frames, size, steps, shift, vram, ram, card)
    asking.plan(wanted, as_json=json)


@models_app.command("get")
def models_get(
    model: ModelName,
    repository: Annotated[str | None, typer.Option(help="Another source than the catalogue's.")] = None,
    revision: Annotated[str | None, typer.Option(help="Another revision than the catalogue's.")] = None,
    json: Json = False,
) -> None:
    """Download a model's weights; goes on where it stopped."""
    from artifexpro.hosts.terminal import making

    work = {"kind": "models.get", "model": model, "repository": repository, "revision": revision}
    making.model_work(work, f"get {model}", as_json=json)


@models_app.command("verify")
def models_verify(model: ModelName, json: Json = False) -> None:
    """Compare a model's files with what was downloaded."""
    from artifexpro.hosts.terminal import making

    making.model_work({"kind": "models.verify", "model": model}, f"verify {model}", as_json=json)


@models_app.command("convert")
def models_convert(
    model: ModelName,
    dtype: Annotated[Format, typer.Option(help="Number format of the copy.")] = Format.BFLOAT16,
    json: Json = False,
) -> None:
    """Write a model's weights once more, so that they load fast."""
    from artifexpro.hosts.terminal import making

    making.model_work({"kind": "models.convert", "model": model, "dtype": dtype}, f"convert {model}", as_json=json)


@jobs_app.command("list")
def jobs_list(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 20, json: Json = False
) -> None:
    """The newest jobs."""
    from artifexpro.hosts.terminal import asking

    asking.jobs(limit, as_json=json)


@jobs_app.command("show")
def jobs_show(job: JobName, json: Json = False) -> None:
    """One job: what was asked for, how far it is, what it made."""
    from artifexpro.hosts.terminal import asking

    asking.show(job, as_json=json)


@jobs_app.command("cancel")
def jobs_cancel(job: JobName, json: Json = False) -> None:
    """Stop a job: at once if it waits, before its next step if it runs."""
    from artifexpro.hosts.terminal import asking

    asking.cancel(job, as_json=json)


@jobs_app.command("retry")
def jobs_retry(job: JobName, json: Json = False) -> None:
    """Queue a failed or cancelled job again."""
    from artifexpro.hosts.terminal import asking

    asking.retry(job, as_json=json)


@jobs_app.command("reproduce")
def jobs_reproduce(job: JobName, json: Json = False) -> None:
    """Make a finished job again, and say whether the result is equal or what differs."""
    from artifexpro.hosts.terminal import making

    making.reproduce(job, as_json=json)


@host_app.command("install")
def host_install(program: Program, into: Into = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Put ArtifexPro into a program."""
    from artifexpro.hosts.terminal import hosting

    hosting.install(program, into, dry_run, as_json=json)


@host_app.command("uninstall")
def host_uninstall(program: Program, into: Into = None, dry_run: DryRun = False, json: Json = False) -> None:
    """Take ArtifexPro out of a program."""
    from artifexpro.hosts.terminal import hosting

    hosting.uninstall(program, into, dry_run, as_json=json)


@host_app.command("doctor")
def host_doctor(program: Program, into: Into = None, dry_run: DryRun = False, json: Json = False) -> None:
    """What is in a program, and what is wrong with it. Changes nothing."""
    from artifexpro.hosts.terminal import hosting

    hosting.doctor(program, into, dry_run, as_json=json)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Exit status 0 done, 1 failed with one line on standard error, 2 wrong use."""
    from artifexpro.hosts.terminal.output import Failed, WrongUse, complain

    try:
        app(list(sys.argv[1:] if arguments is None else arguments), prog_name="artifexpro")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except WrongUse as wrong:
        complain(str(wrong))
        return 2
    except Failed as failed:
        complain(str(failed))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
