"""The rows of one segment against what the reference says of that segment: its columns, and its traffic. Pure.

Imports: `judge.columns`, `judge.traffic` and below, `window`.
To add: what the reference of a segment is made of goes into `references.py`,
of how many rows of others it is made into `pooling.py`, a sentence on the other rows into `others.py`.
"""
