"""Message rates by key, as of each strategy or each symbol: a bucket for every key in one memory."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.types import SymbolIndex

TIME_BITS = 56
"""Of a time in cycles: it comes again after years."""


class Row(data.Struct):
    paid: TIME_BITS
    """Until when the messages that left have used up what is granted (ATM Forum's GCRA calls it the theoretical arrival time)."""
    parity: 1
    """Makes the number of ones in the row even."""


class MessageRate(wiring.Component):
    """Lets each key have one message every ``interval`` cycles in the long run, and up to ``window`` cycles' worth ahead.

    That is a token bucket of 1 + ``window`` / ``interval`` tokens, kept as the time until which it is paid for: a message comes too soon
    if that is further than ``window`` in the future. Limits count as they stand one cycle after ``look``.

    Parameters
    ----------
    keys : int

    Ports
    -----
    interval, window : In(32)
        ``interval`` 0: nothing comes too soon.
    look : In(1), key : In(SymbolIndex)
        Pulse: a message of this key asks to pass; one of a key that is not there is refused by others.
    second : In(1)
        One cycle after ``look``: it passes only with the one that ``keep`` has kept, after it.
    fast : Out(1)
        Two cycles after ``look``: it comes too soon.
    odd : Out(1)
        One cycle after ``look``: the key's row has lost a bit.
    keep : In(1)
        Pulse, two cycles after ``look``: another one will be looked for that passes only with this one.
    spend : In(1)
        Pulse, three cycles after ``look`` or later, before the next one: it passes.
    spend_kept : In(1)
        Pulse, later, before the next ``look``: so did the one that was kept.
    clear : In(1)
        Pulse: no key has used anything.
    """

    LATENCY = 2

    def __init__(self, keys: int):
        super().__init__({
            "interval": In(32), "window": In(32), "look": In(1), "key": In(SymbolIndex), "second": In(1), "fast": Out(1), "odd": Out(1),
            "keep": In(1), "spend": In(1), "spend_kept": In(1), "clear": In(1),
        })
        self._keys = keys

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=Row, depth=self._keys, init=[], attrs={"ram_style": "distributed"})
        self.rows, write = memory.data, memory.write_port()
        read = memory.read_port(transparent_for=[write])
        now, used = Signal(TIME_BITS), Signal(self._keys)  # keys that have a row
        key, kept_key = Signal.like(self.key), Signal.like(self.key)
        paid, kept = Signal(TIME_BITS), Signal(TIME_BITS)  # with the message that asks; with the one that was kept
        before, same, has, looked = Signal(TIME_BITS), Signal(), Signal(), Signal()
        asked, base, ahead = Signal(TIME_BITS), Signal(TIME_BITS), Signal(signed(TIME_BITS))  # as they stood one cycle after ``look``
        interval, window, with_it = Signal(32), Signal(32), Signal(TIME_BITS)
        m.d.comb += [
            read.addr.eq(self.key), read.en.eq(self.look), self.odd.eq(has & read.data.as_value().xor()),
            same.eq(self.second & (key == kept_key)),
            before.eq(Mux(same, kept, Mux(has, read.data.paid, now))),
            self.fast.eq((interval != 0) & (ahead > window)), with_it.eq(Mux(ahead < 0, asked, base) + interval),
            write.en.eq(self.spend | self.spend_kept & (key != kept_key)),
            write.addr.eq(Mux(self.spend_kept, kept_key, key)), write.data.paid.eq(Mux(self.spend_kept, kept, paid)),
            write.data.parity.eq(write.data.paid.xor()),
        ]
        m.d.sync += [now.eq(now + 1), looked.eq(self.look), paid.eq(with_it)]
        with m.If(looked):
            m.d.sync += [
                asked.eq(now), base.eq(before), ahead.eq(before - now), interval.eq(self.interval), window.eq(self.window)]
        with m.If(self.look):
            m.d.sync += [key.eq(self.key), has.eq(used.bit_select(self.key, 1) | write.en & (write.addr == self.key))]
        with m.If(self.keep):
            m.d.sync += [kept.eq(with_it), kept_key.eq(key)]
        with m.If(write.en):
            m.d.sync += used.bit_select(write.addr, 1).eq(1)
        with m.If(self.clear):
            m.d.sync += used.eq(0)
        return m
