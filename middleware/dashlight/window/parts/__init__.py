"""Parts of the rows: segments that an operator named, and samples that are searched for slices. Pure.

Imports: the files of `window` itself.
To add: another way to part rows is one file with its nouns.
"""
