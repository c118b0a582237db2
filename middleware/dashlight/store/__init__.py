"""What outlives a process: private files, frozen state, reference files, learned references.

Imports: `window` and the ground floor.
To add: a file that lasts is one module here, opened by `private.py` and read as hostile.
"""
