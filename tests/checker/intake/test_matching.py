"""Work is matched with the roster: never somebody else's, nobody twice, and a row for everybody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.intake import Handed, match, read_roster
from checker.intake.matching import ABSENT, UNSURE, _plain
from checker.rows import Learner


@pytest.fixture
def matched(tmp_path):
    """`matched(roster, *found)`: key, name, id and last note of each row, for a roster's text and learners."""

    def matched(text, *found):
        (tmp_path / "roster.csv").write_text(text)
        rows = match([Handed(each) for each in found], read_roster(tmp_path / "roster.csv"))
        return [(row.learner.key, row.learner.name, row.learner.user_id, row.learner.notes[-1:]) for row in rows]

    return matched


def folder(name):
    """A learner whose work is a folder of that name."""
    return Learner(name, name, place=name)


NOTHING = ("Handed in nothing.",)


def test_a_name_of_the_same_letters_is_another_persons(matched):
    """Words may change places, letters may not."""
    assert matched("name,id\nMay Lee,2\nTom Ray,3\n", folder("Amy Lee"), folder("raytom")) == [
        ("Amy Lee", "Amy Lee", "", (ABSENT,)),
        ("raytom", "Tom Ray", "3", ()),
        ("2", "May Lee", "2", NOTHING),
    ]


def test_a_name_as_it_stands_comes_before_other_orders_of_its_words(matched):
    """Two people may have the same words for names."""
    assert matched("name,id\nLee Amy,1\nAmy Lee,2\n", folder("Amy Lee")) == [
        ("Amy Lee", "Amy Lee", "2", ()),
        ("1", "Lee Amy", "1", NOTHING),
    ]


def test_who_is_in_two_groups_has_one_row(matched):
    """A second line with the same id and name says nothing new."""
    assert matched("name,id,section\nAnna A,anna,A\nAnna A,anna,B\nBob B,bob,A\n", folder("Anna")) == [
        ("Anna", "Anna A", "anna", ()),
        ("bob", "Bob B", "bob", NOTHING),
    ]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("name,id\nA One,n/a\nB Two,n/a\nC Three,n/a\n", ["A One", "B Two", "C Three"]),
        ("name\nLi Wei\nLi Wei\nLi Wei\n", ["Li Wei", "Li Wei (roster)", "Li Wei (roster) #2"]),
        ("name,email\nA One,x@y.z\nB Two,x@y.z\n", ["x@y.z", "x@y.z (roster)"]),
    ],
)
def test_everybody_has_a_row_whatever_is_there_twice(matched, text, keys):
    """An id that several people have is none."""
    assert [key for key, *_ in matched(text)] == keys


def test_an_id_comes_before_every_name(matched):
    """Whatever the order: first everybody is looked for by id, then the others by name."""
    first, second = (Learner(number, "leewei", user_id=number, place=number) for number in ("21", "22"))
    listed = "name,email,id\nWei Lee,wei22@x.org,22\n"
    alone, found = ("21", "leewei", "21", (UNSURE,)), ("22", "Wei Lee", "22", ())
    assert matched(listed, first, second) == [alone, found]
    assert matched(listed, second, first) == [found, alone]


def test_the_schools_number_of_one_may_be_the_platforms_of_another(matched):
    """In Canvas's download a number is Canvas's own, whatever else it may be."""
    listed = "Student,ID,SIS User ID\nAnn A,1,2\nBob B,2,1\n"
    one, two = (Learner(number, "?", user_id=number, place=number) for number in ("1", "2"))
    assert matched(listed, one, two) == [("1", "Ann A", "1", ()), ("2", "Bob B", "2", ())]
    assert matched(listed, folder("1"))[0] == ("1", "1", "", (UNSURE,))


def test_two_submissions_of_one_person_are_both_on_the_roster(matched):
    """Whoever handed in twice is known both times."""
    twice = [Learner(key, "?", email="a@x.org", place=key) for key in ("s1", "s2")]
    assert [row[1:] for row in matched("name,email,id\nAnn,A@x.org,7\n", *twice)] == [("Ann", "7", ())] * 2


def test_folders_named_by_e_mail_are_found(matched):
    """The folder's name is looked for in every column that may hold it."""
    assert matched("id,name,email\n1,Anna A,anna@x.org\n", folder("Anna@x.org")) == [("Anna@x.org", "Anna A", "1", ())]


def test_checkouts_named_by_assignment_and_login_are_found(matched):
    """GitHub Classroom puts the assignment before the login, in every folder's name."""
    listed = "identifier,github_username,name\n1,anna,Anna A\n2,li-wei,Li Wei\n"
    assert matched(listed, folder("week-3-anna"), folder("week-3-li-wei")) == [
        ("week-3-anna", "Anna A", "1", ()),
        ("week-3-li-wei", "Li Wei", "2", ()),
    ]


NAMES = st.text("abé -,", min_size=1, max_size=8).filter(str.strip)


@given(st.lists(NAMES, max_size=6), st.lists(st.tuples(NAMES, st.sampled_from(["", "1", "2", "n/a"])), max_size=6))
def test_nobody_is_lost_and_nothing_is_given_twice(folders, listed):
    """A row for each submission, in its order, and for each line that no submission has; keys differ."""
    found = [Learner(f"{number}", name, place=name) for number, name in enumerate(dict.fromkeys(folders))]
    roster = [Learner(user_id or name, name, user_id=user_id) for name, user_id in listed]
    rows = match([Handed(each) for each in found], roster)
    assert [row.learner.key for row in rows[: len(found)]] == [each.key for each in found]
    assert len({row.learner.key for row in rows}) == len(rows)
    known = [row for row in rows[: len(found)] if row.learner.notes == ()]
    assert len(known) + len(rows) - len(found) <= len(roster)
    assert {_plain(row.learner.name) for row in rows} >= {_plain(each.name) for each in roster}
