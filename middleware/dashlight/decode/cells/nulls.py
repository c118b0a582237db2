r"""What people and programs write where there is no value.

From the lists of pandas (`read_csv`), R (`NA`), Excel's errors, SAS and Stata (`.`), UCI's data (`?`), SQL's unloads
(`\N`), Visual C's printf (`1.#IND`) and what spreadsheets are filled with by hand.
"""

from typing import Final

NULLS: Final = frozenset({
    "na", "n/a", "n.a.", "#n/a n/a", "<na>", "null", "none", "nil", "nan", "-nan", "+nan", "nat", "\\n",
    "#n/a", "#na", "#div/0!", "#value!", "#ref!", "#num!", "#name?", "#null!",
    "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan",
    "-", "--", "---", "\u2013", "\u2014", "?", ".", "..",
})  # fmt: skip
"""Null in a column whose other cells are numbers, times or truth values; bare and in lower case.

In a column of words only the empty cell is: `None` and `NA` are categories there (no garage, Namibia).
"""
WORDED_NULLS: Final = frozenset({"missing", "unknown", "not available", "n.k."})
"""Null among numbers and times alone: yes, no and unknown are three answers."""
BLANKS: Final = " \t\r\n\u00a0\u2009\u202f"
"""What is taken off both ends of a cell to bare it, the blanks that spreadsheets write among it."""
