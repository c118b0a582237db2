"""Which rows are the very same, and which of them come most often, in constant memory.

Imports: the files of `window` itself.
To add: what a payload is made of is decided in `hashing.py`.
"""
