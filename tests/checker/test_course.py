"""The course: katas are found by any of their names, and every file of theirs is where it should be."""

import ast
import re
from pathlib import Path

import pytest

from checker import diagnosis
from checker.course import Course, UnknownKata, installed_course, is_stub, signatures

COURSE = installed_course()
EVERY = pytest.mark.parametrize("kata", COURSE.katas, ids=lambda kata: kata.name)


@pytest.mark.parametrize(
    "word", ["07_semaphore", "07", "7", "semaphore", "Semaphore", "07-semaphore", "x/07_semaphore.py"]
)
def test_a_kata_is_found_by_any_of_its_names(word):
    """Number with or without zero, topic, file name: all mean the same kata."""
    assert COURSE.find(word).name == "07_semaphore"


@pytest.mark.parametrize(
    ("word", "guess"), [("semafore", "Did you mean 07_semaphore?"), ("qeue", "10_queue"), ("zzz", "`kata list`")]
)
def test_an_unknown_kata_names_the_nearest(word, guess):
    """A slip of the pen is answered with what may have been meant."""
    with pytest.raises(UnknownKata, match=re.escape(guess)):
        COURSE.find(word)


def test_a_selection_has_the_order_of_the_course():
    """Each kata once, in order; no word means all."""
    assert [kata.name for kata in COURSE.select(["semaphore", "1", "07"])] == ["01_event_loop", "07_semaphore"]
    assert COURSE.select([]) == COURSE.katas


def test_a_draft_is_meant_only_by_name(tmp_path):
    """A kata whose proof is not complete is not listed, and can be named."""
    for folder in ("katas", "tests/katas"):
        (tmp_path / folder).mkdir(parents=True)
    for name, draft in (("01_one", ""), ("02_two", "draft = true\n")):
        (tmp_path / f"tests/katas/test_{name}.py").touch()
        (tmp_path / f"katas/{name}.md").write_text(f'+++\ntitle = "T"\n{draft}+++\nText\n')
    course = Course(tmp_path)
    assert [kata.name for kata in course.katas] == ["01_one"]
    assert course.find("2").name == "02_two"


@EVERY
def test_a_stub_is_short_and_clear(kata):
    """A stub has 25 to 60 lines, a TODO, documents every name, and raises NotImplementedError."""
    text = kata.stub.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    names = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    assert [node.name for node in names if not ast.get_docstring(node)] == []
    assert "TODO" in text
    assert "NotImplementedError" in text
    assert 25 <= len(text.splitlines()) <= 60


@EVERY
def test_the_stub_asks_for_what_the_reference_defines(kata):
    """Names, parameters and kinds are the same in both: the stub tells the learner, the reference the grader."""
    stub = signatures(ast.parse(kata.stub.read_text(encoding="utf-8")))
    assert sorted(stub, key=lambda each: each.name) == sorted(kata.signatures, key=lambda each: each.name)


@EVERY
def test_the_alternatives_define_what_the_reference_does(kata):
    """Reference and alternatives have every name of the stub."""
    asked = {each.name for each in kata.signatures}
    for path in (kata.solution, *kata.alternatives):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        defined = {getattr(node, "name", "") for node in tree.body} | bound
        assert asked <= defined, path


@EVERY
def test_a_brief_is_complete(kata):
    """A brief has a title, a then-and-now note, a link to Python's documentation, and three hints of growing length."""
    assert kata.title
    assert "Then and now" in kata.text
    assert "docs.python.org" in kata.brief.read_text(encoding="utf-8")
    hints = [kata.hint(level) for level in (1, 2, 3)]
    assert all(hints)
    assert len(hints[0].split()) <= 30
    assert len(hints[2].split()) <= 90


@EVERY
def test_a_brief_fits_a_terminal(kata):
    """Drawings and error texts stand in 80 columns, with the margins that `kata show` gives them."""
    text = kata.brief.read_text(encoding="utf-8")
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert [line for block in blocks for line in block.splitlines() if len(line) > 76] == []


@EVERY
def test_the_links_of_a_brief_are_written_in_one_way(kata):
    """As `[text](address)`: that is what `kata show` finds, to print addresses that can be copied."""
    text = kata.brief.read_text(encoding="utf-8")
    assert len(re.findall(r"\[[^\[\]]+\]\(https?://[^\s()]+\)", text)) == len(re.findall("https?://", text))


@EVERY
def test_a_stub_can_be_told_from_an_answer(kata):
    """By what its functions do; that is how the stub is found again in a checkout where somebody has worked."""
    stub = kata.stub.read_bytes()
    assert is_stub(stub)
    assert not any(is_stub(path.read_bytes()) for path in (kata.solution, *kata.alternatives, *kata.mistakes))
    assert not is_stub(stub.replace(b"raise NotImplementedError", b"return None", 1))


@EVERY
def test_a_kata_is_proven_by_many_answers(kata):
    """At least three alternatives and eight mistakes, each with diagnosis, hint, property and fingerprint."""
    assert len(kata.alternatives) >= 3
    assert len(kata.mistakes) >= 8
    known = diagnosis.load(kata.fingerprints)
    for path in kata.mistakes:
        mistake = diagnosis.read_mistake(path)
        assert mistake.violates
        assert mistake.name in known


def test_nothing_lies_about_in_the_course():
    """Every file of the course belongs to a kata."""
    for folder in ("katas", "solutions"):
        for path in (COURSE.root / folder).glob("*"):
            if path.name.startswith(".") or path.name in ("ruff.toml", "alternatives", "mistakes", "__pycache__"):
                continue
            assert (COURSE.root / "katas" / f"{path.stem}.md").exists(), path
    for folder in ("alternatives", "mistakes"):
        for path in (COURSE.root / "solutions" / folder).iterdir():
            assert Path(COURSE.root / "katas" / f"{path.name}.md").exists(), path
