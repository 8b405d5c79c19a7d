"""A learner of each status: what the formats say about them agrees, and blames nobody for what is not theirs."""

import csv
import html
import io
import json
import xml.etree.ElementTree as ET

import pytest

from checker.rows import Assignment, Learner, weigh

RULES = Assignment(name="Week 3", points=20.0, pass_mark=95, late_penalty=10)
UNFINISHED = "Not graded yet: the batch was stopped; the same command goes on with it."
FAULT = "Not graded yet: the grader itself failed, which says nothing about this work."
PENALTY = "Handed in late: 10 % of the score are taken off, 20 points become 18."
PROBLEM = "07_semaphore.py is not UTF-8; save it so."
NOT_THERE = "No file for it was handed in."
GRADES = {
    "full": (20.0, True),
    "partly": (15.0, False),
    "problem": (10.0, False),
    "unreadable": (0.0, False),
    "missing": (0.0, False),
    "late": (18.0, False),
    "fault": None,
    "unfinished": None,
    "untouched": None,
}
"""Points and whether passed; none where there is no grade."""


def weighed(make):
    """A row of each status, as weighing makes them."""
    first, second = make.katas
    right, wrong = make.test("passed", message=""), make.test()

    def refused(kata, problem):
        return make.grading(kata, [make.test(message=problem)] * 2, problem=problem, sha256="")

    full = [make.grading(kata, [right, right]) for kata in make.katas]
    fault = make.grading(second, [], verdict="error", problem="The grader itself failed: x.")
    gradings = {
        "full": full,
        "partly": [full[0], make.grading(second, [right, wrong])],
        "problem": [full[0], refused(second, PROBLEM)],
        "unreadable": [refused(first, PROBLEM), refused(second, PROBLEM)],
        "missing": [refused(first, NOT_THERE), refused(second, NOT_THERE)],
        "late": full,
        "fault": [full[0], fault],
        "unfinished": full[:1],
        "untouched": [],
    }
    for name, found in gradings.items():
        unfinished = len(found) < len(make.katas)
        learner = Learner(name, name, user_id=name, late=name == "late")
        yield weigh(learner, found, RULES, missing=name == "missing", unfinished=unfinished)


@pytest.fixture(scope="module")
def everybody(make):
    """A batch with a learner of each status."""
    return make.batch(list(weighed(make)), assignment=RULES)


