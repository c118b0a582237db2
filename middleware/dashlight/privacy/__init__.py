"""What may not leave: by the name of a column, by the shape of a text, and what stands for a text instead. Pure.

Imports nothing of ours. Whatever shows a value asks here. Add a detector to `detectors.py`.
"""
