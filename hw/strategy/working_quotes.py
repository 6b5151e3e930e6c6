"""The quoter's orders at the venue: what stands where, what is on its way, and which message comes next."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal, signed
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.lib.choice import any_of
from hw.types import Cycles, Order, OrderKind, Price, Sequence, Shares, Side, SymbolIndex, VenueIndex

STRATEGY = 2
"""The quoter's number in the orders."""


class NewsKind(enum.Enum, shape=2):
    SENT = 0
    """The message has left, under the number ``user_ref``."""
    REFUSED = 1
    """The gateway has refused it."""
    DONE = 2
    """``shares`` of what works have traded, or are dead."""


class QuoteNews(data.Struct):
    """What became of a message, or of what it asked for."""

    kind: NewsKind
    symbol: SymbolIndex
    side: Side
    message: OrderKind
    """SENT and REFUSED."""
    user_ref: 32
    shares: Shares


class Judgement(data.Struct):
    """Where a symbol's quotes should stand, and all that it was found with."""

    low: Price
    """Of the bid; 0: no bid."""
    high: Price
    """Of the ask; 0: no ask."""
    position: signed(33)
    shares: Shares
    max_position: Shares
    threshold: 16
    interval: Cycles
    unsure: 1
    """The top of book, the parameters or the risk can't be relied on: nothing may stand."""
    stale_terms: 1
    """Not yet worked out from the last commit: nothing may be asked for, but what is ``unsure`` goes."""
    epoch: 4
    """The count of replies when the position was looked up."""
    sequence: Sequence
    ingress: Cycles


class QuoteState(data.Struct):
    """One side of a symbol."""

    total: Shares
    """Of the order when it was new; a REPLACE keeps it, as the venue counts what has traded in it."""
    left: Shares
    """Still to trade, or to die; 0: nothing works, and the rest means nothing."""
    price: Price
    """That was asked for last."""
    reference: 32
    until: Cycles
    """End of the rest after a message."""
    venue: VenueIndex
    resting: 1
    under_way: 1
    """A message has been put on offer, and what became of it is not known."""
    cancelled: 1
    """A cancel has left."""
    withdraw: 1
    """It could not be moved: it has to go."""
    refused: 1
    """A cancel was refused: the next one waits for the end of the rest."""


class BothSides(data.Struct):
    bid: QuoteState
    ask: QuoteState


