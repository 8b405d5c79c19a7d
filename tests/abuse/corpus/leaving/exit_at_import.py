r"""Ends its process while it is imported.

Named: Importing your file does not come to its end: it ended its own process
May earn: 0
"""

import os

os._exit(0)
