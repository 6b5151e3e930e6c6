"""What a symbol is worth at a venue, as the card itself knows it: what an order's price is held against."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.compare import exceeds
from hw.types import Order, Price, TopOfBook


class Row(data.Struct):
    price: Price
    parity: 1
    """Makes the number of ones in the row even."""


class Reference(wiring.Component):
    """Keeps each symbol's best bid, and the middle of its best bid and ask, by venue, as of the last top of book that was sure.

    A top is sure that has both sides, not crossed, of a book that is not stale and not in the middle of a change. After another one
    the reference stays what it was; after ``restart`` there is none.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    tops : In(stream of TopOfBook, always ready)
    stale : In(venues)
        The venue's tops of now are not sure.
    restart : In(venues)
        Pulse: what is known of the venue's symbols is forgotten.
    look : In(1), asked : In(Order)
        Pulse: how far is its price from the reference? Tops of the cycle before are in it.
    distance : Out(Price)
        Two cycles after ``look``: either way, in 1/10000.
    no_reference : Out(1)
        Beside ``distance``: there is none, so it means nothing.
    at_bid : Out(1)
        Two cycles after ``look``: its price is not above the best bid of its symbol at every venue of which one is known, or none is
        known at its own.
    odd : Out(1)
        One cycle after ``look``: a row has lost a bit. It is forgotten.
    sure : Out(data.ArrayLayout(symbols, venues))
        A register: the symbol's last top was sure. Tops of the cycle before last are in it.
    """

    LATENCY = 2

    def __init__(self, config: CardConfig):
        super().__init__({
            "tops": In(stream.Signature(TopOfBook, always_ready=True)), "stale": In(config.venues), "restart": In(config.venues),
            "look": In(1), "asked": In(Order), "distance": Out(Price), "no_reference": Out(1), "at_bid": Out(1), "odd": Out(1),
            "sure": Out(data.ArrayLayout(config.symbols, config.venues)),
        })
        self._config, self.bids = config, []

    def elaborate(self, platform):
        m = Module()
        symbol_bits = (self._config.symbols - 1).bit_length()
        span, top = 1 << symbol_bits, self.tops.payload

        def place_of(venue, symbol):
            return venue * span + symbol[:symbol_bits]

        m.submodules.memory = memory = Memory(shape=Row, depth=self._config.venues * span, init=[], attrs={"ram_style": "distributed"})
        self.rows = memory.data
        write = memory.write_port()
        read = memory.read_port(transparent_for=[write])
        known, self._at, self._odd_middle = Signal(self._config.venues * span), Signal.like(read.addr), Signal()

        new, good, venue, symbol, total = Signal(), Signal(), Signal.like(top.venue), Signal.like(top.symbol), Signal(33)
        m.d.comb += total.eq(top.bid_price + top.ask_price)
        m.d.sync += [
            new.eq(self.tops.valid), venue.eq(top.venue), symbol.eq(top.symbol), write.data.price.eq(total[1:]),
            good.eq((top.bid_price != 0) & (top.ask_price != 0)
                    & ~(top.crossed | top.stale | top.partial | self.stale.bit_select(top.venue, 1))),
        ]
        m.d.comb += [
            write.en.eq(new & good), write.addr.eq(place_of(venue, symbol)), write.data.parity.eq(write.data.price.xor()),
        ]
        with m.If(self._odd_middle):
            m.d.sync += known.bit_select(self._at, 1).eq(0)
        with m.If(new & good):
            m.d.sync += known.bit_select(write.addr, 1).eq(1)
        for number, sure in enumerate(self.sure):
            with m.If(new & (venue == number)):
                m.d.sync += sure.bit_select(symbol, 1).eq(good)
            with m.If(self.restart[number]):
                m.d.sync += [known[number * span:(number + 1) * span].eq(0), sure.eq(0)]
        self._answer(m, read, known, place_of(self.asked.venue, self.asked.symbol))
        self._compare_bids(m, new & good, venue, symbol)
        return m

    def _answer(self, m, read, known, place):
        price, above, below, there, at = Signal(Price), Signal(33), Signal(33), Signal(), self._at
        m.d.comb += [read.addr.eq(place), read.en.eq(self.look)]
        with m.If(self.look):
            m.d.sync += [price.eq(self.asked.price), at.eq(place)]
        m.d.comb += [
            above.eq(price - read.data.price), below.eq(read.data.price - price), there.eq(known.bit_select(at, 1)),
            self._odd_middle.eq(there & read.data.as_value().xor()),
        ]
        m.d.sync += [self.distance.eq(Mux(above[-1], below, above)), self.no_reference.eq(~there)]

    def _compare_bids(self, m, new, venue, symbol):
        """The bids of all venues are looked at together, each in a memory of its own."""
        price, own, at, bid = Signal(Price), Signal.like(self.asked.venue), Signal(range(self._config.symbols)), Signal(Price)
        there, reaches, odd = (Signal(self._config.venues, name=name) for name in ("there", "reaches", "odd_bids"))
        m.d.sync += bid.eq(self.tops.payload.bid_price)
        with m.If(self.look):
            m.d.sync += [price.eq(self.asked.price), own.eq(self.asked.venue), at.eq(self.asked.symbol)]
        for number in range(self._config.venues):
            m.submodules[f"bids_{number}"] = memory = Memory(
                shape=Row, depth=self._config.symbols, init=[], attrs={"ram_style": "distributed"})
            self.bids.append(memory.data)
            write = memory.write_port()
            read = memory.read_port(transparent_for=[write])
            known = Signal(self._config.symbols, name=f"known_bids_{number}")
            m.d.comb += [
                write.en.eq(new & (venue == number)), write.addr.eq(symbol), write.data.price.eq(bid), write.data.parity.eq(bid.xor()),
                read.addr.eq(self.asked.symbol), read.en.eq(self.look), there[number].eq(known.bit_select(at, 1)),
                reaches[number].eq(there[number] & ~exceeds(price, read.data.price)),
                odd[number].eq(there[number] & read.data.as_value().xor()),
            ]
            with m.If(odd[number]):
                m.d.sync += known.bit_select(at, 1).eq(0)
            with m.If(write.en):
                m.d.sync += known.bit_select(symbol, 1).eq(1)
            with m.If(self.restart[number]):
                m.d.sync += known.eq(0)
        m.d.comb += self.odd.eq(self._odd_middle | odd.any())
        m.d.sync += self.at_bid.eq(reaches.any() | ~there.bit_select(own, 1))
