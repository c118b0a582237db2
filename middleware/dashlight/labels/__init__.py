"""The nouns of performance: predictions that wait for their labels, labels, and the two joined. Pure.

Imports: the ground floor.
To add: what a label may look like when it comes is one file here; where it waits for its prediction is `store`.
"""
