"""Agreement with labels: what became worse is told, and what cannot be. Pure.

Imports: `judge.evidence` and below, `window`, `labels`.
To add: another loss is one in `losses`; what is watched of it is a file like `realised`.
"""
