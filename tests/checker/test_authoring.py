"""Whoever writes a kata and makes a slip is told which file it is in, and what belongs there."""

import sys
import types

import pytest

from checker import diagnosis, verify
from checker.course import Course, CourseBroken
from checker.grade import SuiteBroken, grade
from checker.submission import Submission
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


# --- tests that say what cannot be ---------------------------------------------------------------------------


@pytest.fixture
def graded(tmp_path, sandbox):
    """`graded(suite, answer=…)`: the one result of a suite, given as text, for the reference or another answer."""

    def grade_one(suite, answer=None):
        kata = course_of_one.write(tmp_path, suite=suite)
        path = kata.solution
        if answer is not None:
            path = tmp_path / "answer.py"
            path.write_text(answer)
        [result] = grade(Course(tmp_path), Submission(path), [kata], seed=7, session=sandbox).results
        return result

    return grade_one


def suite(test, marks="@timing"):
    """A suite with one test, `test_it`."""
    return (
        "from checker.suite import *\n"
        "@scenario\n"
        "async def play(kata, stage):\n"
        "    return await kata.both(stage.calls('fetch'))\n"
        f"{marks}\n"
        f"async def test_it(run, sweep):\n"
        f"    {test}\n"
    )


WRONG_TESTS = {
    "two properties": (suite("pass", "@timing\n@result"), "test_it is about one property, @timing, @ordering, @canc"),
    "a property with points": (
        suite("pass", "@timing(3)"),
        "test_it carries @timing(…), which takes nothing; its worth",
    ),
    "no property": (suite("pass", ""), "test_it is about one property, @timing, @ordering, @cancellation or @result"),
    "an unknown allowance": (
        suite("await run(play, allow=('leak',))"),
        "test_it allows ('leak',); allow=(…,) may hold",
    ),
    "an allowance as text": (suite("await run(play, allow='leaks')"), "'blocked', 'leaks', 'complaints'"),
    "an unknown label": (
        suite("await sweep(play, world=calls(fetch=1), uncalled=['f'])"),
        "labels of its world: 'fetch'",
    ),
    "a name that is none": (suite("await run(player)"), "test_it broke off with NameError: name 'player' is not"),
    "a negative delay": (
        suite("calls(fetch=-1.0)"),
        "test_it cannot be played. The world of `fetch` is wrong: delay is",
    ),
    "a delay as text": (suite("calls(fetch='2')"), "'2' is no number of virtual seconds, no `call(…)`"),
    "a delay as text in a call": (suite("calls(fetch=[1.0, call('2')])"), "seconds from 0 on, not '2'"),
    "a delay that is no number": (suite("calls(fetch={1: float('nan')})"), "seconds from 0 on, not nan"),
    "a negative cleanup": (suite("calls(fetch=call(1, cleanup=-1))"), "cleanup is a number of virtual seconds"),
    "a delay of the web": (suite("web(head=-1)"), "The world of `head` is wrong"),
    "no outcome at all": (suite("calls(fetch=[])"), "[] is no number"),
    "an error in place of a call": (suite("calls(fetch=ValueError)"), "<class 'ValueError'> is no number"),
    "an error that is no class": (suite("calls(fetch=call(1, error='ValueError'))"), "error is an exception class of"),
    "an error of the suite's own": (
        suite("calls(fetch=call(1, error=type('Lost', (Exception,), {})))"),
        "error is an exception class of Python, asyncio or aiohttp, not <class",
    ),
    "an unknown end": (suite("calls(fetch=call(1, then='return'))"), "one of cancelled, returns, raises, not 'return'"),
    "too few cancellations": (suite("calls(fetch=call(1, ignores=-1))"), "ignores is a number of cancellations"),
}


@pytest.mark.parametrize(("text", "said"), WRONG_TESTS.values(), ids=WRONG_TESTS.keys())
def test_a_test_that_says_what_cannot_be_is_an_error(graded, text, said):
    """Told with the test's name and what is allowed, and no submission is to blame."""
    found = graded(text)
    assert found.verdict == "error"
    assert found.message.startswith("The grader failed, not your code: The test test_it ")
    assert said in found.message


def test_once_a_submission_has_had_its_say_the_suite_is_not_to_blame(graded):
    """What a test makes of an answer may be nonsense because the answer is: that is a failure, and no fault."""
    text = suite("trace = await run(play)\n    calls(fetch=trace.result)")
    found = graded(text, "async def both(fetch):\n    await fetch(1)\n    return -1\n")
    assert (found.verdict, found.points) == ("failed", 0.0)


