# mypy: ignore-errors
"""What the panel asks: stored in each scene, so that a file opens with the prompt it was saved with."""

import bpy

from . import strips
from .clips import LENGTHS

PRESETS = (
    ("Draft", "Draft", "480p, 25 steps, 41 frames: to see whether the idea holds"),
    ("Preview", "Preview", "720p, 36 steps, 81 frames: to judge motion"),
    ("Production", "Production", "720p, 60 steps, 121 frames"),
    ("Cinema", "Cinema", "80 steps, 241 frames, delivered at 1080p"),
)
LARGEST_SEED = 2**31 - 1
"""Blender's integers have 32 bits."""


def scene_of(context):
    """The scene whose timeline the artist sees: from Blender 5.0 on the sequencer has one of its own."""
    return context.sequencer_scene if hasattr(context, "sequencer_scene") else context.scene


def selected_strip(scene):
    """The strip the artist works on, or None."""
    editor = scene.sequence_editor
    return editor.active_strip if editor is not None else None


def made_here(scene):
    """The selected strip where this add-on made it, or None."""
    strip = selected_strip(scene)
    return strip if strip is not None and strips.RECIPE_PROPERTY in strip else None


def _preset_chosen(settings, _context):
    settings.frames = LENGTHS[settings.preset]


def _model_names(_settings, _context, typed):
    from . import pumping

    return [name for name in pumping.session.models if typed.lower() in name.lower()]


class ArtifexSettings(bpy.types.PropertyGroup):
    """The panel's fields."""

    prompt: bpy.props.StringProperty(name="Prompt", description="What should be seen, in your own words")
    negative_prompt: bpy.props.StringProperty(
        name="Avoid", description="What should not be seen. Empty: the list the model was trained with"
    )
    model: bpy.props.StringProperty(
        name="Model",
        description="Model that makes the clip. wan22-tiny comes with it and knows coloured shapes that move",
        default="wan22-tiny",
        search=_model_names,
    )
    preset: bpy.props.EnumProperty(
        name="Preset", description="Size, steps and length in one word", items=PRESETS, update=_preset_chosen
    )
    seed: bpy.props.IntProperty(
        name="Seed", description="The same seed and settings make the same clip", min=0, max=LARGEST_SEED
    )
    random_seed: bpy.props.BoolProperty(
        name="New Seed Each Time", description="Choose another seed whenever you press Generate"
    )
    frames: bpy.props.IntProperty(
        name="Frames",
        description="Length of the clip: 1, 5, 9 and so on in steps of 4",
        default=41,
        min=1,
        soft_max=241,
        step=4,
    )
    steps: bpy.props.IntProperty(
        name="Steps", description="Denoising steps. 0: as many as the preset says", default=0, min=0, max=1000
    )
    own_size: bpy.props.BoolProperty(name="Own Size", description="Width and height instead of the preset's")
    width: bpy.props.IntProperty(name="Width", default=832, min=16, soft_max=1920, step=32, subtype="PIXEL")
    height: bpy.props.IntProperty(name="Height", default=480, min=16, soft_max=1080, step=32, subtype="PIXEL")
    from_strip: bpy.props.BoolProperty(
        name="Start from Strip",
        description="The picture under the playhead in the selected movie or image strip becomes the clip's first one",
    )
    with_frames: bpy.props.BoolProperty(
        name="EXR Frames Too", description="Also write scene-linear ACEScg EXR frames beside the movie"
    )
