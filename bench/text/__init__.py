"""Kinds of text that people send: images drawn from a seed, each with the text that is in it, and how well it is read.

`case.py` says what a case and a kind are, `kinds/` has one file a kind, `draw.py` and `fonts.py` draw, `vocabulary.py` has the
words, `score.py` compares, `reading.py` asks a service, and `__main__.py` prints the table (`make bench-text`).
"""
