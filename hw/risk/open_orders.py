"""The card's own orders that are open, each from its leaving to its end."""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.risk.own_prices import OwnPrices
from hw.types import Order, OrderKind, Price, Shares, Side, SymbolIndex


class OpenOrder(data.Struct):
    """What the table holds of an order."""

    user_ref: 32
    symbol: SymbolIndex
    side: Side
    strategy: 4
    price: Price
    prior: 32
    """UserRefNum of the order that it replaces."""
    live: Shares
    """What has traded and what may still trade, of the whole chain of replaced orders."""
    left: Shares
    """What works on its behalf; of a REPLACE that is not in force yet what it asks for beyond the order before it."""


class Row(data.Struct):
    order: OpenOrder
    parity: 1
    """Makes the number of ones in the row even."""


def place_bits(config: CardConfig) -> int:
    return (config.open_orders - 1).bit_length() + (config.venues - 1).bit_length()


def place_of(config: CardConfig, venue, user_ref):
    """Where an order stands: by its venue and the lowest bits of its number."""
    return Cat(user_ref[:(config.open_orders - 1).bit_length()], venue)[:place_bits(config)]


def AnswerPort(config: CardConfig) -> wiring.Signature:
    """How the one who takes the venues' answers reads and changes the table.

    Members
    -------
    at : Out
        A place: ``order`` and ``odd`` are its row's one cycle later.
    order : In(OpenOrder)
    odd : In(1)
        It has lost a bit.
    flags_of : Out
        A place: the other bits are its own in the same cycle.
    open, waits, replaced : In(1)
        An order stands there; it is a REPLACE that is not in force yet; a REPLACE of it is under way.
    heir : In
        Where that REPLACE stands.
    ready : In(1)
        ``write`` may be given.
    write : Out(1)
        Pulse: of ``place`` the order is ``now`` from the next cycle on; if ``ends``, nothing stands there.
    place, now, ends, answered : Out
        ``answered``: no CANCEL of it is under way any more.
    other, other_ends, other_freed : Out
        With ``write``: at this place nothing stands; the order there is no longer being replaced.
    in_force : Out(1)
        With ``write``: the REPLACE at ``place`` counts as an order of its own.
    """
    place = place_bits(config)
    return wiring.Signature({
        "at": Out(place), "order": In(OpenOrder), "odd": In(1), "flags_of": Out(place),
        "open": In(1), "waits": In(1), "replaced": In(1), "heir": In(place), "ready": In(1),
        "write": Out(1), "place": Out(place), "now": Out(OpenOrder), "ends": Out(1), "answered": Out(1),
        "other": Out(place), "other_ends": Out(1), "other_freed": Out(1), "in_force": Out(1),
    })


