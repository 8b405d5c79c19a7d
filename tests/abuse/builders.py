"""What cannot be a plain file of the corpus: links, pipes, archives, strange names, and files beside the kata.

Each builder is given a path that does not exist yet and puts one learner's work there.  Its docstring reads
like that of a file of the corpus.
"""

from __future__ import annotations

import importlib.util
import io
import os
import py_compile
import socket
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KATA = "01_event_loop.py"
SOLUTION = ROOT / "solutions" / KATA
RIGHT = SOLUTION.read_bytes()
WRONG = b"async def visit(url, delay):\n    return f'{url} visited'\n"

Builder = Callable[[Path], None]


def link_to_the_solution(place: Path) -> None:
    """Hands in a symbolic link to the reference solution.

    Named: it is a link; hand in the file itself
    May earn: 0
    """
    place.mkdir()
    (place / KATA).symlink_to(SOLUTION)


def folder_linked_to_the_solutions(place: Path) -> None:
    """Has a folder `katas` that is a link to the solutions.

    Named: No file is named like a kata
    May earn: 0
    """
    place.mkdir()
    (place / "katas").symlink_to(SOLUTION.parent)


def learner_that_is_a_link(place: Path) -> None:
    """Is itself a link to the folder of the solutions.

    Named: It is a link, which is not followed
    May earn: 0
    """
    place.symlink_to(SOLUTION.parent)


def pipe(place: Path) -> None:
    """Hands in a named pipe, which nobody ever writes to.

    Named: it is no ordinary file
    May earn: 0
    """
    place.mkdir()
    os.mkfifo(place / KATA)


def unix_socket(place: Path) -> None:
    """Hands in a unix socket.

    Named: it is no ordinary file
    May earn: 0
    """
    place.mkdir()
    folder = os.open(place, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(f"/proc/self/fd/{folder}/{KATA}")  # the full path may be longer than such a name can be
    os.close(folder)


def folder_named_like_the_kata(place: Path) -> None:
    """Has a folder of the kata's name, and in it a module.

    Named: No file is named like a kata
    May earn: 0
    """
    (place / KATA).mkdir(parents=True)
    (place / KATA / "__init__.py").write_bytes(RIGHT)


def settings_beside_the_kata(place: Path) -> None:
    """Has settings, plugins and modules of its own beside a right answer, all of which would end whoever loads them.

    Named: conftest.py, pytest.ini and [0-9]+ more were left out
    May earn: all
    """
    (place / "checker").mkdir(parents=True)
    (place / "tests" / "katas").mkdir(parents=True)
    (place / KATA).write_bytes(RIGHT)
    modules = ["conftest", "sitecustomize", "usercustomize", "asyncio", "json", "inspect", "pytest", "checker/__init__"]
    for name in (*modules, "tests/katas/conftest", "tests/katas/test_01_event_loop"):
        (place / f"{name}.py").write_text("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos._exit(1)\n")
    (place / "evil.pth").write_text("import os; os._exit(1)\n")
    (place / "pytest.ini").write_text("[pytest]\naddopts = --collect-only -p evil\n")
    (place / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--co'\n")
    (place / "submission_metadata.yml").write_text("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")


def stale_byte_code(place: Path) -> None:
    """Has byte code of a right answer beside a wrong source, marked never to be checked against it.

    Named: __pycache__/01_event_loop.* was left out(?s:.*)Virtual seconds taken
    May earn: a_visit_says
    """
    place.mkdir()
    source = place / KATA
    source.write_bytes(RIGHT)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), importlib.util.cache_from_source(str(source)), invalidation_mode=mode)
    source.write_bytes(WRONG)


def names_that_act(place: Path) -> None:
    """Has newlines, colours, a command for the CI runner and a formula in the names of its files and folders.

    Named: There are several files
    May earn: all
    """
    folder = place / "\x1b[31m\n::error::forged\r=1+1<b>"
    folder.mkdir(parents=True)
    (place / KATA).write_bytes(RIGHT)
    (folder / KATA).write_bytes(WRONG)
    (folder / "01_event_loop (\x1b]0;owned\x07).py").write_bytes(WRONG)
    (place / "\u202egpj.yp").write_bytes(WRONG)


def many_files(place: Path) -> None:
    """Hides a right answer's folder among thirty thousand empty files.

    Named: -
    May earn: all
    """
    (place / "many").mkdir(parents=True)
    (place / KATA).write_bytes(RIGHT)
    folder = os.open(place / "many", os.O_RDONLY)
    for number in range(30_000):
        os.mknod(f"{number}.py", dir_fd=folder)
    os.close(folder)


def deep_folders(place: Path) -> None:
    """Has its answer below three hundred folders.

    Named: No file is named like a kata
    May earn: 0
    """
    deep = place.joinpath(*["d"] * 300)
    deep.mkdir(parents=True)
    (deep / KATA).write_bytes(RIGHT)


def utf_16(place: Path) -> None:
    """Is written in UTF-16.

    Named: is UTF-16 text
    May earn: 0
    """
    place.mkdir()
    (place / KATA).write_bytes(RIGHT.decode().encode("utf-16"))


