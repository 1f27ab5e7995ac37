"""A project as scripts see it, and the Deliver page's queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.hosts.resolve.standin import pictures
from tests.hosts.resolve.standin.api import fields
from tests.hosts.resolve.standin.faces import Face, Refused
from tests.hosts.resolve.standin.media import MediaPool
from tests.hosts.resolve.standin.state import Edit, RenderJob
from tests.hosts.resolve.standin.timeline import Timeline

FORMATS = {"QuickTime": "mov", "MP4": "mp4", "EXR": "exr", "TIFF": "tif", "DPX": "dpx"}
CODECS = {
    "mov": {"H.264": "H264"},
    "mp4": {"H.264": "H264"},
    "exr": {"RGB half": "RGBHalf", "RGB half (ZIP)": "RGBHalfZIP", "RGB float": "RGBFloat"},
    "tif": {"RGB 16 bits": "RGB16"},
    "dpx": {"RGB 10 bits": "RGB10"},
}
STEPS = 2
"""So many times a job says that it is rendering before it is done."""


class Project(Face):
    def GetMediaPool(self) -> MediaPool:
        return MediaPool(self._host, self._state)

    def GetName(self) -> str:
        return self._state.name

    def GetUniqueId(self) -> str:
        return self._state.id

    def GetTimelineCount(self) -> int:
        return len(self._state.edits)

    def GetTimelineByIndex(self, index: int) -> Timeline | None:
        inside = 1 <= index <= len(self._state.edits)
        return Timeline(self._host, self._state.edits[index - 1]) if inside else None

    def GetCurrentTimeline(self) -> Timeline | None:
        return None if self._state.edit is None else Timeline(self._host, self._state.edit)

    def SetCurrentTimeline(self, timeline: Timeline) -> bool:
        ids = [edit.id for edit in self._state.edits]
        if timeline._state.id not in ids:
            return False
        self._state.current = ids.index(timeline._state.id)
        return True

    def GetSetting(self, name: str) -> str:
        return self._state.settings.get(name, "")

    def SetSetting(self, name: str, value: str) -> bool:
        if not isinstance(value, str):
            return False
        self._state.settings[name] = value
        return True

    def RefreshLUTList(self) -> bool:
        self._host.refresh_luts()
        return True

    def ExportCurrentFrameAsStill(self, path: str) -> bool:
        edit = self._state.edit
        if edit is None or Path(path).suffix not in (".png", ".tif", ".jpg", ".dpx"):
            return False
        pictures.write(Path(path), pictures.of_frame(edit, edit.playhead))
        return True

    def GenerateSpeech(self, _settings: dict[str, Any], _timecode: str) -> Any:
        return self._host.studio_only("Project.GenerateSpeech")

    # ------------------------------------------------------------------ Deliver

    def GetRenderFormats(self) -> dict[str, str]:
        return dict(FORMATS)

    def GetRenderCodecs(self, format: str) -> dict[str, str]:
        return dict(CODECS.get(format, {}))

    def GetCurrentRenderFormatAndCodec(self) -> dict[str, str]:
        return {"format": self._state.format, "codec": self._state.codec}

    def SetCurrentRenderFormatAndCodec(self, format: str, codec: str) -> bool:
        if codec not in CODECS.get(format, {}).values():
            return False
        self._state.format, self._state.codec = format, codec
        return True

    def SetRenderSettings(self, settings: dict[str, Any]) -> bool:
        unknown = set(settings) - fields("RenderSettings")
        if unknown:
            raise Refused(f"render settings have no {sorted(unknown)}")
        self._state.render.update(settings)
        return True

    def SaveAsNewRenderPreset(self, name: str) -> bool:
        if name in self._state.presets:
            return False
        self._state.presets[name] = (dict(self._state.render), self._state.format, self._state.codec)
        return True

    def LoadRenderPreset(self, name: str) -> bool:
        if name not in self._state.presets:
            return False
        settings, self._state.format, self._state.codec = self._state.presets[name]
        self._state.render = dict(settings)
        return True

    def DeleteRenderPreset(self, name: str) -> bool:
        return self._state.presets.pop(name, None) is not None

    def GetRenderPresetList(self) -> list[str]:
        return list(self._state.presets)

    def AddRenderJob(self) -> str | None:
        edit, settings = self._state.edit, self._state.render
        if edit is None or not Path(settings.get("TargetDir", "")).is_dir():
            return None
        job = RenderJob(dict(settings), edit.id, self._state.format, self._state.codec)
        self._state.jobs.append(job)
        return job.id

    def DeleteRenderJob(self, job: str) -> bool:
        before = len(self._state.jobs)
        self._state.jobs = [each for each in self._state.jobs if each.id != job]
        return len(self._state.jobs) < before

    def DeleteAllRenderJobs(self) -> bool:
        self._state.jobs = []
        return True

    def GetRenderJobList(self) -> list[dict[str, Any]]:
        return [{"JobId": job.id, "TargetDir": job.settings.get("TargetDir", "")} for job in self._state.jobs]

    def StartRendering(self, *what: Any) -> bool:
        jobs = what[0] if what and isinstance(what[0], (list, tuple)) else [each for each in what if each is not False]
        chosen = [job for job in self._state.jobs if not jobs or job.id in jobs]
        if not chosen or self.IsRenderingInProgress():
            return False
        for job in chosen:
            job.status, job.done = "Rendering", 0
        return True

    def IsRenderingInProgress(self) -> bool:
        return any(job.status == "Rendering" for job in self._state.jobs)

    def StopRendering(self) -> None:
        for job in self._state.jobs:
            if job.status == "Rendering":
                job.status = "Cancelled"

    def GetRenderJobStatus(self, name: str) -> dict[str, Any]:
        job = next((each for each in self._state.jobs if each.id == name), None)
        if job is None:
            return {}
        if job.status == "Rendering":
            job.done += 1
            if job.done > STEPS:
                self._render(job)
        told: dict[str, Any] = {"JobStatus": job.status, "CompletionPercentage": min(100, 100 * job.done // STEPS)}
        return {**told, "Error": "The disk is full."} if job.status == "Failed" else told

    def _render(self, job: RenderJob) -> None:
        edit: Edit = next(edit for edit in self._state.edits if edit.id == job.edit)
        first, last = job.settings["MarkIn"], job.settings["MarkOut"]
        for frame in range(first, last + 1):
            name = f"{job.settings['CustomName']}{frame:08d}.{job.format}"
            try:
                pictures.write(Path(job.settings["TargetDir"]) / name, pictures.of_frame(edit, frame))
            except OSError:
                job.status = "Failed"
                return
        job.status = "Complete"
