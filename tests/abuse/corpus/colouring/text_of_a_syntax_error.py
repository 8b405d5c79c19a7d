r"""Does not compile, and the compiler's words for it quote control characters and markup.

Named: SyntaxError
May earn: 0
"""

import asyncio
import inspect

x = "<b>::error::x[red]"
def ::error::\x1b[31m([31m):
