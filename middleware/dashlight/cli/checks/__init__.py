"""What `dashlight check` looks at, a subject a file; `cli/check.py` asks them all and prints what they find.

Imports: everything; the settings are read by `runtime.assembly` as the app reads them.
To add: a function that gives `Observation`s, called in `cli/check.py`.
"""
