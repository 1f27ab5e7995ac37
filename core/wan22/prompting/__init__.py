"""Prompts: what is added to an artist's words, by whom, and what of it the negative prompt forbids.

Nothing here changes words in silence: an extension is asked for, keeps the original beside it and says the difference.
"""
