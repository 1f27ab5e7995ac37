"""How good a clip is, in figures: what holds still, what flickers, what drifts, what is sharp.

A clip is read once, frame by frame, and never kept. Definitions are VBench's (Huang et al., arXiv 2311.17982) where
they can be computed here; where its network is not at hand the score is a stand-in, and its name says so. Nothing here
knows what made the clip. There is no aesthetic score: without a network that was trained on people's votes any such
number would be invented.
"""
