"""Rows of an answer found again: by ids, by keys that both sides share, by inputs that come back.

Imports from the other files of decode/rows. To add a way: a file here, and a line where answers or exchanges are read.
"""
