"""The `artifexpro` command: what it takes and which module does it.

Only declarations are here, and only typer is imported, because `--help` and wrong use must answer at once.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from artifexpro.hosts.terminal.options import (
    Avoid,
    Bench,
    DryRun,
    Extend,
    ExtendBy,
    ExtendLanguage,
    ExtendModel,
    ExtendSeed,
    Format,
    Frames,
    Into,
    JobName,
    Json,
    ModelName,
    Negative,
    OnConflicts,
    Preset,
    PresetName,
    ProfileName,
    Program,
    Shift,
    Size,
    Steps,
    StyleName,
    StyleStrength,
    TaskName,
)

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
    audio: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What is said or sung by who is seen in --image.")
    ] = None,
    video: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The clip to restyle or edit, whose motion to follow, or poses.")
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
    """One clip from words, pictures, a clip, a mask or a sound."""
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
def panel(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where clips go; by default Videos/ArtifexPro.")
    ] = None,
) -> None:
    """The panel in a window of its own: prompt, queue, history."""
    from artifexpro.hosts.terminal import running

    running.panel(out)


@app.command()
def bench(
    name: Bench,
    json: Json = False,
    prompts: Annotated[int | None, typer.Option(min=1, help="wan22: of one thing; half as many of two.")] = None,
    model: Annotated[Path | None, typer.Option(metavar="DIR", help="wan22: another trained embedded model.")] = None,
    lora: Annotated[Path | None, typer.Option(metavar="FILE", help="wan22: a few-step LoRA for it.")] = None,
) -> None:
    """Figures the project claims, measured here beside a peer."""
    from artifexpro.hosts.terminal import running

    running.bench(name, {"prompts": prompts, "model": model, "lora": lora}, as_json=json)


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
    mirror: Annotated[str | None, typer.Option(metavar="URL", help="Another hub; HF_ENDPOINT names one too.")] = None,
    bundle: Annotated[
        Path | None, typer.Option("--from", metavar="BUNDLE", help='A folder that "models bundle" made: no network.')
    ] = None,
    json: Json = False,
) -> None:
    """Download a model's weights; goes on where it stopped."""
    from artifexpro.hosts.terminal import making

    work = {
        "kind": "models.get",
        "model": model,
        "repository": repository,
        "revision": revision,
        "mirror": mirror,
        "bundle": None if bundle is None else str(bundle.absolute()),
    }
    making.model_work(work, f"get {model}", as_json=json)


@models_app.command("bundle")
def models_bundle(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    models: Annotated[list[str] | None, typer.Argument(metavar="[MODEL]...", help="By default all here.")] = None,
    json: Json = False,
) -> None:
    """Copy models to a folder that a machine without a network can get them from."""
    from artifexpro.hosts.terminal import making

    work = {"kind": "models.bundle", "path": str(out.absolute()), "models": models or []}
    making.model_work(work, "bundle models", as_json=json)


@models_app.command("keep")
def models_keep(
    model: ModelName,
    no_longer: Annotated[bool, typer.Option("--no-longer", help="It may be removed again.")] = False,
    json: Json = False,
) -> None:
    """Never remove a model when room is made."""
    from artifexpro.hosts.terminal import making

    work = {"kind": "models.keep", "model": model, "keep": not no_longer}
    making.model_work(work, f"{'no longer ' if no_longer else ''}keep {model}", as_json=json)


@models_app.command("evict")
def models_evict(
    budget: Annotated[float, typer.Option(metavar="GB", min=0, help="What all models may take together.")],
    json: Json = False,
) -> None:
    """Remove the models and copies that were not used for longest, until the rest fits a budget."""
    from artifexpro.hosts.terminal import making

    making.model_work({"kind": "models.evict", "budget_gb": budget}, "make room", as_json=json)


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
