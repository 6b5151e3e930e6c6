"""Market making after Avellaneda and Stoikov: a bid and an ask in every symbol, by inventory, volatility and time left."""

from amaranth.hdl import Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.config import CardConfig
from hw.lib.delay import Delay
from hw.lib.slot_table import SlotSettings
from hw.settings import QuoterParameters, SymbolVariance
from hw.strategy.quote_prices import QuotePrices
from hw.strategy.quote_risk import QuoteRisk, QuoteTerms
from hw.strategy.working_quotes import STRATEGY, NewsKind, WorkingQuotes
from hw.types import (
    Cycles,
    Order,
    OrderReply,
    Price,
    RejectedOrder,
    SentOrder,
    Sequence,
    SymbolIndex,
    TopOfBook,
    VenueIndex,
)


class Touch(data.Struct):
    """What is kept of a symbol's last top of book."""

    bid: Price
    ask: Price
    sequence: Sequence
    ingress: Cycles


class Quoter(wiring.Component):
    """Keeps a bid and an ask of each symbol where they should stand, at one venue.

    Every cycle judges a symbol: the one whose top of book comes in, and where none does the symbols in turn, so that whatever
    changes (position, variance, time, switches, news of its orders) has its effect soon. A judgement works out the two prices
    (:class:`QuotePrices`, from the terms of :class:`QuoteRisk`) and hands them to :class:`WorkingQuotes`, which asks for what is
    to be changed. A top of book that overtakes another of its symbol within four cycles takes its place.

    Nothing is quoted, and what stands is cancelled, while the symbol's last top of book is stale, halted, partial, crossed, locked
    or lacks a side, the venue is stale, the quoter is not enabled, parameters or variance are missing, the time is over, or the
    news of its orders are not complete (``fault``).

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    tops : In(stream of TopOfBook, always ready)
        Of all venues; only ``venue``'s changes count.
    enable : In(1)
    venue : In(VenueIndex)
        Where it quotes. When it changes, all tops of book are forgotten.
    venue_stale : In(one bit a venue)
        Level: the venue can't be relied on, whatever its last record said.
    clear : In(one bit a venue)
        Pulse: the venue's book begins anew, and what was known of it is forgotten.
    parameters : In(stream of SlotSettings of QuoterParameters, always ready)
        A symbol's parameters from now on; also what enables it.
    variances : In(stream of SymbolVariance, always ready)
    unmeasured : In(1)
        Pulse: no symbol's variance is known any more.
    now : In(64)
        The card's clock.
    position_symbol : Out(SymbolIndex)
    position : In(signed(33))
        The gateway's position in ``position_symbol``, two cycles later.
    sent : In(stream of SentOrder, always ready)
        Every order that leaves; those of others are ignored, as in ``rejected`` and ``replies``.
    rejected : In(stream of RejectedOrder, always ready)
    replies : In(stream of OrderReply, always ready)
        In the cycle in which they take effect on the position, or later.
    dropped : In(1)
        Pulse: what ``orders`` had on offer has been taken in this cycle and will not leave.
    forget : In(1)
        Pulse: nothing works any more (positions are cleared).
    orders : Out(stream of Order)
        NEW and REPLACE.
    cancels : Out(stream of Order)
    fault : Out(1)
        News were lost; until ``forget``.

    Notes
    -----
    Latency 16: a record transferred in cycle t, its bid's message valid in cycle t + 16, the ask's after it. Where news of the
    symbol's own orders come in between, or a message waits, the next turn of the symbol decides: ``max(symbols, 5)`` cycles later.
    Variance and time left have their effect within 26 x ``symbols`` cycles more.
    """

    LATENCY = 1 + 1 + QuotePrices.LATENCY - 1 + WorkingQuotes.LATENCY

    def __init__(self, config: CardConfig):
        super().__init__({
            "tops": In(stream.Signature(TopOfBook, always_ready=True)),
            "enable": In(1),
            "venue": In(VenueIndex),
            "venue_stale": In(config.venues),
            "clear": In(config.venues),
            "parameters": In(stream.Signature(SlotSettings(QuoterParameters), always_ready=True)),
            "variances": In(stream.Signature(SymbolVariance, always_ready=True)),
            "unmeasured": In(1),
            "now": In(64),
            "position_symbol": Out(SymbolIndex),
            "position": In(signed(33)),
            "sent": In(stream.Signature(SentOrder, always_ready=True)),
            "rejected": In(stream.Signature(RejectedOrder, always_ready=True)),
            "replies": In(stream.Signature(OrderReply, always_ready=True)),
            "dropped": In(1),
            "forget": In(1),
            "orders": Out(stream.Signature(Order)),
            "cancels": Out(stream.Signature(Order)),
            "fault": Out(1),
        })
        self._symbols = config.symbols

    def elaborate(self, platform):
        m = Module()
        m.submodules.risk = risk = QuoteRisk(self._symbols)
        m.submodules.prices = prices = QuotePrices()
        m.submodules.working = working = WorkingQuotes(self._symbols)
        connect(m, flipped(self.parameters), risk.parameters)
        connect(m, flipped(self.variances), risk.variances)
        connect(m, working.orders, flipped(self.orders))
        connect(m, working.cancels, flipped(self.cancels))
        m.d.comb += [risk.now.eq(self.now), risk.unmeasured.eq(self.unmeasured), self.fault.eq(working.fault)]

        self._tell(m, working)
        valid, symbol, touch, is_sure = self._enter(m)
        m.d.comb += [risk.symbol.eq(symbol), self.position_symbol.eq(symbol)]
        m.submodules.touch = late_touch = Delay(Touch, QuotePrices.LATENCY + 1)
        m.submodules.terms = late_terms = Delay(QuoteTerms, QuotePrices.LATENCY)
        m.submodules.position = late_position = Delay(signed(33), QuotePrices.LATENCY - 1)
        touched = Signal(Touch)
        m.d.sync += touched.eq(touch)
        terms = risk.terms
        m.d.comb += [
            late_touch.input.eq(touch), late_terms.input.eq(terms), late_position.input.eq(self.position),
            prices.bid.eq(touched.bid), prices.ask.eq(touched.ask), prices.tick.eq(terms.parameters.tick),
            prices.reciprocal.eq(terms.parameters.reciprocal), prices.share_risk.eq(terms.share_risk),
            prices.half_spread.eq(terms.half_spread), prices.position.eq(self.position),
        ]
        self._judge(m, working, prices, late_touch.output, late_terms.output, late_position.output)
        self._travel(m, working, valid, symbol, is_sure)
        return m

    def _enter(self, m):
        """Cycle 0: a top of book, or the next symbol in turn. Of cycle 1: whether and which symbol, its touch, and if it is sure."""
        top, turns, take = self.tops.payload, max(self._symbols, 5), Signal()
        self._taken, self._taken_symbol, turn = take, top.symbol, Signal(range(turns))
        self._sure = Signal(self._symbols)
        was_venue = Signal(VenueIndex)
        m.submodules.touches = memory = Memory(shape=Touch, depth=self._symbols, init=[], attrs={"ram_style": "distributed"})
        write, read = memory.write_port(), memory.read_port()
        given, sure = Signal(Touch), Signal()
        m.d.comb += [
            take.eq(self.tops.valid & top.changed & (top.venue == self.venue) & (top.symbol < self._symbols)),
            given.bid.eq(top.bid_price), given.ask.eq(top.ask_price), given.sequence.eq(top.sequence), given.ingress.eq(top.ingress),
            sure.eq(~(top.stale | top.halted | top.partial | top.crossed | top.locked) & (top.bid_price != 0) & (top.ask_price != 0)),
            write.addr.eq(top.symbol), write.data.eq(given), write.en.eq(take), read.addr.eq(turn),
        ]
        valid, symbol, from_top, touch = Signal(), Signal(SymbolIndex), Signal(), Signal(Touch)
        m.d.sync += [
            valid.eq(take | (turn < self._symbols)), symbol.eq(Mux(take, top.symbol, turn)), from_top.eq(take), touch.eq(given),
            was_venue.eq(self.venue),
        ]
        with m.If(~take):
            m.d.sync += turn.eq(Mux(turn == turns - 1, 0, turn + 1))
        for number in range(self._symbols):
            with m.If(take & (top.symbol == number)):
                m.d.sync += self._sure[number].eq(sure)
        with m.If(self.clear.bit_select(self.venue, 1) | (was_venue != self.venue)):
            m.d.sync += self._sure.eq(0)
        return valid, symbol, Mux(from_top, touch.as_value(), read.data.as_value()), self._sure.bit_select(symbol, 1)

    def _travel(self, m, working, valid, symbol, is_sure):
        """From cycle 1 to the judgement: which symbol each stage is about. A later top of its symbol takes its place."""
        stages = QuotePrices.LATENCY
        replies = Signal(4)
        with m.If(self.replies.valid):
            m.d.sync += replies.eq(replies + 1)
        layout = data.StructLayout({"valid": 1, "symbol": SymbolIndex, "sure": 1, "epoch": 4})
        stage = Signal(layout, name="stage_1")
        m.d.comb += [stage.valid.eq(valid), stage.symbol.eq(symbol), stage.sure.eq(is_sure), stage.epoch.eq(replies)]
        for number in range(2, stages + 3):
            overtaken = self._taken & (self._taken_symbol == stage.symbol) if number <= 5 else 0
            later = Signal(layout, name=f"stage_{number}")
            m.d.sync += [later.eq(stage), later.valid.eq(stage.valid & ~overtaken)]
            if number == stages + 1:
                m.d.comb += [working.valid.eq(later.valid), working.symbol.eq(later.symbol)]
            stage = later
        m.d.comb += [working.judgement.epoch.eq(stage.epoch), working.epoch.eq(replies), self._judged_sure.eq(stage.sure)]

    def _judge(self, m, working, prices, touch, terms, position):
        """All that the judgement is made of, in the cycle in which the prices are there."""
        self._judged_sure = Signal()
        judgement, parameters = working.judgement, terms.parameters
        m.d.comb += [
            judgement.low.eq(prices.low), judgement.high.eq(prices.high), judgement.position.eq(position),
            judgement.unsure.eq(~self._judged_sure | (terms.fresh & ~terms.usable)), judgement.stale_terms.eq(~terms.fresh),
            judgement.sequence.eq(touch.sequence), judgement.ingress.eq(touch.ingress),
            *(judgement[name].eq(parameters[name]) for name in ("shares", "max_position", "threshold", "interval")),
            working.enable.eq(self.enable), working.venue.eq(self.venue), working.now.eq(self.now), working.clear.eq(self.forget),
            working.sure.eq(self._sure & ~self.venue_stale.bit_select(self.venue, 1).replicate(self._symbols)),
        ]

    def _tell(self, m, working):
        """News of its own orders, and of nobody else's."""
        sent, refused, done, dropped = (port.payload for port in working.news)
        m.d.comb += [
            working.news[0].valid.eq(self.sent.valid & (self.sent.payload.order.strategy == STRATEGY)),
            sent.kind.eq(NewsKind.SENT), sent.user_ref.eq(self.sent.payload.user_ref),
            working.news[1].valid.eq(self.rejected.valid & (self.rejected.payload.order.strategy == STRATEGY)),
            refused.kind.eq(NewsKind.REFUSED),
            working.news[2].valid.eq(self.replies.valid & (self.replies.payload.strategy == STRATEGY)),
            done.kind.eq(NewsKind.DONE), done.symbol.eq(self.replies.payload.symbol), done.side.eq(self.replies.payload.side),
            done.shares.eq(self.replies.payload.shares),
            working.news[3].valid.eq(self.dropped), dropped.kind.eq(NewsKind.REFUSED),
        ]
        offered = self.orders.payload
        for news, order in ((sent, self.sent.payload.order), (refused, self.rejected.payload.order), (dropped, offered)):
            m.d.comb += [news.symbol.eq(order.symbol), news.side.eq(order.side), news.message.eq(order.kind)]
