"""What one pass over the rows of a reference shows of its columns: which it does without, and what is doubtful. Pure.

Imports: `window`, `window.facets` and the ground floor.
To add: a fact is measured in `facts_meter.py`, a doubt is decided in `doubts.py`, and `cli/build_report.py` has its words.
"""
