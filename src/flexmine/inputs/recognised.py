"""Files that are read as something other than they are: what they are, in words, so that the refusal names it."""

from __future__ import annotations

_PACKED = {
    b"PK\x03\x04": "a ZIP archive or an Excel file",
    b"\x1f\x8b": "packed by gzip",
    b"7z\xbc\xaf": "a 7z archive",
}


def packed(raw: bytes) -> str:
    """Return how a file with the bytes `raw` is packed, such as ``a 7z archive``; empty where it is not."""
    return next((what for mark, what in _PACKED.items() if raw.startswith(mark)), "")


def weather_file(text: str) -> str:
    """Return which weather file a text is, and how to read it; empty where it is not one that is known here."""
    first, second, third = [*text[:20_000].splitlines()[:3], "", "", ""][:3]
    if first.startswith("LOCATION,") and second.startswith("DESIGN CONDITIONS"):
        return "an EPW file; say so: format: epw"
    if second.startswith("Date (MM/DD/YYYY),Time (HH:MM)"):
        return "a TMY3 file; say so: format: tmy3"
    if first.startswith("Source,Location ID") and third.startswith("Year,Month,Day,Hour,Minute"):
        return "a file of the NSRDB; make a series of it: flexmine convert nsrdb-psm"
    return ""
