"""`junit`: JUnit XML as Jenkins and most other servers read it (junit-10.xsd)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, tostring
from xml.sax.saxutils import quoteattr

from checker.formats.common import final, number, replacing, suites
from checker.rows import Batch, Grading, Row, Test
from checker.values import printable

_ELEMENT = {"failed": "failure", "error": "error", "skipped": "skipped"}


def write(batch: Batch, folder: Path) -> list[Path]:
    """Write `junit.xml`: a suite for each learner and kata, one at a time, so that any number fits in memory."""
    path = folder / "junit.xml"
    with replacing(path) as file:
        # What `printable` leaves is legal in XML: no controls, no surrogates, no U+FFFE.
        name = quoteattr(printable(batch.assignment.name))
        file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name={name}>\n')
        for row in batch.rows():
            for suite in _suites(row, batch):
                file.write(tostring(suite, encoding="unicode") + "\n")
        file.write("</testsuites>\n")
    return [path]


def _suites(row: Row, batch: Batch) -> Iterator[Element]:
    learner = row.learner
    who = learner.name if learner.name == learner.key else f"{learner.name} ({learner.key})"
    for kata, grading, tests in suites(row, batch):
        verdicts = Counter(test.verdict for test in tests)
        suite = _element(
            "testsuite",
            name=f"{who}: {kata}",
            tests=str(len(tests)),
            failures=str(verdicts["failed"]),
            errors=str(verdicts["error"]),
            skipped=str(verdicts["skipped"]),
            time=f"{grading.seconds if grading else 0:.3f}",
        )
        if grading is not None and grading.finished:
            suite.set("timestamp", printable(grading.finished))
        _properties(suite, row, batch, grading)
        # Runs of several tests are played in one process: each test is said to take its share.
        share = grading.seconds / len(tests) if grading else 0
        _cases(suite, f"{kata}.{learner.key.replace('.', '_')}", tests, share)
        yield suite


def _properties(suite: Element, row: Row, batch: Batch, grading: Grading | None) -> None:
    facts = {"learner": row.learner.key, "status": row.status, "late": "yes" if row.learner.late else "no"}
    if final(row, batch):
        facts |= {"points": str(number(row.points)), "passed": "yes" if row.passed else "no"}
    if row.penalty:
        facts["late_penalty"] = row.penalty
    if grading is not None:
        facts |= {
            "score": str(number(grading.score)),
            "max_score": str(number(grading.max_score)),
            "seed": str(grading.seed),
            "sha256": grading.sha256,
            "sandbox": grading.sandbox,
        }
    else:
        facts |= {"seed": str(batch.seed), "sandbox": batch.sandbox}
    properties = SubElement(suite, "properties")
    properties.extend(_element("property", name=name, value=value) for name, value in facts.items())


def _cases(suite: Element, classname: str, tests: Sequence[Test], seconds: float) -> None:
    for test in tests:
        case = _element("testcase", name=test.name, classname=classname, time=f"{seconds:.3f}")
        if test.verdict in _ELEMENT:
            kind = "grader" if test.verdict == "error" else test.aspect
            outcome = _element(_ELEMENT[test.verdict], type=kind, message=test.message)
            outcome.text = printable(f"{test.title} {test.message}")
            case.append(outcome)
        suite.append(case)


def _element(tag: str, **attributes: str) -> Element:
    return Element(tag, {name: printable(value) for name, value in attributes.items()})
