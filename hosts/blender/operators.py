# mypy: ignore-errors
"""What the buttons do. Each refuses with a sentence; none waits for the daemon."""

import bpy

from . import asking, clips, pumping, source, strips
from .placing import Span
from .settings import LARGEST_SEED, made_here, scene_of, selected_strip


class _OnTimeline:
    @classmethod
    def poll(cls, context):
        if scene_of(context) is None:
            cls.poll_message_set("The sequencer has no scene yet")
            return False
        return True


class _OnMadeStrip(_OnTimeline):
    @classmethod
    def poll(cls, context):
        if not super().poll(context):
            return False
        if made_here(scene_of(context)) is None:
            cls.poll_message_set("Select a strip that ArtifexPro made")
            return False
        return True


def _send(operator, scene, document, title, wanted):
    """Book the job and say where it will arrive."""
    try:
        job = pumping.ask(scene, document, title, wanted)
    except asking.Refused as refusal:
        operator.report({"ERROR"}, str(refusal))
        return {"CANCELLED"}
    operator.report({"INFO"}, "The clip will arrive at frame {start} on channel {channel}.".format(**job.place))
    return {"FINISHED"}


class ARTIFEXPRO_OT_generate(_OnTimeline, bpy.types.Operator):
    """Make a clip from the prompt. It arrives where the playhead is now, on the nearest free channel"""

    bl_idname = "artifexpro.generate"
    bl_label = "Generate Clip"
    bl_options = {"REGISTER"}

    def execute(self, context):
        scene = scene_of(context)
        settings = scene.artifexpro
        wanted = Span(1, scene.frame_current, scene.frame_current + settings.frames)
        try:
            picture = None
            if settings.from_strip:
                strip = selected_strip(scene)
                picture = source.picture_under(strip, scene.frame_current, bpy.path.abspath)
                wanted = wanted.on(strip.channel + 1)
            if settings.random_seed:
                settings.seed = clips.another_seed(settings.seed, LARGEST_SEED)
            document = asking.new_clip(settings, picture)
        except (asking.Refused, source.NoPicture) as refusal:
            self.report({"ERROR"}, str(refusal))
            return {"CANCELLED"}
        return _send(self, scene, document, asking.title_of(settings.prompt), wanted)


class ARTIFEXPRO_OT_again(_OnMadeStrip, bpy.types.Operator):
    """Make the selected strip's clip again from its recipe. It arrives on a free channel above the strip"""

    bl_idname = "artifexpro.again"
    bl_label = "Generate Again"
    bl_options = {"REGISTER"}

    vary: bpy.props.BoolProperty(name="Vary Seed", description="With another seed", options={"SKIP_SAVE"})

    def execute(self, context):
        scene = scene_of(context)
        strip = made_here(scene)
        try:
            document = asking.graph_of(strip[strips.RECIPE_PROPERTY])
        except asking.Refused as refusal:
            self.report({"ERROR"}, str(refusal))
            return {"CANCELLED"}
        settings = clips.generators(document)[0]["params"]
        if self.vary:
            document = clips.with_seed(document, clips.another_seed(settings["seed"], LARGEST_SEED))
        span = strips.span_of(strip)
        length = settings.get("frames") or span.length
        return _send(self, scene, document, strip.name, Span(span.channel + 1, span.start, span.start + length))


class ARTIFEXPRO_OT_recall(_OnMadeStrip, bpy.types.Operator):
    """Put the selected strip's prompt, model, seed and other settings into the panel"""

    bl_idname = "artifexpro.recall"
    bl_label = "Use These Settings"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context):
        scene = scene_of(context)
        try:
            document = asking.graph_of(made_here(scene)[strips.RECIPE_PROPERTY])
        except asking.Refused as refusal:
            self.report({"ERROR"}, str(refusal))
            return {"CANCELLED"}
        asking.fill_panel(scene.artifexpro, clips.generators(document)[0]["params"])
        return {"FINISHED"}


class ARTIFEXPRO_OT_cancel(bpy.types.Operator):
    """Stop this job"""

    bl_idname = "artifexpro.cancel"
    bl_label = "Cancel"
    bl_options = {"REGISTER"}

    key: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    def execute(self, _context):
        job = pumping.session.book.get(self.key)
        if job is None or not job.open:
            self.report({"WARNING"}, "This job is over already.")
            return {"CANCELLED"}
        pumping.session.cancel(job)
        pumping.keep_pumping()
        return {"FINISHED"}


class ARTIFEXPRO_OT_clear(_OnTimeline, bpy.types.Operator):
    """Take jobs that are over out of the list. Clips and strips stay"""

    bl_idname = "artifexpro.clear"
    bl_label = "Clear List"
    bl_options = {"REGISTER"}

    def execute(self, context):
        pumping.session.book.clear_closed(scene_of(context).session_uid)
        pumping.write_down()
        return {"FINISHED"}


class ARTIFEXPRO_OT_connect(bpy.types.Operator):
    """Look for the daemon now, and start it where the preferences say so"""

    bl_idname = "artifexpro.connect"
    bl_label = "Connect"
    bl_options = {"REGISTER"}

    def execute(self, _context):
        pumping.redial()
        return {"FINISHED"}


class ARTIFEXPRO_OT_standard_view(_OnTimeline, bpy.types.Operator):
    """Show this scene without a film look, so that clips look as they were made"""

    bl_idname = "artifexpro.standard_view"
    bl_label = "Use the Standard View"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context):
        scene_of(context).view_settings.view_transform = "Standard"
        return {"FINISHED"}


CLASSES = (
    ARTIFEXPRO_OT_generate,
    ARTIFEXPRO_OT_again,
    ARTIFEXPRO_OT_recall,
    ARTIFEXPRO_OT_cancel,
    ARTIFEXPRO_OT_clear,
    ARTIFEXPRO_OT_connect,
    ARTIFEXPRO_OT_standard_view,
)
