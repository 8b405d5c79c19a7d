"""What holds for all formats: files replaced as a whole, names that stay in their folder, memory that stays flat."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from checker.formats import FILES, FORMATS, write
from checker.formats.common import dumps, file_name, final, replacing, shorten


def test_the_formats_are_those_promised():
    """The names that `--format` takes are the documented ones."""
    assert FORMATS == ("csv", "canvas", "moodle", "gradescope", "junit", "ctrf", "json", "github")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_writes_what_it_is_said_to_write(make, nasty, name, capsys):
    """By these names what an earlier batch has left is found; what is written this time is not among it."""
    assert {path.partition("/")[0] for path in make.written(name, nasty)} == set(FILES[name])


def test_an_unknown_format_names_the_known(make, tmp_path):
    """An unknown format is refused with the names of all there are, and nothing is written."""
    with pytest.raises(ValueError) as caught:
        write("xlsx", make.batch([]), tmp_path)
    assert all(name in str(caught.value) for name in FORMATS)
    assert list(tmp_path.iterdir()) == []


def test_only_the_format_asked_for_is_loaded():
    """Importing the formats loads none of them: the command line pays only for what it writes."""
    code = "import sys, checker.formats; print([n for n in sys.modules if n.startswith('checker.formats.')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_that_acts_on_a_terminal_is_written(make, nasty, name, capsys):
    """No control character and no bidi override of a learner's reaches a file or the output."""
    files = make.written(name, nasty)
    texts = [*files.values(), capsys.readouterr().out]
    left = {char for text in texts for char in text if not char.isprintable()} - {"\n", "\r"}
    assert left == set()
    assert files


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_batch_can_be_written(make, name, capsys):
    """A batch of nobody is no fault of any format."""
    make.written(name, make.batch([]))
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "gradescope"])
def test_what_fails_half_way_leaves_the_old_file_whole(make, nasty, name, tmp_path):
    """When the disk is full in the middle, the files of last time stand as they were, and no half file lies about."""
    write(name, nasty, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def rows():
        yield make.row(next(make.nasty_rows()).learner)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write(name, make.batch(rows), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_is_there_only_when_it_is_whole(tmp_path):
    """Until all is written, the old text is to be read; then the new one."""
    path = tmp_path / "inner" / "x.txt"
    with replacing(path) as file:
        file.write("old")
    with replacing(path) as file:
        file.write("new" * 100_000)
        assert path.read_text() == "old"
    assert path.read_text() == "new" * 100_000
    assert os.listdir(path.parent) == ["x.txt"]


@pytest.mark.parametrize("name", FORMATS)
def test_rows_are_never_all_in_memory(make, name, tmp_path):
    """A batch of many megabytes is written with a few."""
    learner = next(make.nasty_rows()).learner

    def rows():
        for number in range(300):
            message = f"{number} " + "long " * 2_000
            yield make.row(learner, [make.grading(kata, [make.test(message=message)]) for kata in make.katas])

    batch = make.batch(rows)
    tracemalloc.start()
    try:
        write(name, batch, tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000  # the messages alone are 6 MB


def test_what_is_a_grade(make, nasty):
    """A fault and a row that was not graded to its end are no grades; having handed in nothing is one."""
    found = {row.learner.key: final(row, nasty) for row in nasty.rows()}
    assert [found[key] for key in "fmlu"] == [False, True, True, False]


# --- names of files ------------------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=()), max_size=400))
@example("../../etc/passwd")
@example("a/b\0c")
@example("..")
@example("")
@example("ß" * 300)
def test_a_file_name_stays_in_its_folder(key):
    """Whatever a learner is called, the name is one plain part of a path that any file system takes."""
    name = file_name(key)
    assert name not in {"", ".", ".."}
    assert Path(name).parts == (name,)
    assert name.isascii()
    assert len(name.encode()) <= 255
    assert name == name.lower()


@given(st.lists(st.text(st.sampled_from("aAbB_-./ \0İ"), max_size=6), unique=True, max_size=50))
@example(["anna", "Anna", "ANNA", "anna.", "anna/", "_anna", "Anna " * 80, "Anna " * 81])
def test_file_names_never_collide(keys):
    """Different learners have different names, even where case does not count."""
    assert len({file_name(key).casefold() for key in keys}) == len(keys)


def test_a_hashed_name_cannot_be_taken_by_a_key():
    """A learner who is called as another's file is gets a different one."""
    assert file_name(file_name("Anna")) != file_name("Anna")


def test_a_plain_key_is_its_own_name():
    """Numbers and plain names of platforms can be recognised."""
    assert [file_name(key) for key in ("4711", "submission_42")] == ["4711", "submission_42"]


# --- texts ---------------------------------------------------------------------------------------------------


def test_texts_are_shortened_with_a_mark():
    """A text that is cut says so, and is never longer than allowed."""
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"


def test_json_may_stand_in_a_page():
    """No text can end a script element around the JSON."""
    assert "<" not in dumps({"</script>": ["</script>"]})
