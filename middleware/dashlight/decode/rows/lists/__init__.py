"""Lists told in columns whose number does not depend on their length, and which lists are rows. Pure.

Imports: `decode.rows.jsonvalue`, and `window` for what the names of lists say.
To add: another kind of list becomes columns in `findings.py` where it stands alone, in `parallel.py` where several belong together;
of a request in `data_frames.py` where it holds rows, in `series.py` where it is one row.
"""
