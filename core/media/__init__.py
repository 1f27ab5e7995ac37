"""Pictures in and out of files, and the arithmetic on them that nodes share.

Everything here works on the engine's one kind of picture: a torch tensor of shape (1, 4, H, W), float32 or float16,
channels-last in memory, RGBA, premultiplied. `pixels` gives OpenCV, OpenColorIO and OpenImageIO the same memory as
rows of pixels without a copy.
"""
