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


def test_one_value_is_one_and_times_are_those_of_the_site(tmp_path):
    """*Proves:* one value `is`, two `are`; a moment is named by the site's clock where the zone is given, else as it is
    written.  *Sensitivity:* `1 values are`; UTC on a screen that otherwise shows the site's clock.
    """
    old = series(tmp_path / "old", "usd", "1", "2", "3", "4")
    fewer, fewest = series(tmp_path / "a", "usd", "1", "5", "3"), series(tmp_path / "b", "usd", "1", "2")
    differ, gone = input_changes(old, fewer, "Asia/Irkutsk")
    assert "and most at 2024-05-13T09:00+08:00: 2 -> 5" in differ
    assert "and most at 2024-05-13T01:00:00Z: 2 -> 5" in input_changes(old, fewer)[0]
    assert gone == "price: 1 value is no longer there"
    assert input_changes(old, fewest) == ("price: 2 values are no longer there",)


def test_two_columns_are_not_compared(tmp_path):
    """*Proves:* EUR and USD are not subtracted.  *Sensitivity:* comparing cells states a difference in no unit."""
    changes = input_changes(series(tmp_path / "old", "usd", "1", "2"), series(tmp_path / "new", "eur", "3", "4"))
    assert changes == ("price: is the column eur now, and was usd; the values are not comparable",)


def _of_times(folder, *rows):
    (folder / "series").mkdir(parents=True)
    (folder / "series" / "price.csv").write_text("\n".join(["interval_start,usd", *rows]) + "\n")
    return folder


def test_times_without_offset_are_compared_by_the_clock_of_the_feed(tmp_path):
    """02:00 stands twice where the clock is set back; its second value goes from 3 to 8.

    *Proves:* both rows of the hour are compared, whatever the clock of this machine is.
    *Sensitivity:* the second row in place of the first hides one of two values: 1 of 2 differ.
    """
    before = _of_times(tmp_path / "old", "2024-10-27T01:00,1", "2024-10-27T02:00,2", "2024-10-27T02:00,3")
    now = _of_times(tmp_path / "new", "2024-10-27 01:00:00,1", " 2024-10-27T02:00,2", "2024-10-27T02:00,8")
    (told,) = input_changes(before, now)
    assert told.startswith("price: 1 of 3 values differ, by 5 on average")


def test_a_stored_time_that_is_refused_today_is_told_and_ends_nothing(tmp_path):
    """*Proves:* a folder of an earlier version does not end the night.  *Sensitivity:* the refusal is raised."""
    old, new = _of_times(tmp_path / "old", "2024-05-13T00:00+8,1"), _of_times(tmp_path / "new", "2024-05-13T00:00+08,1")
    (told,) = input_changes(old, new)
    assert told.startswith(
        "price: the values cannot be compared: price.csv:2: '2024-05-13T00:00+8' ends in '+8', which"
    )
