"""Training files of any size, read by DuckDB: text, JSON lines, Parquet and Arrow, local, one or many.

`training_file` is the way in: files -> texts and numbers in a table of DuckDB -> values -> frames -> Tables. What a cell
that is written as text says is decided by `dashlight.decode.cells`; `cells_sql` writes the same as SQL.
To add: a format is a source of its own in `formats.py`.
"""
