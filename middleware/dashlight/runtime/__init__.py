"""Joins the stages and runs them: one Monitor a process, its analysis thread, what is published, the CPU budget.

`process.py` holds the Monitor, `monitor.py` runs it, `pipeline.py` joins the stages, `assembly/` makes all of it.
Imports: everything below `asgi`.
To add: a setting becomes an object in `assembly/`; a new stage is called from `pipeline.py`.
"""
