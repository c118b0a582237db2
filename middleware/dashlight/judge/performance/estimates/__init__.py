"""What performance probably is while labels are missing, and why it is not told where it cannot be. Pure.

Imports: `window`, `labels` and below. Long work is in steps (`window.reference.steps`).
To add: a measure of classes is a line of `expected`; a way to estimate is one file here, chosen in `estimator`.
"""
