"""From ASGI messages to Exchanges: the request path, on the event loop, in microseconds.

Wraps `receive` and `send`, keeps what passes, makes or enriches the span, appends one record to the inbox.
Imports: the ground floor. No parsing, numpy, lock, task or I/O may come in here.
To add: a header that decoding needs goes into `headers.py`, a kind of span into `spans.py`.
"""