class WorkingQuotes(wiring.Component):
    """Decides what to ask for, one judgement a cycle, and keeps what works by the news of it.

    A side has at most one message under way: from its offer until it is known to have left or to be refused. What may not stand
    is cancelled; after a cancel nothing new is asked for until all shares are known to be dead or traded. A quote that stands more
    than ``threshold`` from its target is replaced, with its shares as they were; one that the gateway won't let move is cancelled.
    A bid at or above the symbol's own ask as last asked for, and the reverse, waits. A quote is asked for only if position and
    shares, on its side, keep ``max_position``; one that stands goes if position and what is left of it do not.

    Parameters
    ----------
    symbols : int

    Ports
    -----
    valid : In(1)
        A judgement of ``symbol`` comes in the next cycle. Dropped if one of the symbol, or news of it, came in the four cycles
        before, or if news come now: the symbol will be judged again.
    symbol : In(SymbolIndex)
    judgement : In(Judgement)
        Of the cycle after ``valid``.
    enable : In(1)
        Off: everything goes.
    sure : In(one bit a symbol)
        Its last top of book, and its venue, can be relied on.
    epoch : In(4)
        Count of replies: a position that was looked up under another one leads to nothing.
    venue : In(VenueIndex)
        Where it quotes. What stands elsewhere goes.
    now : In(Cycles)
    news : In(stream of QuoteNews, always ready).array(4)
        One in 16 cycles each in the long run, and up to 16 in a burst.
    clear : In(1)
        Pulse: forgets all quotes, all news and the fault, in ``symbols`` cycles (16 at least). So does a reset.
    orders : Out(stream of Order)
        NEW and REPLACE, the bid's before the ask's.
    cancels : Out(stream of Order)
        CANCEL, all shares.
    fault : Out(1)
        News were lost: nothing is quoted until ``clear``, and what works and can be cancelled is.

    Notes
    -----
    Latency 5 from ``valid`` to a message on offer. A judgement whose messages would have to wait for others of the same kind
    leads to none of that kind.
    """

    LATENCY = 5
    NEWS_DEPTH = 16

    def __init__(self, symbols: int):
        if not 1 <= symbols <= 256:
            raise ValueError(f"symbols must be 1 to 256, not {symbols}")
        super().__init__({
            "valid": In(1),
            "symbol": In(SymbolIndex),
            "judgement": In(Judgement),
            "enable": In(1),
            "sure": In(symbols),
            "epoch": In(4),
            "venue": In(VenueIndex),
            "now": In(Cycles),
            "news": In(stream.Signature(QuoteNews, always_ready=True)).array(4),
            "clear": In(1),
            "orders": Out(stream.Signature(Order)),
            "cancels": Out(stream.Signature(Order)),
            "fault": Out(1),
        })
        self._symbols = symbols

    def elaborate(self, platform):
        m = Module()
        self._symbol = [Signal(SymbolIndex, name=f"symbol_{stage}") for stage in range(5)]  # of each stage; 0 is the choice
        self._judging = [Signal(name=f"judging_{stage}") for stage in range(5)]
        self._telling = [Signal(name=f"telling_{stage}") for stage in range(5)]
        self._news = [Signal(QuoteNews, name=f"news_{stage}") for stage in range(5)]
        self._choose(m)
        for before, after in zip(range(4), range(1, 5), strict=True):
            m.d.sync += [later[after].eq(later[before]) for later in (self._symbol, self._judging, self._telling, self._news)]

        m.submodules.memory = memory = Memory(shape=BothSides, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        read, write = memory.read_port(), memory.write_port()
        now = [read.data, *(Signal(BothSides, name=f"state_{stage}") for stage in (2, 3, 4))]
        after = Signal(BothSides)
        m.d.comb += [
            read.addr.eq(self._symbol[0]), write.addr.eq(self._symbol[4]), write.data.eq(after),
            write.en.eq(self._judging[4] | self._telling[4]),
        ]
        m.d.sync += [later.eq(earlier) for earlier, later in zip(now, now[1:], strict=False)]
        with m.If(self._clearing):
            m.d.comb += [write.en.eq(self._walk < self._symbols), write.addr.eq(self._walk), write.data.eq(0)]

        common, late = self._common(m)
        actions = [self._side(m, side, now, common) for side in (0, 1)]
        self._apply(m, now[3], after, late, actions)
        return m

    def _choose(self, m):
        """Stage 0: news before judgements, and nothing of a symbol that is on its way through the stages."""
        self._clearing, self._walk = Signal(init=1), Signal(range(max(self._symbols, self.NEWS_DEPTH)))
        queues = [SyncFIFOBuffered(width=QuoteNews.as_shape().size, depth=self.NEWS_DEPTH) for _ in self.news]
        held = [QuoteNews(queue.r_data) for queue in queues]
        busy = [(self._judging[stage] | self._telling[stage], self._symbol[stage]) for stage in (1, 2, 3, 4)]

        def idle(symbol):
            return ~Cat(used & (other == symbol) for used, other in busy).any()

        # One piece of news stands ready in a register: to choose among the queues and to look at the stages is too much for a cycle.
        ready, next_news, take, go = Signal(), Signal(QuoteNews), Signal(len(self.news)), Signal()
        m.d.comb += go.eq(ready & idle(next_news.symbol) & ~self._clearing)
        with m.If(~ready | go | self._clearing):
            waiting = Cat(queue.r_rdy for queue in queues)
            m.d.comb += take.eq(waiting & (~waiting + 1))
            m.d.sync += [ready.eq(take.any() & ~self._clearing), next_news.eq(any_of(zip(take, held, strict=True)))]
        m.d.comb += [
            self._telling[0].eq(go), self._news[0].eq(next_news),
            self._judging[0].eq(self.valid & ~go & ~self._clearing & idle(self.symbol) & (self.symbol < self._symbols)),
            self._symbol[0].eq(Mux(go, next_news.symbol, self.symbol)),
        ]
        for number, (port, queue) in enumerate(zip(self.news, queues, strict=True)):
            m.submodules[f"news_{number}"] = queue
            m.d.comb += [
                queue.w_data.eq(port.payload), queue.w_en.eq(port.valid & (port.payload.symbol < self._symbols)),
                queue.r_en.eq(self._clearing | take[number]),
            ]
            with m.If(queue.w_en & ~queue.w_rdy):
                m.d.sync += self.fault.eq(1)

        with m.If(self._clearing):
            m.d.sync += self._walk.eq(self._walk + 1)
            with m.If(self._walk == max(self._symbols, self.NEWS_DEPTH) - 1):
                m.d.sync += [self._walk.eq(0), self._clearing.eq(0)]
        with m.If(self.clear):
            m.d.sync += [self._walk.eq(0), self._clearing.eq(1), self.fault.eq(0)]

    def _common(self, m):
        """What both sides need of the judgement: at stage 3, and at stage 4."""
        one = Signal(Judgement, name="judgement_2")
        common = Signal(data.StructLayout({
            "leave": 1, "hold": 1, "until": Cycles, "low": Price, "high": Price, "shares": Shares, "sequence": Sequence, "ingress": Cycles,
        }))
        judged = Signal(Cycles)
        m.d.sync += [
            one.eq(self.judgement), judged.eq(self.now),
            common.leave.eq(one.unsure | self.fault | ~self.enable | ~self.sure.bit_select(self._symbol[2], 1)),
            common.hold.eq(one.stale_terms | (one.epoch != self.epoch)),
            common.until.eq(judged + one.interval),
            *(common[name].eq(one[name]) for name in ("low", "high", "shares", "sequence", "ingress")),
        ]
        late = Signal.like(common, name="common_4")
        m.d.sync += late.eq(common)
        return common, late

    def _side(self, m, side, now, common):
        """Stages 1 to 3 weigh one side; what stage 4 would ask for (new, replace, cancel), and the news applied to ``left``."""
        one, name = self.judgement, ("bid", "ask")[side]
        mine, other = now[0][name], now[0][("ask", "bid")[side]]
        target = (one.low, one.high)[side]
        difference, exposure, room = Signal(signed(33)), Signal(signed(36)), Signal(signed(36))
        threshold, wanted, crosses, rested, remains = Signal(16), Signal(), Signal(), Signal(), Signal(signed(33))
        held = one.position if side == 0 else -one.position
        amount = Mux(mine.left != 0, mine.left, one.shares)
        m.d.sync += [  # 1 -> 2
            difference.eq(target - mine.price), threshold.eq(one.threshold), wanted.eq(target != 0),
            exposure.eq(held + amount), room.eq(one.max_position),
            crosses.eq((other.left != 0) & ((other.price - target)[-1] | (other.price == target) if side == 0
                                            else (target - other.price)[-1] | (other.price == target))),
            rested.eq(~(self.now - mine.until)[31]),
            remains.eq(mine.left - self._news[1].shares),
        ]
        left = Signal(Shares)
        moved, fits, is_wanted, is_crossing, is_rested, works = (Signal(name=f"{name}_{what}") for what in (
            "moved", "fits", "wanted", "crosses", "rested", "works"))
        m.d.sync += [  # 2 -> 3
            moved.eq((threshold - difference)[-1] | (threshold + difference)[-1]),
            fits.eq(~(room - exposure)[-1]), is_wanted.eq(wanted), is_crossing.eq(crosses), is_rested.eq(rested),
            works.eq(now[1][name].left != 0), left.eq(Mux(remains[-1], 0, remains)),
        ]
        state = now[2][name]
        idle, keep, may_quote, leave, resting = Signal(), Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            resting.eq(state.resting & ~is_rested),
            idle.eq(self._judging[3] & ~state.under_way & ~(works & state.cancelled)),
            keep.eq(~common.leave & is_wanted & fits),
            may_quote.eq(idle & keep & ~common.hold & ~resting & ~is_crossing),
            leave.eq(common.leave | (state.venue != self.venue) | state.withdraw | (~keep & ~common.hold)),
        ]
        action = Signal(data.StructLayout({"new": 1, "replace": 1, "cancel": 1, "resting": 1, "left": Shares}), name=f"{name}_action")
        m.d.sync += [  # 3 -> 4
            action.new.eq(may_quote & ~works), action.replace.eq(may_quote & works & ~leave & moved),
            action.cancel.eq(idle & works & leave & ~(state.refused & resting)), action.resting.eq(resting), action.left.eq(left),
        ]
        return action

    def _apply(self, m, state, after, common, actions):
        """Stage 4: messages into the free places, and the symbol's new state."""
        places = [self._place(m, "orders", common), self._place(m, "cancels", common)]
        news = self._news[4]
        m.d.comb += after.eq(state)
        for side, (name, action) in enumerate(zip(("bid", "ask"), actions, strict=True)):
            before, mine, target = state[name], after[name], (common.low, common.high)[side]
            order, cancel = (action.new | action.replace) & places[0].free, action.cancel & places[1].free
            with m.If(self._judging[4]):
                m.d.comb += mine.resting.eq(action.resting)
            with m.If(order | cancel):
                m.d.comb += [mine.under_way.eq(1), mine.resting.eq(1), mine.until.eq(common.until)]
            with m.If(order):
                m.d.comb += mine.price.eq(target)
                with m.If(action.new):
                    m.d.comb += [
                        mine.total.eq(common.shares), mine.left.eq(common.shares), mine.reference.eq(0), mine.venue.eq(self.venue),
                        mine.cancelled.eq(0), mine.withdraw.eq(0), mine.refused.eq(0),
                    ]
            new = action.new
            places[0].fill(m, side, order, Mux(new, OrderKind.NEW, OrderKind.REPLACE), Mux(new, 0, before.reference),
                           Mux(new, common.shares, before.total), target, self.venue)
            places[1].fill(m, side, cancel, OrderKind.CANCEL, before.reference, 0, 0, before.venue)
            with m.If(self._telling[4] & (news.side == Side(side))):
                self._hear(m, news, mine, action.left)

    def _hear(self, m, news, mine, left):
        with m.Switch(news.kind):
            with m.Case(NewsKind.SENT):
                m.d.comb += mine.under_way.eq(0)
                with m.If(news.message == OrderKind.CANCEL):
                    m.d.comb += mine.cancelled.eq(1)
                with m.Else():
                    m.d.comb += mine.reference.eq(news.user_ref)
            with m.Case(NewsKind.REFUSED):
                m.d.comb += mine.under_way.eq(0)
                with m.Switch(news.message):
                    with m.Case(OrderKind.NEW):
                        m.d.comb += mine.left.eq(0)
                    with m.Case(OrderKind.REPLACE):
                        m.d.comb += mine.withdraw.eq(1)
                    with m.Case(OrderKind.CANCEL):
                        m.d.comb += mine.refused.eq(1)
            with m.Case(NewsKind.DONE):
                m.d.comb += mine.left.eq(left)

    def _place(self, m, name, common):
        place = Place(m, getattr(self, name), name)
        place.stamp(m, self._symbol[4], self.venue, common)
        return place


