"""Gradescope's metadata: whose each submission of an export is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checker.intake.tree import Tree, Unreadable

METADATA = "submission_metadata.yml"
MAX_METADATA = 32 << 20


def read_metadata(tree: Tree, path: str) -> dict[str, Mapping[str, Any]]:
    """The facts about each submission, by the name of its folder.

    Raises:
        Unreadable: the file is damaged, or holds something else.
    """
    import yaml

    try:
        data = yaml.load(tree.read(path, MAX_METADATA), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
        submissions = {str(name): facts for name, facts in data.items()} if isinstance(data, Mapping) else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            f"{path} cannot be read ({str(error).splitlines()[0]}); export the submissions again."
        ) from error
    except (ValueError, OverflowError) as error:
        raise Unreadable(
            f"{path} cannot be read: it holds a number that is far too long, or a date that there is not; export the"
            " submissions again."
        ) from error
    if submissions is None:
        raise Unreadable(f"{path} holds no list of submissions; export them again.")
    return {name: facts for name, facts in submissions.items() if isinstance(facts, Mapping)}


def text(value: object) -> str:
    """A text or number of the metadata; anything else is none, since aliases can make it endless."""
    try:
        return str(value)[:1000] if isinstance(value, str | int) else ""
    except ValueError:  # a number of thousands of digits, written in another base
        return ""


def people(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Who handed in a submission."""
    submitters = facts.get(":submitters")
    return [each for each in submitters if isinstance(each, Mapping)] if isinstance(submitters, list) else []
