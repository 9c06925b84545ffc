"""Backups that are not what flexmine writes: each is refused in words, and nothing inside or outside is touched."""

import gzip
import io
import json
import tarfile
from datetime import date
from pathlib import Path

import pytest

from backups import GOOD, Archive, copied, digest, header, padded, pax, restored_job, rows, sealed, tree
from flexmine.errors import BadInput
from flexmine.jobs.job import read_job
from flexmine.jobs.keep import restore_job
from flexmine.store import archive as archive_module
from flexmine.store.archive import Limits, Wanted, unpack
from flexmine.store.backup_file import read_backup

DAY = date(2024, 4, 10)
RUN = "small/2024-04-10/r1"
OF_RUN = f"files/{RUN}"
SQLITE = ("flexmine.db", "flexmine.db-wal", "flexmine.db-shm", ".small.lock", ".small.lock.json")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A folder with a job that has a store, and beside it a folder that no restore may touch."""
    folder = tmp_path_factory.mktemp("once")
    restored_job(folder / "here", DAY)
    (folder / "outside" / "deep").mkdir(parents=True)
    (folder / "outside" / "deep" / "keep.txt").write_text("keep\n", encoding="utf-8")
    (folder / "outside" / "tool.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    return folder


@pytest.fixture
def here(tmp_path, once):
    copied(once, tmp_path)
    return tmp_path


def _refused(here, source, words):
    """Restore, and make sure that it is refused in these words and that everything is as it was."""
    job = here / "here" / "job.yaml"
    before, known = tree(here, SQLITE), rows(job)
    with pytest.raises(BadInput, match=words) as error:
        restore_job(read_job(job), source, overwrite=True)
    assert all(message.isprintable() and str(source) in message for message in error.value.messages)
    assert tree(here, SQLITE) == before
    assert rows(job) == known


# Bytes of the file as a whole.

RAW = {
    "empty": (lambda raw: b"", "ends early"),
    "plain text": (lambda raw: b"no backup\n" * 99, "is not a whole backup"),
    "a tar that is not compressed": (gzip.decompress, "is not a whole backup"),
    "last byte missing": (lambda raw: raw[:-1], "ends early"),
    "half of it missing": (lambda raw: raw[: len(raw) // 2], "ends early"),
    "a bit of the checksum": (lambda raw: raw[:-6] + bytes([raw[-6] ^ 1]) + raw[-5:], "is not a whole backup"),
    "a byte inside": (lambda raw: raw[:4000] + bytes([raw[4000] ^ 255]) + raw[4001:], "is not a whole|member|damaged"),
    "bytes after the end": (lambda raw: raw + b"more", "goes on after its end"),
    "an empty gzip member after it": (lambda raw: raw + gzip.compress(b""), "goes on after its end"),
    "itself a second time": (lambda raw: raw + raw, "goes on after its end"),
    "content after the end of the tar": (
        lambda raw: gzip.compress(gzip.decompress(raw) + b"x"),
        "goes on after its end",
    ),
    "no end of the tar": (lambda raw: gzip.compress(Archive().tar(ending=False)), "ends early"),
    "a header with a wrong checksum": (
        lambda raw: gzip.compress(b"G" + gzip.decompress(raw)[1:]),
        "is not a whole backup of flexmine: bad checksum",
    ),
    "something between two members": (
        lambda raw: gzip.compress(header(b"rows.json", size=1) + b"x" + b"y" * 511 + b"\0" * 1024),
        "something between two members",
    ),
    "a header of 5 GB": (
        lambda raw: gzip.compress(header(b"x", kind=b"x", size=5 * 2**30) + b"\0" * 2**16),
        "has a header that no backup has",
    ),
    "a header of no size": (lambda raw: gzip.compress(header(b"x", kind=b"x") + b"\0" * 1024), "that no backup has"),
    "a header and no member": (lambda raw: gzip.compress(pax([(b"path", b"x")]) + b"\0" * 1024), "no content"),
    "a file of 5 GB": (
        lambda raw: gzip.compress(header(f"{OF_RUN}/plan/x".encode(), size=5 * 2**30) + b"\0" * 2**16),
        r"plan/x': has 5368709120 bytes; at most 536870912",
    ),
    "a negative size": (lambda _: gzip.compress(_negative_size()), "rows.json': has -512 bytes"),
    "rows of 5 GB": (
        lambda raw: gzip.compress(header(b"rows.json", size=5 * 2**30) + b"\0" * 2**16),
        "rows.json': has 5368709120 bytes; at most",
    ),
    "a manifest of 500 MB": (
        lambda raw: gzip.compress(header(b"manifest.json", size=500 * 2**20) + b"\0" * 2**16),
        "manifest.json': has 524288000 bytes; at most 268435456",
    ),
}


def _negative_size():
    block = bytearray(header(b"rows.json"))
    block[124:136] = b"\xff" * 10 + b"\xfe\x00"
    return sealed(block) + b"\0" * 1024


@pytest.mark.parametrize("name", RAW)
def test_a_file_that_is_no_whole_archive(here, name):
    """*Proves:* what is cut, damaged, goes on or claims gigabytes is refused at once.  *Sensitivity:* tarfile reads on
    over a second member, ignores what follows, and takes headers of any size into memory.
    """
    change, words = RAW[name]
    (here / "bad.tar.gz").write_bytes(change(GOOD.read_bytes()))
    _refused(here, here / "bad.tar.gz", words)


# Members that no backup has.


def _raw_first(block):
    def change(archive):
        archive.head = block

    return change


def _added(name, content=b"x", **header_of_it):
    return lambda archive: archive.add(name, content, **header_of_it)


def _through_a_link(archive):
    archive.add(f"{OF_RUN}/inputs/way", type=tarfile.SYMTYPE, linkname="../../../../../../outside", listed=False)
    archive.add(f"{OF_RUN}/inputs/way/tool.sh", b"evil")


def _of_mode(mode):
    def change(archive):
        archive.members[archive.index("case.yaml")][0].mode = mode

    return change


def _twice(end):
    def change(archive):
        archive.members.append(archive.members[archive.index(end)])

    return change


KINDS = {
    "a link to outside": (
        _added(f"{OF_RUN}/inputs/way", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
        "inputs/way': is a link; a backup holds regular files only",
    ),
    "a file through a link": (_through_a_link, "inputs/way': is a link"),
    "a link in place of the plant": (
        _added("files/small", type=tarfile.SYMTYPE, linkname="../../outside", first=True),
        "'files/small': is a link",
    ),
    "a hard link": (_added(f"{OF_RUN}/plan/h", type=tarfile.LNKTYPE, linkname="rows.json"), "plan/h': is a hard link"),
    "a folder": (_added(f"{OF_RUN}/plan/folder", type=tarfile.DIRTYPE), "is a folder"),
    "a pipe": (_added(f"{OF_RUN}/plan/p", type=tarfile.FIFOTYPE), "plan/p': is a pipe"),
    "a character device": (_added(f"{OF_RUN}/plan/d", type=tarfile.CHRTYPE), "plan/d': is a device"),
    "a block device": (_added(f"{OF_RUN}/plan/d", type=tarfile.BLKTYPE), "plan/d': is a device"),
    "a sparse file of GNU tar": (_raw_first(header(b"rows.json", kind=b"S")), "rows.json': is a sparse file"),
    "a long name of GNU tar": (
        _raw_first(header(b"././@LongLink", kind=b"L", size=9) + padded(b"../../evil")),
        "is a long name of GNU tar",
    ),
    "a long link of GNU tar": (
        _raw_first(header(b"././@LongLink", kind=b"K", size=4) + padded(b"evil")),
        "a long link",
    ),
    "a header for all members": (_raw_first(pax([(b"path", b"evil")], kind=b"g")), "is a header for all members"),
    "a header of Solaris": (_raw_first(pax([(b"path", b"evil")], kind=b"X")), "is a header of Solaris"),
    "a contiguous file": (_added(f"{OF_RUN}/plan/c", type=tarfile.CONTTYPE), "is of the kind b'7'"),
    "an unknown kind": (_raw_first(header(b"rows.json", kind=b"Z")), "is of the kind b'Z'"),
    "a sparse map in a header": (
        _raw_first(pax([(b"GNU.sparse.major", b"1")])),
        "the extended header 'GNU.sparse.major', which no backup has",
    ),
    "a size in a header": (_raw_first(pax([(b"size", b"9999999999")])), "the extended header 'size'"),
    "a link in a header": (_raw_first(pax([(b"linkpath", b"/etc")])), "the extended header 'linkpath'"),
    "a name of no letters in a header": (_raw_first(pax([(b"path", b"")])), "the extended header 'path'"),
    "a header key twice": (_raw_first(pax([(b"path", b"a"), (b"path", b"b")])), "cannot be read"),
    "a header that lies of its length": (
        _raw_first(header(b"x", kind=b"x", size=9) + padded(b"99 path=x")),
        "its extended header cannot be read",
    ),
    "two headers for one member": (_raw_first(pax([(b"path", b"a")]) + pax([(b"path", b"b")])), "that no backup has"),
    "set user id": (_of_mode(0o4755), "has the mode 4755"),
    "set group id": (_of_mode(0o2755), "has the mode 2755"),
    "the sticky bit": (_of_mode(0o1644), "has the mode 1644"),
    "a file that names a link": (
        _raw_first(header(b"rows.json", link="/etc/passwd")),
        "names a link, to '/etc/passwd'",
    ),
    "a NUL": (_added(f"{OF_RUN}/plan/x\0/../evil"), "plan/x': its name goes on after its end"),
    "a NUL in a header": (
        _raw_first(pax([(b"path", b"rows.json\0evil")]) + header(b"rows.json")),
        "no backup has a file of this name",
    ),
    "letters after the end of a name": (
        _raw_first(header(b"rows.json\0/../evil")),
        "its name goes on after its end",
    ),
}
NAMES = {
    "absolute": "/tmp/evil",
    "two dots": "../evil",
    "two dots inside": f"{OF_RUN}/inputs/../../../../../evil",
    "two dots below files": "files/../../outside/tool.sh",
    "dot first": f"./{OF_RUN}/plan/x",
    "a dot inside": f"{OF_RUN}/./plan/x",
    "two slashes": f"{OF_RUN}//plan/x",
    "a slash at the end": f"{OF_RUN}/plan/x/",
    "a backslash": f"{OF_RUN}/plan/..\\..\\evil",
    "only backslashes": "files\\small\\2024-04-10\\r1\\plan\\x",
    "a drive": "C:/evil",
    "a drive inside": f"{OF_RUN}/plan/C:evil",
    "a stream of NTFS": f"{OF_RUN}/plan/plan.json:evil",
    "a line break": f"{OF_RUN}/plan/x\ny",
    "an escape sequence": f"{OF_RUN}/plan/\x1b[2J",
    "text that turns": f"{OF_RUN}/plan/\u202etxt",
    "a letter beyond ASCII": f"{OF_RUN}/plan/\u00fc.csv",
    "the same letter in two": f"{OF_RUN}/plan/u\u0308.csv",
    "a wide digit": "files/small/2024-04-1\uff10/r1/plan/x",
    "5,000 letters": f"{OF_RUN}/plan/{'x' * 5000}",
    "200 folders": f"{OF_RUN}/plan/{'x/' * 100}x",
    "a dot at the end": f"{OF_RUN}/plan/x.",
    "a hidden file": f"{OF_RUN}/plan/.evil",
    "a blank": f"{OF_RUN}/plan/a b",
    "a file beside the parts": f"{OF_RUN}/evil.txt",
    "a part without a name": f"{OF_RUN}/plan",
    "a third part": f"{OF_RUN}/hooks/x",
    "a day that is none": "files/small/2024-02-30/r1/plan/x",
    "a day written otherwise": "files/small/20240410/r1/plan/x",
    "revision 0": "files/small/2024-04-10/r0/plan/x",
    "revision 01": "files/small/2024-04-10/r01/plan/x",
    "a negative revision": "files/small/2024-04-10/r-1/plan/x",
    "the folder of removals": "files/small/2024-04-10/.gone-r1/plan/x",
    "the staging folder": "files/small/.staging/x/plan/x",
    "the measurements": "files/small/telemetry/x.csv",
    "the database": "files/flexmine.db",
    "no folder of files": f"{RUN}/plan/x",
    "capitals": f"FILES/{RUN}/plan/x",
    "nothing": " ",
}
CLASHES = {
    "a file twice": (_twice("case.yaml"), "case.yaml': stands twice"),
    "the manifest twice": (_twice("manifest.json"), "'manifest.json': stands twice"),
    "the rows twice": (_twice("rows.json"), "'rows.json': stands twice"),
    "a name in capitals": (
        _added(f"{OF_RUN}/inputs/CASE.yaml"),
        "CASE.yaml': differs from '.*case.yaml' only by capit",
    ),
    "a file below a file": (_added(f"{OF_RUN}/inputs/case.yaml/x"), "another member has its place"),
    "a file in place of a folder": (
        lambda archive: archive.add(f"{OF_RUN}/inputs/series", first=True),
        "another member has its place",
    ),
    "of another plant": (_added("files/other/2024-04-10/r1/plan/x"), "is of plant other, the job is of small"),
}
MEMBERS = {
    **KINDS,
    **{f"named: {key}": (_added(name), "no backup has a file of this name") for key, name in NAMES.items()},
    **CLASHES,
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_member_that_no_backup_has(here, name):
    """*Proves:* links, devices, headers and names that no backup has are refused by the name of the member, even where
    the manifest lists them.  *Sensitivity:* a filter that asks what a name resolves to is fooled by links; a reader
    that follows every extension of tar has more names than it checks.
    """
    change, words = MEMBERS[name]
    archive = Archive()
    change(archive)
    archive.write(here / "bad.tar.gz")
    _refused(here, here / "bad.tar.gz", words)


# What the manifest says.


def _manifest(**values):
    return lambda archive: archive.edit("manifest.json", lambda d: d.update(values))


def _text_of(end, change):
    return lambda archive: archive.put(end, change(archive.content(end)))


def _listed(name, digest="0" * 64):
    return lambda archive: archive.edit("manifest.json", lambda d: d["files"].update({name: digest}))


MANIFESTS = {
    "missing": (lambda archive: archive.remove("manifest.json"), "manifest.json missing"),
    "rows missing": (lambda archive: archive.remove("rows.json"), "rows.json missing"),
    "no member at all": (lambda archive: archive.members.clear(), "manifest.json and rows.json missing"),
    "of another schema": (_manifest(schema="flexmine-backup/2"), "is not a backup of flexmine: schema"),
    "a list": (_text_of("manifest.json", lambda raw: b"[]"), "is not a backup of flexmine: schema"),
    "of another plant": (_manifest(plant="other"), "is of plant other, the job is of small"),
    "of other tables": (_manifest(tables_version="0000"), "its tables are of version 0000"),
    "an unknown key": (_manifest(hook="x"), "manifest.json: hook: unknown key"),
    "files as a list": (_manifest(files=[]), "manifest.json: files: "),
    "a time without offset": (_manifest(made="2026-01-01T00:00:00"), "manifest.json: made: .* has no UTC offset"),
    "a version with an escape": (_manifest(flexmine="\x1b[2J"), "manifest.json: flexmine: the text holds"),
    "a sha256 in capitals": (
        _listed(f"{RUN}/record.json", "A" * 64),
        "record.json: 'A.*allowed: 64 digits of 0-9 and a-f",
    ),
    "a short sha256": (_listed(f"{RUN}/record.json", "0" * 63), "allowed: 64 digits"),
    "another sha256": (_listed(f"{RUN}/record.json"), "record.json is missing or damaged"),
    "a file that is not there": (_listed(f"{RUN}/plan/more.csv"), "more.csv is missing or damaged"),
    "a file outside": (_listed("../../outside/tool.sh"), "outside/tool.sh is missing or damaged"),
    "a file that it does not name": (
        _added(f"{OF_RUN}/plan/more.csv", listed=False),
        "more.csv': is not named in the manifest",
    ),
    "a file removed": (lambda archive: archive.remove("site.csv"), "site.csv is missing or damaged"),
    "no JSON": (_text_of("manifest.json", lambda raw: raw[:-1]), "is not a whole backup of flexmine: manifest.json"),
    "not UTF-8": (_text_of("manifest.json", lambda raw: b"\xff" + raw), "manifest.json: .*utf-8"),
    "a key twice": (_text_of("manifest.json", lambda raw: raw[:-1] + b', "plant": "small"}'), "'plant' stands twice"),
    "NaN": (_text_of("manifest.json", lambda raw: raw[:-1] + b', "x": NaN}'), "NaN is not a number"),
    "nested without end": (_text_of("manifest.json", lambda raw: b"[" * 200_000), "manifest.json: .*"),
    "rows nested without end": (_text_of("rows.json", lambda raw: b'{"a":' * 200_000), "rows.json: .*"),
    "rows without end": (_text_of("rows.json", lambda raw: raw[:-1]), "is not a whole backup of flexmine: rows.json"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_that_is_wrong(here, name):
    """*Proves:* what the manifest does not name, names with another sha256 or says wrongly is refused with its place.

    *Sensitivity:* a file that is not named would be put among the runs without anyone having checked it.
    """
    change, words = MANIFESTS[name]
    archive = Archive()
    change(archive)
    archive.write(here / "bad.tar.gz")
    _refused(here, here / "bad.tar.gz", words)


# Rows.


def _row(table, number=0, **values):
    return lambda archive: archive.edit("rows.json", lambda d: d[table][number].update(values))


def _document(**values):
    return lambda archive: archive.edit("rows.json", lambda d: d["runs"][0]["document"].update(values))


def _both(**values):
    """Change a run in its columns, its document and its record.json alike."""

    def change(archive):
        own = {key: value for key, value in values.items() if key != "folder"}
        columns = {
            key: value for key, value in values.items() if key not in ("labels", "state_from", "feeds", "changes")
        }
        archive.edit("rows.json", lambda d: d["runs"][0].update(columns))
        archive.edit("rows.json", lambda d: d["runs"][0]["document"].update(own))
        archive.edit("r1/record.json", lambda d: d.update(own), listed=True)

    return change


def _tables(change):
    return lambda archive: archive.edit("rows.json", change)


def _again(table, **values):
    return _tables(lambda d: d[table].append({**d[table][0], **values}))


RUNS = {
    "of another plant": (_row("runs", plant="other"), "row 1: plant: 'other' is not allowed; allowed, by the record"),
    "of another plant throughout": (
        _both(plant="other", folder="other/2024-04-10/r1"),
        "row 1: plant: 'other' is not allowed; allowed: the plant of the job, 'small'",
    ),
    "a plant that is a path": (
        _row("runs", plant="../outside"),
        r"row 1: plant: '../outside' is not allowed; allowed: up to",
    ),
    "a plant that is a path throughout": (_both(plant="../../outside"), "plant: '../../outside' is not allowed"),
    "a folder outside": (
        _row("runs", folder="../../outside"),
        "folder: '../../outside' is not allowed; allowed, by the rec",
    ),
    "an absolute folder": (_row("runs", folder="/etc"), "folder: '/etc' is not allowed"),
    "the folder of the plant": (_row("runs", folder="small"), "folder: 'small' is not allowed"),
    "another run's folder": (
        _row("runs", folder="small/2024-04-11/r1"),
        "folder: 'small/2024-04-11/r1' is not allowed",
    ),
    "another day": (_row("runs", day="2024-04-12"), "day: '2024-04-12' is not allowed; allowed, by the record"),
    "a day that is a path": (_both(day="../../../outside"), "day: .* is not allowed; allowed: a day as"),
    "a day in another writing": (_row("runs", day="2024-W15-3"), "day: '2024-W15-3' is not allowed; allowed: a day as"),
    "revision 0": (_row("runs", revision=0), "revision: 0 is out of range; allowed: at least 1"),
    "a negative revision throughout": (_both(revision=-1), "revision: -1 is out of range"),
    "a revision as text": (_row("runs", revision="1"), "revision: the text '1' is not allowed; a whole number"),
    "a revision that is a path": (_both(revision="1/../../../../outside"), "revision: the text"),
    "a revision with a fraction": (_row("runs", revision=1.5), "revision: 1.5 is not allowed; a whole number"),
    "a revision that is true": (_row("runs", revision=True), "revision: true is not allowed; a whole number"),
    "a run id with a slash": (_both(run_id="../x"), "run_id: '../x' is not allowed; allowed: up to 36"),
    "a run id without letters": (_row("runs", run_id=""), "run_id: '' is not allowed"),
    "a kind": (_both(kind="evil"), "kind: the text 'evil' is not allowed; allowed: 'night', 'again'"),
    "a step": (_both(step="evil"), "step: the text 'evil' is not allowed; allowed: 'newest'"),
    "a status": (_both(status="infeasible"), "status: the text 'infeasible' is not allowed; allowed: 'optimal'"),
    "an exit code": (_both(exit_code=5), "exit_code: 5 is not allowed; allowed with optimal: 0"),
    "an sha256 of the inputs": (_both(inputs_sha256="x" * 64), "inputs_sha256: .* allowed: 64 digits"),
    "a time without offset": (_both(planned_at="2024-04-09T16:00:00"), "planned_at: .* has no UTC offset"),
    "a year": (_both(planned_at="9999-04-09T16:00:00+00:00"), "planned_at: .* is out of range"),
    "an end before its beginning": (
        _both(valid_until="2024-04-09T00:00:00+02:00"),
        "valid_from: .* allowed: before valid",
    ),
    "money that is infinite": (
        _text_of("rows.json", lambda raw: raw.replace(b"887.4578", b"1e999", 1)),
        "rows.json: 1e999 is larger than a number can be",
    ),
    "money that is not a number": (
        _text_of("rows.json", lambda raw: raw.replace(b"887.4578", b"NaN", 1)),
        "NaN is not a number",
    ),
    "money as text": (_row("runs", money_usd="887.4578"), "money_usd: the text '887.4578' is not allowed; a number"),
    "other money than its record": (
        _row("runs", money_usd=9000.0),
        "money_usd: 9000.0 is not allowed; allowed, by the rec",
    ),
    "no gap": (_row("runs", gap=None), "gap: nothing is not allowed; a number"),
    "a document of another schema": (_document(schema="x"), "document: schema: the text 'x' is not allowed"),
    "a document that is a list": (_row("runs", document=[]), "document: "),
    "an unknown key in the document": (_document(hook="x"), "document: hook: unknown key"),
    "a missing key in the document": (
        _tables(lambda d: d["runs"][0]["document"].pop("plant")),
        "document: plant: is missing",
    ),
    "a label with an escape": (_both(labels=["\x1b[2J"]), "labels.0: the text holds the character"),
    "a label with a line break": (_both(labels=["a\nb"]), "labels.0: the text holds the character"),
    "a label of a megabyte": (_both(labels=["x" * 10**6]), "labels.0: the text is too long"),
    "half a letter": (_both(changes=["\ud800"]), "changes.0: the text holds the character"),
    "a feed that is not a block": (_both(feeds=["x"]), "feeds.0: "),
    "a state that is nested": (
        _both(state_from=json.loads('{"a":' * 30 + "1" + "}" * 30)),
        "state_from: at most 8 levels",
    ),
    "sequence 0": (_row("runs", sequence=0), "sequence: 0 is out of range; allowed: at least 1"),
    "a sequence beyond the database": (_row("runs", sequence=2**40), "sequence: 1099511627776 is out of range"),
    "a sequence twice": (_row("runs", 1, sequence=1), "row 2: sequence 1: row 1 has the same; allowed: each once"),
    "a run twice": (_again("runs", sequence=None), "row 3: run_id '.*': row 1 has the same"),
    "an unknown column": (_row("runs", hook="x"), "row 1: hook: unknown key"),
    "a missing column": (_tables(lambda d: d["runs"][0].pop("sequence")), "row 1: sequence: is missing"),
    "a row that is a list": (_tables(lambda d: d["runs"].append([])), "table runs, row 3: row: "),
    "without a row": (_tables(lambda d: d["runs"].pop()), "2024-04-11/r1/.* belongs to no row|a run of the table runs"),
    "without files": (
        lambda archive: [archive.edit("manifest.json", _without_run), archive.members.__delitem__(slice(0, 13))],
        "folder: 'small/2024-04-10/r1' has no files in the backup",
    ),
}


def _without_run(manifest):
    manifest["files"] = {name: digest for name, digest in manifest["files"].items() if not name.startswith(RUN)}


ATTEMPTS = {
    "of another plant": (
        _row("attempts", plant="other"),
        "row 1: plant: 'other' is not allowed; allowed: the plant of the",
    ),
    "an id": (_row("attempts", id=0), "id: 0 is out of range"),
    "an id twice": (_row("attempts", 1, id=1), "row 2: id 1: row 1 has the same"),
    "an attempt twice": (_again("attempts", id=9), "row 3: run_id .*: row 1 has the same"),
    "a kind": (_row("attempts", kind="restore"), "kind: the text 'restore' is not allowed"),
    "a status": (_row("attempts", status="fine"), "status: the text 'fine' is not allowed; allowed: 'optimal'"),
    "an exit code": (_row("attempts", exit_code=9), "exit_code: 9 is not allowed; allowed with optimal: 0"),
    "an end before its beginning": (
        _row("attempts", ended="2020-01-01T00:00:00+00:00"),
        "ended: .* not before started",
    ),
    "messages as text": (_row("attempts", messages="x"), "messages: "),
    "a message with an escape": (
        _row("attempts", messages=["\x1b]0;x\x07"]),
        "messages.0: the text holds the character",
    ),
    "a message with text that turns": (_row("attempts", messages=["\u202e"]), "messages.0: the text holds"),
    "a message of a megabyte": (_row("attempts", messages=["x" * 10**6]), "messages.0: the text is too long"),
    "a day": (_row("attempts", day="2024-02-30"), "day: '2024-02-30' is not a calendar day"),
}
READINGS = {
    "of another plant": (
        _row("readings", plant="other"),
        "row 1: plant: 'other' is not allowed; allowed: the plant of the",
    ),
    "of a run that is not there": (
        _row("readings", run_id="abcd-1"),
        "run_id: 'abcd-1' is not allowed; allowed: a run of",
    ),
    "a container": (
        _row("readings", container="../x"),
        "container: the text '../x' is not allowed; allowed are letters",
    ),
    "twice": (_again("readings"), "row 13: plant 'small', container .*: row 1 has the same"),
    "twice by another clock": (
        _again("readings", interval_start="2024-04-10T03:00:00-05:00"),
        "row 13: plant 'small', container .*: row 1 has the same",
    ),
    "negative power": (_row("readings", power_mw=-1.0), "power_mw: -1.0 is out of range; allowed: at least 0"),
    "kW for MW": (_row("readings", power_mw=500.0), "power_mw: 500.0 is out of range; allowed: at most 20"),
    "a plan in kW": (_row("readings", planned_mw=5e5), "planned_mw: 500000.0 is out of range"),
    "a temperature": (_row("readings", inside_temperature_c=300.0), "inside_temperature_c: 300.0 is out of range"),
    "a quantity": (_row("readings", quantity="heat"), "quantity: the text 'heat' is not allowed"),
    "on as a number": (_row("readings", is_on=1), "is_on: 1 is not allowed; true or false"),
    "an end before its beginning": (
        _row("readings", interval_end="2024-04-10T00:00:00+00:00"),
        "interval_end: .* allowed: after interval_start",
    ),
}
TABLES = {
    "one too many": (_tables(lambda d: d.update(hooks=[])), "its tables are not those of this version"),
    "one missing": (_tables(lambda d: d.pop("readings")), "its tables are not those of this version"),
    "no list": (_tables(lambda d: d.update(readings={})), "table readings is not a list of rows"),
    "all a list": (_text_of("rows.json", lambda raw: b"[]"), "its tables are not those of this version"),
}
FILES = {
    "a record that differs from its row": (
        lambda archive: archive.edit("r1/record.json", lambda d: d.update(money_usd=1.0), listed=True),
        "record.json and the document of the row differ",
    ),
    "a record that is not JSON": (lambda archive: archive.put("r1/record.json", b"{", listed=True), "record.json: "),
    "other inputs": (
        lambda archive: archive.put("case.yaml", archive.content("case.yaml") + b"# more\n", listed=True),
        "its inputs are not those that its record names",
    ),
    "more inputs": (_added(f"{OF_RUN}/inputs/more.yaml"), "its inputs are not those that its record names"),
    "other setpoints": (
        lambda archive: archive.put("setpoints.csv", archive.content("setpoints.csv") + b"\n", listed=True),
        "its plan fails the audit: setpoints.csv",
    ),
    "no plan": (
        lambda archive: [
            archive.remove("plan/plan.json"),
            archive.edit("manifest.json", lambda d: d["files"].pop(f"{RUN}/plan/plan.json")),
        ],
        "plan.json",
    ),
    "a plan without its money": (
        lambda archive: archive.edit("plan/plan.json", lambda d: d["published"].pop("money_usd"), listed=True),
        "plan.json",
    ),
    "a plan of another plant": (
        lambda archive: archive.edit("plan/plan.json", lambda d: d.update(plant="other"), listed=True),
        "plan.json: is of plant 'other', its record is of 'small'",
    ),
    "a plan that is a list": (lambda archive: archive.put("plan/plan.json", b"[]", listed=True), "plan.json"),
    "a problem that is none": (lambda archive: archive.put("problem.json", b"{}", listed=True), "problem.json"),
    "more money than the plan": (
        _both(money_usd=99_000.0),
        "plan.json: published.money_usd is 887.4578, its record says",
    ),
    "another time than the plan": (
        _both(valid_from="2024-04-10T01:00:00+02:00"),
        "plan.json: its horizon begins 2024-04-10T00:00:00.02:00, by its record",
    ),
    "a smaller gap than the plan": (_both(gap=0.5), "plan.json: gap is 0.0, its record says 0.5"),
}
ROWS = {
    f"{table}: {name}": case
    for table, cases in (
        ("runs", RUNS),
        ("attempts", ATTEMPTS),
        ("readings", READINGS),
        ("tables", TABLES),
        ("files", FILES),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_and_records_that_are_wrong(here, name):
    """*Proves:* every value of every table is refused where flexmine could not have written it, with table, row, key,
    value and what is allowed; so are files that are not what their record says.

    *Sensitivity:* a plant, folder or day that is believed leads `prune` outside of the store.
    """
    change, words = ROWS[name]
    archive = Archive()
    change(archive)
    archive.write(here / "bad.tar.gz")
    _refused(here, here / "bad.tar.gz", words)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (Limits(files=5), "has more than 5 members"),
        (Limits(file_bytes=500), "has .* bytes; at most 500 are read"),
        (Limits(total_bytes=50_000), "unpacks to more than 50000 bytes"),
    ],
)
def test_there_is_an_end_to_what_is_read(limits, words):
    """*Proves:* number, size and sum are bounded as it is read.  *Sensitivity:* a small file unpacks to terabytes."""
    read_backup(GOOD, "small")
    with pytest.raises(BadInput, match=words):
        read_backup(GOOD, "small", limits=limits)


def test_zeros_without_end_are_not_read_into_memory(tmp_path, monkeypatch):
    """*Proves:* what follows the end of the tar counts too.  *Sensitivity:* a bomb may stand after the last member."""
    monkeypatch.setattr(archive_module, "CHUNK", 4096)
    (tmp_path / "bomb.tar.gz").write_bytes(gzip.compress(Archive().tar() + b"\0" * 2**24))
    read_backup(tmp_path / "bomb.tar.gz", "small")
    with pytest.raises(BadInput, match="unpacks to more than 4000000 bytes"):
        read_backup(tmp_path / "bomb.tar.gz", "small", limits=Limits(total_bytes=4_000_000))


def test_all_that_is_wrong_is_told_at_once(here):
    """*Proves:* twenty faults and how many more.  *Sensitivity:* one at a time takes an operator all night."""
    archive = Archive()
    archive.edit("rows.json", lambda d: [row.update(power_mw=-1.0, planned_mw=-1.0) for row in d["readings"]])
    archive.write(here / "bad.tar.gz")
    with pytest.raises(BadInput) as error:
        restore_job(read_job(here / "here" / "job.yaml"), here / "bad.tar.gz", overwrite=True)
    assert len(error.value.messages) == 21 and error.value.messages[-1] == "and 4 more"


@pytest.mark.parametrize("place", ["plant", "stage"])
def test_links_in_the_store_are_not_followed(here, place):
    """*Proves:* a link in place of the plant's folder, or of the stage, is refused, and its target is untouched.

    *Sensitivity:* the runs would be unpacked where the link leads.
    """
    root = here / "here" / "runs"
    link = root / ("small" if place == "plant" else ".small.restore")
    if place == "plant":
        (root / "small").rename(here / "elsewhere")
        link.symlink_to(here / "elsewhere")
    else:
        link.symlink_to(here / "outside")
    before = tree(here, SQLITE)
    with pytest.raises(BadInput, match=f"{link.name}: is a link"):
        restore_job(read_job(here / "here" / "job.yaml"), GOOD, overwrite=True)
    assert tree(here, SQLITE) == before


def test_a_link_inside_the_old_folder_goes_aside_with_it(here):
    """*Proves:* what stood in the old folder is moved and never followed."""
    root = here / "here" / "runs"
    (root / "small" / "way").symlink_to(here / "outside")
    outside = tree(here / "outside")
    restore_job(read_job(here / "here" / "job.yaml"), GOOD, overwrite=True)
    (aside,) = root.glob("small.replaced-*")
    assert (aside / "way").is_symlink() and tree(here / "outside") == outside
    assert not (root / "small" / "way").exists()


def test_long_names_and_times_of_tarfile_are_read(tmp_path):
    """*Proves:* extended headers that Python's tarfile writes for long names, times and owners are understood.

    *Sensitivity:* without them no backup of a plant with long names could be restored.
    """
    name = "p/" + "long-" * 30 + "name.csv"
    about = tarfile.TarInfo(name)
    about.size, about.mtime, about.uname = 3, 1234.5, "J\u00f6rg"
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.addfile(about, io.BytesIO(b"a,b"))
    found = unpack(tmp_path / "a.tar.gz", lambda _: Wanted(None, 3, kept=True))
    assert found.kept == {name: b"a,b"} and found.hashes == {name: digest(b"a,b")}


def test_more_than_sixty():
    """*Proves:* so many archives that are wrong in one place each are tried above."""
    assert len(RAW) + len(MEMBERS) + len(MANIFESTS) + len(ROWS) >= 60
    assert isinstance(GOOD, Path) and GOOD.stat().st_size < 200_000
