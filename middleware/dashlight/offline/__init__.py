"""The same judge without a server: `DriftDetector` for a notebook, a test or a batch job.

Imports: `watching`, `decode` and below.
To add: a kind of frame that can be handed in is read in `frames.py`.
"""
