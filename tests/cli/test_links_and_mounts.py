"""Places that a rename would not really write: symbolic links, mount points, the folder that the shell stands in."""

import json
import os

import pytest
from click.testing import CliRunner

from flexmine import places
from flexmine.cli.main import cli
from flexmine.errors import BadInput
from flexmine.output import write_error, write_text
from shell import in_process

QUICK = ("--no-report", "-q")


def plan(out, name="curtailment-noon"):
    return in_process("plan", name, "--out", out, *QUICK)


def case_of(folder):
    return json.loads((folder / "plan.json").read_text())["case"]


def refused(monkeypatch, out, *, cwd=None):
    """Return what `plan` says where it refuses a place; reading the case already fails the test."""

    def never(*_, **__):
        raise AssertionError("the case is read before the place is looked at")

    monkeypatch.setattr("flexmine.inputs.case.load_case", never)
    if cwd is not None:
        monkeypatch.chdir(cwd)
    done = CliRunner().invoke(cli, ["plan", "curtailment-noon", "--out", str(out), *QUICK])
    assert done.exit_code == 2, done.output
    return done.output


def test_a_link_to_a_plan_stays_a_link_and_its_target_gets_the_plan(tmp_path):
    """*Proves:* three plans through a link: the link stays, what it leads to holds the new plan, the older one lies
    beside the target, and nothing is left beside the link.

    *Sensitivity:* a rename over the link leaves the target with its old plan, and the third run ends with exit 2.
    """
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real", tmp_path / "link"
    assert plan(real, "outage-and-trip").returncode == 0
    link.symlink_to(real)
    for name in ("curtailment-noon", "outage-and-trip"):
        before = case_of(real)
        done = plan(link, name)
        assert done.returncode == 0, done.stderr
        assert link.is_symlink()
        assert case_of(real) == case_of(link) == name
        assert case_of(tmp_path / "elsewhere" / "real.previous") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elsewhere", "link"]
    assert sorted(p.name for p in (tmp_path / "elsewhere").iterdir()) == ["real", "real.previous"]


def test_a_link_to_a_place_that_is_not_there_yet_and_a_link_above(tmp_path):
    """*Proves:* through a chain of links the missing folder is made at its end; below a linked folder all stays there.

    *Sensitivity:* a folder made in place of the link takes its name.
    """
    store = tmp_path / "store"
    store.mkdir()
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to(store / "tomorrow")
    (tmp_path / "plans").symlink_to(store)
    assert plan(tmp_path / "first").returncode == 0
    assert plan(tmp_path / "plans" / "tomorrow").returncode == 0
    assert (tmp_path / "first").is_symlink()
    assert (tmp_path / "second").is_symlink()
    assert sorted(p.name for p in store.iterdir()) == ["tomorrow", "tomorrow.previous"]


def test_an_error_file_that_is_a_link_is_written_where_it_leads_and_goes_with_the_next_plan(tmp_path):
    """*Proves:* the reason stands in the linked file; after a plan neither name of the folder keeps an old reason.

    *Sensitivity:* a rename over the link leaves the linked file as it was; a reason under the folder's own name stays.
    """
    real, link, told = tmp_path / "real", tmp_path / "link", tmp_path / "told.json"
    real.mkdir()
    link.symlink_to(real)
    told.write_text("old")
    (tmp_path / "link.error.json").symlink_to(told)
    assert plan(link, "no-such-case").returncode == 2
    assert json.loads(told.read_text())["status"] == "bad_input"
    assert (tmp_path / "link.error.json").is_symlink()
    write_error(real, BadInput("an older reason"))
    assert plan(link).returncode == 0
    assert not told.exists()
    assert not (tmp_path / "real.error.json").exists()
    assert (tmp_path / "link.error.json").is_symlink()


def circle(folder):
    (folder / "out").symlink_to("other")
    (folder / "other").symlink_to("out")


def into_nowhere(folder):
    (folder / "out").symlink_to(folder / "not-mounted" / "plan")


def older_is_a_link(folder):
    (folder / "away").mkdir()
    (folder / "out.previous").symlink_to(folder / "away")


