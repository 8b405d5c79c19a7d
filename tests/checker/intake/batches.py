"""Batches for the tests of the intake."""

import gc
import io
import struct
import zipfile
from contextlib import closing

from checker.intake import take_in
from checker.intake.tree import Archive

KATAS = ["01_event_loop", "07_semaphore"]


def fill(root, *names, text="x = 1\n"):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def found(path, layout="auto"):
    """The layout, and each learner's name with the katas that were found."""
    with closing(take_in(path, KATAS, layout)) as intake:
        return intake.layout, {each.learner.name: sorted(each.answers) for each in intake.submissions}


def packed(path, *names):
    """A zip archive with these files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "x = 1")
    return path


def far_away(offset):
    """An archive whose directory says, in a zip64 field, that its file begins there."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("07_semaphore.py", "x = 1")
    data = bytearray(buffer.getvalue())
    at, end = data.rfind(b"PK\1\2"), data.rfind(b"PK\5\6")
    field = struct.pack("<HHQ", 1, 8, offset)
    struct.pack_into("<I", data, end + 12, end - at + len(field))
    struct.pack_into("<H", data, at + 30, len(field))
    struct.pack_into("<I", data, at + 42, 2**32 - 1)
    data[end:end] = field
    return bytes(data)


def archives_in_memory():
    """How many archives are held."""
    return sum(isinstance(each, Archive) for each in gc.get_objects())
