"""How good a model was: counts of labelled rows that add up, and their course over time. Pure.

Imports: the files of `window` itself and `labels`. From counts to figures with intervals: `judge.performance`.
To add: a task is one file with its counts, named in `counts.py`.
"""
