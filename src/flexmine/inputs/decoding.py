"""Text of files in which nothing but names of places can be other than ASCII, so that its encoding cannot matter.

Where a column is found by such a name, or a number depends on it, a case names the encoding instead: ``layout``.
"""

from __future__ import annotations

import codecs


def text_of(raw: bytes) -> str:
    """Return the text of `raw`, the bytes of a file: UTF-16 with its mark, UTF-8 with or without one, else Latin-1.

    Latin-1 has a character for every byte: its degree signs and non-breaking blanks are those of the European
    encodings of one byte; other letters may come out wrong.
    """
    if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        # A last byte without its partner is not text; what a reader then misses, it tells.
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
