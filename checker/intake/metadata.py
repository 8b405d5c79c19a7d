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

    raw = tree.read(path, MAX_METADATA)
    try:
        data = yaml.load(raw, _loader())  # noqa: S506
        submissions = {str(name): facts for name, facts in data.items()} if isinstance(data, Mapping) else None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        what = str(error).partition("\n")[0]
        raise Unreadable(f"{path} cannot be read ({what}); export the submissions again.") from error
    except Exception as error:  # PyYAML's own, whatever it comes upon: `!!int ""` is an IndexError
        raise Unreadable(
            f"{path} cannot be read: it holds a number that is far too long, or a date or another value that there is"
            " not; export the submissions again."
        ) from error
    if submissions is None:
        raise Unreadable(f"{path} holds no list of submissions; export them again.")
    return {name: facts for name, facts in submissions.items() if isinstance(facts, Mapping)}


def _loader() -> Any:
    """PyYAML's safe loader, which makes no objects; merge keys it refuses, since it would copy what they merge.

    Gradescope writes none.  Up to PyYAML 6.0.3 a few lines of them grow without end, and since then their number
    times that of the keys: 100 KB take a minute and half a gigabyte.
    """
    import yaml

    def flatten_mapping(self: Any, node: Any) -> None:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(problem="it holds a merge key, <<", problem_mark=key.start_mark)
        base.flatten_mapping(self, node)

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return type("Loader", (base,), {"flatten_mapping": flatten_mapping})


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
