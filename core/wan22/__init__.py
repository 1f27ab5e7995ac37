"""Wan2.2 as a service: from a prompt to frames, one denoising loop for all models.

`request.resolve` turns a preset and overrides into a checked `ClipSpec`; `generate.generate` runs it. Nothing here
knows graphs, nodes or the wire: whoever calls brings a `hooks.Hooks`, which a job context satisfies.
"""
