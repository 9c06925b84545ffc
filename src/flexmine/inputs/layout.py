"""How a file of rows is written: separators, decimal commas, order of dates, what stands above its header.

Nothing is guessed: ``1,234`` is 1.234 or 1234, and ``03.04.`` in March or in April, depending on who wrote it.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from flexmine.inputs.fields import Document, problems

Encoding = Literal[
    "utf-8", "utf-16", "latin-1", "iso-8859-15", "windows-1250", "windows-1251", "windows-1252", "koi8-r"
]
_DATE = re.compile(
    r"(?P<a>[0-9]{1,4})(?P<mark>[./-])(?P<b>[0-9]{1,2})(?P=mark)(?P<c>[0-9]{1,4})"
    r"(?:[T, ]+(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{2}(?:\.[0-9]+)?))?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?P<offset>Z|[-+][0-9]{2}:?[0-9]{2}))?)?",
    re.ASCII,
)
_BLANKS = " \u00a0\u2009\u202f"


class Layout(Document):
    """How the text of a file is to be read.

    Attributes
    ----------
    separator
        Between the cells of a line.
    decimal
        Between a number and its decimals.
    thousands
        Between groups of three digits; empty: none.
    encoding
        Of the file's text.
    date_order
        Of day, month and year in times such as 31.12.2025 00:00; absent: times are ISO 8601.
    header_row
        Line of the file, or row of the sheet, with the names of the columns, counted from 1; what is above is left out.
    comment
        Lines that begin with this are left out.
    sheet
        Of an Excel file; absent: the only one.
    """

    separator: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    encoding: Encoding = "utf-8"
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    header_row: Annotated[int, Field(ge=1, le=1000)] = 1
    comment: Annotated[str, Field(min_length=1, max_length=3)] | None = None
    sheet: Annotated[str, Field(min_length=1, max_length=31)] | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Layout:
        if self.thousands == self.decimal:
            problems([(("thousands",), f"{self.thousands!r} is the decimal mark too; it is one or the other")])
        return self

    @cached_property
    def _number(self) -> re.Pattern[str]:
        groups = ""
        if self.thousands:
            mark = f"[{_BLANKS}]" if self.thousands == " " else re.escape(self.thousands)
            groups = rf"|[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+"
        whole = rf"(?:[0-9]+{groups})"
        return re.compile(rf"[-+]?{whole}?(?:{re.escape(self.decimal)}[0-9]*)?(?:[eE][-+]?[0-9]+)?", re.ASCII)

    def number(self, text: str) -> str:
        """Return a number as Python writes it; empty for any other text, which is not a number in this layout."""
        if self._number.fullmatch(text) is None or not any(c.isdigit() for c in text):
            return ""
        if self.thousands:
            text = re.sub(rf"[{_BLANKS}]" if self.thousands == " " else re.escape(self.thousands), "", text)
        return text.replace(self.decimal, ".")

    def time(self, text: str) -> str:
        """Return a time as ISO 8601 text; what is not a time of this order is returned unchanged, to be refused."""
        found = _DATE.fullmatch(text) if self.date_order else None
        if found is None:
            return text
        # A year of four digits in front can be nothing else.
        order = "ymd" if len(found["a"]) == 4 else self.date_order
        parts = dict(zip(order or "", (found["a"], found["b"], found["c"]), strict=True))
        hour = found["hour"]
        if len(parts["y"]) != 4 or max(len(parts["m"]), len(parts["d"])) > 2:
            return text
        if found["half"] is not None:
            if not 1 <= int(hour) <= 12:
                return text
            hour = str(int(hour) % 12 + 12 * (found["half"] in "Pp"))
        date = f"{parts['y']}-{int(parts['m']):02d}-{int(parts['d']):02d}"
        if hour is None:
            return date
        second = f":{found['second']}" if found["second"] else ""
        return f"{date}T{int(hour):02d}:{found['minute']}{second}{found['offset'] or ''}"


DATE_ORDERS: tuple[Literal["dmy", "mdy", "ymd"], ...] = ("dmy", "mdy", "ymd")


def looks_like_another_date(text: str) -> bool:
    """Return whether a text is a date with its day or month in front, as most of the world writes them."""
    found = _DATE.fullmatch(text)
    return found is not None and len(found["a"]) < 4


def year_of_two_digits(text: str) -> bool:
    """Return whether a text is a date whose year is not clear, for no part of it has four digits."""
    found = _DATE.fullmatch(text)
    return found is not None and max(len(found[part]) for part in "abc") < 4