@pytest.mark.parametrize("argument", ["'soon'", "-1", "10**400"])
def test_a_delay_that_a_submission_asks_for_is_no_fault_of_the_grader(graded, argument):
    """A world may go by the arguments of a call, which are the submission's: whatever they are, the call ends."""
    text = suite("trace = await run(play, world=calls(fetch=lambda key: call(key)))\n    assert trace.elapsed == 2.0")
    found = graded(text, f"async def both(fetch):\n    await fetch({argument})\n")
    assert (found.verdict, found.message) == ("failed", "Virtual seconds taken: expected 2, saw 0.")


BROKEN_SUITES = {
    "no Python": ("import json\ndef test_it(:\n    pass\n", "SyntaxError: invalid syntax (line 2)."),
    "an import of nothing": ("import json\nimport jsom\n", "ModuleNotFoundError: No module named 'jsom' (line 2)."),
    "an error of its own": (
        "def half(n):\n    return n / 0\n\nhalf(1)\n",
        "ZeroDivisionError: division by zero (line 2).",
    ),
    "an error in a library": ("import json\njson.loads('')\n", "Expecting value: line 1 column 1 (char 0) (line 2)."),
}


@pytest.mark.parametrize(("text", "said"), BROKEN_SUITES.values(), ids=BROKEN_SUITES.keys())
def test_a_suite_that_cannot_be_loaded_is_an_error_with_its_line(graded, text, said):
    """What is wrong and where, as for any other file of a kata, and not how pytest came there."""
    with pytest.raises(SuiteBroken) as caught:
        graded(text)
    assert str(caught.value).startswith("The suite test_01_tiny.py cannot be loaded: ")
    assert str(caught.value).endswith(said)


# --- fingerprints ----------------------------------------------------------------------------------------------


def test_recording_tells_what_has_changed(kata, tmp_path):
    """Which fingerprints are new, changed, gone, or missing; and proving tells of those that are not in order."""
    course_of_one.with_checker(tmp_path)
    tiny = course_of_one.write(tmp_path)
    proven = kata("verify")
    assert proven.returncode == 1
    assert (
        "mistake in_turn has no fingerprint, so that nobody is told of it; `kata verify 01_tiny --re" in proven.stdout
    )
    in_turn = tiny.mistakes[0]
    never = in_turn.with_stem("never")
    never.write_text(in_turn.read_text().replace("return [await fetch(1), await fetch(2)]", "raise ValueError"))
    right = in_turn.with_stem("right")
    right.write_text(in_turn.read_text().partition("\n\n\n")[0] + "\n\n\n" + tiny.solution.read_text())
    told = kata("verify", "--record").stdout
    assert "new (in_turn, never); 1 missing, not being caught with every seed (right); 0 as before\n" in told
    right.unlink()
    never.unlink()
    proven = kata("verify")
    assert proven.returncode == 1
    assert "01_tiny: there is a fingerprint of never, and no such mistake; `kata verify 01_tiny --rec" in proven.stdout
    assert "fingerprints: 1 gone (never); 1 as before\n" in kata("verify", "--record").stdout
    proven = kata("verify")
    assert (proven.returncode, proven.stderr) == (0, "")


def test_a_fingerprint_of_no_mistake_names_nothing(tmp_path, sandbox):
    """A mistake that is gone cannot be told of, and the check of an answer that looks like it goes on."""
    known = (
        '{"gone": {"always": {"test_both_at_once": ["Virtual seconds taken: expected #, saw more"]}, "sometimes": []}}'
    )
    kata = course_of_one.write(tmp_path, fingerprints=known)
    wrong = kata.mistakes[0]
    results = grade(Course(tmp_path), Submission(wrong), [kata], seed=7, session=sandbox).results
    assert diagnosis.diagnose(kata, results, wrong.read_bytes()) is None
    wrong.rename(wrong.with_stem("gone"))
    assert diagnosis.diagnose(kata, results, b"").name == "gone"


# --- labels --------------------------------------------------------------------------------------------------


def proven(kata, folder, sandbox="auto"):
    """What verify finds about the whole of a kata, with every answer graded once."""
    plan = verify.jobs(Course(kata.root), [kata], repeat=1, sandbox=sandbox, recording=False, seed=7, folder=folder)
    return list(verify.of_the_whole(kata, [verify.examine(job) for job in plan]))


def test_a_label_under_which_nobody_ever_calls_is_told(tmp_path):
    """It is misspelt, and its script without effect; nothing else would say so where a test does not go by it."""
    text = course_of_one.FILES["tests/katas/test_01_tiny.py"]
    kata = course_of_one.write(tmp_path, suite=text.replace("fetch=2.0)", "fetch=2.0, fecth=1.0)"))
    assert proven(kata, tmp_path) == [
        "test_both_at_once plans calls of `fecth`, and no answer makes one in any test; did you mean `fetch`?"
    ]
    assert proven(course_of_one.write(tmp_path), tmp_path) == []


