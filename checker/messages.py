"""What the grader and the runner say to each other: the only thing that crosses the wall.

Every message is one frame: four bytes of length (big-endian), then msgpack.  The grader decodes what
comes from the runner with these types and nothing else, so a message is either exactly one of them or
it is `Malformed`.  docs/protocol.md tells the legal orders.

Times are virtual seconds as the run's clock shows them, which does not begin at 0.
"""

from __future__ import annotations

import math
import struct
from typing import Annotated

import msgspec

from checker.values import ErrorValue, Frame, Malformed, Value

MAX_FRAME = 1 << 20
"""Bytes of one message from the runner; a longer one ends the run."""

MAX_WAITING = 50_000
"""Tasks and threads that one message may tell of; two bytes of each would do, and there were 500,000 in a message."""

THREAD_DIED = " died of "
"""Stands in the complaint about a thread between its name and the error that ended it."""

_LENGTH = struct.Struct(">I")
HEADER = _LENGTH.size


# --- from the runner ----------------------------------------------------------------------------


class Loaded(msgspec.Struct, tag="loaded", array_like=True):
    """The submission has been imported; the scenario begins."""


class Start(msgspec.Struct, tag="start", array_like=True):
    """A collaborator handed in by the stage was called."""

    call: int
    label: str
    args: list[Value] = []
    keywords: dict[str, Value] = {}
    task: str | None = None
    thread: str | None = None
    process: int | None = None
    parent: int | None = None


class Cancelled(msgspec.Struct, tag="cancelled", array_like=True):
    """A call's coroutine met a cancellation; the grader answers with `Cleanup`."""

    call: int


class Dropped(msgspec.Struct, tag="dropped", array_like=True):
    """A call's coroutine was closed or thrown away before it ended."""

    call: int


class Wait(msgspec.Struct, tag="wait", array_like=True):
    """Nothing is ready in the runner, whose own next timer is at `until`; answered by `Now`, `Strike` or `Halt`."""

    until: float | None
    point: bool = False
    """Whether it is a suspension point: there is a task that a sweep might cancel instead."""


class Blocked(msgspec.Struct, tag="blocked", array_like=True):
    """The loop's thread has been blocked since `since`, at a line of the submission."""

    since: float
    line: int | None = None


class Note(msgspec.Struct, tag="note", array_like=True):
    """The scenario notes a value, or a plain callback of the stage was called."""

    label: str
    value: Value
    thread: str | None = None


class Returned(msgspec.Struct, tag="returned", array_like=True):
    """The scenario has returned."""

    value: Value


class Raised(msgspec.Struct, tag="raised", array_like=True):
    """The scenario has raised."""

    error: ErrorValue


class Refused(msgspec.Struct, tag="refused", array_like=True):
    """The submission could not be played: it does not compile, load or fit the kata's signatures.

    `kind` is `syntax`, `import` or `contract`, or `scenario` where that cannot be loaded, or `sandbox` where it needs
    what is kept from it; `error` an error of the submission's own, if there is one.
    """

    kind: str
    message: str
    line: int | None = None
    column: int | None = None
    error: ErrorValue | None = None


class Stopped(msgspec.Struct, tag="stopped", array_like=True):
    """The runner ended the run itself; `reason` is `halt`, `cpu`, `wall`, `memory` or `turns`."""

    reason: str
    waiting: Annotated[list[Waiting], msgspec.Meta(max_length=MAX_WAITING)] = []


class Waiting(msgspec.Struct, array_like=True, frozen=True):
    """A task or thread that was still there at the end, and the submission's line where it stood."""

    name: str
    frames: list[Frame] = []
    holds: str = ""


class TaskTold(msgspec.Struct, array_like=True, frozen=True):
    """What the runner says of one task."""

    name: str
    created: float
    ended: float | None
    outcome: str | None


class Told(msgspec.Struct, tag="told", array_like=True):
    """The runner's last message: what only it can see. Good for feedback and hygiene, never evidence."""

    tasks: Annotated[list[TaskTold], msgspec.Meta(max_length=MAX_WAITING)] = []
    leaks: Annotated[list[Waiting], msgspec.Meta(max_length=MAX_WAITING)] = []
    complaints: list[str] = []


FromRunner = Loaded | Start | Cancelled | Dropped | Wait | Blocked | Note | Returned | Raised | Refused | Stopped | Told


# --- from the grader ----------------------------------------------------------------------------


class Ended(msgspec.Struct, array_like=True):
    """A call has ended by the world's clock, with this result or error."""

    call: int
    value: Value
    failed: bool = False


