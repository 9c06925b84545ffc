"""Text of files in which nothing but names of places can be other than ASCII, so that its encoding cannot matter.

Where a column could be told by such a name, or a number depends on it, a case names the encoding instead: ``layout``.
"""

from __future__ import annotations

import codecs


def text_of(raw: bytes) -> str:
    """Return the text of a file: by its mark of UTF-16, as UTF-8 with or without mark, else as Latin-1.

    Latin-1 has a character for every byte: degree signs and blanks that do not break are those of the European
    encodings of one byte, other letters may be another one.
    """
    if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        # A last byte without its partner is no text; what a reader then misses, it tells.
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
