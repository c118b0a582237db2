"""Agreement with labels, judged like columns; only what became worse is told. Pure.

Imports: `judge.evidence` and below, `window`. It is handed the judge of its columns.
To add: a measure of agreement is a column; here stands which way is worse.
"""
