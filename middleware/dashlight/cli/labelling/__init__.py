"""What `dashlight labels` does with files of labels: reads them, splits them into requests, and sends these.

`file.py` reads, `columns.py` says which column is what, `requests.py` splits, `sending.py` sends, `place.py` remembers how far
it came.
To add: a format of files is a reader in `file.py`.
"""
