# mypy: ignore-errors
"""Pictures on the way, small, beside their job in the panel."""

import bpy.utils.previews


class _Shown:
    icons = None


def register():
    _Shown.icons = bpy.utils.previews.new()


def unregister():
    bpy.utils.previews.remove(_Shown.icons)


def clear():
    _Shown.icons.clear()


def show(key, width, height, pixels):
    """Replace the picture of the job `key`. `pixels` are RGBA floats, rows from the bottom up."""
    icons = _Shown.icons
    preview = icons[key] if key in icons else icons.new(key)
    preview.image_size = (width, height)
    preview.image_pixels_float = pixels


def icon_of(key):
    """The icon's number for `template_icon`, or None where nothing was shown yet."""
    return _Shown.icons[key].icon_id if key in _Shown.icons else None
