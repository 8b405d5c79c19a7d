"""What was handed in, seen as one tree of files: a folder on disk or an archive, nothing of it unpacked.

Nothing here follows a link, opens a device, or writes; what is read is capped.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

MAX_ARCHIVE = 64 << 20
"""Bytes of an archive within the batch; one learner's work is a few hundred lines."""
MAX_DIRECTORY = 4 << 20
"""Bytes of such an archive's directory: some twenty thousand files."""
MAX_BATCH_DIRECTORY = 1 << 30
"""The same for the archive that is the batch itself, which comes from the platform."""
MAX_DOWNLOAD_DIRECTORY = 16 << 20
"""The same for an archive that lies in the batch alone, and may be the platform's or a stranger's."""
MAX_DEPTH = 12
"""Folders within folders that are looked into."""
_HANDED_IN_SO = {errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG}
"""Errors that come of how a file was handed in; any other one is the disk's, or whoever's who takes files away."""
_PLAIN_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, OverflowError, RuntimeError,
)  # fmt: skip
"""What zipfile raises for damaged data, when it opens an archive or reads a file of it.

An offset that no file can have is an OverflowError, a name that is no UTF-8 a ValueError, and whatever is encrypted or
of a later version a RuntimeError, of which NotImplementedError is one.
"""


class Unreadable(Exception):
    """Something cannot be opened or read; one sentence on why."""


class OutOfReach(Unreadable):
    """It is gone, or its disk fails: no doing of whoever handed it in, and perhaps mended the next time."""


def unforeseen(path: str, error: Exception) -> str:
    """A sentence on an error that nobody has thought of: the grader is at fault, not the learner."""
    return f"{path} cannot be read ({type(error).__name__}: {error})."


@dataclass(frozen=True)
class Entry:
    """One name in a folder of the tree. `kind`: `file`, `folder`, `link` or `special`."""

    name: str
    kind: str


class Tree(Protocol):
    """A tree of files; paths are relative, with slashes, and the root is the empty string."""

    def entries(self, folder: str) -> Iterator[Entry]:
        """What lies in a folder, in no order."""

    def read(self, path: str, limit: int) -> bytes:
        """At most `limit` bytes of a file. Raises `Unreadable`."""

    def identity(self, path: str) -> tuple[int, int] | None:
        """Device and number of a file on disk, for telling that two names are one file."""

    def close(self) -> None:
        """Nothing more will be read."""

    @property
    def name(self) -> str:
        """What the whole is called."""

    @property
    def notes(self) -> list[str]:
        """What was left out, one sentence each."""

    @property
    def without(self) -> Collection[str]:
        """Paths that are not shown: the folder into which results are written."""


def join(folder: str, name: str) -> str:
    """The path of a name in a folder."""
    return f"{folder}/{name}" if folder else name


