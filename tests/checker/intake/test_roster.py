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
        ("name,id\rJané Doe,12\r", "utf-8"),
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


@pytest.mark.parametrize(
    ("row", "name"),
    [
        ('1,5" disk,x', '5" disk'),
        ('1, "Jane" Doe,x', '"Jane" Doe'),
        ('1,"Jane" ,x', "Jane"),
        ('1,"Jane" Doe,x', "Jane Doe"),
        ('1,Jane,"two\nlines"  ,"x" ', "Jane"),
        ('1,"Jane ""J"" Doe","two\nlines, ""quoted"""', 'Jane "J" Doe'),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quotes_that_swallow_nothing_are_taken_as_they_are(tmp_path, row, name, end):
    """A quote within a cell, or behind one, spoils no other row."""
    first, last = roster(tmp_path, f"id,name,note\n{row}\n2,Bob,x\n".replace("\n", end))
    assert (first.name, last.name) == (name, "Bob")


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (['1,"Jane', "2,Bob", "3,Cyd"], 2),
        (["1,Jane", '2,"Bob', '3,"Cyd"'], 3),
        (['1,"Jane\nDoe"', '2,"Bob'], 4),
        (['1,"Jane', *["2,Bob" * 100] * 1000], 2),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_an_open_quote_is_told(tmp_path, rows, line, end):
    """It would swallow the rows below it, and with them learners."""
    with pytest.raises(BadRoster, match=rf"roster\.csv cannot be read: in the row that begins in line {line} a quote"):
        roster(tmp_path, "\n".join(["id,name", *rows]).replace("\n", end))


def test_an_open_quote_in_the_heading_is_told(tmp_path):
    """Not the heading is missing then."""
    with pytest.raises(BadRoster, match="in line 1 a quote is not closed; close it, or take it out"):
        roster(tmp_path, 'id;"name\n1;Jane\n')


def test_a_cell_that_is_too_long_is_told(tmp_path):
    """With its line; where another separator's cells would be too long, that is nothing."""
    with pytest.raises(BadRoster, match="line 3 has a cell of more than 131072 characters; shorten it"):
        roster(tmp_path, f"id,name\n1,Jane\n2,{'x' * 200_000}\n")
    (learner,) = roster(tmp_path, "id;name\n1;Jane" + f";{'x' * 1000}" * 200)
    assert learner.name == "Jane"


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


def test_ids_of_different_kinds_are_kept_apart(tmp_path):
    """Canvas's own number, the school's id and the login each have a column; nothing of it is lost on the way."""
    text = (
        'Student,ID,SIS User ID,SIS Login ID,Section,W3 (47)\n    Points Possible,,,,,100\n"Doe, Ann",4,S100,ann7,X,\n'
    )
    (listed,) = roster(tmp_path, text)
    assert (listed.name, listed.user_id, listed.sis_id, listed.login, listed.section) == (
        "Doe, Ann", "4", "S100", "ann7", "X",
    )  # fmt: skip
    for folder in ("4", "S100", "ann7", "ann doe"):
        (row,) = match([Handed(Learner(folder, folder, place=folder))], [listed])
        found = row.learner
        assert (found.user_id, found.sis_id, found.login, found.section) == ("4", "S100", "ann7", "X")


@pytest.mark.parametrize(
    ("heading", "found"),
    [
        ("ID", ("x", "", "")),
        ("User ID", ("x", "", "")),
        ("SIS User ID", ("", "x", "")),
        ("Student ID", ("", "x", "")),
        ("ID number", ("", "x", "")),
        ("SID", ("", "x", "")),
        ("Username", ("", "", "x")),
        ("SIS Login ID", ("", "", "x")),
        ("GitHub username", ("", "", "")),
    ],
)
def test_a_lone_column_is_what_its_heading_says(tmp_path, heading, found):
    """A number of the school's is none of the platform's, and a login at GitHub none there; all of them make known."""
    (listed,) = roster(tmp_path, f"name,{heading}\nAnn,x\n")
    assert (listed.user_id, listed.sis_id, listed.login) == found
    assert listed.key == "x"
    (row,) = match([Handed(Learner("x", "?", place="x"))], [listed])
    assert row.learner.name == "Ann"


def test_a_school_id_that_several_have_is_none(tmp_path):
    """As with any other id."""
    listed = roster(tmp_path, "name,student id\nA One,n/a\nB Two,n/a\n")
    assert [(row.learner.key, row.learner.sis_id) for row in match([], listed)] == [("A One", ""), ("B Two", "")]
