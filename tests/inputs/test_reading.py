"""What a case may read: regular files of bounded size below its own folder, what is shipped, and nothing else."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from flexmine.errors import BadInput
from flexmine.files import read_regular
from flexmine.inputs import reading
from flexmine.inputs.case import load_case
from shell import in_process


def refusal(case: Path, *allow_outside: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        load_case(case, allow_outside)
    return caught.value.messages


def move_prices(folder, place: Path) -> Path:
    """Move the prices of the case to `place` and let the case name them by their relative path."""
    place.parent.mkdir(parents=True, exist_ok=True)
    (folder.path / "prices.csv").rename(place)
    reference = os.path.relpath(place, folder.path)
    folder.edit("case.yaml", "file: prices.csv", f"file: {reference}")
    return place


@pytest.fixture
def inside(folder, tmp_path):
    """The files of the case in a folder of their own below `tmp_path`."""
    home = tmp_path / "home"
    home.mkdir()
    for file in list(tmp_path.iterdir()):
        if file.is_file():
            file.rename(home / file.name)
    folder.path, folder.case = home, home / "case.yaml"
    return folder


def test_a_path_that_leads_out_is_refused_and_can_be_allowed_by_the_caller_only(inside, tmp_path):
    """``../feeds/prices.csv`` is refused with the option that allows it, and read once its folder is allowed.

    *Proves:* the person who runs the program decides, not the file.
    *Sensitivity:* without the check the first load would succeed; with a check that knows no exception the second
    would fail; a sibling folder of a similar name (``feeds-2``) does not count as allowed.
    """
    feeds = move_prices(inside, tmp_path / "feeds" / "prices.csv").parent
    (tmp_path / "feeds-2").mkdir()
    messages = refusal(inside.case, tmp_path / "feeds-2")
    place = "case.yaml:13:24 sources[0].price_usd_per_mwh: "
    assert messages == [
        f"{place}../feeds/prices.csv leads out of the folder of the case; allowed are files below that folder and "
        f"shipped:NAME. To allow another folder, run with --allow-outside {feeds}"
    ]
    case = load_case(inside.case, [feeds])
    assert case.series["sources.surplus.price_usd_per_mwh"].tolist() == [10.0, 11.0, 12.0, 13.0]
    assert "../feeds/prices.csv" in case.inputs


def test_the_option_of_the_command_line_allows_a_folder(inside, tmp_path):
    """*Proves:* the option that the message names works as written.  *Sensitivity:* without it the check exits 2."""
    feeds = move_prices(inside, tmp_path / "feeds" / "prices.csv").parent
    assert in_process("check", inside.case).returncode == 2
    allowed = in_process("check", inside.case, "--allow-outside", feeds)
    assert (allowed.returncode, allowed.stderr) == (0, "")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("file: prices.csv", "file: /etc/hostname", "/etc/hostname leads out of the folder"),
        ("file: prices.csv", "file: sub/../../x.csv", "sub/../../x.csv leads out of the folder"),
        ("file: prices.csv", f"file: {'x' * 300}.csv", "there is no file xxx"),
        ("file: prices.csv", "file: .", ". is a folder, not a file"),
        ("plant: plant.yaml", "plant: /etc/passwd", "/etc/passwd leads out of the folder"),
        ("plant: plant.yaml", "plant: shipped:../../pyproject", "shipped:../../pyproject is not shipped"),
        ("plant: plant.yaml", f"plant: shipped:{'x' * 5000}", "is not shipped"),
        ("plant: plant.yaml", "plant: plant.yaml/box.yaml", "there is no file plant.yaml/box.yaml"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_at_their_key(inside, old, new, words):
    """*Proves:* absolute, climbing and impossible names end at their key.  *Sensitivity:* else a crash or a read."""
    inside.edit("case.yaml", old, new)
    (message,) = refusal(inside.case)
    assert message.startswith(("case.yaml:13:24 sources[0].price_usd_per_mwh: ", "case.yaml:4:8 plant: "))
    assert words in message


def test_a_link_that_leads_out_is_refused_and_one_that_stays_inside_is_read(inside, tmp_path):
    """A link to a file outside is refused; links within the folder, as mounted configuration has them, are read.

    *Proves:* the place that counts is the real one.
    *Sensitivity:* a check of the text alone would follow the first link; one that refuses all links breaks the second.
    """
    prices = inside.path / "prices.csv"
    outside = prices.rename(tmp_path / "prices.csv")
    prices.symlink_to(outside)
    (message,) = refusal(inside.case)
    assert "prices.csv leads out of the folder of the case" in message
    prices.unlink()
    (inside.path / "..data").mkdir()
    outside.rename(inside.path / "..data" / "prices.csv")
    prices.symlink_to("..data/prices.csv")
    assert load_case(inside.case).series["sources.surplus.price_usd_per_mwh"][0] == 10.0


def test_links_in_a_circle_are_refused(inside):
    """*Proves:* a loop of links is a sentence.  *Sensitivity:* resolving it strictly would be a traceback."""
    prices = inside.path / "prices.csv"
    prices.unlink()
    prices.symlink_to("prices.csv")
    (message,) = refusal(inside.case)
    assert "prices.csv cannot be read" in message


def test_a_pipe_is_refused_without_waiting(inside):
    """*Proves:* a pipe without a writer does not hang the nightly run.  *Sensitivity:* plain open() waits for ever."""
    prices = inside.path / "prices.csv"
    prices.unlink()
    os.mkfifo(prices)
    (message,) = refusal(inside.case)
    assert message.endswith("prices.csv is a pipe, not a file")


def test_devices_sockets_and_folders_are_no_files(tmp_path):
    """*Proves:* each kind is named.  *Sensitivity:* /dev/zero read to its end would fill the memory."""
    with pytest.raises(BadInput, match="is a device, not a file"):
        read_regular(Path("/dev/zero"), 10)
    with pytest.raises(BadInput, match="is a folder, not a file"):
        read_regular(tmp_path, 10)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(BadInput, match="is a socket, not a file"):
            read_regular(tmp_path / "s", 10)


def test_a_file_may_be_as_large_as_its_limit(tmp_path):
    """*Proves:* the limit is the last size allowed.  *Sensitivity:* one byte more is refused."""
    file = tmp_path / "x"
    file.write_bytes(b"x" * 10)
    assert read_regular(file, 10) == b"x" * 10
    with pytest.raises(BadInput, match="larger than 9 bytes"):
        read_regular(file, 9)


def test_a_case_reads_a_bounded_number_of_files(inside, monkeypatch):
    """*Proves:* the files are counted over the whole case.  *Sensitivity:* with one file more allowed, it loads."""
    files = len(load_case(inside.case).inputs)
    monkeypatch.setattr(reading, "MAX_FILES", files - 1)
    (message,) = refusal(inside.case)
    assert f"is one file too many; a case may read at most {files - 1}" in message


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "no/such/case.yaml"])
def test_an_impossible_name_of_a_case_is_answered_with_the_shipped_ones(name):
    """*Proves:* no name of a case is a crash.  *Sensitivity:* Path.is_file raises for a name that is too long."""
    with pytest.raises(BadInput, match="no shipped case of that name"):
        load_case(name)


def test_a_folder_as_case_is_answered_with_what_to_name(inside):
    """*Proves:* the usual slip is answered.  *Sensitivity:* "no case file" alone would be wrong: it exists."""
    (message,) = refusal(inside.path)
    assert message == f"{inside.path} is a folder; name the case file in it, such as {inside.path}/case.yaml"


def test_a_file_far_too_large_is_not_read(tmp_path):
    """*Proves:* a terabyte of holes is refused by its size; a file whose limit is larger than memory is read.

    *Sensitivity:* read up to its limit first, or with room for so much set aside, either ends in a MemoryError.
    """
    file = tmp_path / "large"
    with file.open("wb") as sparse:
        sparse.truncate(2**40)
    with pytest.raises(BadInput, match=f"is larger than {2**39} bytes"):
        read_regular(file, 2**39)
    file.write_bytes(b"abc" * 2**20)
    assert read_regular(file, 2**50) == b"abc" * 2**20
