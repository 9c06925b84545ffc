"""Backups taken apart, changed in one place and put together again; and everything below a folder as it stands."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

from flexmine.jobs.job import read_job
from flexmine.jobs.keep import restore_job
from flexmine.store.backup import rows_of
from nights import write_job

GOOD = Path(__file__).parent / "store" / "backups" / "before-strict-restore.tar.gz"
"""Two nights with measurements, written by flexmine before a restore was strict."""


def restored_job(folder, first, source=GOOD):
    """Return a job file whose store is a restored backup."""
    folder.mkdir(parents=True, exist_ok=True)
    job = write_job(folder, first, 4)
    restore_job(read_job(job), source, overwrite=False)
    return job


class Archive:
    """The members of a backup in order, each a header and its content."""

    def __init__(self, file=GOOD):
        self.head, self.tail = b"", b""
        with tarfile.open(file) as archive:
            self.members = [(member, archive.extractfile(member).read()) for member in archive.getmembers()]

    def index(self, end):
        """Return the place of the first member whose name ends so."""
        return next(i for i, (member, _) in enumerate(self.members) if member.name.endswith(end))

    def content(self, end):
        return self.members[self.index(end)][1]

    def put(self, end, content, *, listed=False):
        """Give a member other content, and the manifest its sha256 where it is to know it."""
        i = self.index(end)
        member = self.members[i][0]
        member.size = len(content)
        self.members[i] = (member, content)
        if listed:
            self.list_in_manifest(member.name, content)

    def add(self, name, content=b"x", *, listed=True, first=False, **header):
        """Add a member, named in the manifest unless told otherwise."""
        member = tarfile.TarInfo(name)
        member.size = len(content)
        for key, value in header.items():
            setattr(member, key, value)
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE):
            member.size, content = 0, b""
        self.members.insert(0 if first else len(self.members) - 2, (member, content))
        if listed:
            self.list_in_manifest(name, content)

    def list_in_manifest(self, name, content):
        self.edit("manifest.json", lambda d: d["files"].update({name.removeprefix("files/"): digest(content)}))

    def edit(self, end, change, *, listed=False):
        """Change a member that holds JSON, as Python values, in place."""
        document = json.loads(self.content(end))
        change(document)
        self.put(end, json.dumps(document).encode(), listed=listed)

    def remove(self, end):
        del self.members[self.index(end)]

    def tar(self, ending=True):
        """Return the bytes before they are compressed."""
        whole = io.BytesIO()
        with tarfile.open(fileobj=whole, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for member, content in self.members:
                archive.addfile(member, io.BytesIO(content))
            end = archive.offset
        body = whole.getvalue()[:end]
        return self.head + body + self.tail + (b"\0" * 1024 if ending else b"")

    def write(self, file):
        file.write_bytes(gzip.compress(self.tar()))


def digest(content):
    return hashlib.sha256(content).hexdigest()


def header(name, *, kind=b"0", size=0, mode=0o644, link=""):
    """Return one block of a tar file as any writer could make it."""
    member = tarfile.TarInfo("x")
    member.type, member.mode, member.linkname = kind, mode, link
    block = bytearray(member.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape"))
    block[0:100] = name[:100].ljust(100, b"\0")
    block[124:136] = b"%011o\0" % size
    return sealed(block)


def sealed(block):
    """Return a block with the right checksum."""
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content):
    return content + b"\0" * (-len(content) % 512)


def pax(records, kind=b"x"):
    """Return an extended header with records of bytes."""
    raw = b""
    for key, value in records:
        size = len(key) + len(value) + 3
        while len(str(size)) + len(key) + len(value) + 3 != size:
            size = len(str(size)) + len(key) + len(value) + 3
        raw += b"%d %s=%s\n" % (size, key, value)
    return header(b"././@PaxHeader", kind=kind, size=len(raw)) + padded(raw)


def tree(folder, without=()):
    """Return what lies below a folder: kind, content, mode and time of change of everything, links not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.endswith(without):
            continue
        about = path.lstat()
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()), about.st_mtime_ns)
        elif path.is_dir():
            found[name] = ("folder", about.st_mode)
        else:
            found[name] = (path.read_bytes(), about.st_mode, about.st_mtime_ns)
    return found


def rows(job_file):
    """Return all rows of a job's plant."""
    job = read_job(job_file)
    store = job.open_store()
    try:
        return rows_of(store.engine, job.plant)
    finally:
        store.close()


def copied(folder, target):
    return shutil.copytree(folder, target, dirs_exist_ok=True, symlinks=True)
