r"""Raises at import an error that is full of codes, with a workflow command at the start of a line.

Named: RuntimeError
May earn: -
"""

raise RuntimeError("\x1b[31mRED\x1b]0;title\x07\u202eevil\n::error ::pwned by import\n\x1b[2J")
