"""What is shown of a machine at a moment: its shape, and how it is made of scores and alerts. Pure.

`shape.py` has the structs, `status.py` puts them together, one file for each of their parts.
Imports: `judge`, `metrics` and below; of `watching` it knows the scores alone, as `metrics` does.
To add: what is shown is a field in `shape.py`, told in docs/api.md.
"""
