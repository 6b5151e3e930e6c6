"""Every venue's top of book and what is left of its prices after fees: read for one symbol at a time, as of one record."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from hw.arbitrage_types import RATE_SCALE, SHARE_FEE_SCALE, CardTime, LegShares, VenueTerms
from hw.config import CardConfig
from hw.lib.slot_table import style
from hw.types import SymbolIndex

PART = 16
"""Bits of each of the parts of a price that are multiplied with a rate: a DSP slice takes 18."""

LANE = 18
"""Bits of a memory whose one port both writes and shows what it writes: wider ones of the ECP5 have a port for each."""


class Fees(data.Struct):
    """What a venue charges, as in its terms."""

    rate: signed(18)
    share: signed(24)


class Sizes(data.Struct):
    """Of a quote; or the most that this holds: no leg has more."""

    bid: LegShares
    ask: LegShares


class QuoteRecord(data.StructLayout):
    """One change, as it comes to the store.

    ``same``: the symbol is that of the record one cycle ago, two cycles ago, if there was one. ``fees`` are the venue's; ``bid_rate``
    is the rate once more, for the bid's multipliers: one choice of the venue near each price's.
    """

    def __init__(self, price_bits: int):
        super().__init__({
            "symbol": SymbolIndex, "same": 2, "fees": Fees, "bid_rate": signed(18), "bid_price": price_bits, "ask_price": price_bits,
            "sizes": Sizes})


class KeptQuote(data.StructLayout):
    """What of a change may come a cycle later, and is kept as it comes. ``has_bid``, ``has_ask``: one that may be relied on."""

    def __init__(self, price_bits: int):
        super().__init__({"bid_price": price_bits, "ask_price": price_bits, "has_bid": 1, "has_ask": 1, "time": CardTime})


class NetPrices(data.StructLayout):
    """What a share brings that is sold at the bid, and costs that is bought at the ask: the price with the fee off or on."""

    def __init__(self, price_bits: int):
        super().__init__({"bid": signed(price_bits + 2), "ask": signed(price_bits + 2)})


class VenueView(data.StructLayout):
    """A venue's quote of the symbol of a record.

    ``usable``: the venue takes part, and its book is there. ``expired``: the quote is older than the venue's ``max_age``.
    """

    def __init__(self, price_bits: int):
        super().__init__({
            "quote": KeptQuote(price_bits), "sizes": Sizes, "net": NetPrices(price_bits), "usable": 1, "expired": 1})


def extended(value, width):
    """The signed value in ``width`` bits."""
    return Cat(value, value[-1].replicate(width - len(value)))


def carry_save(a, b, c, width):
    """Two numbers whose sum is that of three, each of ``width`` bits, by one LUT a bit."""
    return a ^ b ^ c, Cat(Const(0, 1), (a & b) | (b & c) | (a & c))[:width]


class QuoteStore(wiring.Component):
    """Takes a record a cycle and shows what all venues have for its symbol.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    take : In(one bit a venue)
        There is a record of this venue; at most one.
    record : In(QuoteRecord)
        Becomes the venue's quote. The symbol must be there.
    quote : In(KeptQuote)
        In the cycle after ``record``.
    now : In(CardTime)
    terms : In(VenueTerms, one a venue)
        The fees are charged when a quote comes.
    venue_stale : In(one bit a venue)
        Looked at in the cycle after the record's.
    clear : In(one bit a venue)
        Pulse: forgets the venue's quotes, in ``symbols`` cycles; until then it takes no part.
    starting : Out(1)
        The walk after reset, in which everybody's quotes are forgotten.
    walk : Out(SymbolIndex)
        The symbol that is forgotten in this cycle.
    views : Out(VenueView, one a venue)
        Two cycles after the record: as of that record, with all before it.

    Notes
    -----
    Latency 2. Cycle 0 multiplies the prices with the rate and keeps the sizes, cycle 1 adds up and keeps the rest of the quote; net
    prices, which are read in cycle 0, go into their memory in cycle 2, and the records that come meanwhile for the same symbol get
    them from the registers.
    """

    LATENCY = 2

    def __init__(self, config: CardConfig):
        self._venues, self._symbols = config.venues, config.symbols
        super().__init__({
            "take": In(config.venues), "record": In(QuoteRecord(config.price_bits)), "quote": In(KeptQuote(config.price_bits)),
            "now": In(CardTime),
            "terms": In(data.ArrayLayout(VenueTerms, config.venues)),
            "venue_stale": In(config.venues), "clear": In(config.venues),
            "starting": Out(1, init=1), "walk": Out(SymbolIndex),
            "views": Out(data.ArrayLayout(VenueView(config.price_bits), config.venues)),
        })
        self._price_bits, self._net_prices = config.price_bits, NetPrices(config.price_bits)

    def elaborate(self, platform):
        m = Module()
        clearing, walk = self._forget(m)
        symbols, whose = self._follow(m)
        net = self._charge(m)
        older = Signal(self._net_prices, reset_less=True)  # of the record before
        m.d.sync += older.eq(net)
        for number, view in enumerate(self.views):
            its = [takes[number] for takes in whose]
            m.d.comb += [
                view.sizes.eq(self._keep_sizes(m, number, its[0])),
                view.quote.eq(self._keep_quote(m, number, its[0], [of[number] for of in clearing], walk)),
                view.net.eq(self._keep_net(m, number, net, older, symbols, its)),
            ]
            self._judge(m, number, clearing[0][number])
        return m

    def _forget(self, m):
        """Walks over the symbols of venues that are cleared. Returns who is, now and in the next cycle, and where it walks then."""
        clearing, following, starting, walk = Signal(self._venues, init=-1), Signal(self._venues), self.starting, Signal(SymbolIndex)
        m.d.comb += [walk.eq(self.walk + 1), following.eq(clearing)]
        m.d.sync += [self.walk.eq(walk), clearing.eq(following)]
        with m.If(self.walk == self._symbols - 1):
            m.d.comb += [walk.eq(0), following.eq(0)]
            m.d.sync += starting.eq(0)
        with m.If(self.clear.any()):
            m.d.comb += [walk.eq(0), following.eq(clearing | self.clear)]
            m.d.sync += starting.eq(starting)
        with m.Elif(~clearing.any()):
            m.d.comb += walk.eq(0)
        return (clearing, following), walk

    def _follow(self, m):
        """The record's symbol, and whose it is (a bit a venue), now and one and two cycles later."""
        lines = [self.record.symbol], [self.take]
        for cycle in (1, 2):
            for line, name in zip(lines, ("symbol", "whose"), strict=True):
                later = Signal.like(line[-1], name=f"{name}_{cycle}")
                m.d.sync += later.eq(line[-1])
                line.append(later)
        return lines

    def _charge(self, m):
        """The record's net prices, two cycles later.

        An ask becomes ask + ceil(fee), a bid bid - ceil(fee), with fee = share_fee / 2^8 + fee_rate x price / 2^22: as sums of three
        numbers (of four for wide prices) of which the lower 22 bits fall away, with the fee per share and what rounds in the first.
        """
        net, width = Signal(self._net_prices), self._price_bits + 2 + RATE_SCALE
        fees, places = self.record.fees, range(0, self._price_bits, PART)
        for side, sign, rate in (("ask", 1, fees.rate), ("bid", -1, self.record.bid_rate)):
            price = self.record[f"{side}_price"]
            products = [Signal(signed(PART + 18), name=f"{side}_product_{place}", reset_less=True) for place in places]
            start = Signal(signed(width), name=f"{side}_start")
            below = RATE_SCALE - SHARE_FEE_SCALE  # bits below the fee per share
            # The ask gets 1 - 2^-22 more, and so is rounded up; each part that is taken off, as a complement, lacks 2^-22.
            m.d.sync += [
                *(product.eq(price[place:place + PART] * rate) for product, place in zip(products, places, strict=True)),
                start.eq(Cat(Const(-1, below), Cat(Const(-1, SHARE_FEE_SCALE), price) + fees.share) if sign > 0 else
                         Cat(Const(len(products), below), Cat(Const(0, SHARE_FEE_SCALE), price) - fees.share)),
            ]
            parts = [extended(Cat(Const(0, place), product), width) for product, place in zip(products, places, strict=True)]
            terms = [start, *(part if sign > 0 else ~part for part in parts)]
            while len(terms) > 2:
                terms = [*carry_save(*terms[:3], width), *terms[3:]]
            m.d.sync += net[side].eq((terms[0] + terms[1])[RATE_SCALE:width])
        return net

    def _lanes(self, m, name, symbol, value, enable):
        """What memories show, in the cycle after it, of a symbol whose value may be written at once."""
        shown = Signal(len(value), name=f"{name}_shown")
        for start in range(0, len(value), LANE):
            part = slice(start, start + LANE)
            memory = Memory(shape=len(value[part]), depth=self._symbols, init=[], attrs=style(self._symbols))
            m.submodules[f"{name}_{start}"] = memory
            write = memory.write_port()
            read = memory.read_port(transparent_for=[write])
            m.d.comb += [
                write.addr.eq(symbol), read.addr.eq(symbol), write.data.eq(value[part]), write.en.eq(enable), shown[part].eq(read.data),
            ]
        return shown

    def _keep_sizes(self, m, venue, its_own):
        """The venue's sizes, two cycles after the record. What there is not, has any."""
        seen = Signal(Sizes, name=f"sizes_{venue}", reset_less=True)
        m.d.sync += seen.eq(self._lanes(m, f"sizes_{venue}", self.record.symbol, self.record.sizes.as_value(), its_own))
        return seen

    def _keep_quote(self, m, venue, its_own, clearing, walk):
        """The rest of the venue's quote, two cycles after the record."""
        symbol, given = Signal(SymbolIndex, name=f"quotes_symbol_{venue}"), Signal.like(self.quote, name=f"given_{venue}")
        enable = Signal(init=1, name=f"keep_{venue}")
        m.d.sync += [symbol.eq(Mux(clearing[1], walk, self.record.symbol)), enable.eq(its_own | clearing[1])]
        m.d.comb += given.eq(self.quote)
        with m.If(clearing[0]):
            m.d.comb += [given.has_bid.eq(0), given.has_ask.eq(0)]
        return self.quote.shape()(self._lanes(m, f"quotes_{venue}", symbol, given.as_value(), enable))

    def _keep_net(self, m, venue, net, older, symbols, its):
        """The venue's net prices, two cycles after the record; ``net`` is of the record itself, ``older`` of the one before."""
        m.submodules[f"nets_{venue}"] = memory = Memory(
            shape=self._net_prices, depth=self._symbols, init=[], attrs={**style(self._symbols), "no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port()  # what is read in the cycle of its writing comes from the registers
        # Of the last two records' prices, or else the memory's: one of the two is zero.
        near, memorised, shown = (Signal(self._net_prices, name=f"{name}_{venue}", reset_less=name != "shown")
                                  for name in ("near", "memorised", "shown"))
        last, recent = Signal(name=f"last_{venue}"), Signal(name=f"recent_{venue}")
        m.d.comb += [
            write.addr.eq(symbols[2]), write.data.eq(net), write.en.eq(its[2]), read.addr.eq(symbols[0]),
            shown.eq(Mux(its[2], net.as_value(), near.as_value() | memorised.as_value())),
        ]
        before = [its[cycle] & self.record.same[cycle - 1] for cycle in (1, 2)]
        m.d.sync += [
            last.eq(before[0]), recent.eq(before[0] | before[1]),
            near.eq(Mux(recent, Mux(last, net.as_value(), older.as_value()), 0)),
            memorised.eq(Mux(recent, 0, read.data.as_value())),
        ]
        return shown

    def _judge(self, m, venue, clearing):
        """Whether the venue takes part, and how old a quote may be."""
        terms, view, usable = self.terms[venue], self.views[venue], Signal(name=f"usable_{venue}")
        oldest = [Signal(signed(49), name=f"oldest_{venue}_{cycle}") for cycle in (1, 2)]
        m.d.sync += [
            usable.eq(terms.enable & ~(self.venue_stale[venue] | self.clear[venue] | clearing)),
            oldest[0].eq(self.now - terms.max_age), oldest[1].eq(oldest[0]),
        ]
        m.d.comb += [view.usable.eq(usable), view.expired.eq((Cat(view.quote.time, Const(0, 1)).as_signed() - oldest[1])[-1])]
