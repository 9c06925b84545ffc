"""One rule for what counts as missing, wherever a cell is looked at."""

import pytest

from flexmine.errors import BadInput
from flexmine.inputs.layout import Layout
from flexmine.inputs.missing import rows_without_value
from flexmine.inputs.series_spec import Series
from flexmine.inputs.table import read_table
from flexmine.inputs.times import US_PER_H, intervals

COMMA = Layout(separator=";", decimal=",")


@pytest.mark.parametrize(
    ("cell", "mark", "layout", "gone"),
    [
        ("-999.0", "-999", None, True),
        ("-999", " -999.00 ", None, True),
        ("-9.99e2", "-999", None, True),
        (" n/e ", "n/e", None, True),
        ("", "n/e", None, True),
        ("-999,0", "-999", COMMA, True),
        ("-999.5", "-999", None, False),
        ("x", "n/e", None, False),
    ],
)
def test_a_mark_that_is_a_number_stands_for_that_number(cell, mark, layout, gone):
    """*Proves:* -999 is also -999.0, in the layout of the file; texts are compared without blanks around them.

    *Sensitivity:* compared as texts, a tail or an hour that the clock leaves out takes -999.0 for a value.
    """
    separator = layout.separator if layout else ","
    table = read_table(
        f"interval_start{separator}mw\n2024-06-04T00:00Z{separator}{cell}\n".encode(), "f", "csv", layout
    )
    spec = Series(file="f.csv", column="mw", unit="MW", missing=(mark,), layout=layout)
    assert rows_without_value(table, spec).tolist() == [gone]


def test_an_hour_that_the_clock_leaves_out_may_hold_a_mark_however_it_is_written():
    """*Proves:* -999.0 at 02:30 of a spring night is not a value, where -999 is declared; a value there is refused.

    *Sensitivity:* by its text it is a value at a time that does not exist.
    """
    rows = ["2024-03-31T01:00,5", "2024-03-31T02:00,{}", "2024-03-31T03:00,6"]
    spec = Series(file="f.csv", column="mw", unit="MW", missing=("-999",), zone="Europe/Oslo", time_column="t")

    def table(cell):
        return read_table("\n".join(["t,mw", *rows, ""]).format(cell).encode(), "f.csv")

    assert len(intervals(table("-999.0"), spec, US_PER_H).row) == 2
    with pytest.raises(BadInput, match=r"02:00 does not exist on the clock of Europe/Oslo, but has the value '7'"):
        intervals(table("7"), spec, US_PER_H)
