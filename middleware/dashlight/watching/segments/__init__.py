"""The segments that an operator named, of one model: what all processes counted of each, judged.

Imports: `judge.segments` and below, `counting`, `watching.rows`.
To add: a figure that is shown of a segment comes from `judge/segments`; what is kept of it from pane to pane, into `state.py`.
"""
