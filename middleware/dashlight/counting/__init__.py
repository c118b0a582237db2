"""What one process counts of the exchanges it served; the panes of all processes of a machine add up.

machine > endpoint > model > rows > joint: the same five names as in `watching`, which judges the sums.
Imports: `decode`, `judge`, `metrics`, `store` and below.
To add: what is counted of rows goes into `rows.py`, and its merging beside it.
"""
