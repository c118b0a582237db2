"""Lists within one row, told in columns whose number does not depend on their length. Pure.

Imports: `decode.rows.jsonvalue`, and `window` for what the names of lists say.
To add: another kind of list becomes columns in `findings.py` where it stands alone, in `parallel.py` where several belong together.
"""