class OpenOrders(wiring.Component):
    """Keeps each order from its leaving to its end.

    The place of an order follows from its venue and the lowest bits of its UserRefNum; a number whose place is taken is left out.
    The sum of ``left`` over a symbol and a side is what works there.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    opened : In(1)
        Pulse: ``order``, not a CANCEL, leaves under ``next_user_ref`` of its venue; a REPLACE is ``known``. One cycle later it is written.
    cancelled : In(1)
        Pulse: ``order``, a CANCEL, leaves; it is ``known``.
    order : In(Order)
    next_user_ref : In(data.ArrayLayout(32, venues))
    skip : Out(venues)
        Pulse: leave out the venue's next number, as its place is taken.
    free : Out(1)
        No venue has to leave out a number now; so it is after at most ``config.open_orders`` + 2 cycles without ``opened``.
    taken : Out(venues)
        A register: the place of the venue's next number is taken.
    missed : Out(1)
        Pulse, one cycle after ``opened``: the place was taken all the same, as the number has changed by other means than counting. The
        order that stood there is not in the table any more, but counted.
    count : Out
        Orders open, over all venues; a REPLACE and its order are one.
    look : In(1), asked : In(Order)
        Pulse: what order is it about?
    known : Out(1)
        From one cycle after ``look``: that order is open, of the same venue, symbol, side and strategy, and no REPLACE, nor a CANCEL,
        of it is under way, nor have two CANCELs been at a time (whose answer is the next RELEASED?). To a CANCEL strategy and what is
        under way mean nothing.
    credit : Out(Shares)
        From one cycle after ``look``: ``live`` of that order if it is known; 0 if what was asked is no REPLACE.
    extra : Out(Shares)
        From two cycles after ``look``: what the REPLACE asks for beyond ``credit``.
    crosses : Out(1)
        Two cycles after ``look``: as ``OwnPrices.crosses``.
    odd : Out(1)
        One cycle after ``look``: a row that was looked at has lost a bit.
    places : Out, cancelled_places : Out
        One bit a place: an order stands there; a CANCEL of it is under way.
    shown_at : In(place), shown : Out(OpenOrder), shown_odd : Out(1)
        The row of that place, one cycle later; it has lost a bit.
    hold : In(1)
        From one cycle after ``look`` to ``opened`` or ``cancelled``, or until it is refused, for all but a NEW: no order may end.
    answers : In(AnswerPort)
    disconnected : In(venues)
        No CANCEL of the venue's orders is under way any more.
    clear : In(1)
        Pulse: no order is open.

    Notes
    -----
    What is written is seen by a ``look`` of the next cycle, what is opened by a ``look`` of the next cycle but one.
    """

    def __init__(self, config: CardConfig):
        super().__init__({
            "opened": In(1), "cancelled": In(1), "order": In(Order), "next_user_ref": In(data.ArrayLayout(32, config.venues)),
            "skip": Out(config.venues), "free": Out(1), "taken": Out(config.venues), "missed": Out(1),
            "count": Out(range(config.venues * config.open_orders + 1)),
            "look": In(1), "asked": In(Order), "known": Out(1), "credit": Out(Shares), "extra": Out(Shares), "crosses": Out(1),
            "odd": Out(1), "hold": In(1),
            "places": Out(1 << place_bits(config)), "cancelled_places": Out(1 << place_bits(config)),
            "shown_at": In(place_bits(config)), "shown": Out(OpenOrder), "shown_odd": Out(1),
            "answers": In(AnswerPort(config)), "disconnected": In(config.venues), "clear": In(1),
        })
        self._config = config
        self.own = OwnPrices(config, 1 << place_bits(config))

    def elaborate(self, platform):
        m = Module()
        places = 1 << place_bits(self._config)
        m.submodules.memory = memory = Memory(shape=Row, depth=places, init=[], attrs={"ram_style": "distributed"})
        self.rows, write = memory.data, memory.write_port()
        flags = self._open, self._waits, self._replaced, self._cancelled, self._muddled = [  # more than one CANCEL was under way
            Signal(places, name=name) for name in ("open", "waits", "replaced", "cancelled", "muddled")]
        self._opens, self._cancels = Signal(), Signal()  # an order is being written, a CANCEL noted
        self._number, self._at = Signal(32), Signal(place_bits(self._config))
        self._heirs = Array(Signal(place_bits(self._config), name=f"heir_{place}") for place in range(places))

        m.submodules.own = own = self.own
        show = memory.read_port(transparent_for=[write])
        m.d.comb += [
            own.open.eq(self._open), self.crosses.eq(own.crosses), self.places.eq(self._open), self.cancelled_places.eq(self._cancelled),
            show.addr.eq(self.shown_at), self.shown.eq(show.data.order), self.shown_odd.eq(show.data.as_value().xor()),
        ]
        self._find_numbers(m)
        place = self._find_order(m, memory.read_port(transparent_for=[write]))
        self._take_answers(m, memory.read_port(transparent_for=[write]), write)
        self._open_order(m, place, write)
        for venue, disconnected in enumerate(self.disconnected):
            with m.If(disconnected):
                m.d.sync += self._cancelled.word_select(venue, self._config.open_orders).eq(0)
        with m.If(self.clear):
            m.d.sync += [*(flag.eq(0) for flag in (*flags, self._opens, self._cancels)), self.count.eq(0)]
        return m

    def _find_numbers(self, m):
        """Whether the place of each venue's next number is taken is known with the number."""
        size = self._config.open_orders
        for venue, number in enumerate(self.next_user_ref):
            mine, follows = Signal(size, name=f"taken_{venue}"), Signal(range(size), name=f"follows_{venue}")
            written, full = Signal(name=f"written_{venue}"), Signal(name=f"full_{venue}")
            m.d.comb += [
                written.eq(self._opens & (self._at[(size - 1).bit_length():] == venue)),
                mine.eq(self._open[venue * size:(venue + 1) * size] | written << self._at[:(size - 1).bit_length()]),
                self.skip[venue].eq(self.taken[venue] & ~full & ~written),
                follows.eq(number + (self.skip[venue] | self.opened & (self.order.venue == venue))),
            ]
            m.d.sync += [self.taken[venue].eq(mine.bit_select(follows, 1)), full.eq(mine.all())]
        m.d.comb += self.free.eq(~self.skip.any())

    def _find_order(self, m, port):
        """The order that a REPLACE or a CANCEL is about; returns its place."""
        asked, row, place, usable = Signal(Order), port.data.order, Signal(place_bits(self._config)), Signal()
        replace = asked.kind == OrderKind.REPLACE
        m.d.comb += [
            port.addr.eq(place_of(self._config, self.asked.venue, self.asked.reference)), port.en.eq(self.look), self.own.asked.eq(asked)]
        with m.If(self.look):
            m.d.sync += [asked.eq(self.asked), place.eq(port.addr)]
        m.d.comb += [
            usable.eq(self._open.bit_select(place, 1) & (asked.venue < self._config.venues)
                      & (~(self._waits | self._replaced | self._cancelled | self._muddled).bit_select(place, 1) | ~replace)),
            self.known.eq(usable & (row.user_ref == asked.reference) & (row.symbol == asked.symbol) & (row.side == asked.side)
                          & ((row.strategy == asked.strategy) | ~replace)),
            self.credit.eq(Mux(replace, row.live, 0)),
            self.odd.eq(usable & (asked.kind != OrderKind.NEW) & port.data.as_value().xor()),
        ]
        m.d.sync += self.extra.eq(Mux(asked.shares > self.credit, asked.shares - self.credit, 0))
        return place

    def _open_order(self, m, about, write):
        order, number, opens, place, cancels = Signal(Order), self._number, self._opens, self._at, self._cancels
        row, replaces, next_number = write.data.order, order.kind == OrderKind.REPLACE, Array(self.next_user_ref)[self.order.venue]
        m.d.sync += [
            opens.eq(self.opened), cancels.eq(self.cancelled), order.eq(self.order), number.eq(next_number),
            place.eq(place_of(self._config, self.order.venue, next_number)),
        ]
        m.d.comb += [
            self.missed.eq(opens & self._open.bit_select(place, 1)), self.answers.ready.eq(~(opens | cancels | self.hold)),
            self.own.opened.eq(opens), self.own.place.eq(place), self.own.order.eq(order),
        ]
        with m.If(opens):
            m.d.comb += [
                write.en.eq(1), write.addr.eq(place), write.data.parity.eq(row.as_value().xor()),
                row.user_ref.eq(number), row.prior.eq(order.reference),
                *(row[name].eq(order[name]) for name in ("symbol", "side", "strategy", "price")),
                row.live.eq(order.shares), row.left.eq(Mux(replaces, self.extra, order.shares)),
            ]
            m.d.sync += [
                self._open.bit_select(place, 1).eq(1), self._waits.bit_select(place, 1).eq(replaces),
                *(flag.bit_select(place, 1).eq(0) for flag in (self._replaced, self._cancelled, self._muddled)),
                self.count.eq(self.count + ~replaces),
            ]
            with m.If(replaces):
                m.d.sync += [self._replaced.bit_select(about, 1).eq(1), self._heirs[about].eq(place)]
        with m.If(cancels):
            m.d.sync += self._cancelled.bit_select(about, 1).eq(1)
            with m.If(self._cancelled.bit_select(about, 1)):
                m.d.sync += self._muddled.bit_select(about, 1).eq(1)

    def _take_answers(self, m, port, write):
        answers = self.answers
        bits = {name: getattr(self, f"_{name}").bit_select(answers.flags_of, 1) for name in ("open", "waits", "replaced")}
        m.d.comb += [
            port.addr.eq(answers.at), answers.order.eq(port.data.order), answers.odd.eq(port.data.as_value().xor()),
            *(getattr(answers, name).eq(bit) for name, bit in bits.items()), answers.heir.eq(self._heirs[answers.flags_of]),
        ]
        with m.If(answers.write):
            place, other = answers.place, answers.other
            waited = self._waits.bit_select(place, 1)
            m.d.comb += [
                write.en.eq(1), write.addr.eq(place), write.data.order.eq(answers.now),
                write.data.parity.eq(answers.now.as_value().xor()),
            ]
            m.d.sync += self.count.eq(self.count - (answers.ends & (~waited | answers.in_force)))
            with m.If(answers.ends):
                m.d.sync += self._open.bit_select(place, 1).eq(0)
            with m.If(answers.in_force):
                m.d.sync += self._waits.bit_select(place, 1).eq(0)
            with m.If(answers.answered):
                m.d.sync += self._cancelled.bit_select(place, 1).eq(0)
            with m.If(answers.other_ends):
                m.d.sync += self._open.bit_select(other, 1).eq(0)
            with m.If(answers.other_freed):
                m.d.sync += self._replaced.bit_select(other, 1).eq(0)
