"""Whoever writes a kata and makes a slip is told which file it is in, and what belongs there."""

import pytest

from checker import diagnosis, verify
from checker.course import CourseBroken
from tests.checker import course_of_one

# --- files that cannot be read -------------------------------------------------------------------------------

BROKEN = {
    "a brief in another encoding": ({"brief": b'+++\ntitle = "\xe9"\n+++\n'}, "is not UTF-8"),
    "a brief without front matter": ({"brief": "# Tiny\n"}, "has no front matter"),
    "front matter that is no TOML": ({"brief": "+++\ntitle = Tiny\n+++\n"}, "is no TOML: Invalid value"),
    "a brief without a title": ({"brief": "+++\nminutes = 5\n+++\n"}, "missing required field `title`"),
    "a misspelt fact": ({"brief": '+++\ntitle = "T"\nprelaod = []\n+++\n'}, "unknown field `prelaod`"),
    "a fact of another kind": ({"brief": '+++\ntitle = "T"\npreload = "ssl"\n+++\n'}, "Expected `array`, got `str`"),
    "a solution that is no Python": ({"solution": "async def both(fetch)\n"}, "is no Python: expected ':' (line 1)"),
    "a solution in another encoding": ({"solution": b"# \xe9\n"}, "is not UTF-8"),
    "a mistake that is no Python": ({"mistake": "def\n"}, "is no Python: invalid syntax (line 1)"),
    "a mistake without a diagnosis": ({"mistake": '"""Nothing."""\n'}, "should be a diagnosis, `Hint: …`"),
    "fingerprints in a conflict": ({"fingerprints": "{\n<<<<<<< HEAD\n"}, "line 2 column 1"),
    "fingerprints of another form": ({"fingerprints": '{"in_turn": {}}'}, "missing required field `always`"),
    "fingerprints in another encoding": ({"fingerprints": b'{"\xe9": 1}'}, "is not UTF-8"),
}


@pytest.mark.parametrize(("changed", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path, changed, said):
    """One sentence with its path, whichever file of a kata it is."""

    def read(kata):
        diagnosis.read_mistake(kata.mistakes[0])
        return kata.title, kata.signatures, diagnosis.load(kata.fingerprints)

    kata = course_of_one.write(tmp_path, **changed)
    with pytest.raises(CourseBroken) as caught:
        read(kata)
    [what] = changed
    names = {"brief": "katas/01_tiny.md", "solution": "solutions/01_tiny.py", "mistake": "in_turn.py"}
    assert str(tmp_path) in str(caught.value)
    assert names.get(what, "fingerprints.json") in str(caught.value)
    assert said in str(caught.value)


def test_a_stub_that_is_no_python_is_named(tmp_path):
    """The answers that do nothing are made of it."""
    kata = course_of_one.write(tmp_path, stub="async def both(fetch)\n")
    with pytest.raises(CourseBroken, match=r"katas/01_tiny\.py is no Python: expected ':' \(line 1\)"):
        verify.write_idlers(kata, tmp_path)


def test_a_hint_that_is_missing_is_named(tmp_path):
    """With the headings under which hints stand."""
    kata = course_of_one.write(tmp_path)
    assert kata.hint(1) == "Who waits for whom?"
    with pytest.raises(CourseBroken, match=r"katas/01_tiny\.md has no hint 2; hints stand under `## Hint 1`"):
        kata.hint(2)


@pytest.mark.parametrize("words", [["list"], ["check", "1"], ["verify"]])
def test_every_command_ends_in_that_sentence(kata, tmp_path, words):
    """Exit status 2, and nothing about lines of the checker's own files."""
    course_of_one.with_checker(tmp_path)
    brief = course_of_one.write(tmp_path).brief
    brief.write_text('+++\ntitle = "Tiny\n+++\n')
    done = kata(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"The front matter of {brief} is no TOML: ")
    assert len(done.stderr.splitlines()) == 1
