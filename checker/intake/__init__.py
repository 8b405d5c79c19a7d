"""Takes in what a learning platform's download or a teacher's folder holds: who handed in what.

Nothing is unpacked or run; kata files are found, read as bytes with caps, and everything else is left alone.
"""

from checker.intake.layouts import LAYOUTS, Handed, Intake, take_in
from checker.intake.matching import match
from checker.intake.roster import BadRoster, read_roster
from checker.intake.tree import Unreadable

__all__ = ["LAYOUTS", "BadRoster", "Handed", "Intake", "Unreadable", "match", "read_roster", "take_in"]