def to_a_foreign_folder(folder):
    (folder / "photos").mkdir()
    (folder / "photos" / "holiday.jpg").write_bytes(b"x")
    (folder / "out").symlink_to("photos")


def to_a_file(folder):
    (folder / "notes.txt").write_text("mine")
    (folder / "out").symlink_to("notes.txt")


def a_file_above(folder):
    (folder / "notes.txt").write_text("mine")
    (folder / "out").symlink_to(folder / "notes.txt" / "plan")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (circle, "its links lead in a circle"),
        (into_nowhere, "there is no folder {folder}/not-mounted"),
        (older_is_a_link, "{folder}/out.previous: is a symbolic link, and the older plan moves to this name"),
        (to_a_foreign_folder, "out (a link to {folder}/photos): exists and holds no plan that flexmine wrote"),
        (to_a_file, "out (a link to {folder}/notes.txt): exists and holds no plan"),
        (a_file_above, "there is no folder {folder}/notes.txt"),
    ],
)
def test_links_that_cannot_be_followed_are_refused_before_the_case_is_read(tmp_path, monkeypatch, make, message):
    """*Proves:* exit 2 that names the place; links and what they lead to are as they were.

    *Sensitivity:* a check after planning reads the case; a rename replaces the link.
    """
    make(tmp_path)
    before = {p: p.readlink() if p.is_symlink() else None for p in tmp_path.rglob("*")}
    assert message.format(folder=tmp_path) in refused(monkeypatch, tmp_path / "out")
    after = {p: p.readlink() if p.is_symlink() else None for p in tmp_path.rglob("*") if "error.json" not in p.name}
    assert after == before


@pytest.mark.parametrize("which", ["out", "out.previous"])
@pytest.mark.parametrize("told_by", ["device numbers", "the list of mounts"])
def test_a_mount_point_is_refused_before_the_case_is_read(tmp_path, monkeypatch, which, told_by):
    """A folder bound to a place of the same filesystem has no device number of its own; the system lists it.

    *Proves:* exit 2 with the place and what to name in its stead; a folder inside the mount point is planned into.
    *Sensitivity:* without the check the rename says "device busy" after all the solving.
    """
    mounted = tmp_path / "a b" / which
    mounted.mkdir(parents=True)
    if told_by == "device numbers":
        real = os.path.ismount
        monkeypatch.setattr(os.path, "ismount", lambda p: str(p) == str(mounted) or real(p))
    else:
        listed = tmp_path / "mountinfo"
        place = str(mounted).replace(" ", "\\040")
        listed.write_text(f"36 35 98:0 /x {place} rw,noatime master:1 - ext3 /dev/root rw\nshort line\n")
        monkeypatch.setattr(places, "MOUNTS", listed)
    with monkeypatch.context() as patch:
        said = refused(patch, tmp_path / "a b" / "out")
    assert f"{mounted}: is a mount point" in said
    assert f"give a folder inside it, such as {mounted / 'plan'}" in said
    assert list(mounted.iterdir()) == []
    inside = CliRunner().invoke(cli, ["plan", "curtailment-noon", "--out", str(mounted / "plan"), *QUICK])
    assert inside.exit_code == 0, inside.output


def test_the_folder_of_the_shell_is_not_moved_away_below_it(tmp_path, monkeypatch):
    """*Proves:* refused from inside the plan, from below it, and from inside the older plan, which would be deleted.

    *Sensitivity:* moved aside, the shell would go on reading the older plan under the name of the new one.
    """
    assert plan(tmp_path / "out").returncode == 0
    assert plan(tmp_path / "out").returncode == 0
    for cwd in (tmp_path / "out", tmp_path / "out.previous"):
        said = refused(monkeypatch, tmp_path / "out", cwd=cwd)
        assert f"{cwd}: is the folder that flexmine was started in" in said
    (tmp_path / "out" / "sub").mkdir()
    said = refused(monkeypatch, "../../out", cwd=tmp_path / "out" / "sub")
    assert "started in, or one above it" in said


