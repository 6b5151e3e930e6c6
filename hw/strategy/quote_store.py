"""Every venue's top of book and what is left of its prices after fees: read for one symbol at a time, as of one record."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from hw.arbitrage_types import RATE_SCALE, SHARE_FEE_SCALE, CardTime, LegShares, VenueTerms
from hw.config import CardConfig
from hw.lib.slot_table import style
from hw.types import Price, SymbolIndex, VenueIndex

NetPrice = signed(34)
"""A price with the fee added or taken off."""

CHARGE_BITS = 34 + RATE_SCALE
LOW = 16
"""Bits of the lower of the two parts of a price that are multiplied with a rate: a DSP slice takes 18."""

LANE = 18
"""Bits of a memory whose one port both writes and shows what it writes: wider ones of the ECP5 have a port for each."""


class Fees(data.Struct):
    """What a venue charges, as in its terms, in this order."""

    rate: signed(18)
    share: signed(24)


class QuoteRecord(data.Struct):
    """One change, as it comes to the store."""

    venue: VenueIndex
    symbol: SymbolIndex
    bid_price: Price
    bid_shares: LegShares
    """Or the most that this holds: no leg has more."""
    ask_price: Price
    ask_shares: LegShares
    has_bid: 1
    """There is one that may be relied on."""
    has_ask: 1
    time: CardTime


class StoredQuote(data.Struct):
    """What is kept as it came."""

    bid_price: Price
    bid_shares: LegShares
    ask_price: Price
    ask_shares: LegShares
    has_bid: 1
    has_ask: 1
    time: CardTime


class NetPrices(data.Struct):
    bid: NetPrice
    """What a share brings that is sold at the bid."""
    ask: NetPrice
    """What a share costs that is bought at the ask."""


class VenueView(data.Struct):
    """A venue's quote of the symbol of a record."""

    quote: StoredQuote
    net: NetPrices
    usable: 1
    """The venue takes part, and its book is there."""
    expired: 1
    """The quote is older than the venue's ``max_age``."""


