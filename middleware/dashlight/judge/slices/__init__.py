"""The guilty slice: what the rows that hurt have in common, searched on one half of a sample, confirmed on the other. Pure.

Imports: `judge.columns` and below, `window`.
To add: a kind of condition goes into `conditions.py`; what counts as hurt is the caller's.
"""
