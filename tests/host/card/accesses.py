"""Counts the machine's accesses to an address with the processor's own debug registers (x86-64 Linux).

A child process stops itself before and after an act on memory; its parent has set hardware breakpoints, which trap once for each
instruction that touches the watched bytes.
"""

import ctypes
import os
import platform
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

PTRACE_TRACEME, PTRACE_PEEKUSER, PTRACE_POKEUSER, PTRACE_CONT = 0, 3, 6, 7
DEBUG_REGISTERS = 848
"""Offset of u_debugreg in struct user."""

STORE, ACCESS = 0b01, 0b11
FOUR_BYTES = 0b11
"""Type and length of a breakpoint, as debug register 7 codes them."""


class Accesses(NamedTuple):
    """Instructions that touched a word, and each of its neighbours."""

    word: int
    before: int
    after: int


class NotAvailableError(Exception):
    """This machine does not let us set hardware breakpoints."""


def count_accesses(act: Callable[[], object], address: int, *, kind: int = ACCESS) -> Accesses:
    """Runs ``act`` in a forked child and counts its loads and stores (or only stores) of the word at an address."""
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        raise NotAvailableError("hardware breakpoints are read on x86-64 Linux only")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long

    child = os.fork()
    if child == 0:
        libc.ptrace(PTRACE_TRACEME, 0, None, None)
        os.kill(os.getpid(), signal.SIGSTOP)
        act()
        os.kill(os.getpid(), signal.SIGSTOP)
        os._exit(0)

    hits = [0, 0, 0]
    try:
        _wait_for_stop(child, signal.SIGSTOP)
        control = 0
        for number, place in enumerate((address, address - 4, address + 4)):
            _poke(libc, child, number, place)
            control |= 1 << 2 * number | (kind | FOUR_BYTES << 2) << 16 + 4 * number
        _poke(libc, child, 7, control)
        libc.ptrace(PTRACE_CONT, child, None, None)
        while _wait_for_stop(child) == signal.SIGTRAP:
            status = libc.ptrace(PTRACE_PEEKUSER, child, DEBUG_REGISTERS + 8 * 6, None)
            for number in range(3):
                hits[number] += status >> number & 1
            _poke(libc, child, 6, 0)
            libc.ptrace(PTRACE_CONT, child, None, None)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return Accesses(*hits)


def _poke(libc: ctypes.CDLL, child: int, register: int, value: int) -> None:
    if libc.ptrace(PTRACE_POKEUSER, child, DEBUG_REGISTERS + 8 * register, value) == -1:
        raise NotAvailableError(f"debug register {register} can't be set: {os.strerror(ctypes.get_errno())}")


def _wait_for_stop(child: int, expected: int | None = None) -> int:
    _, status = os.waitpid(child, 0)
    if not os.WIFSTOPPED(status):
        raise NotAvailableError("the child did not stop: it may not be traced here")
    stopped = os.WSTOPSIG(status)
    if expected is not None and stopped != expected:
        raise NotAvailableError(f"the child stopped by signal {stopped}, not {expected}")
    return stopped
