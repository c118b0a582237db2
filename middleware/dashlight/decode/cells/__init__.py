"""What a cell that is written as text says: CSV references, bodies and labels, numbers and times as texts in any format.

`grammar` is the way in: counts of the shapes of a column's cells -> its Writing -> its values. The patterns are plain
strings that Python's `re` and RE2 read alike, so that SQL reads as Python does. It imports nothing else of decode.
Add a spelling here, and its line to the table of cells in the tests.
"""
