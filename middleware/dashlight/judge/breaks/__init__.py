"""Breaks of a source: another unit, a stuck or swapped column, a default fill, another encoding, rounding. Pure.

Imports: all of `judge`, and `window`.
To add: a break is one file with a finder, listed in `finders.py` by how much it explains.
"""
