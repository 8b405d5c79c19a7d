"""A submission is read as capped bytes, and what is wrong with it is one sentence."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.course import installed_course
from checker.intake import take_in
from checker.submission import MAX_BYTES, Submission, read
from checker.values import printable

KATA = "07_semaphore"


@pytest.fixture
def file(tmp_path):
    return tmp_path / f"{KATA}.py"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "07_semaphore.py is empty."),
        (b" \n\t\n", "07_semaphore.py is empty."),
        (b"x = 1\ny = '\xe9'\n", "07_semaphore.py is not UTF-8 (line 2); save it in that encoding."),
        (b"x\0", "07_semaphore.py holds NUL bytes; it is no Python source."),
        (b"#" * (MAX_BYTES + 1), "07_semaphore.py is larger than 256 KiB; a kata needs a few hundred lines at most."),
        (b"#" * MAX_BYTES, ""),
        (b"\xef\xbb\xbfx = 1\r\n", ""),
    ],
)
def test_what_is_wrong_with_a_file(file, content, problem):
    """Empty, other encodings, NUL bytes, too large; a byte order mark and CRLF are fine."""
    file.write_bytes(content)
    source = read(file, KATA)
    assert source.problem == problem
    assert source.data == (b"" if problem else content)


NOTEBOOK = '{\n "cells": [{"cell_type": "code", "source": ["x = 1"]}],\n "metadata": {},\n "nbformat": 4\n}\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (NOTEBOOK.encode(), "is a Jupyter notebook; save it as a Python script (Save and Export Notebook As)"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "is a Jupyter notebook"),
        (NOTEBOOK.encode() + b" " * MAX_BYTES, "is a Jupyter notebook"),
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF; give the Python file itself."),
        (b"{\\rtf1\\ansi x = 1}", "is a formatted document (RTF); save it as plain text (.py)."),
        (b"\n<!DOCTYPE html>\n<html>", "is a web page; give the Python file itself (on GitHub: Download raw file)."),
        (b"PK\3\4\n", "is a zip archive, as Office documents are, too; give the Python file itself."),
        ("x = 'é'".encode("utf-16"), "is UTF-16 text; save it as UTF-8."),
        ("x = 'é'".encode("utf-16-be").join([b"\xfe\xff", b""]), "is UTF-16 text"),
        (b"\x1f\x8b\x08\0", "is a packed file; give the Python file itself."),
    ],
)
def test_what_a_file_is_instead_is_said(file, content, said):
    """A notebook, a document, a page or an archive renamed is called what it is, with what to give instead."""
    file.write_bytes(content)
    assert read(file, KATA).problem.startswith(f"07_semaphore.py {said}")


@pytest.mark.parametrize("text", ["{1: 2}\n", '{"cells": 1}\n', '"""%PDF-"""\n', "PK = 1\n", "print('<html>')\n"])
def test_python_that_looks_like_something_else_is_python(file, text):
    """What begins as another kind does is only called so where it can be nothing else."""
    file.write_text(text)
    assert read(file, KATA).problem == ""


def test_what_is_no_file(file):
    """A missing file, a folder, a pipe: told, and never waited for."""
    assert read(file, KATA).problem == (
        "There is no file 07_semaphore.py. `kata start 07_semaphore` makes one to begin with."
    )
    file.mkdir()
    assert read(file, KATA).problem == "07_semaphore.py is a folder; it should be a Python file."
    file.rmdir()
    os.mkfifo(file)
    assert read(file, KATA).problem == "07_semaphore.py is not an ordinary file; it should be a Python file."


def test_a_folder_may_hold_katas_or_a_folder_of_katas(tmp_path):
    """A file lies in the folder itself or in its `katas`; a path to a file is that file, whatever its name."""
    assert Submission(tmp_path).file(KATA) == tmp_path / f"{KATA}.py"
    (tmp_path / f"{KATA}.py").write_text("outer")
    assert Submission(tmp_path).source(KATA).data == b"outer"
    (tmp_path / "katas").mkdir()
    assert Submission(tmp_path).source(KATA).data == b"outer"
    (tmp_path / "katas" / f"{KATA}.py").write_text("inner")
    assert Submission(tmp_path).source(KATA).data == b"inner"
    assert Submission(tmp_path / "katas" / f"{KATA}.py").source("01_event_loop").data == b"inner"


def test_what_is_checked_is_what_is_graded(tmp_path):
    """`kata check` in a workspace, `kata check --path` and `kata grade` take the same file: that of `katas`."""
    workspace = tmp_path / "in" / "ada"
    for place in (workspace, workspace / "katas"):
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{KATA}.py").write_text(place.name)
    (ada,) = take_in(tmp_path / "in", [KATA]).submissions
    assert Submission(workspace / "katas").source(KATA).data == b"katas"
    assert Submission(workspace).source(KATA).data == ada.source(KATA).data == b"katas"


@given(st.text())
def test_printable_text_cannot_act_on_a_terminal(text):
    """No control character, no line break, no bidirectional mark comes through; plain text is left as it is."""
    shown = printable(text)
    assert shown.isprintable()
    assert not text.isprintable() or shown == text


def test_escapes_are_shown():
    """An escape sequence is made visible."""
    assert printable("\x1b[31mred\x07\u202e") == "\\x1b[31mred\\x07\\u202e"


def test_what_the_compiler_warns_of_is_no_breach(kata, tmp_path):
    """A backslash in a text that means nothing is warned of by the compiler, and is nothing that the code does."""
    solution = installed_course().find("01").solution.read_bytes()
    (tmp_path / "01_event_loop.py").write_bytes(solution + b'\nPATTERN = "\\d+"\n')
    done = kata("check", "01", "--path", str(tmp_path))
    assert done.returncode == 0, done.stdout


def test_a_wrapper_is_taken_for_what_it_is_called_with(kata, tmp_path):
    """A decorator that names what it wraps, whose parameters are others, stands for itself."""
    solution = installed_course().find("01").solution.read_text()
    wrapped = """
import functools

def _with_a_clock(function):
    @functools.wraps(function)
    async def visit(url, delay):
        return await function(asyncio.get_running_loop(), url, delay)

    return visit

_visit = visit

@_with_a_clock
async def visit(loop, url, delay):
    return await _visit(url, delay)
"""
    (tmp_path / "01_event_loop.py").write_text(solution + wrapped)
    done = kata("check", "01", "--path", str(tmp_path))
    assert done.returncode == 0, done.stdout
