"""What is held and what is at work in every symbol, exact between one order and the next."""

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.types import OrderReply, ReplyKind, Shares, Side, SymbolIndex

Position = signed(33)
"""Shares held: positive long, negative short."""


class ExposureState(data.Struct):
    position: Position
    working_buy: Shares
    working_sell: Shares


class Row(data.Struct):
    """What the memory holds of a symbol."""

    state: ExposureState
    parity: 1
    """Makes the number of ones in the row even."""


class Exposure(wiring.Component):
    """Position and working shares of each symbol, over all venues. One operation at a time.

    An operation begins in a cycle t with ``look``, the last one before it ends; it ends with ``reserve`` in cycle t+2 or later, or with
    ``settle`` in cycle t+1, or with nothing. The next one may begin in the cycle of ``reserve``.

    Parameters
    ----------
    symbols : int

    Ports
    -----
    look : In(1)
        Reads the state of both symbols, with what a ``reserve`` of the same cycle does; not in the cycle of a ``settle``.
    order_symbol : In(SymbolIndex)
        Of the order in question.
    reply_symbol : In(SymbolIndex)
        Of the reply in question.
    side, shares : In
        Of the order, from the cycle after ``look`` on.
    credit : In(Shares)
        Shares of the order that it replaces: what of them is working, is working already. From the cycle after ``look`` on.
    after : Out(signed(36))
        From two cycles after ``look``: what the position would be if everything working on ``side`` traded, the order
        in question with it, and what it replaces were gone; counted positive on that side (a sell's short position is positive).
    no_room : Out(1)
        Beside ``after``: working shares of the side would pass 2^32 - 1.
    reserve : In(1)
        The order leaves: its shares beyond ``credit`` are working from now on. Not with ``no_room``.
    settle : In(1)
        Applies ``reply``. It is in the memory one cycle later; the next ``look`` sees it.
    reply : In(OrderReply)
        From the cycle after ``look`` on; its ``symbol`` is the ``reply_symbol``.
    overflow : Out(1)
        With ``settle``: the position has left its 33 bits, or more stops working than worked, and what is stored is wrong.
    broken : Out(1)
        A row that was read for an order or a reply has lost a bit: two cycles after ``look``, until the next one.
    clear : In(1)
        Pulse: all of it becomes 0, in ``symbols`` cycles. So it does after reset (block RAM keeps its contents).
    clearing : Out(1)
    query_symbol : In(SymbolIndex)
    position, working_buy, working_sell : Out
        State of ``query_symbol`` of two cycles ago, a reply one cycle later; 0 for a symbol that the card does not have.
    second_symbol, second_position
        The same of another symbol.
    """

    LATENCY = 2

    def __init__(self, symbols: int):
        if not 1 <= symbols <= 256:
            raise ValueError(f"symbols must be 1 to 256, not {symbols}")
        super().__init__({
            "look": In(1),
            "order_symbol": In(SymbolIndex),
            "reply_symbol": In(SymbolIndex),
            "side": In(Side),
            "shares": In(Shares),
            "credit": In(Shares),
            "after": Out(signed(36)),
            "no_room": Out(1),
            "reserve": In(1),
            "settle": In(1),
            "reply": In(OrderReply),
            "overflow": Out(1),
            "broken": Out(1),
            "clear": In(1),
            "clearing": Out(1, init=1),
            "query_symbol": In(SymbolIndex),
            "position": Out(Position),
            "working_buy": Out(Shares),
            "working_sell": Out(Shares),
            "second_symbol": In(SymbolIndex),
            "second_position": Out(Position),
        })
        self._symbols = symbols

    def elaborate(self, platform):
        m = Module()
        # Small and read by logic at once: distributed RAM answers sooner than block RAM.
        m.submodules.memory = memory = Memory(
            shape=Row, depth=self._symbols, init=[], attrs={"ram_style": "distributed"}
        )
        self.rows = memory.data
        port = memory.write_port()
        for_order, for_reply = (memory.read_port(transparent_for=[port]) for _ in range(2))
        order_symbol, reply_symbol = Signal(range(self._symbols)), Signal(range(self._symbols))

        m.d.comb += [
            for_order.addr.eq(self.order_symbol),
            for_reply.addr.eq(self.reply_symbol),
            for_order.en.eq(self.look),
            for_reply.en.eq(self.look),
        ]
        with m.If(self.look):
            m.d.sync += [order_symbol.eq(self.order_symbol), reply_symbol.eq(self.reply_symbol)]

        self._weigh(m, for_order.data.state)
        self._settle(m, for_reply.data.state)
        odd, known = Signal(2), Signal(2)
        with m.If(self.look):
            m.d.sync += known.eq(Cat(self.order_symbol < self._symbols, self.reply_symbol < self._symbols))
        m.d.sync += odd.eq(Cat(for_order.data.as_value().xor(), for_reply.data.as_value().xor()) & known & ~self.clearing.replicate(2))
        m.d.comb += self.broken.eq(odd.any())
        answer, second = self._query(m, memory, self.query_symbol), self._query(m, memory, self.second_symbol)
        m.d.comb += [
            self.position.eq(answer.position), self.working_buy.eq(answer.working_buy), self.working_sell.eq(answer.working_sell),
            self.second_position.eq(second.position),
        ]

        # ``reserve`` is known late in its cycle: it enables the write but chooses nothing.
        settled, settled_symbol, write_settled = Signal(ExposureState), Signal.like(reply_symbol), Signal()
        m.d.sync += [settled.eq(self._settled), settled_symbol.eq(reply_symbol), write_settled.eq(self.settle)]
        after = Signal(ExposureState)
        m.d.comb += [
            port.en.eq(self.reserve | write_settled), port.addr.eq(order_symbol), after.eq(for_order.data.state),
            port.data.state.eq(after), port.data.parity.eq(after.as_value().xor()),
        ]
        with m.If(write_settled):
            m.d.comb += [port.addr.eq(settled_symbol), after.eq(settled)]
        with m.Elif(self.side == Side.BUY):
            m.d.comb += after.working_buy.eq(self._reserved)
        with m.Else():
            m.d.comb += after.working_sell.eq(self._reserved)

        walk = Signal(range(self._symbols))
        with m.If(self.clearing):
            m.d.comb += [port.en.eq(1), port.addr.eq(walk), port.data.eq(0)]
            m.d.sync += walk.eq(walk + 1)
            with m.If(walk == self._symbols - 1):
                m.d.sync += [walk.eq(0), self.clearing.eq(0)]
        with m.If(self.clear):
            m.d.sync += [walk.eq(0), self.clearing.eq(1)]
        return m

    def _weigh(self, m, state):
        """The side's working shares and its exposure with the order in question."""
        self._reserved = Signal(Shares)
        held, working, total = Signal(Position), Signal(Shares), Signal(signed(34))
        sell = Signal()
        m.d.comb += [
            sell.eq(self.side == Side.SELL),
            working.eq(Mux(sell, state.working_sell, state.working_buy)),
            held.eq(Mux(sell, ~state.position, state.position)),  # + 1 below makes the complement the negative
            total.eq(working + self.shares - self.credit),
        ]
        m.d.sync += [
            self.after.eq(held + total + sell),
            self.no_room.eq((total >> 32) == 1),
            self._reserved.eq(Mux(self.shares < self.credit, working, total)),  # the old order works until the venue says otherwise
        ]

    def _settle(self, m, state):
        """The symbol's state after ``reply``."""
        self._settled = Signal(ExposureState)
        reply = self.reply
        working, left, position = Signal(Shares), Signal(signed(33)), Signal(signed(35))
        m.d.comb += [
            working.eq(Mux(reply.side == Side.SELL, state.working_sell, state.working_buy)),
            left.eq(working - reply.working),
            position.eq(Mux(reply.side == Side.SELL, state.position - reply.shares, state.position + reply.shares)),
            self._settled.eq(state),
        ]
        with m.If(reply.side == Side.BUY):
            m.d.comb += self._settled.working_buy.eq(Mux(left < 0, 0, left))
        with m.Else():
            m.d.comb += self._settled.working_sell.eq(Mux(left < 0, 0, left))
        m.d.comb += self.overflow.eq(self.settle & (left < 0))
        with m.If(reply.kind != ReplyKind.RELEASED):
            m.d.comb += [
                self._settled.position.eq(position),
                self.overflow.eq(self.settle & ((left < 0) | (position != position[:33].as_signed()))),
            ]

    def _query(self, m, memory, symbol):
        read = memory.read_port()
        known, answer = Signal(), Signal(ExposureState)
        m.d.comb += read.addr.eq(symbol)
        m.d.sync += [known.eq(symbol < self._symbols), answer.eq(Mux(known, read.data.state.as_value(), 0))]
        return answer
