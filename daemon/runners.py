"""Which part of `core` does which kind of work."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import (
    Artefact,
    BundleModels,
    ConvertModel,
    EvictModels,
    ExtendPrompt,
    FetchModel,
    JobRequest,
    JobResult,
    KeepModel,
    VerifyModel,
)
from artifexpro.daemon.hashes import with_hashes
from artifexpro.daemon.worker import Runner
from artifexpro.daemon.working import WorkerContext


def run_graph(request: JobRequest, context: WorkerContext) -> JobResult:
    from artifexpro.core.project.render import render_graph

    try:
        return with_hashes(render_graph(request, context), context.check)
    finally:
        if request.fresh:
            shutil.rmtree(context.store, ignore_errors=True)


def get_model(request: JobRequest, context: WorkerContext) -> JobResult:
    from artifexpro.core.wan22 import bundle, catalogue, download

    work = request.work
    assert isinstance(work, FetchModel)
    spec = catalogue.usable(work.model)
    if work.bundle is not None:
        with context.stage("copy"):
            folder = bundle.read(context.models, spec, Path(work.bundle), context)
    else:
        folder = download.get(
            context.models, spec, context, repository=work.repository, revision=work.revision, mirror=work.mirror
        )
    return context.result(Artefact(path=str(folder), role="model"))


def verify_model(request: JobRequest, context: WorkerContext) -> JobResult:
    from artifexpro.core.wan22 import catalogue, weights

    work = request.work
    assert isinstance(work, VerifyModel)
    spec = catalogue.usable(work.model)
    with context.stage("verify"):
        damaged = weights.verify(context.models, spec, context)
    if damaged:
        raise ArtifexError(
            f"verify the model {spec.name}",
            f"{len(damaged)} of its files are not what was downloaded: {', '.join(damaged)}",
            f"artifexpro models get {spec.name}, after removing those files",
            code="checksum",
        )
    return context.result(Artefact(path=str(weights.folder_of(context.models, spec)), role="model"))


def convert_model(request: JobRequest, context: WorkerContext) -> JobResult:
    from artifexpro.core.wan22 import catalogue, convert

    work = request.work
    assert isinstance(work, ConvertModel)
    folder = convert.convert(context.models, catalogue.usable(work.model), work.dtype, context)
    return context.result(Artefact(path=str(folder), role="model"))


def bundle_models(request: JobRequest, context: WorkerContext) -> JobResult:
    from artifexpro.core.wan22 import bundle

    work = request.work
    assert isinstance(work, BundleModels)
    with context.stage("bundle"):
        made = bundle.write(context.models, Path(work.path), work.models, context)
    return context.result(*(Artefact(path=str(folder), role="model") for folder in made))


def evict_models(request: JobRequest, context: WorkerContext) -> JobResult:
    from artifexpro.core.wan22 import shelf

    work = request.work
    assert isinstance(work, EvictModels)
    if not shelf.evict(context.models, round(work.budget_gb * 1e9), context):
        context.note("Nothing was removed.")
    return context.result()


def keep_model(request: JobRequest, context: WorkerContext) -> JobResult:
    from artifexpro.core.wan22 import catalogue, shelf

    work = request.work
    assert isinstance(work, KeepModel)
    shelf.keep(context.models, catalogue.usable(work.model), wanted=work.keep)
    return context.result()


def extend_prompt(request: JobRequest, context: WorkerContext) -> JobResult:
    from artifexpro.core.graph.values import WORKING_SPACE
    from artifexpro.core.media import color, still
    from artifexpro.core.wan22.prompting import looking

    work = request.work
    assert isinstance(work, ExtendPrompt)
    picture = None
    if work.image is not None:
        pixels = color.transform(still.read(Path(work.image)), WORKING_SPACE, color.DISPLAY)[:, :3]
        picture = pixels[0].clamp(0, 1).permute(1, 2, 0).contiguous()
    looked = looking.looked(work.model_dump(), context.models, context, picture=picture)
    return context.result().model_copy(update={"recipe": {"prompt": looked}})


RUNNERS: Mapping[str, Runner] = {
    "graph": run_graph,
    "models.get": get_model,
    "models.verify": verify_model,
    "models.convert": convert_model,
    "models.bundle": bundle_models,
    "models.evict": evict_models,
    "models.keep": keep_model,
    "prompt": extend_prompt,
}
