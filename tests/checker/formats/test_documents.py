"""gradescope, junit, ctrf and json: documents that are valid against what their readers ask for."""

import json
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checker.formats import write
from checker.formats.common import file_name
from checker.rows import Learner
from checker.values import printable


@pytest.fixture(scope="session")
def drawn(make):
    """A strategy: batches whose every text is any text."""

    @st.composite
    def batches(draw):
        texts = make.texts()
        rows = []
        for number in range(draw(st.integers(1, 3))):
            name, message = draw(texts), draw(texts)
            learner = Learner(f"{number}{name}", name, message, name, name, notes=(message,))
            verdict = draw(st.sampled_from(["passed", "failed", "error"]))
            tests = [make.test(verdict, message=message, title=name, name=name, aspect=message, ended=name)]
            status = "fault" if verdict == "error" else draw(st.sampled_from(["graded", "missing"]))
            gradings = [make.grading(kata, tests, problem=message, diagnosis=name) for kata in make.katas]
            rows.append(make.row(learner, gradings, status))
        return make.batch(rows)

    return batches()


# --- gradescope ----------------------------------------------------------------------------------------------

TOP = {"score", "execution_time", "output", "output_format", "test_output_format", "test_name_format", "visibility",
       "stdout_visibility", "extra_data", "tests", "leaderboard"}  # fmt: skip
EACH = {"score", "max_score", "status", "name", "name_format", "number", "output", "output_format", "tags",
        "visibility", "extra_data"}  # fmt: skip
VISIBILITY = {"hidden", "after_due_date", "after_published", "visible"}


def check_gradescope(written, count):
    assert len(written) == count
    for path, text in written.items():
        assert re.fullmatch(r"gradescope/[a-z0-9._-]+/results\.json", path)
        found = json.loads(text)
        assert set(found) <= TOP
        assert found["stdout_visibility"] == "hidden"
        assert found["visibility"] in VISIBILITY
        assert isinstance(found["output"], str)
        assert ("score" in found) or found["tests"] == []
        for test in found["tests"]:
            assert set(test) <= EACH
            assert (test["status"] in {"passed", "failed"}, test["output_format"]) == (True, "text")
            assert test["visibility"] in VISIBILITY
            assert isinstance(test["score"], int | float)
            assert isinstance(test["number"], str)
            assert all(isinstance(tag, str) for tag in test["tags"])


def by_key(make, batch):
    return {path.split("/")[1]: json.loads(text) for path, text in make.written("gradescope", batch).items()}


def test_gradescope_has_only_documented_fields(make, nasty):
    """Every learner has a file of the documented form in a folder of their own."""
    check_gradescope(make.written("gradescope", nasty), len(list(nasty.rows())))


def test_gradescope_shows_tests_and_score(make, nasty):
    """A learner sees the points of the assignment, and each test with its message."""
    found = by_key(make, nasty)["l"]
    assert (found["score"], found["execution_time"]) == (16, 0.2469)
    assert found["tests"][3] == {
        "name": "07_semaphore: It holds.",
        "number": "2.2",
        "score": 0,
        "max_score": 5,
        "status": "failed",
        "output": "It does not.",
        "output_format": "text",
        "tags": ["07_semaphore", "timing"],
        "visibility": "visible",
    }


def test_gradescope_tells_no_secrets(make, nasty):
    """No seed and no hash of ours, from which results to come could be told, is shown to a learner."""
    text = "".join(make.written("gradescope", nasty).values())
    assert "424242" not in text
    assert "5a5a" not in text


def test_gradescope_gives_no_score_for_a_fault(make, nasty):
    """The grader's fault is no 0 and shows nothing of the grader; having handed in nothing is a 0 with a reason."""
    found = by_key(make, nasty)
    for key in "fu":
        assert "score" not in found[key]
        assert found[key]["output"].startswith("Not graded yet")
    assert found["m"]["score"] == 0
    assert found["m"]["output"].startswith("Nothing was handed in. 05_cancellation: No file")


