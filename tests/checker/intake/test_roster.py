"""The roster: everybody on it has a row."""

import pytest

from checker.intake import BadRoster, Handed, match, read_roster
from checker.rows import Learner


def roster(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return read_roster(path)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("name,email,id\nJané Doe,jane@example.org,12\n", "utf-8"),
        ("Student,ID,SIS Login ID\nPoints Possible,,\nJané Doe,12,jane@example.org\n", "utf-8-sig"),
        ("Nachname;First name;Last name;User ID\nx;Jané;Doe;12\n", "cp1252"),
        ("Identifier\tFull name\nParticipant 12\tJané Doe\n", "utf-16"),
        ("sep=;\nname;id\nJané Doe;12\n", "cp1252"),
        ("\n\nname;id\nJané Doe;12\n", "utf-8"),
        ('"Note, a, b, c";"Name";"ID"\nx;Jané Doe;12\n', "utf-8"),
        ("Student,ID,W3 (47)\n,,Manual Posting\n    Points Possible,,100\nJané Doe,12,\n", "utf-8"),
    ],
)
def test_rosters_of_all_kinds_are_read(tmp_path, text, encoding):
    """Headings, separators and encodings are those that platforms and spreadsheets write."""
    (learner,) = roster(tmp_path, text, encoding)
    assert (learner.name, learner.user_id) == ("Jané Doe", "12")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n"])
def test_a_roster_without_names_is_told(tmp_path, text):
    """A file without a known column ends in a sentence that says what is needed."""
    with pytest.raises(BadRoster, match="needs a heading line"):
        roster(tmp_path, text)


def test_who_handed_in_nothing_has_a_row(tmp_path):
    """Matched by id, e-mail, folder or name in any order of words; the rest has a row that says why."""
    listed = roster(
        tmp_path, "name,email,id,login\nJane Doe,j@x.org,12,\nBob Poe,b@x.org,13,\nCyd Öz,c@x.org,14,\nDan,,,dandan\n"
    )
    found = [
        Handed(Learner("s1", "doejane")),
        Handed(Learner("s2", "?", email="B@x.org")),
        Handed(Learner("dandan", "dandan", place="dandan")),
        Handed(Learner("stranger", "stranger")),
    ]
    rows = match(found, listed)
    assert [(each.learner.key, each.learner.name, each.problem) for each in rows] == [
        ("s1", "Jane Doe", ""), ("s2", "Bob Poe", ""), ("dandan", "Dan", ""), ("stranger", "stranger", ""),
        ("14", "Cyd Öz", "Nothing was handed in."),
    ]  # fmt: skip
    assert rows[3].learner.notes == ("Not on the roster.",)


def test_two_learners_of_one_name_are_not_guessed(tmp_path):
    """Where a name is two people's, neither is credited with the other's work."""
    listed = roster(tmp_path, "name,id\nAnn Lee,1\nAnn Lee,2\n")
    rows = match([Handed(Learner("x", "Ann Lee")), Handed(Learner("y", "?", user_id="2"))], listed)
    assert [(each.learner.key, each.problem != "") for each in rows] == [("x", False), ("y", False), ("1", True)]
