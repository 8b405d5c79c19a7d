"""For all tests here."""

import asyncio


def pytest_sessionstart() -> None:
    """No current loop to begin with: pytest-asyncio would make one just to put it back, and leave it open."""
    asyncio.set_event_loop(None)