def nul_bytes(place: Path) -> None:
    """Ends, for whoever reads text up to a NUL, before the part that matters.

    Named: holds NUL bytes
    May earn: 0
    """
    place.mkdir()
    (place / KATA).write_bytes(RIGHT + b"\0" + WRONG)


def long_line(place: Path) -> None:
    """A right answer with one line of two hundred kilobytes, full of brackets.

    Named: -
    May earn: all
    """
    place.mkdir()
    (place / KATA).write_bytes(RIGHT + b"\nx = '" + b"[(" * 100_000 + b"'\n")


def huge_source(place: Path) -> None:
    """A file of a gigabyte, of which nothing is on the disk.

    Named: is larger than 256 KiB
    May earn: 0
    """
    place.mkdir()
    (place / KATA).write_bytes(RIGHT)
    os.truncate(place / KATA, 1 << 30)


# --- archives ---------------------------------------------------------------------------------------------------


def _archive(place: Path, files: list[tuple[zipfile.ZipInfo | str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> None:
    place.mkdir()
    (place / "work.zip").write_bytes(_zipped(files, method))


def _zipped(files: list[tuple[zipfile.ZipInfo | str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for info, data in files:
            archive.writestr(info, data, method)
    return target.getvalue()


def zip_slip(place: Path) -> None:
    """An archive whose names lead out of the folder it is unpacked in.

    Named: its name leads out of
    May earn: 0
    """
    names = [f"../{KATA}", f"../../solutions/{KATA}", f"/tmp/{KATA}", f"..\\{KATA}", f"C:\\{KATA}", f"a/../../{KATA}"]
    _archive(place, [(name, RIGHT) for name in names])


def zip_bomb(place: Path) -> None:
    """An archive of a hundred kilobytes that holds an answer of a hundred megabytes.

    Named: is larger than 256 KiB
    May earn: 0
    """
    _archive(place, [(KATA, bytes(100 << 20))])


def zip_with_overlapping_entries(place: Path) -> None:
    """An archive of a thousand names for the same bytes, each of them a megabyte when unpacked.

    Named: is larger than 256 KiB|is damaged
    May earn: 0
    """
    names = [f"{number:04}/{KATA}" for number in range(1000)]
    data = bytearray(_zipped([(name, bytes(1 << 20) if number == 0 else b"") for number, name in enumerate(names)]))
    first = data.index(b"PK\1\2")
    sizes = data[first + 16 : first + 28]  # checksum and both sizes
    at = first
    for _ in names:
        data[at + 16 : at + 28] = sizes
        data[at + 42 : at + 46] = bytes(4)  # where the bytes begin
        at = data.find(b"PK\1\2", at + 46)
    place.mkdir()
    (place / "work.zip").write_bytes(data)


def zip_with_a_name_twice(place: Path) -> None:
    """An archive that holds two files of the same name: one to be looked at, and one to be graded.

    Named: more than once; the last one counts
    May earn: a_visit_says
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("01_event_loop.pX", RIGHT)
        archive.writestr("01_event_loop.pY", WRONG)
    place.mkdir()
    (place / "work.zip").write_bytes(target.getvalue().replace(b".pX", b".py").replace(b".pY", b".py"))


def zip_with_a_link(place: Path) -> None:
    """An archive whose answer is a symbolic link to the reference solution.

    Named: it is a link
    May earn: 0
    """
    info = zipfile.ZipInfo(KATA)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    device = zipfile.ZipInfo("katas/" + KATA)
    device.external_attr = (stat.S_IFCHR | 0o666) << 16
    _archive(place, [(info, str(SOLUTION).encode()), (device, b"")])


def zip_in_zip(place: Path) -> None:
    """Archives within archives, ten deep, with an answer in the innermost.

    Named: archives of one learner are opened
    May earn: 0
    """
    data = _zipped([(KATA, RIGHT)])
    for _ in range(10):
        data = _zipped([("work.zip", data)])
    _archive(place, [("work.zip", data)])


def zip_with_false_sizes(place: Path) -> None:
    """An archive that says of its bytes that there are few, and of its directory that it is elsewhere.

    Named: is damaged|is no zip archive|holds too many files
    May earn: 0
    """
    data = bytearray(_zipped([(KATA, RIGHT)]))
    at = data.index(b"PK\1\2")
    data[at + 16 : at + 28] = b"\xff" * 12
    end = data.rindex(b"PK\5\6")
    data[end + 12 : end + 20] = b"\xfe\xff\xff\x7f" * 2
    place.mkdir()
    (place / "work.zip").write_bytes(data)


def picture_named_like_the_kata(place: Path) -> None:
    """A PDF and an archive, both renamed to the kata's name.

    Named: is a PDF
    May earn: 0
    """
    place.mkdir()
    (place / KATA).write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + _zipped([(KATA, RIGHT)]))


BUILDERS: dict[str, Builder] = {
    name: thing
    for name, thing in list(globals().items())
    if callable(thing) and getattr(thing, "__module__", "") == __name__ and not name.startswith("_")
}