def records(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def learner_of(suite):
    return suite.find("properties/property[@name='learner']").get("value")


@pytest.fixture(scope="module")
def told(make, everybody):
    """What each format tells of each learner, as one text."""
    csv_files = make.written("csv", everybody)
    ctrf = json.loads(make.written("ctrf", everybody)["ctrf.json"])["results"]["tests"]
    tests = records(csv_files["tests.csv"])
    suites = [
        {"key": learner_of(suite), "xml": ET.tostring(suite, encoding="unicode")}
        for suite in ET.fromstring(make.written("junit", everybody)["junit.xml"])
    ]
    summary = html.unescape(make.written("github", everybody)["summary.md"]).replace("\\", "").splitlines()

    def of(name, found, key):
        return " ".join(json.dumps(each) for each in found if each[key] == name)

    moodle = records(make.written("moodle", everybody)["moodle.csv"])
    return {
        name: {
            "csv": of(name, records(csv_files["grades.csv"]), "key"),
            "tests.csv": of(name, tests, "key"),
            "moodle": html.unescape(of(name, moodle, "Full name")),
            "gradescope": make.written("gradescope", everybody)[f"gradescope/{name}/results.json"],
            "junit": of(name, suites, "key"),
            "ctrf": " ".join(json.dumps(test) for test in ctrf if test["extra"]["learner"] == name),
            "json": of(name, json.loads(make.written("json", everybody)["grades.json"])["learners"], "key"),
            "github": next(line for line in summary if line.startswith(f"| {name} |")),
        }
        for name in GRADES
    }


def test_points_and_pass_agree(make, everybody):
    """Every format that gives points or says who passed gives the same, and none where there is no grade."""
    points = {name: grade[0] if grade else None for name, grade in GRADES.items()}
    passed = {name: grade[1] if grade else None for name, grade in GRADES.items()}

    def number(text):
        return float(text) if text else None

    table = records(make.written("csv", everybody)["grades.csv"])
    assert {each["key"]: number(each["points"]) for each in table} == points
    assert {each["key"]: {"yes": True, "no": False, "": None}[each["passed"]] for each in table} == passed
    canvas = records(make.written("canvas", everybody)["canvas.csv"])[1:]
    assert {each["Student"]: number(each["Week 3"]) for each in canvas} == points
    moodle = records(make.written("moodle", everybody)["moodle.csv"])
    assert {each["Full name"]: number(each["Grade"]) for each in moodle} == points
    learners = json.loads(make.written("json", everybody)["grades.json"])["learners"]
    assert {each["key"]: each["points"] for each in learners} == points
    assert {each["key"]: each["passed"] for each in learners} == passed
    gradescope = {path.split("/")[1]: json.loads(text) for path, text in make.written("gradescope", everybody).items()}
    assert {name: found.get("score") for name, found in gradescope.items()} == points
    assert {name: found["extra_data"]["passed"] for name, found in gradescope.items()} == passed
    for suite in ET.fromstring(make.written("junit", everybody)["junit.xml"]):
        facts = {each.get("name"): each.get("value") for each in suite.iter("property")}
        name = facts["learner"]
        assert number(facts.get("points")) == points[name]
        assert {"yes": True, "no": False, None: None}[facts.get("passed")] == passed[name]
    for test in json.loads(make.written("ctrf", everybody)["ctrf.json"])["results"]["tests"]:
        name = test["extra"]["learner"]
        assert (test["extra"]["rowPoints"], test["extra"]["rowPassed"]) == (points[name], passed[name])


FORMATS_WITH_REASONS = ["csv", "tests.csv", "moodle", "gradescope", "junit", "ctrf", "json", "github"]


@pytest.mark.parametrize("name", FORMATS_WITH_REASONS)
def test_every_lost_point_has_its_reason(told, name):
    """Work that is partly right, cannot be read or is not there is told so, and nothing else is."""
    said = {learner: told[learner][name] for learner in GRADES}
    assert "It does not." in said["partly"]
    assert PROBLEM in said["problem"]
    assert PROBLEM in said["unreadable"]
    assert NOT_THERE in said["missing"]
    for learner in set(GRADES) - {"problem", "unreadable"}:
        assert PROBLEM not in said[learner]
    for learner in set(GRADES) - {"missing"}:
        assert NOT_THERE not in said[learner]
        assert "Nothing was handed in" not in said[learner]
        assert "No submission" not in said[learner]


@pytest.mark.parametrize("name", [name for name in FORMATS_WITH_REASONS if name != "tests.csv"])
def test_a_late_penalty_is_told_in_every_format(told, name):
    """Who lost points through being late finds one sentence with the numbers, and nobody else does."""
    # Each test of CTRF and each suite of JUnit stands alone.
    times = {"junit": 2, "ctrf": 4}.get(name, 1)
    assert told["late"][name].count(PENALTY) == times
    assert [learner for learner in GRADES if "Handed in late" in told[learner][name]] == ["late"]


@pytest.mark.parametrize("name", FORMATS_WITH_REASONS)
def test_a_batch_that_was_stopped_is_no_fault(told, name):
    """Who is not graded yet is told that the batch was stopped, once a kata at most, and not that the grader failed."""
    for learner in ("unfinished", "untouched"):
        assert UNFINISHED.rstrip(".") in told[learner][name]
        assert "grader itself failed" not in told[learner][name]
    assert told["untouched"]["github"].count("Not graded yet") == 1
    assert UNFINISHED.rstrip(".") not in told["fault"][name]


@pytest.mark.parametrize("name", ["moodle", "gradescope", "github"])
def test_a_fault_has_its_own_text(told, name):
    """What the grader is at fault for is told so to learners."""
    assert FAULT.rstrip(".") in told["fault"][name]
    assert [learner for learner in GRADES if FAULT.rstrip(".") in told[learner][name]] == ["fault"]


def test_what_cannot_be_read_is_a_failure(make, everybody):
    """In JUnit and CTRF, work that cannot be read has failed; skipped is what nobody played."""
    suites = ET.fromstring(make.written("junit", everybody)["junit.xml"])
    counts = {}
    for suite in suites:
        tags = [child.tag for case in suite.findall("testcase") for child in case]
        counts.setdefault(learner_of(suite), []).extend(tags)
    expected = {
        "full": [],
        "partly": ["failure"],
        "problem": ["failure"] * 2,
        "unreadable": ["failure"] * 4,
        "missing": ["skipped"] * 4,
        "late": [],
        "fault": ["error"],
        "unfinished": ["skipped"],
        "untouched": ["skipped"] * 2,
    }
    assert counts == expected
    tests = json.loads(make.written("ctrf", everybody)["ctrf.json"])["results"]["tests"]
    words = {"failed": "failure", "skipped": "skipped", "other": "error"}
    found = {learner: [] for learner in expected}
    for test in tests:
        if test["status"] != "passed":
            found[test["extra"]["learner"]].append(words[test["status"]])
    assert found == expected


def test_what_cannot_be_read_was_handed_in(make, everybody):
    """Moodle keeps a submission that cannot be read as submitted; only who handed in nothing has none."""
    moodle = records(make.written("moodle", everybody)["moodle.csv"])
    assert [each["Full name"] for each in moodle if each["Status"] == "No submission"] == ["missing"]
