"""Assembles system call filters: classic BPF, by hand, since libseccomp is a C library.

A filter is a list of refusals; what none of them names is allowed.  Facts: seccomp(2), linux/audit.h.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable
from typing import NamedTuple

LOAD, AND, RETURN = 0x20, 0x54, 0x06
JUMP_EQUAL, JUMP_GREATER, JUMP_GREATER_EQUAL = 0x15, 0x25, 0x35
NUMBER, ARCH, FIRST_ARGUMENT = 0, 4, 16
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
ALL_BITS = 0xFFFFFFFF
ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


class When(NamedTuple):
    """A condition on the lower half of one argument: `argument & mask` compared with `value`, unsigned."""

    argument: int
    comparison: str
    """`is`, `is not`, `below` or `above`."""
    value: int
    mask: int = ALL_BITS


class Refusal(NamedTuple):
    """A call that fails with `error` where all conditions hold."""

    call: int
    when: tuple[When, ...] = ()
    error: int = errno.EPERM


def assemble(machine: str, refusals: Iterable[Refusal]) -> bytes:
    """The filter for a machine named in `ARCHES`."""
    code = [_jump(JUMP_EQUAL, ARCHES[machine], 1, 0)]
    code = [_step(LOAD, ARCH), *code, _step(RETURN, KILL), _step(LOAD, NUMBER)]
    if machine == "x86_64":  # the x32 calls, with numbers of their own
        code += [_jump(JUMP_GREATER_EQUAL, 0x40000000, 0, 1), _step(RETURN, KILL)]
    for refusal in refusals:
        code += _refuse(refusal)
    return b"".join([*code, _step(RETURN, ALLOW)])


def here() -> str | None:
    """This machine, if filters can be assembled for it."""
    machine = platform.machine()
    return machine if machine in ARCHES else None


def _refuse(refusal: Refusal) -> list[bytes]:
    verdict = _step(RETURN, ERRNO | refusal.error)
    if not refusal.when:
        return [_jump(JUMP_EQUAL, refusal.call, 0, 1), verdict]
    # Backwards, since each condition that fails skips all that follows up to the number's reload.
    rest = [verdict]
    for when in reversed(refusal.when):
        rest = [*_test(when, skip=len(rest)), *rest]
    return [_jump(JUMP_EQUAL, refusal.call, 0, len(rest) + 1), *rest, _step(LOAD, NUMBER)]


def _test(when: When, skip: int) -> list[bytes]:
    load = [_step(LOAD, FIRST_ARGUMENT + 8 * when.argument)]
    if when.mask != ALL_BITS:
        load.append(_step(AND, when.mask))
    value = when.value & ALL_BITS
    return [
        *load,
        {
            "is": _jump(JUMP_EQUAL, value, 0, skip),
            "is not": _jump(JUMP_EQUAL, value, skip, 0),
            "above": _jump(JUMP_GREATER, value, 0, skip),
            "below": _jump(JUMP_GREATER_EQUAL, value, skip, 0),
        }[when.comparison],
    ]


def _step(code: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, 0, 0, value)


def _jump(code: int, value: int, true: int, false: int) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)
