"""What differs between the inputs of two runs, in words."""

from flexmine.jobs.compare import input_changes


def series(folder, column, *values):
    (folder / "series").mkdir(parents=True)
    rows = [f"2024-05-13T0{i}:00:00Z,{value}" for i, value in enumerate(values)]
    (folder / "series" / "price.csv").write_text("\n".join([f"interval_start,{column}", *rows]) + "\n")
    return folder


def test_numbers_written_otherwise_do_not_differ(tmp_path):
    """*Proves:* -14.990 is -14.99.  *Sensitivity:* comparing text lists values that differ by 0."""
    old = series(tmp_path / "old", "usd", "-14.99", "2", "n/e")
    assert input_changes(old, series(tmp_path / "same", "usd", "-14.990", "2.0", "n/e")) == ()
    (told,) = input_changes(old, series(tmp_path / "new", "usd", "-14.990", "2.5", "n/e"))
    assert told.startswith("price: 1 of 3 values differ, by 0.5 on average")


def test_two_columns_are_not_compared(tmp_path):
    """*Proves:* EUR and USD are not subtracted.  *Sensitivity:* comparing cells states a difference in no unit."""
    changes = input_changes(series(tmp_path / "old", "usd", "1", "2"), series(tmp_path / "new", "eur", "3", "4"))
    assert changes == ("price: is the column eur now, and was usd; the values are not comparable",)