class Place:
    """Room for one message a side of one symbol; the bid's goes first."""

    def __init__(self, m, port, name):
        self._waiting = Signal(2, name=f"{name}_waiting")
        self._orders = [Signal(Order, name=f"{name}_{side}") for side in ("bid", "ask")]
        self.free = ~self._waiting.any()
        m.d.comb += [
            port.valid.eq(self._waiting.any()),
            port.payload.eq(Array(self._orders)[~self._waiting[0]]),
        ]
        with m.If(port.ready):
            m.d.sync += self._waiting.eq(Mux(self._waiting[0], self._waiting & 0b10, 0))

    def stamp(self, m, symbol, venue, common):
        """What all messages of a judgement share; harmless where none is filled in."""
        with m.If(self.free):
            for side, order in enumerate(self._orders):
                m.d.sync += [
                    order.strategy.eq(STRATEGY), order.day.eq(1), order.symbol.eq(symbol), order.side.eq(Side(side)),
                    order.trigger_venue.eq(venue), order.trigger_sequence.eq(common.sequence), order.ingress.eq(common.ingress),
                ]

    def fill(self, m, side, condition, kind, reference, shares, price, venue):
        order = self._orders[side]
        with m.If(self.free):
            m.d.sync += [
                order.kind.eq(kind), order.reference.eq(reference), order.shares.eq(shares), order.price.eq(price), order.venue.eq(venue),
            ]
        with m.If(condition):
            m.d.sync += self._waiting[side].eq(1)
