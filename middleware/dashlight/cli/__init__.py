"""The command line: `main.py` and one file a command.

Imports: everything.
To add: a command is one file with `register`, named in `main.py`.
"""
