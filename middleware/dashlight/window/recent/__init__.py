"""Recent rows of every column: what bins forget and a break upstream shows, without a text.

Imports only the files of `window` itself. Add a way of writing a value to `respelling.py`.
"""
