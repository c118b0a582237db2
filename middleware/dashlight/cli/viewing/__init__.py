"""What `dashlight status`, `versions` and `gate` share: where the view of an app is read, and how it is told.

`source.py` reads it, over HTTP or in the state directory; `status_text.py` and `versions_text.py` tell it in a terminal.
To add: another way to read it is a `ViewSource`.
"""
