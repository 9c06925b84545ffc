"""JSON from outside is read strictly, wherever it comes from."""

import pytest

from flexmine.strict_json import read_strictly


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"a": 1e999}', "1e999 is larger than a number can be"),
        (b'{"a": -1e400}', "-1e400 is larger"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_plain_value_is_refused(raw, reason):
    """*Proves:* no infinity comes in by a number that is too large, as none by its name.

    *Sensitivity:* the standard library reads 1e999 as infinity, and the last of two values of a key.
    """
    with pytest.raises(ValueError, match=reason):
        read_strictly(raw)


def test_large_numbers_that_are_numbers_are_read():
    """*Proves:* the bound is that of floats.  *Sensitivity:* a bound of one's own would refuse 1e308."""
    assert read_strictly(b'{"a": 1e308, "b": 12345678901234567890}') == {"a": 1e308, "b": 12345678901234567890}
