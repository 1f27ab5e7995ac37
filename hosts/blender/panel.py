# mypy: ignore-errors
"""The ArtifexPro tab in the sequencer's sidebar: what to make, what is on its way, what a strip was made from."""

import bpy

from ..bridge.jobs import CANCELLED, DELIVERED, FAILED, FINISHED, QUEUED, RUNNING, WAITING
from . import asking, previews, pumping
from .settings import made_here, scene_of

_WORDS = {
    WAITING: "waiting for the daemon",
    QUEUED: "queued",
    RUNNING: "running",
    FINISHED: "arriving",
    DELIVERED: "on the timeline",
    FAILED: "failed",
    CANCELLED: "cancelled",
}
_ICONS = {
    WAITING: "SORTTIME",
    QUEUED: "SORTTIME",
    RUNNING: "RENDER_ANIMATION",
    FINISHED: "IMPORT",
    DELIVERED: "CHECKMARK",
    FAILED: "ERROR",
    CANCELLED: "X",
}
_LETTER_WIDTH = 7
"""Pixels a letter takes in a label at scale 1, on average, for wrapping."""


class _Tab:
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "ArtifexPro"

    @classmethod
    def poll(cls, context):
        return scene_of(context) is not None


def wrapped(text, letters):
    """`text` in lines of at most `letters` letters, broken between words."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > letters:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line] if line else lines


def _letters(context):
    """Letters that fit into one line of the sidebar, or of a sidebar of the usual width where none is open."""
    if context.region is None:
        return 40
    return max(20, int(context.region.width / (_LETTER_WIDTH * context.preferences.system.ui_scale)) - 4)


def _say(layout, context, text, icon="NONE"):
    column = layout.column(align=True)
    for number, line in enumerate(wrapped(text, _letters(context))):
        column.label(text=line, icon=icon if number == 0 else "NONE")


class ARTIFEXPRO_PT_generate(_Tab, bpy.types.Panel):
    """Prompt, model, preset and the Generate button."""

    bl_idname = "ARTIFEXPRO_PT_generate"
    bl_label = "Generate"

    def draw(self, context):
        layout = self.layout
        scene = scene_of(context)
        settings = scene.artifexpro
        layout.prop(settings, "prompt", text="", placeholder="What should be seen")
        layout.prop(settings, "negative_prompt", text="", placeholder="What should not")
        column = layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        for name in ("model", "preset", "frames", "steps"):
            column.prop(settings, name)
        row = column.row(align=True)
        row.active = not settings.random_seed
        row.prop(settings, "seed")
        row.prop(settings, "random_seed", text="", icon="FILE_REFRESH")
        column.prop(settings, "own_size")
        if settings.own_size:
            column.prop(settings, "width")
            column.prop(settings, "height")
        column.prop(settings, "from_strip")
        column.prop(settings, "with_frames")
        row = layout.row()
        row.scale_y = 1.4
        row.operator("artifexpro.generate", icon="RENDER_ANIMATION")
        if scene.view_settings.view_transform != "Standard":
            look = scene.view_settings.view_transform
            _say(layout, context, f"This scene is shown through {look}: clips will not look as they were made.", "INFO")
            layout.operator("artifexpro.standard_view")


class ARTIFEXPRO_PT_jobs(_Tab, bpy.types.Panel):
    """The scene's jobs, with progress and Cancel, and what the daemon says."""

    bl_idname = "ARTIFEXPRO_PT_jobs"
    bl_label = "Clips on Their Way"

    def draw(self, context):
        layout = self.layout
        for line in status_lines():
            _say(layout, context, line, "ERROR")
        if not pumping.session.connected:
            layout.operator("artifexpro.connect", icon="LINKED", text=_connect_word())
        jobs = pumping.session.book.of_keeper(scene_of(context).session_uid)
        for job in reversed(jobs):
            self._draw_job(context, layout.box(), job)
        if any(not job.open for job in jobs):
            layout.operator("artifexpro.clear")

    @staticmethod
    def _draw_job(context, box, job):
        row = box.row()
        row.label(text=job.title, icon=_ICONS[job.state])
        if job.open and not job.cancel_asked:
            row.operator("artifexpro.cancel", text="", icon="X").key = job.key
        if job.state == RUNNING and job.progress is not None:
            box.progress(factor=job.progress, text=f"{job.stage} {job.progress:.0%}".strip())
            if (icon := previews.icon_of(job.key)) is not None:
                box.template_icon(icon_value=icon, scale=8)
        else:
            word = "cancelling" if job.open and job.cancel_asked else _WORDS[job.state]
            if asking.FILES in job.place:
                box.label(text="written" if job.state == DELIVERED else word)
            else:
                box.label(text="{}: frame {start}, channel {channel}".format(word, **job.place))
        if job.message:
            _say(box, context, job.message)


class ARTIFEXPRO_PT_strip(_Tab, bpy.types.Panel):
    """How the selected strip was made, and making it again."""

    bl_idname = "ARTIFEXPRO_PT_strip"
    bl_label = "Selected Clip"

    @classmethod
    def poll(cls, context):
        return super().poll(context) and made_here(scene_of(context)) is not None

    def draw(self, _context):
        draw_strip_actions(self.layout)


def draw_strip_actions(layout):
    """What can be done with a strip that was made here, in the panel and in the strip's context menu."""
    layout.operator("artifexpro.again", icon="FILE_REFRESH").vary = False
    layout.operator("artifexpro.again", text="Vary Seed", icon="MOD_NOISE").vary = True
    layout.operator("artifexpro.recall", icon="COPYDOWN")
    layout.operator("artifexpro.open_graph", icon="NODETREE")


def status_lines():
    """Sentences about the line to the daemon that the panel shows above the jobs."""
    return [pumping.session.trouble] if pumping.session.trouble else []


def _connect_word():
    return "Connecting..." if pumping.session.connecting else "Connect"


CLASSES = (ARTIFEXPRO_PT_generate, ARTIFEXPRO_PT_jobs, ARTIFEXPRO_PT_strip)
