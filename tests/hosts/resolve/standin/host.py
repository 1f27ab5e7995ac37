"""The program itself: its edition, its open project, its pages, and the ways a script gets hold of it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from tests.hosts.resolve.standin.api import choices
from tests.hosts.resolve.standin.faces import Face, Refused
from tests.hosts.resolve.standin.project import Project
from tests.hosts.resolve.standin.state import Movie

STUDIO = "DaVinci Resolve Studio"
FREE = "DaVinci Resolve"
STUDIO_ONLY = frozenset(
    {
        "TimelineItem.CreateMagicMask",
        "TimelineItem.RegenerateMagicMask",
        "TimelineItem.SmartReframe",
        "Timeline.AnalyzeDolbyVision",
        "Timeline.CreateSubtitlesFromAudio",
        "MediaPoolItem.RemoveMotionBlur",
        "Project.GenerateSpeech",
    }
)
"""Asked for in the free edition, these open a message box; until somebody closes it, every call answers nothing."""


class StandIn:
    """One running Resolve. `folder` keeps its saved projects and its master LUT folder.

    `calls` has every call in order. `scriptapp(language)` is how a script gets the object `resolve`: None where this
    edition and release do not let that language in.
    """

    def __init__(self, folder: Path, product: str = STUDIO, version: tuple[int, int, int] = (21, 1, 0)) -> None:
        self.product = product
        self.version = version
        self.page = "edit"
        self.modal = False
        self.gone = False
        self.project: Movie | None = None
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.known_luts: set[str] = set()
        self._projects = folder / "projects"
        self.luts = folder / "LUT"
        self._projects.mkdir(parents=True, exist_ok=True)
        self.luts.mkdir(exist_ok=True)
        self.refresh_luts()

    def scriptapp(self, language: str = "Python") -> Resolve | None:
        if language == "Python" and self.product == FREE and self.version >= (21, 1):
            return None
        return Resolve(self)

    def quit(self) -> None:
        """Unsaved work is lost, and what scripts hold is dead."""
        self.gone = True

    def names(self) -> list[str]:
        return sorted(path.stem for path in self._projects.glob("*.project"))

    def save(self) -> bool:
        if self.project is None:
            return False
        (self._projects / f"{self.project.name}.project").write_bytes(pickle.dumps(self.project))
        return True

    def load(self, name: str) -> bool:
        file = self._projects / f"{name}.project"
        if not file.exists():
            return False
        self.project = pickle.loads(file.read_bytes())
        return True

    def refresh_luts(self) -> None:
        found = (path for path in self.luts.rglob("*") if path.suffix in (".cube", ".dat", ".ilut", ".olut", ".dctl"))
        self.known_luts = {path.relative_to(self.luts).as_posix() for path in found}

    def studio_only(self, name: str) -> Any:
        """What the free edition does when asked for something of Studio's."""
        if self.product == FREE:
            self.modal = True
            return None
        raise Refused(f"the stand-in does not model {name}")


class Resolve(Face):
    def GetProjectManager(self) -> ProjectManager:
        return ProjectManager(self._host)

    def OpenPage(self, page: str) -> bool:
        if page not in choices("PageName"):
            return False
        self._host.page = page
        return True

    def GetCurrentPage(self) -> str:
        return self._host.page

    def GetProductName(self) -> str:
        return self._host.product

    def GetVersion(self) -> list[Any]:
        return [*self._host.version, 0, ""]

    def GetVersionString(self) -> str:
        return ".".join(map(str, self._host.version))

    def Quit(self) -> None:
        self._host.quit()

    def GetLayoutPresetList(self) -> list[str]:
        return []

    def GetBurnInPresetList(self) -> list[str]:
        return []

    def GetUserPreferencesPresetList(self) -> list[str]:
        return []


class ProjectManager(Face):
    def CreateProject(self, name: str, _media: Any = None) -> Project | None:
        if name in self._host.names():
            return None
        self._host.project = Movie(name)
        self._host.save()
        return Project(self._host, self._host.project)

    def GetCurrentProject(self) -> Project | None:
        return None if self._host.project is None else Project(self._host, self._host.project)

    def LoadProject(self, name: str) -> Project | None:
        return Project(self._host, self._host.project) if self._host.load(name) else None

    def SaveProject(self) -> bool:
        return self._host.save()

    def CloseProject(self, project: Project) -> bool:
        if self._host.project is not project._state:
            return False
        self._host.project = None
        return True

    def GetProjectListInCurrentFolder(self) -> list[str]:
        return self._host.names()

    def GetProjectAttributesInCurrentFolder(self) -> dict[str, Any]:
        return {name: {"notes": "", "liveCollaborationMode": "single_user"} for name in self._host.names()}