def test_a_call_that_only_a_mistake_makes_may_be_planned(tmp_path):
    """A test may set a trap."""
    files = course_of_one.FILES
    suite_text = files["tests/katas/test_01_tiny.py"].replace("both(stage", "both(stage.calls('log'), stage")
    changed = {
        "stub": files["katas/01_tiny.py"].replace("both(", "both(log, "),
        "solution": files["solutions/01_tiny.py"].replace("both(", "both(log, "),
        "mistake": files["solutions/mistakes/01_tiny/in_turn.py"].replace(
            "both(fetch):", "both(log, fetch):\n    await log()"
        ),
        "suite": suite_text.replace("fetch=2.0", "fetch=2.0, log=1.0"),
    }
    assert proven(course_of_one.write(tmp_path, **changed), tmp_path) == []


# --- scenarios -------------------------------------------------------------------------------------------------

SLIPS = {
    "an unknown name": ("    undefined\n", "NameError: name 'undefined' is not defined", 6),
    "an unknown collaborator": (
        "    stage.call('fetch')\n",
        "AttributeError: 'Stage' object has no attribute 'call'",
        6,
    ),
    "in a job of its own": (
        "    async def job(key):\n        undefined\n    return await kata.both(job)\n",
        "NameError: name 'undefined' is not defined",
        7,
    ),
    "in a group": (
        "    import asyncio\n    async def job():\n        undefined\n"
        "    async with asyncio.TaskGroup() as group:\n        group.create_task(job())\n",
        "NameError: name 'undefined' is not defined",
        8,
    ),
}


@pytest.mark.parametrize(("body", "said", "line"), SLIPS.values(), ids=SLIPS.keys())
def test_what_a_scenario_raises_itself_is_told_as_such(tmp_path, body, said, line):
    """The author learns the line of the suite; the solution is not to blame."""
    text = course_of_one.FILES["tests/katas/test_01_tiny.py"]
    text = text.replace("(kata, stage):\n", f"(kata, stage):\n{body}")
    kata = course_of_one.write(tmp_path, suite=text)
    assert examined(kata, "reference", kata.solution) == [
        f"test_both_at_once fails: its scenario itself raised {said} (line {line} of {kata.suite}) (seed 7)"
    ]


def examined(kata, role, path):
    """The problems that verify finds with one answer."""
    return verify.examine(verify.Job(kata.root, kata.name, role, path.stem, path, (7,), "auto")).problems


def test_what_passes_through_a_scenario_is_not_its_doing(tmp_path):
    """An error of the solution's, and one that the world has planned."""
    kata = course_of_one.write(tmp_path, solution="async def both(fetch):\n    undefined\n")
    said = "test_both_at_once fails: It raised NameError: name 'undefined' is not defined (line 2). (seed 7)"
    assert examined(kata, "reference", kata.solution) == [said]
    text = course_of_one.FILES["tests/katas/test_01_tiny.py"]
    text = text.replace("fetch=2.0", "fetch=call(2.0, error=ValueError)").replace("import calls", "import call, calls")
    kata = course_of_one.write(tmp_path, suite=text, solution=course_of_one.FILES["solutions/01_tiny.py"])
    [problem] = examined(kata, "reference", kata.solution)
    assert problem.startswith("test_both_at_once fails: It raised ValueError: ")


def test_a_learner_is_never_told_that_the_suite_is_at_fault(graded):
    """A scenario trips over what an answer has given it, too, and what the runner tells of that proves nothing."""
    text = suite("await run(play)").replace("    return await", "    return 1 + await")
    found = graded(text, "async def both(fetch):\n    return None\n")
    assert found.verdict == "failed"
    assert found.message == "It raised TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'."


def test_a_scenario_that_cannot_be_loaded_is_told(tmp_path, monkeypatch):
    """It uses a module that the runner does not have."""
    monkeypatch.setitem(sys.modules, "of_the_author", types.ModuleType("of_the_author"))
    text = course_of_one.FILES["tests/katas/test_01_tiny.py"]
    text = "import of_the_author\n" + text.replace("(kata, stage):\n", "(kata, stage):\n    of_the_author\n")
    kata = course_of_one.write(tmp_path, suite=text)
    [problem] = examined(kata, "reference", kata.solution)
    why = "The scenario of this test cannot be loaded here: ModuleNotFoundError: No module named 'of_the_author'."
    assert problem == f"test_both_at_once fails: {why} (seed 7)"
