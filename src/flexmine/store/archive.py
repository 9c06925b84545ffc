"""Reading a ``.tar.gz`` from outside: regular files under names that are allowed, bounded in number and size.

The blocks are read one by one here, and not by :mod:`tarfile`, which follows every extension of the format and reads
headers of any size.  What an archive states about owners, modes, times or links is not used.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from flexmine.errors import BadInput, printable

BLOCK = 512
CHUNK = 1 << 16
LONGEST_EXTENSION = 1 << 16
# What Python's tarfile writes beside names: a time with its fraction, an owner's name that is not ASCII.
HARMLESS_EXTENSIONS = frozenset({"path", "mtime", "uname", "gname", "uid", "gid"})
KINDS = {
    tarfile.SYMTYPE: "a link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.DIRTYPE: "a folder",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
    tarfile.GNUTYPE_LONGNAME: "a long name of GNU tar",
    tarfile.GNUTYPE_LONGLINK: "a long link of GNU tar",
    tarfile.XGLTYPE: "a header for all members",
    tarfile.SOLARIS_XHDTYPE: "a header of Solaris",
}
GZIP_WITH_HEADER = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Limits:
    """How much an archive may hold.

    Attributes
    ----------
    files : int
        Number of members.
    file_bytes, total_bytes : int
        Size of one member and of all of them, unpacked [bytes].
    """

    files: int = 500_000
    file_bytes: int = 512 * 2**20
    total_bytes: int = 64 * 2**30


LIMITS = Limits()


@dataclass(frozen=True)
class Wanted:
    """Where a member goes.

    Attributes
    ----------
    place : Path or None
        The new file; None keeps its bytes in memory, where `kept` is true, or only its sha256.
    limit : int
        Largest size allowed [bytes].
    """

    place: Path | None
    limit: int
    kept: bool = False


@dataclass(frozen=True)
class Unpacked:
    """What an archive held: the sha256 of every member by name, and the bytes of those that were kept."""

    hashes: dict[str, str]
    kept: dict[str, bytes]


def unpack(source: Path, wanted: Callable[[str], Wanted | None], limits: Limits = LIMITS) -> Unpacked:
    """Read an archive from its first byte to its last.

    Parameters
    ----------
    source : Path
        The ``.tar.gz``.
    wanted : callable
        Returns where the member of a name goes, None where no member may have that name.
    limits : Limits, optional
        How much it may hold.

    Raises
    ------
    BadInput
        A member is not a regular file, has a name that is not allowed, occurs twice or is too large; or the archive is
        damaged, ends early, or goes on after its end.
    """
    found = Unpacked({}, {})
    folded: dict[str, str] = {}
    try:
        with _opened(source) as packed:
            stream = _Stream(packed, limits.total_bytes)
            for name, size in _members(stream):
                _refuse_clash(name, folded)
                if len(folded) > limits.files:
                    raise BadInput(f"has more than {limits.files} members; so many are read at most")
                target = wanted(name)
                if target is None:
                    raise BadInput(f"member {_told(name)}: no backup has a file of this name")
                limit = min(target.limit, limits.file_bytes)
                if size > limit:
                    raise BadInput(f"member {_told(name)}: has {size} bytes; at most {limit} are read")
                _take(stream, name, size, target, found)
            stream.finish()
    except BadInput as error:
        raise BadInput([f"{source}: {message}" for message in error.messages]) from error
    except zlib.error as error:
        raise BadInput(f"{source}: is not a whole backup of flexmine: {error}") from error
    return found


def _opened(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror or error}") from error


def _told(name: str) -> str:
    return printable(repr(name))


def _refuse_clash(name: str, folded: dict[str, str]) -> None:
    """Refuse a name that a file system may take for an earlier one."""
    key = name.casefold()
    if key in folded:
        before = folded[key]
        raise BadInput(
            f"member {_told(name)}: stands twice"
            if before == name
            else f"member {_told(name)}: differs from {_told(before)} only by capitals"
        )
    folded[key] = name


def _take(stream: _Stream, name: str, size: int, target: Wanted, found: Unpacked) -> None:
    digest = hashlib.sha256()
    kept = bytearray()
    handle = None if target.place is None else _new_file(name, target.place)
    try:
        for chunk in stream.chunks(size):
            digest.update(chunk)
            if target.kept:
                kept += chunk
            if handle is not None:
                handle.write(chunk)
    finally:
        if handle is not None:
            handle.close()
    stream.skip_padding(size)
    found.hashes[name] = digest.hexdigest()
    if target.kept:
        found.kept[name] = bytes(kept)


def _new_file(name: str, place: Path) -> BinaryIO:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(place, flags, 0o666), "wb")
    except (FileExistsError, NotADirectoryError):
        raise BadInput(f"member {_told(name)}: another member has its place") from None


def _members(stream: _Stream) -> Iterator[tuple[str, int]]:
    """Yield name and size of each regular file; its content has to be read before the next one is requested."""
    extended: str | None = None
    while True:
        header = stream.read(BLOCK)
        if not header.strip(b"\0"):
            if extended is not None:
                raise BadInput(f"member {_told(extended)}: has a header and no content")
            return
        entry = _entry(header)
        if entry.type == tarfile.XHDTYPE:
            if extended is not None or not 0 < entry.size <= LONGEST_EXTENSION:
                raise BadInput(f"member {_told(entry.name)}: has a header that no backup has")
            records = _extensions(entry.name, stream.read(entry.size))
            stream.skip_padding(entry.size)
            extended = records.get("path", "")
            continue
        name = extended or entry.name
        _check_entry(name, entry)
        extended = None
        yield name, entry.size


def _entry(header: bytes) -> tarfile.TarInfo:
    try:
        entry = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError) as error:
        raise BadInput(f"is not a whole backup of flexmine: {error}") from error
    # Readers differ in what they make of letters after the end of a name.
    for field in (header[0:100], header[345:500]):
        if field.partition(b"\0")[2].strip(b"\0"):
            raise BadInput(f"member {_told(entry.name)}: its name goes on after its end")
    return entry


def _check_entry(name: str, entry: tarfile.TarInfo) -> None:
    if entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        kind = KINDS.get(entry.type, f"of the kind {entry.type!r}")
        raise BadInput(f"member {_told(name)}: is {kind}; a backup holds regular files only")
    if entry.linkname:
        raise BadInput(f"member {_told(name)}: is a file and names a link, to {_told(entry.linkname)}")
    if entry.mode & ~0o777:
        raise BadInput(f"member {_told(name)}: has the mode {entry.mode:o}; a backup holds plain files only")
    if entry.size < 0:
        raise BadInput(f"member {_told(name)}: has {entry.size} bytes")


def _extensions(name: str, raw: bytes) -> dict[str, str]:
    """Return the records of an extended header, each ``LENGTH KEY=VALUE`` and a line feed."""
    found: dict[str, str] = {}
    while raw:
        digits, _, _ = raw[:8].partition(b" ")
        length = int(digits) if digits.isdigit() else 0
        record = raw[len(digits) + 1 : length]
        key, equals, value = record[:-1].decode("utf-8", "surrogateescape").partition("=")
        if not equals or len(raw) < length or not record.endswith(b"\n") or key in found:
            raise BadInput(f"member {_told(name)}: its extended header cannot be read")
        if key not in HARMLESS_EXTENSIONS or (key == "path" and not value):
            raise BadInput(f"member {_told(name)}: has the extended header {_told(key)}, which no backup has")
        found[key], raw = value, raw[length:]
    return found


class _Stream:
    """The unpacked bytes of one gzip member, in order, never more of them at once than a chunk."""

    def __init__(self, packed: BinaryIO, limit: int):
        self.packed, self.limit, self.given = packed, limit, 0
        self.inflate = zlib.decompressobj(GZIP_WITH_HEADER)
        self.buffer = b""

    def read(self, size: int) -> bytes:
        """Return exactly `size` bytes; for headers, which are small."""
        return b"".join(self.chunks(size))

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes in pieces."""
        while size:
            if not self.buffer and not self._fill():
                raise BadInput("is not a whole backup of flexmine: it ends early")
            piece, self.buffer = self.buffer[:size], self.buffer[size:]
            size -= len(piece)
            yield piece

    def skip_padding(self, size: int) -> None:
        """Pass over what fills the last block of a member, which has to be empty."""
        if self.read(-size % BLOCK).strip(b"\0"):
            raise BadInput("is not a whole backup of flexmine: there is something between two members")

    def finish(self) -> None:
        """Make sure that nothing but zeros follows, and after them the end of the file."""
        while self.buffer or self._fill():
            if self.buffer.strip(b"\0"):
                raise BadInput("goes on after its end; no backup does")
            self.buffer = b""
        if self.inflate.unused_data or self.packed.read(1):
            raise BadInput("goes on after its end; no backup does")

    def _fill(self) -> bool:
        """Unpack some more; False at the end, which counts only where the checksum of the archive is right."""
        while not self.buffer and not self.inflate.eof:
            packed = self.inflate.unconsumed_tail or self.packed.read(CHUNK)
            self.buffer = self.inflate.decompress(packed, CHUNK)
            if not packed and not self.buffer:
                raise BadInput("is not a whole backup of flexmine: it ends early")
        self.given += len(self.buffer)
        if self.given > self.limit:
            raise BadInput(f"unpacks to more than {self.limit} bytes; so much is read at most")
        return bool(self.buffer)
