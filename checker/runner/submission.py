"""Loads a submission from its text, and holds it to its kata's signatures."""

from __future__ import annotations

import functools
import inspect
import io
import linecache
import os
import sys
import types
import warnings
from typing import Any

from checker import messages
from checker.runner import encode
from checker.values import with_article


class CannotPlay(BaseException):
    """The submission cannot be played; `told` says why, in a sentence for the learner.

    No `Exception`, since scenarios and submissions catch these.
    """

    def __init__(self, told: messages.Refused) -> None:
        super().__init__(told.message)
        self.told = told


def load(kata: str, source: bytes, folder: str | None) -> types.ModuleType:
    """Compile and run the submission as a module of its own.

    Args:
        folder: where to put a copy that child processes can import by name; None: nowhere.

    Raises:
        CannotPlay: it does not compile, or raises on import.
    """
    text = source.decode("utf-8-sig")
    name = f"{kata}.py"
    encode.submission_file = name
    # Tracebacks that the submission prints itself then show its lines.
    linecache.cache[name] = (len(text), None, io.StringIO(text, newline=None).readlines(), name)
    module = types.ModuleType(kata)
    module.__file__ = name
    sys.modules[kata] = module
    if folder is not None:
        module.__file__ = os.path.join(folder, name)
        with open(module.__file__, "wb") as file:
            file.write(source)
        sys.path.insert(0, folder)
    try:
        code = _compiled(text, name)
    except SyntaxError as error:
        raise CannotPlay(
            messages.Refused("syntax", f"{type(error).__name__}: {error.msg}", error.lineno, error.offset)
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise CannotPlay(
            messages.Refused("syntax", f"It does not compile: {str(error) or 'it is nested too deeply'}.")
        ) from None
    try:
        exec(code, module.__dict__)
    except BaseException as error:  # whatever an import raises, SystemExit too, is a refusal
        told = encode.encode_error(error)
        line = told.frames[-1].line if told.frames else None
        text = f"{told.shown}: {told.message}" if told.message else told.shown
        raise CannotPlay(messages.Refused("import", f"Importing your file raised {text}", line, error=told)) from None
    return module


@functools.lru_cache(maxsize=1)
def _compiled(text: str, name: str) -> types.CodeType:
    """The submission's code: a process that plays it again need not compile it again."""
    # What the compiler warns of, such as a "\d" in a text, is nothing that the code does.
    with warnings.catch_warnings(action="ignore"):
        return compile(text, name, "exec", dont_inherit=True)


class Kata:
    """The submission as a scenario sees it: its names, held to the kata's signatures when they are used.

    The check is one of behaviour: a decorated or hand-made callable that gives an awaitable is as good as
    an `async def`.
    """

    def __init__(self, module: types.ModuleType, signatures: list[messages.Signature]) -> None:
        self._module = module
        self._signatures = {signature.name: signature for signature in signatures}

    def __getattr__(self, name: str) -> Any:
        signature = self._signatures.get(name)
        try:
            thing = getattr(self._module, name)
        except AttributeError:
            what = "class" if signature is not None and signature.kind == "class" else "function"
            raise CannotPlay(_contract(f"Your file defines no {what} `{name}`.")) from None
        if signature is None:
            return thing
        if signature.kind == "class":
            if not isinstance(thing, type) and not callable(thing):
                raise CannotPlay(_contract(f"`{name}` must be a class; it is {_a(thing)}."))
            return thing
        if not callable(thing):
            raise CannotPlay(_contract(f"`{name}` must be a function; it is {_a(thing)}."))
        return self._held(thing, signature)

    def _held(self, function: Any, signature: messages.Signature) -> Any:
        @functools.wraps(function, updated=())
        def call(*args: Any, **keywords: Any) -> Any:
            try:
                result = function(*args, **keywords)
            except TypeError as error:
                # Raised by the call itself, and not by anything that it has run.
                if error.__traceback__ is not None and error.__traceback__.tb_next is None:
                    _explain(function, signature, args, keywords)
                raise
            awaitable = inspect.isawaitable(result)
            if signature.kind == "async" and not awaitable:
                raise CannotPlay(
                    _contract(
                        f"`{signature.name}` must be an `async def`: calling it gave {_a(result)}, nothing to await."
                    )
                )
            if signature.kind == "plain" and inspect.iscoroutine(result):
                result.close()
                raise CannotPlay(
                    _contract(f"`{signature.name}` must be a plain function (`def`): calling it gave a coroutine.")
                )
            if signature.kind == "generator" and not hasattr(result, "__anext__"):
                if inspect.iscoroutine(result):
                    result.close()
                raise CannotPlay(
                    _contract(
                        f"`{signature.name}` must be an async generator (`async def` with `yield`):"
                        f" calling it gave {_a(result)}."
                    )
                )
            if signature.kind == "async" and inspect.iscoroutine(result):
                return _checked(result, signature.name)
            return result

        return call


async def _checked(coroutine: Any, name: str) -> Any:
    result = await coroutine
    if inspect.iscoroutine(result):
        if inspect.getcoroutinestate(result) == inspect.CORO_CLOSED:
            raise CannotPlay(_contract(f"`{name}` returned a coroutine that has ended already, not what came of it."))
        result.close()
        raise CannotPlay(_contract(f"`{name}` returned a coroutine that nobody awaited; `await` it inside."))
    return result


def _explain(function: Any, signature: messages.Signature, args: Any, keywords: Any) -> None:
    """Refuse a call that did not come off, if the parameters show why.

    Only then, since what they show may be wrong: of a callable object with a static `__call__`, say, or where a
    decorator has written a `__signature__`.
    """
    try:
        # Of the function that is called: what it wraps may have other parameters.
        parameters = inspect.signature(function, follow_wrapped=False)
    except Exception:  # of whatever kind: a `__signature__` may be the submission's own code
        return
    try:
        parameters.bind(*args, **keywords)
    except TypeError:
        shown = [f"{name}=…" if name in keywords else name for name in signature.parameters]
        wanted = f"{signature.name}({', '.join(shown)})"
        raise CannotPlay(
            _contract(f"`{signature.name}{parameters}` cannot be called as the kata calls it: `{wanted}`.")
        ) from None


def _contract(text: str) -> messages.Refused:
    return messages.Refused("contract", text)


def _a(thing: Any) -> str:
    if thing is None:
        return "None"
    return with_article(type.__dict__["__name__"].__get__(type(thing)))
