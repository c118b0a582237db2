"""The command line: `main.py` and one file for each command.

Imports: everything.
To add: a command is one file with `register`, named in `main.py`.
"""
