"""The default negative prompts, as data."""

from __future__ import annotations

# ruff: noqa: RUF001
DEFAULT_NEGATIVE_PROMPT = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，"
    "JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，"
    "形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走"
)
"""What the reference tells all models but S2V to avoid (Wan-Video/Wan2.2, wan/configs/shared_config.py), verbatim.

It contains "style, work, painting", so it works against stylised shots: give another one for those.
"""

SPEECH_NEGATIVE_PROMPT = (
    "画面模糊，最差质量，画面模糊，细节模糊不清，情绪激动剧烈，手快速抖动，字幕，丑陋的，残缺的，多余的手指，"
    "画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，"
    "背景人很多，倒着走"
)
"""What the reference tells S2V to avoid (Wan-Video/Wan2.2, wan/configs/wan_s2v_14B.py), verbatim."""
