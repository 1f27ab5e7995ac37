"""Speech to video (Wan2.2-S2V-14B): a network of our own on diffusers' parts, the sound it hears, clip after clip.

diffusers has no such network. `model` is built from the parts of its `WanTransformer3DModel` and takes the published
weights through `keys`; tests hold every module to the reference implementation, Wan-Video/Wan2.2 `wan/modules/s2v`.
`speech` turns sound into what the network hears, `clips` does the arithmetic of a film made clip by clip, and
`generate` runs it.
"""
