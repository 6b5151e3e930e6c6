"""Who may speak to the risk gateway next: the strategies and the host, one beside the other."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hw.types import Order, OrderKind


class OrderArbiter(wiring.Component):
    """Orders of several sources into one stream, cancels first, pairs together, and no source at the mercy of another.

    Who goes next, of those that have something on offer (a source's number is its rank, 0 the first):

    1. The second leg of a pair whose first leg has gone, and nobody else.
    2. A cancel, before anything new; but after ``2 x inputs`` cancels in a row for which something new had to wait, that goes first.
    3. Of several cancels, or of several that are new, the one of the lowest rank that has not had its turn since all those who
       wait had theirs.

    Isolation: a source is waited for by no other, whatever it does. It may hold ``valid`` for ever, withdraw or change what it offers,
    or leave a pair incomplete. Where the second leg is not on offer when its turn has come, an order for no shares goes in its place:
    the gateway refuses it, and the pair with it; what its source offers next but for cancels is dropped, as it may be that leg.
    Nobody can speak in another's name: ``strategy`` is put in here.

    Of a source that is not enabled only cancels go on; the rest is taken and dropped, a second leg with it.

    Parameters
    ----------
    strategies : tuple of int
        The number of each source, which its orders carry; the first is of the highest rank.

    Ports
    -----
    inputs : In(stream of Order).array(inputs)
    enable : In(one bit a source)
    output : Out(stream of Order)
        What is on offer stays so until it is taken, unless its source withdraws it or is disabled.
    dropped : Out(one bit a source)
        Pulse: what the source had on offer was taken and dropped.

    Notes
    -----
    Latency 0. What waits lets at most so many others go, a pair counted as one: a cancel what was on offer before, each of the other
    sources twice, and one that is new; something new likewise, and before each of these and itself 2 x ``inputs`` cancels.
    """

    LATENCY = 0

    def __init__(self, strategies: tuple[int, ...]):
        if not strategies:
            raise ValueError("an arbiter needs at least one source")
        self._strategies = strategies
        count = len(strategies)
        super().__init__({
            "inputs": In(stream.Signature(Order)).array(count),
            "enable": In(count),
            "output": Out(stream.Signature(Order)),
            "dropped": Out(count),
        })
        self.held = Signal()  # on offer and not taken
        self.held_cancel = Signal()  # that is a cancel
        self.source = Signal(count)  # whose that is, or that of the pair
        self.second = Signal()  # the second leg is next
        self.late = Signal(count)  # a second leg did not come in time: it must not leave alone
        self.cancel_served, self.new_served = Signal(count), Signal(count)  # have had their turn
        self.patience = Signal(range(2 * count + 1), init=2 * count)  # cancels that may still go before what is new

    def elaborate(self, platform):
        m = Module()
        count = len(self._strategies)
        cancels, news, chosen = Signal(count), Signal(count), Signal(count)
        held, source, second, late, patience = self.held, self.source, self.second, self.late, self.patience
        in_order = Signal()
        for number, port in enumerate(self.inputs):
            cancel = port.payload.kind == OrderKind.CANCEL
            m.d.comb += [
                cancels[number].eq(port.valid & cancel),
                news[number].eq(port.valid & ~cancel & self.enable[number] & ~late[number]),
                self.dropped[number].eq(port.valid & ~cancel & ~(self.enable[number] & ~late[number]) & ~(second & source[number])),
            ]
            with m.If(self.dropped[number]):
                m.d.sync += late[number].eq(0)
        first_cancel, first_new = self._first(m, "cancel", cancels, self.cancel_served), self._first(m, "new", news, self.new_served)
        takes_cancel = cancels.any() & ~(news.any() & (patience == 0))

        offered = Mux(takes_cancel, first_cancel, first_new)
        still = (source & Mux(self.held_cancel, cancels, news)).any()  # not withdrawn, nor made something else
        m.d.comb += chosen.eq(Mux(second | (held & still), source, offered))
        order, taken = Signal(Order), Signal()
        for number, (port, strategy) in enumerate(zip(self.inputs, self._strategies, strict=True)):
            with m.If(chosen[number]):
                m.d.comb += [order.eq(port.payload), order.strategy.eq(strategy)]
            m.d.comb += port.ready.eq(self.dropped[number] | (chosen[number] & self.output.ready & Mux(second, in_order, 1)))
        m.d.comb += [
            in_order.eq((source & news).any()),
            taken.eq(self.output.valid & self.output.ready),
            self.output.valid.eq(second | cancels.any() | news.any()),
            self.output.payload.eq(order),
        ]
        with m.If(second):
            m.d.comb += self.output.payload.pair.eq(0)
            with m.If(~in_order):
                m.d.comb += [self.output.payload.shares.eq(0), self.output.payload.kind.eq(OrderKind.NEW)]

        m.d.sync += [
            held.eq(self.output.valid & ~self.output.ready), source.eq(chosen), self.held_cancel.eq((chosen & cancels).any()),
        ]
        with m.If(taken):
            m.d.sync += second.eq(~second & order.pair & (order.kind != OrderKind.CANCEL))
            with m.If(second & ~in_order):
                m.d.sync += late.eq(late | source)
            with m.If(~second & (chosen & cancels).any()):
                self._serve(m, self.cancel_served, chosen)
                m.d.sync += patience.eq(Mux(news.any(), patience - (patience != 0), 2 * count))
            with m.Elif(~second):
                self._serve(m, self.new_served, chosen)
                m.d.sync += patience.eq(2 * count)
        return m

    def _first(self, m, name, waiting, served):
        """The first of those that wait and have not had their turn, or of all if all have had it."""
        among = Signal(len(waiting), name=f"{name}_among")
        m.d.comb += among.eq(Mux((waiting & ~served).any(), waiting & ~served, waiting))
        return among & (~among + 1)

    def _serve(self, m, served, chosen):
        """One that goes for the second time begins a new round, whoever may have come since it was chosen."""
        m.d.sync += served.eq(Mux((served & chosen).any(), 0, served) | chosen)
