"""What exchanges with language models say: prompts, answers, token usage, finish reasons, streams, repeats. Pure.

Imports: `decode.formats` and below.
To add: a provider's dialect is one file, read by a protocol; a column for every model goes into `columns.py`.
"""