@pytest.mark.parametrize("out", [".", "..", "/", "sub/.."])
def test_a_place_without_a_name_of_its_own_is_refused(tmp_path, monkeypatch, out):
    """*Proves:* nothing is written beside ``.`` and ``..``.  *Sensitivity:* ``...previous`` would be written."""
    assert "is not a name of a directory" in refused(monkeypatch, out, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_plan_inside_a_plan_is_refused_and_leaves_nothing_there(tmp_path, monkeypatch):
    """*Proves:* exit 2, also through a link, and not even an error file lies in the plan.

    *Sensitivity:* an error file in it would make the plan after the next refuse its own older plan.
    """
    assert plan(tmp_path / "out").returncode == 0
    (tmp_path / "link").symlink_to(tmp_path / "out")
    before = sorted(p.name for p in (tmp_path / "out").iterdir())
    for out in (tmp_path / "out" / "inner", tmp_path / "link" / "deep" / "inner"):
        assert f"lies inside the plan {tmp_path / 'out'}" in refused(monkeypatch, out)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == before


@pytest.mark.parametrize("arguments", [["schema", "case"], ["problem", "curtailment-noon"]])
def test_a_single_file_is_written_where_its_link_leads(tmp_path, arguments):
    """*Proves:* the linked file has the new text and the link is one still, also where it led to nothing yet.

    *Sensitivity:* a rename over the link leaves the linked file with its old text.
    """
    real, link = tmp_path / "store" / "real.json", tmp_path / "o.json"
    real.parent.mkdir()
    link.symlink_to(real)
    for _ in range(2):
        done = CliRunner().invoke(cli, [*arguments, "--out", str(link)])
        assert done.exit_code == 0, done.output
        assert link.is_symlink()
        assert json.loads(real.read_text())
        real.write_text("old")
    assert [p.name for p in real.parent.iterdir()] == ["real.json"]


def test_the_file_that_is_read_is_not_written_over_through_a_link(tmp_path):
    """*Proves:* exit 2 before anything is computed, the problem as it was.  *Sensitivity:* following the link alone
    would write the solution over the problem.
    """
    file, link = tmp_path / "problem.json", tmp_path / "o.json"
    assert CliRunner().invoke(cli, ["problem", "curtailment-noon", "--out", str(file)]).exit_code == 0
    before = file.read_bytes()
    link.symlink_to(file)
    for out in (file, link):
        done = CliRunner().invoke(cli, ["solve", str(file), "--out", str(out)])
        assert done.exit_code == 2
        assert "the file to write is the file to read" in done.output
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: o.symlink_to(o), "its links lead in a circle"),
        (lambda o: o.symlink_to(o.parent / "gone" / "o.json"), "there is no folder"),
        (lambda o: o.mkdir(), "is a folder; name a file in it"),
        (os.mkfifo, "is not a regular file"),
        (lambda o: o.symlink_to("/dev/null"), "is not a regular file"),
    ],
)
def test_a_single_file_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch, make, message):
    """*Proves:* exit 2 with the place before the case is read; a pipe or a device is never replaced.

    *Sensitivity:* a rename over a link to a device, run by root, would replace the device for the whole machine.
    """
    out = tmp_path / "o.json"
    make(out)
    monkeypatch.setattr("flexmine.inputs.case.load_case", lambda *_: pytest.fail("the case is read first"))
    done = CliRunner().invoke(cli, ["problem", "curtailment-noon", "--out", str(out)])
    assert done.exit_code == 2
    assert message in done.output
    with pytest.raises(BadInput, match=message):
        write_text(out, "x")


def test_a_mounted_file_is_refused(tmp_path, monkeypatch):
    """*Proves:* a file bound into a container is refused.  *Sensitivity:* the rename would say "device busy"."""
    out = tmp_path / "o.json"
    out.write_text("old")
    monkeypatch.setattr(os.path, "ismount", lambda p: str(p) == str(out))
    with pytest.raises(BadInput, match="is a mount point"):
        write_text(out, "new")
    assert out.read_text() == "old"
