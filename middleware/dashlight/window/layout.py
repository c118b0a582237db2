"""Where a value of a column is counted: four structural bins, then thirty-two value bins.

[0] null   [1] type error   [2] below the reference's range   [3] above it | unseen category   [4:36] values
"""

NULL = 0
TYPE_ERROR = 1
BELOW = 2
ABOVE = 3
UNSEEN = 3
STRUCTURAL_BINS = 4
VALUE_BINS = 32
BINS = STRUCTURAL_BINS + VALUE_BINS
BLOCK_ROWS = (100, 400, 1600)
"""Lengths of the reference's blocks, in rows of time order, on which natural variation is measured."""
