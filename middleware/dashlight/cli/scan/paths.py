"""Which files are meant: paths and globs of local files, in order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path

from dashlight.errors import ReferenceDataError

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""A drive of Windows is one letter."""


def local_files(given: Sequence[str]) -> tuple[Path, ...]:
    """The files that *given* names: paths as they are, of a glob all that match, by their names.

    Raises:
        ReferenceDataError: a URL, a folder, a glob that matches nothing, or one file twice.
        FileNotFoundError: there is no such file.
    """
    files: list[Path] = []
    for text in given:
        if _URL.match(text):
            raise ReferenceDataError("is a URL: only local files are read, so download it first")
        path = Path(text)
        if has_magic(text) and not path.exists():
            matching = [Path(each) for each in sorted(glob(text, recursive=True)) if Path(each).is_file()]  # noqa: PTH207  # Path.glob takes no absolute one
            if not matching:
                raise ReferenceDataError("matches no file")
            files += matching
        elif path.is_dir():
            raise ReferenceDataError(f"is a folder: name the files in it, as in '{path}/*.csv'")
        else:
            path.stat()
            files.append(path)
    for place, path in enumerate(files):
        if path in files[:place]:
            raise ReferenceDataError(f"names {path} twice")
    return tuple(files)
