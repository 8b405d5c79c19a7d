r"""Tells of a syntax error of its own invention, in a column that no line has.

Named: SyntaxError
May earn: -
"""

import gc
import os

from checker import messages

[link] = [thing for thing in gc.get_objects() if type(thing).__name__ == "Link"]
link.send(messages.Refused("syntax", "SyntaxError: \x1b[31mnothing", 1, 10**18))
link.send(messages.Told())
os._exit(0)