class Now(msgspec.Struct, tag="now", array_like=True):
    """The world's time, and the calls that ended by then, in order."""

    time: float
    ended: list[Ended] = []


class Strike(msgspec.Struct, tag="strike", array_like=True):
    """Cancel the task that a sweep is about, now and instead of waiting; nobody is told before at which point."""


class Cleanup(msgspec.Struct, tag="cleanup", array_like=True):
    """What a cancelled call does: `now` raise at once, `later` when `Ended` comes, `ignore` it."""

    how: str


class Halt(msgspec.Struct, tag="halt", array_like=True):
    """The run is over: say what everything waits for (`Stopped`) and exit."""

    reason: str


ToRunner = Now | Strike | Cleanup | Halt


# --- control: grader and the sandbox's first process -----------------------------------------------


class Limits(msgspec.Struct, array_like=True, frozen=True):
    """Real limits of one run: seconds of wall and CPU time, bytes of memory and files, processes.

    Args:
        memory: bytes, for each process (of address space) and for all of them together (in use).
        files: descriptors of a process.
        file_size: bytes of one file.
        processes: processes and threads.
        turns: turns of the event loop without progress.
        disk: bytes of all files together.
        entries: files and folders.
    """

    wall: float = 20.0
    cpu: int = 4
    memory: int = 1 << 30
    files: int = 256
    file_size: int = 8 << 20
    processes: int = 128
    turns: int = 50_000
    disk: int = 32 << 20
    entries: int = 10_000


class Signature(msgspec.Struct, array_like=True, frozen=True):
    """One name that a kata must define. `kind`: `async`, `plain`, `generator` or `class`."""

    name: str
    kind: str
    parameters: list[str] = []


class Play(msgspec.Struct, tag="play", array_like=True):
    """Play one scenario with one submission; comes with the run's channel and its output file."""

    kata: str
    source: bytes
    signatures: list[Signature]
    scenario: bytes
    wall_clock: float
    limits: Limits = Limits()
    importable: bool = False
    alone: bool = False
    """Whether it needs a process in which nothing has run before."""
    network: bool = False


class Kill(msgspec.Struct, tag="kill", array_like=True):
    """End the run that is under way, and all its processes."""


Control = Play | Kill


class Up(msgspec.Struct, tag="up", array_like=True):
    """The sandbox's first process has loaded and takes orders."""


class Gone(msgspec.Struct, tag="gone", array_like=True):
    """The run is over.

    Args:
        code: as `os.waitstatus_to_exitcode` gives it.
        shared: whether its process had played another run of the same submission before.
        excess: what it was killed for using too much of: `memory`, `disk`, `entries` or `processes`.
        used: so much of it.
        limit: of so much that is allowed.
        clean: whether nothing is left of it; otherwise the sandbox is of no use any more.
        cpu: processor seconds that its first process has used; 0 where that lives on.
        fault: why that process was never fit for a run; empty if it was. Nothing of a submission has been run then.
    """

    code: int
    shared: bool = False
    excess: str = ""
    used: int = 0
    limit: int = 0
    clean: bool = True
    cpu: float = 0.0
    fault: str = ""


FromZygote = Up | Gone


# --- frames ---------------------------------------------------------------------------------------

_encoder = msgspec.msgpack.Encoder()
encode_body = _encoder.encode
decode_from_runner = msgspec.msgpack.Decoder(FromRunner).decode
decode_to_runner = msgspec.msgpack.Decoder(ToRunner).decode
decode_control = msgspec.msgpack.Decoder(Control).decode
decode_from_zygote = msgspec.msgpack.Decoder(FromZygote).decode


def frame(message: msgspec.Struct) -> bytes:
    """The bytes of one message, length first."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


def frame_length(header: bytes) -> int:
    """The length of the body that follows a frame's four header bytes."""
    (length,) = _LENGTH.unpack(header)
    return int(length)


def decode_untrusted(body: bytes) -> FromRunner:
    """Decode a body that the submission may have written.

    Raises:
        Malformed: it is no message, or holds a number that is not finite, or nests too deep.
    """
    if len(body) > MAX_FRAME:
        raise Malformed(f"a message of {len(body)} bytes; at most {MAX_FRAME} are read")
    try:
        message: FromRunner = decode_from_runner(body)
    except RecursionError:
        raise Malformed("a message nested without end") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed(f"no message of the protocol: {error}") from None
    if isinstance(message, Wait) and message.until is not None and not math.isfinite(message.until):
        raise Malformed("a waiting time that is no finite number")
    if isinstance(message, Blocked) and not math.isfinite(message.since):
        raise Malformed("a blocking time that is no finite number")
    return message