def extended(value):
    """The signed value in ``CHARGE_BITS`` bits."""
    return Cat(value, value[-1].replicate(CHARGE_BITS - len(value)))


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
    Latency 2. Cycle 0 multiplies the prices with the rate, cycle 1 adds up; net prices go into the memory in cycle 2, and the
    records that come meanwhile for the same symbol get them from the registers.
    """

    LATENCY = 2

    def __init__(self, config: CardConfig):
        self._venues, self._symbols = config.venues, config.symbols
        super().__init__({
            "take": In(config.venues), "record": In(QuoteRecord), "now": In(CardTime),
            "terms": In(data.ArrayLayout(VenueTerms, config.venues)),
            "venue_stale": In(config.venues), "clear": In(config.venues),
            "starting": Out(1, init=1), "walk": Out(SymbolIndex),
            "views": Out(data.ArrayLayout(VenueView, config.venues)),
        })

    def elaborate(self, platform):
        m = Module()
        clearing = self._forget(m)
        stages = self._follow(m)
        net = self._charge(m)
        older = Signal(NetPrices)  # of the record before
        m.d.sync += older.eq(net)
        stored = self._quote(m)
        for venue in range(self._venues):
            view = self.views[venue]
            m.d.comb += [
                view.quote.eq(self._keep_quote(m, venue, stored, stages[0][1][venue], clearing[venue])),
                view.net.eq(self._keep_net(m, venue, net, older, stages)),
            ]
            self._judge(m, venue, clearing)
        return m

    def _forget(self, m):
        """Walks over the symbols of venues that are cleared. Returns who is."""
        clearing, starting, walk = Signal(self._venues, init=-1), self.starting, self.walk
        m.d.sync += walk.eq(walk + 1)
        with m.If(walk == self._symbols - 1):
            m.d.sync += [walk.eq(0), clearing.eq(0), starting.eq(0)]
        with m.If(self.clear.any()):
            m.d.sync += [walk.eq(0), clearing.eq(clearing | self.clear), starting.eq(starting)]
        with m.If(~clearing.any() & ~self.clear.any()):
            m.d.sync += walk.eq(0)
        return clearing

    def _follow(self, m):
        """The record's symbol, and whose it is (a bit a venue), now and one, two and three cycles later."""
        stages = [(self.record.symbol, self.take)]
        for cycle in (1, 2, 3):
            later = Signal(SymbolIndex, name=f"symbol_{cycle}"), Signal(self._venues, name=f"whose_{cycle}")
            m.d.sync += [part.eq(before) for part, before in zip(later, stages[-1], strict=True)]
            stages.append(later)
        return stages

    def _quote(self, m):
        record, stored = self.record, Signal(StoredQuote)
        m.d.comb += [
            stored.bid_price.eq(record.bid_price), stored.ask_price.eq(record.ask_price), stored.time.eq(record.time),
            stored.bid_shares.eq(record.bid_shares), stored.ask_shares.eq(record.ask_shares),
            stored.has_bid.eq(record.has_bid), stored.has_ask.eq(record.has_ask),
        ]
        return stored

    def _charge(self, m):
        """The record's net prices, two cycles later.

        An ask becomes ask + ceil(fee), a bid bid - ceil(fee), with fee = share_fee / 2^8 + fee_rate x price / 2^22: as sums of three
        numbers of which the lower 22 bits fall away, with the fee per share and what rounds in the first.
        """
        net = Signal(NetPrices)
        kept = Signal(data.ArrayLayout(Fees, self._venues))  # near the multipliers, whatever place the register file has
        fees = Signal(Fees)
        m.d.sync += kept.eq(Cat(Cat(terms.fee_rate, terms.share_fee) for terms in self.terms))
        with m.Switch(self.record.venue[:bits_for(self._venues - 1)]):
            for venue in range(self._venues):
                with m.Case(venue):
                    m.d.comb += fees.eq(kept[venue])
        for side, sign in (("ask", 1), ("bid", -1)):
            price = self.record[f"{side}_price"]
            low, high = (Signal(signed(LOW + 18), name=f"{side}_{part}", reset_less=True) for part in ("low", "high"))
            start = Signal(signed(CHARGE_BITS), name=f"{side}_start")
            below = RATE_SCALE - SHARE_FEE_SCALE  # bits below the fee per share
            # The ask gets 1 - 2^-22 more, and so is rounded up; what is taken off, as a complement, lacks 2^-22.
            m.d.sync += [
                low.eq(price[:LOW] * fees.rate), high.eq(price[LOW:] * fees.rate),
                start.eq(Cat(Const(-1, below), Cat(Const(-1, SHARE_FEE_SCALE), price) + fees.share) if sign > 0 else
                         Cat(Const(2, below), Cat(Const(0, SHARE_FEE_SCALE), price) - fees.share)),
            ]
            parts = [extended(low), extended(Cat(Const(0, LOW), high).as_signed())]
            halves = carry_save(start, *(part if sign > 0 else ~part for part in parts), CHARGE_BITS)
            m.d.sync += net[side].eq((halves[0] + halves[1])[RATE_SCALE:CHARGE_BITS])
        return net

    def _keep_quote(self, m, venue, stored, its_own, clearing):
        """The venue's quote as it came, two cycles after the record, which the memory shows in the cycle after it is written."""
        symbol, seen = Signal(SymbolIndex, name=f"quotes_symbol_{venue}"), Signal(StoredQuote, name=f"seen_{venue}")
        given = Signal(StoredQuote, name=f"given_{venue}")
        m.d.comb += [symbol.eq(Mux(clearing, self.walk, self.record.symbol)), given.eq(stored)]
        with m.If(clearing):
            m.d.comb += [given.has_bid.eq(0), given.has_ask.eq(0)]
        for start in range(0, len(given.as_value()), LANE):
            part = slice(start, start + LANE)
            memory = Memory(shape=len(given.as_value()[part]), depth=self._symbols, init=[], attrs=style(self._symbols))
            m.submodules[f"quotes_{venue}_{start}"] = memory
            write = memory.write_port()
            read = memory.read_port(transparent_for=[write])
            m.d.comb += [
                write.addr.eq(symbol), read.addr.eq(symbol), write.data.eq(given.as_value()[part]), write.en.eq(its_own | clearing),
            ]
            m.d.sync += seen.as_value()[part].eq(read.data)
        return seen

    def _keep_net(self, m, venue, net, older, stages):
        """The venue's net prices, two cycles after the record; ``net`` is of the record itself, ``older`` of the one before."""
        m.submodules[f"nets_{venue}"] = memory = Memory(
            shape=NetPrices, depth=self._symbols, init=[], attrs={**style(self._symbols), "no_rw_check": 1})
        write, read = memory.write_port(), memory.read_port()  # what is read in the cycle of its writing comes from the registers
        (symbol_1, _), (symbol_2, whose_2), (symbol_3, whose_3) = stages[1:]
        seen, shown = Signal(NetPrices, name=f"net_seen_{venue}"), Signal(NetPrices, name=f"net_{venue}")
        near = Signal(name=f"near_{venue}")
        m.d.comb += [
            write.addr.eq(symbol_2), write.data.eq(net), write.en.eq(whose_2[venue]), read.addr.eq(self.record.symbol),
        ]
        m.d.sync += [
            seen.eq(Mux(whose_3[venue] & (symbol_3 == symbol_1), older.as_value(), read.data.as_value())),
            near.eq(whose_2[venue] & (symbol_2 == symbol_1)),
        ]
        m.d.comb += shown.eq(Mux(whose_2[venue], net.as_value(), Mux(near, older.as_value(), seen.as_value())))
        return shown

    def _judge(self, m, venue, clearing):
        """Whether the venue takes part, and how old a quote may be."""
        terms, view = self.terms[venue], self.views[venue]
        settling, usable = Signal(name=f"settling_{venue}"), Signal(name=f"usable_{venue}")
        oldest = [Signal(signed(49), name=f"oldest_{venue}_{cycle}") for cycle in (1, 2)]
        m.d.sync += [
            settling.eq(clearing[venue]),  # what was read in the walk's last cycle may be older than the walk
            usable.eq(terms.enable & ~(self.venue_stale[venue] | self.clear[venue] | clearing[venue] | settling)),
            oldest[0].eq(self.now - terms.max_age), oldest[1].eq(oldest[0]),
        ]
        m.d.comb += [view.usable.eq(usable), view.expired.eq((view.quote.time - oldest[1][:48])[-1] & ~oldest[1][-1])]
