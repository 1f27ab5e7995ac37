"""The stand-in's insides: what Nuke's own program would be. Adapters see only `nuke` and `nukescripts` beside it."""