class Folder:
    """A folder on disk.

    Args:
        without: a folder that may lie in it and is none of it.
    """

    def __init__(self, path: Path, without: Path | None = None) -> None:
        self._root = path
        self.without = _inside(path, without) if without else set()
        self.name = path.resolve().name
        self.notes: list[str] = []

    def close(self) -> None:
        """See `Tree`."""

    def entries(self, folder: str) -> Iterator[Entry]:
        """See `Tree`."""
        try:
            with os.scandir(self._root / folder) as found:
                for each in found:
                    if join(folder, each.name) not in self.without:
                        yield Entry(each.name, _kind(each))
        except OSError as error:
            raise _refused(folder or str(self._root), error) from error

    def open(self, path: str) -> IO[bytes]:
        """A file for reading. Raises `Unreadable`; what is no ordinary file is not waited for."""
        try:
            descriptor = os.open(self._root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise _refused(path, error) from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unreadable(f"{path} is not an ordinary file.")
        return os.fdopen(descriptor, "rb")

    def read(self, path: str, limit: int) -> bytes:
        """See `Tree`."""
        try:
            with self.open(path) as file:
                return file.read(limit)
        except OSError as error:
            raise _refused(path, error) from error

    def identity(self, path: str) -> tuple[int, int] | None:
        """See `Tree`."""
        try:
            found = os.lstat(self._root / path)
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _refused(path: str, error: OSError) -> Unreadable:
    kind = Unreadable if error.errno in _HANDED_IN_SO else OutOfReach
    return kind(f"{path} cannot be read: {error.strerror}.")


def _inside(root: Path, path: Path) -> set[str]:
    """Where a path lies below a folder, as it is written and where its links lead; nothing if it does not."""
    top, written = root.resolve(), path.absolute()
    places = (written.parent.resolve() / written.name, path.resolve())
    return {place.relative_to(top).as_posix() for place in places if place.is_relative_to(top)}


def _kind(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return "link"
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "special"


class Archive:
    """A zip archive, looked at and never unpacked.

    Args:
        file: open for reading; `close` closes it.
        shown: what it is called in messages.
        most: how many bytes its directory may have.

    Raises:
        Unreadable: it is damaged, or holds too much.
    """

    def __init__(self, file: IO[bytes], shown: str, most: int = MAX_DIRECTORY) -> None:
        self._file = file
        self._shown = shown
        name = shown.rpartition("/")[2]
        self.name = name[:-4] if name.lower().endswith(".zip") else name
        self.notes: list[str] = []
        self.without: set[str] = set()
        size = _directory_size(file)
        if size is None:
            raise Unreadable(f"{shown} is no zip archive, or a damaged one; ask for it again.")
        if size > most:
            raise Unreadable(f"{shown} holds too many files to be looked at; hand in the katas alone.")
        try:
            self._zip = zipfile.ZipFile(file)
            infos = self._zip.infolist()
        except _DAMAGED as error:
            raise Unreadable(f"{shown} is no zip archive, or a damaged one ({error}); ask for it again.") from error
        self._folders: dict[str, dict[str, Entry]] = {"": {}}
        self._infos: dict[str, zipfile.ZipInfo] = {}
        self._too_deep: list[str] = []
        for info in infos:
            self._add(info)
        if self._too_deep:
            more = f" and {len(self._too_deep) - 1} more were" if self._too_deep[1:] else " was"
            self.notes.append(
                f"{self._too_deep[0]}{more} left out: more than {MAX_DEPTH} folders deep in {shown}; hand in the katas"
                " nearer to the top."
            )

    def close(self) -> None:
        """See `Tree`."""
        self._file.close()

    def entries(self, folder: str) -> Iterator[Entry]:
        """See `Tree`."""
        yield from self._folders.get(folder, {}).values()

    def read(self, path: str, limit: int) -> bytes:
        """See `Tree`."""
        info = self._infos.get(path)
        if info is None:
            raise OutOfReach(f"{path} is no longer in {self._shown}.")
        if info.flag_bits & _ENCRYPTED:
            raise Unreadable(f"{path} in {self._shown} is encrypted; hand it in without a password.")
        if info.compress_type not in _PLAIN_METHODS:
            raise Unreadable(f"{path} in {self._shown} is packed in an unusual way; use an ordinary zip archive.")
        try:
            with self._zip.open(info) as file:
                return file.read(limit)
        except _DAMAGED as error:
            # A place before the beginning, which damaged data may name, is an invalid argument.
            if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
                raise _refused(self._shown, error) from error
            raise Unreadable(f"{path} in {self._shown} is damaged ({error}); ask for it again.") from error

    def identity(self, path: str) -> None:
        """See `Tree`."""
        del path

    def _add(self, info: zipfile.ZipInfo) -> None:
        parts = info.filename.replace("\\", "/").split("/")
        is_folder = parts[-1] == ""
        parts = [part for part in parts if part not in ("", ".")]
        if info.filename.startswith(("/", "\\")) or ".." in parts or any(":" in part[:2] for part in parts[:1]):
            self.notes.append(f"{info.filename} was left out: its name leads out of {self._shown}.")
            return
        if not parts:
            return
        if len(parts) > MAX_DEPTH:
            if not is_folder:
                self._too_deep.append(f"{parts[0][:80]}/…/{parts[-1][:80]}")
            return
        mode = info.external_attr >> 16
        kind = "folder" if is_folder else "link" if stat.S_ISLNK(mode) else "file"
        if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
            kind = "special"
        folder = ""
        for part in parts[:-1]:
            self._folders[folder].setdefault(part, Entry(part, "folder"))
            folder = join(folder, part)
            self._folders.setdefault(folder, {})
        path = join(folder, parts[-1])
        if kind == "folder":
            self._folders.setdefault(path, {})
        elif path in self._infos:
            self.notes.append(f"{path} is in {self._shown} more than once; the last one counts.")
        self._folders[folder][parts[-1]] = Entry(parts[-1], kind)
        self._infos[path] = info


def _directory_size(file: IO[bytes]) -> int | None:
    """Bytes of the archive's directory, which is read as a whole when it is opened; None if there is none.

    zipfile's own function looks the record up: another one might find another record than the one it uses.
    """
    try:
        record = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    except _DAMAGED:
        return None
    size = 5
    return int(record[size]) if record else None


class Inner:
    """An archive that lies in a tree. It is read into memory when it is needed, and given up by `close`.

    Whatever is read after that opens it again: a batch of a thousand archives holds none of them.

    Raises:
        Unreadable: when it is opened: it is damaged, or holds too much.
    """

    def __init__(self, outer: Tree, path: str) -> None:
        self._outer = outer
        self._path = path
        self._archive: Archive | None = None
        self.size = 0
        """Bytes of the archive, once it was opened."""
        self.without: set[str] = set()

    def open(self, spent: int = 0) -> Archive:
        """The archive itself; of the bytes that it may have so many are spent on others."""
        if self._archive is None:
            data = self._outer.read(self._path, MAX_ARCHIVE - spent + 1)
            if len(data) > MAX_ARCHIVE - spent:
                others = "with the archives before it that lie in archives, " if spent else ""
                raise Unreadable(
                    f"{self._path} was left out: {others}it is larger than {MAX_ARCHIVE >> 20} MiB; hand in the katas"
                    " alone."
                )
            self._archive = Archive(io.BytesIO(data), self._path)
            self.size = len(data)
        return self._archive

    def close(self) -> None:
        """See `Tree`."""
        self._archive = None

    def close_all(self) -> None:
        """Close it and the archives that it lies in, but not the batch."""
        self.close()
        if isinstance(self._outer, Inner):
            self._outer.close_all()

    def entries(self, folder: str) -> Iterator[Entry]:
        """See `Tree`."""
        return self.open().entries(folder)

    def read(self, path: str, limit: int) -> bytes:
        """See `Tree`."""
        return self.open().read(path, limit)

    def identity(self, path: str) -> None:
        """See `Tree`."""
        del path

    @property
    def name(self) -> str:
        """See `Tree`."""
        return self.open().name

    @property
    def notes(self) -> list[str]:
        """See `Tree`."""
        return self.open().notes


def open_tree(path: Path, without: Path | None = None) -> Tree:
    """The batch itself: a folder, or a zip archive.

    Args:
        without: the folder into which results are written; should it lie in the batch, it is none of it.

    Raises:
        Unreadable: it is neither.
    """
    if path.is_dir():
        return Folder(path, without)
    try:
        file = path.open("rb")
    except OSError as error:
        raise Unreadable(f"{path} cannot be opened: {error.strerror}.") from error
    return _whole(file, path.name, MAX_BATCH_DIRECTORY)


def archive_in(tree: Tree, path: str) -> Archive:
    """An archive that is alone in the batch, to be looked into; one that lies in another one is read into memory.

    Raises:
        Unreadable: it is damaged, or holds too much.
    """
    return (
        _whole(tree.open(path), path, MAX_DOWNLOAD_DIRECTORY) if isinstance(tree, Folder) else Inner(tree, path).open()
    )


def _whole(file: IO[bytes], shown: str, most: int) -> Archive:
    try:
        return Archive(file, shown, most)
    except Exception:
        file.close()
        raise


def subfolders(entries: Iterable[Entry]) -> list[str]:
    """The names of the folders among these entries, in order."""
    return sorted(entry.name for entry in entries if entry.kind == "folder")
