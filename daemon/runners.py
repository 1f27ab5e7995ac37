"""Which part of `core` does which kind of work."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from artifexpro.core.errors import ArtifexError
from artifexpro.core.protocol import (
    Artefact,
    ConvertModel,
    ExtendPrompt,
    FetchModel,
    JobRequest,
    JobResult,
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
    from artifexpro.core.wan22 import catalogue, download

    work = request.work
    assert isinstance(work, FetchModel)
    spec = catalogue.usable(work.model)
    folder = download.get(context.models, spec, context, repository=work.repository, revision=work.revision)
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
    "prompt": extend_prompt,
}