def test_gradescope_keeps_no_results_of_who_is_gone(make, tmp_path):
    """Written again, the folder has results of this batch's learners only."""
    both = [make.row(Learner(key, key)) for key in ("anna", "Bert")]
    write("gradescope", make.batch(both), tmp_path)
    [top] = write("gradescope", make.batch(both[1:]), tmp_path)
    found = [path.parent.name for path in top.rglob("results.json")]
    assert found == [file_name("Bert")]


def test_gradescope_removes_nothing_else(make, tmp_path):
    """Whatever else lies in the folder stays, and so does what lies behind a link."""
    top, elsewhere = tmp_path / "out" / "gradescope", tmp_path / "elsewhere"
    files = [
        top / "results.json",
        top / "gone" / "notes.txt",
        top / "gone" / "deeper" / "results.json",
        top / "folder" / "results.json" / "x",
        elsewhere / "results.json",
    ]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    (top / "link").symlink_to(elsewhere)
    (top / "gone" / "results.json").symlink_to(elsewhere / "results.json")
    write("gradescope", make.batch([]), tmp_path / "out")
    assert all(path.read_text() == "mine" for path in files)
    assert (top / "gone" / "results.json").is_symlink()
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "gradescope").symlink_to(top)
    (top / "gone" / "results.json").unlink()
    (top / "gone" / "results.json").write_text("mine")
    write("gradescope", make.batch([]), tmp_path / "linked")
    assert (top / "gone" / "results.json").read_text() == "mine"


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_gradescope_holds_any_text(make, drawn, data):
    """Any text can be read back."""
    batch = data.draw(drawn)
    check_gradescope(make.written("gradescope", batch), len(list(batch.rows())))


# --- junit ---------------------------------------------------------------------------------------------------

TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors", "group", "time", "skipped", "timestamp", "hostname", "id",
                  "package", "file", "log", "url"},
    "testcase": {"name", "time", "classname", "group"},
    "properties": set(),
    "property": {"name", "value"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
    "skipped": {"type", "message"},
}  # fmt: skip
REQUIRED = {"testsuite": {"name", "tests", "failures", "errors"}, "testcase": {"name", "classname", "time"},
            "property": {"name", "value"}}  # fmt: skip
INSIDE = {"testsuites": {"testsuite"}, "testsuite": {"properties", "testcase"}, "properties": {"property"},
          "testcase": {"failure", "error", "skipped"}}  # fmt: skip
MIXED = {"failure", "error", "skipped"}


def check_junit(text):
    """What junit-10.xsd asks for, as far as it is used, and that the counts are right."""
    root = ET.fromstring(text)
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
        assert set(element.attrib) >= REQUIRED.get(element.tag, set())
        assert {child.tag for child in element} <= INSIDE.get(element.tag, set())
        if element.tag not in MIXED:
            assert not (element.text or "").strip()
        assert not (element.tail or "").strip()
    for suite in root:
        assert TIME.fullmatch(suite.get("time"))
        for tag, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{tag}"))
        assert int(suite.get("tests")) == len(suite.findall("testcase")) > 0
        assert all(TIME.fullmatch(case.get("time")) for case in suite.findall("testcase"))
    return root


def suites_of(root, learner):
    return [suite for suite in root if suite.find("properties/property[@name='learner']").get("value") == learner]


def test_junit_is_valid_and_has_every_learner_and_kata(make, nasty):
    """There is a suite for each learner and kata, played or not."""
    root = check_junit(make.written("junit", nasty)["junit.xml"])
    assert len(root) == len(list(nasty.rows())) * len(make.katas)


