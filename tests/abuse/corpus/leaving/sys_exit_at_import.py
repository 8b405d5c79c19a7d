r"""Leaves with sys.exit while it is imported.

Named: Importing your file raised SystemExit
May earn: 0
"""

import sys

sys.exit(0)
