"""Drift of one column at a time: distribution, missing values, wrong types, out of range, new categories. Pure.

Imports: `judge.evidence` and below, `window`.
To add: a score that is shown goes into `scores.py`, a sentence on what moved into `causes.py`.
"""
