"""How a reference is made of rows, learned from traffic, written to a file and read. Pure.

Imports: `window`, `window.facets` and the ground floor.
To add: a part of a reference is a meter of rows (`NAME_meter.py`) and how it stands in a file (`NAME_file.py`).
"""