def test_junit_suites_can_be_played_again(make, nasty):
    """A suite's properties say the score, and all that is needed to play it again."""
    root = check_junit(make.written("junit", nasty)["junit.xml"])
    suite = suites_of(root, "l")[1]
    assert (suite.get("name"), suite.get("timestamp")) == ("Late (l): 07_semaphore", "2026-01-02T03:04:05+00:00")
    assert {each.get("name"): each.get("value") for each in suite.find("properties")} == {
        "learner": "l",
        "status": "graded",
        "late": "yes",
        "points": "16",
        "passed": "yes",
        "score": "5",
        "max_score": "10",
        "seed": "424242",
        "sha256": "5a" * 32,
        "sandbox": "bwrap",
    }
    assert [case.get("time") for case in suite.findall("testcase")] == ["0.062"] * 2
    failure = suite.find("testcase/failure")
    assert (failure.get("type"), failure.get("message")) == ("timing", "It does not.")
    assert failure.text == "It holds. It does not."


def test_junit_tells_faults_and_missing_work_from_failures(make, nasty):
    """The grader's fault is an error; nothing handed in, or not graded, is skipped; neither is a failure."""
    root = check_junit(make.written("junit", nasty)["junit.xml"])
    fault, missing, unfinished = (suites_of(root, key) for key in "fmu")
    assert fault[1].find("testcase/error").get("message") == "The grader itself failed: x."
    assert [suite.get("skipped") for suite in missing] == ["1", "1"]
    assert missing[0].find("testcase/skipped").get("message") == "No file for it was handed in."
    assert unfinished[1].find("testcase/skipped").get("message") == "It was not graded."
    assert not [each for each in (*fault, *missing, *unfinished) if each.find("testcase/failure") is not None]


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_junit_holds_any_text(make, drawn, data):
    """Any text is legal XML and comes back as it was, its controls made visible."""
    batch = data.draw(drawn)
    root = check_junit(make.written("junit", batch)["junit.xml"])
    rows = list(batch.rows())
    assert len(root) == len(rows) * len(make.katas)
    for row, suite in zip(rows, root[:: len(make.katas)], strict=True):
        assert suite.find("properties/property").get("value") == printable(row.learner.key)
        assert suite.find("testcase").get("name") == printable(row.gradings[0].tests[0].name)


# --- ctrf ----------------------------------------------------------------------------------------------------

STATUSES = {"passed", "failed", "skipped", "pending", "other"}
SUMMARY = {"tests", *STATUSES, "start", "stop"}
SUMMARY_ALLOWED = SUMMARY | {"flaky", "suites", "duration", "extra"}
TEST_TYPES = {"name": str, "status": str, "duration": int, "rawStatus": str, "suite": list, "message": str,
              "tags": list, "extra": dict}  # fmt: skip


def check_ctrf(text):
    """What the published schema asks for, as far as it is used: it allows no other fields anywhere."""
    found = json.loads(text)
    assert set(found) <= {"reportFormat", "specVersion", "reportId", "timestamp", "generatedBy", "extra", "results"}
    assert found["reportFormat"] == "CTRF"
    assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", found["specVersion"])
    results = found["results"]
    assert {"tool", "summary", "tests"} <= set(results) <= {"tool", "summary", "tests", "environment", "extra"}
    assert results["tool"]["name"]
    assert set(results["tool"]) <= {"name", "version", "extra"}
    summary = results["summary"]
    assert SUMMARY <= set(summary) <= SUMMARY_ALLOWED
    assert all(type(value) is int for value in summary.values())
    for test in results["tests"]:
        assert {"name", "status", "duration"} <= set(test) <= set(TEST_TYPES)
        assert all(type(value) is TEST_TYPES[name] for name, value in test.items())
        assert test["name"]
        assert test["status"] in STATUSES
        assert test["suite"]
        assert all(isinstance(each, str) for each in (*test["suite"], *test["tags"]))
    counted = [test["status"] for test in results["tests"]]
    assert {status: summary[status] for status in STATUSES} == {status: counted.count(status) for status in STATUSES}
    assert summary["tests"] == len(counted)
    return results


