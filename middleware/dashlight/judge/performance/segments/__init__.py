"""Agreement with labels, segment by segment. Pure.

Imports: `judge.performance` and below, `window`, `labels`.
To add: what is told or judged of each segment is one file here, which takes the rows that `losses` takes.
"""
