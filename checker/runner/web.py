"""The fake web: aioresponses, with the world deciding when a page's head and body arrive.

Nothing of a page is in the runner before the world has ended the request: the status comes with the
head, the text with the body, and the body streams in only when its time has come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientResponse, ClientSession
from aiohttp.base_protocol import BaseProtocol
from aiohttp.streams import StreamReader
from aioresponses import aioresponses
from aioresponses.core import RequestMatch
from yarl import URL

from checker.runner.link import Call, Link


class Web(aioresponses):
    """Every url answers, as the world says. Entered and left like any aioresponses.

    Args:
        link: the wire to the world.
        play: lives through one call, cancellation included.
    """

    def __init__(self, link: Link, play: Callable[[Call], Awaitable[Any]]) -> None:
        super().__init__()
        self._link = link
        self._play = play
        self._sessions: list[ClientSession] = []
        self._asking = 0

    async def _request_mock(self, orig_self: ClientSession, method: str, url: Any, *args: Any, **kwargs: Any) -> Any:
        if not any(orig_self is session for session in self._sessions):
            self._sessions.append(orig_self)
        self._asking = next(place for place, session in enumerate(self._sessions) if session is orig_self)
        return await super()._request_mock(orig_self, method, url, *args, **kwargs)

    async def match(self, method: str, url: URL, allow_redirects: bool = True, **kwargs: Any) -> ClientResponse:  # noqa: ARG002
        """One request, up to its head; its body is on the way when this returns."""
        shown = str(url)
        request = self._link.open("request", (shown,), {"method": method, "session": self._asking})
        status = await self._play(request)
        matcher = RequestMatch(shown, method=method, status=int(status), content_type="text/html")
        response: Any = matcher._build_response(
            url=url,
            method=method,
            request_headers=kwargs.get("headers"),
            status=int(status),
            content_type="text/html; charset=utf-8",
            response_class=_response_class(self._link, self._link.open("body", (shown,), {}, parent=request.number)),
            reason=matcher.reason,
        )
        response.arrive()
        return response  # type: ignore[no-any-return]


def _response_class(link: Link, body: Call) -> type[ClientResponse]:
    """A response class for one response, since aioresponses takes a class and makes the object itself."""

    class WorldResponse(ClientResponse):
        """A response whose body comes when the world says so."""

        _on_its_way = True

        def arrive(self) -> None:
            loop = asyncio.get_running_loop()
            protocol = BaseProtocol(loop=loop)
            protocol.transport = asyncio.Transport()  # a reader waits only on a protocol that has one
            content = StreamReader(protocol, limit=2**16, loop=loop)
            self.content = content

            def end(value: Any, failed: bool) -> None:
                self._on_its_way = False
                if failed:
                    content.set_exception(value)
                else:
                    content.feed_data(str(value).encode())
                    content.feed_eof()

            body.loop, body.on_end = loop, end

        def _let_go(self) -> None:
            """The response is given back before its body was there: the request is broken off."""
            if self._on_its_way:
                self._on_its_way = False
                link.cancelled(body)

        def release(self) -> Any:
            self._let_go()
            return super().release()

        def close(self) -> None:
            self._let_go()
            super().close()

    return WorldResponse