def test_ctrf_is_valid_and_counts_right(make, nasty):
    """The report is of the published form, its times are whole milliseconds, its sums are those of its tests."""
    results = check_ctrf(make.written("ctrf", nasty)["ctrf.json"])
    summary = results["summary"]
    assert (summary["start"], summary["stop"]) == (1_700_000_000_250, 1_700_000_060_500)
    assert summary["suites"] == len(list(nasty.rows())) * len(make.katas)


def test_ctrf_tells_what_became_of_whom(make, nasty):
    """Failed, skipped and other (the grader's fault) are told apart, and our own facts stand under extra."""
    results = check_ctrf(make.written("ctrf", nasty)["ctrf.json"])
    found = {}
    for test in results["tests"]:
        found.setdefault(test["extra"]["learner"], []).append(test)
    assert {key: [test["status"] for test in found[key]] for key in "fmlu"} == {
        "f": ["passed", "other"],
        "m": ["skipped", "skipped"],
        "l": ["passed", "failed", "passed", "failed"],
        "u": ["passed", "skipped"],
    }
    last = found["l"][3]
    assert (last["suite"], last["duration"], last["message"]) == (["Late", "07_semaphore"], 62, "It does not.")
    assert (last["extra"]["seed"], last["extra"]["percent"], found["f"][0]["extra"]["percent"]) == (424242, 80, None)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_ctrf_holds_any_text(make, drawn, data):
    """Any text can be read back."""
    batch = data.draw(drawn)
    results = check_ctrf(make.written("ctrf", batch)["ctrf.json"])
    assert len(results["tests"]) == len(list(batch.rows())) * len(make.katas)


# --- json ----------------------------------------------------------------------------------------------------


def test_json_has_everything(make, nasty):
    """The batch, every learner, grading and test are in the file, with the names of `kata check --json`."""
    found = json.loads(make.written("json", nasty)["grades.json"])
    learners = {each["key"]: each for each in found.pop("learners")}
    assert len(learners) == len(list(nasty.rows()))
    assert found["schema"] == 1
    assert (found["assignment"]["canvas_id"], found["katas"], found["seed"]) == (77, list(make.katas), 424242)
    assert (found["started"], found["finished"]) == ("2023-11-14T22:13:20+00:00", "2023-11-14T22:14:20+00:00")
    late = learners["l"]
    assert (late["late"], late["percent"], late["points"], late["passed"]) == (True, 80.0, 16.0, True)
    assert late["gradings"][1]["sha256"] == "5a" * 32
    assert late["gradings"][1]["tests"][1] == {
        "name": "test_x",
        "title": "It holds.",
        "property": "timing",
        "verdict": "failed",
        "points": 0.0,
        "max_points": 5.0,
        "message": "It does not.",
        "ended": "finished",
    }
    assert late["reasons"] == ["05_cancellation: It holds. It does not.", "07_semaphore: It holds. It does not."]


def test_json_has_no_number_where_there_is_no_grade(make, nasty):
    """The grader's fault has null for a grade, and keeps its reasons."""
    learners = {each["key"]: each for each in json.loads(make.written("json", nasty)["grades.json"])["learners"]}
    fault = learners["f"]
    assert (fault["status"], fault["percent"], fault["points"], fault["passed"]) == ("fault", None, None, None)
    assert "07_semaphore: The grader itself failed: x." in fault["reasons"]
    assert (learners["u"]["points"], learners["m"]["points"]) == (None, 0.0)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_json_holds_any_text(make, drawn, data):
    """Any text comes back as it was, its controls made visible."""
    batch = data.draw(drawn)
    text = make.written("json", batch)["grades.json"]
    found = json.loads(text)["learners"]
    rows = list(batch.rows())
    assert [each["name"] for each in found] == [printable(row.learner.name) for row in rows]
    assert [each["gradings"][0]["tests"][0]["message"] for each in found] == [
        printable(row.gradings[0].tests[0].message) for row in rows
    ]
    assert "<" not in text
