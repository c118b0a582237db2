"""What is measured of columns that have no bins themselves: texts, vectors, images, rankings, forecasts. Pure.

Imports: `window` and the ground floor.
To add: a kind of column is one file with its measures, listed in `facets.py`.
"""
