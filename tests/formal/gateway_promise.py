"""What the gateway promises: the real one with two symbols and two venues, and everything around it free.

Its multiplier is replaced by a free input, so nothing is said about the notional here (the multiplier and the comparison have tests of
their own); all else holds for every value of the product. Of a price it is said that it keeps the limits by the distance that is found
for it; how that is found has tests.
"""

from dataclasses import replace

from amaranth.hdl import Assert, Assume, Cat, Cover, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

import hw.risk.gateway
from hw.config import TINY
from hw.lib.parity import field_parity
from hw.lib.slot_table import SlotSettings
from hw.reasons import PRIORITY, WAIVABLE, RejectReason
from hw.settings import RiskLimits, SymbolLimits
from hw.types import Order, OrderKind, Side, TopOfBook
from hw.venue_reply import VenueReply
from tests.formal.history import History

CONFIG = replace(TINY, symbols=2, open_orders=2)


class FreeProduct(wiring.Component):
    """In place of the multiplier: any product at any time."""

    a: In(32)
    b: In(32)
    any: In(64)
    product: Out(64)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.product.eq(self.any)
        return m


class Promise(wiring.Component):
    """The gateway with everything around it free.

    Parameters
    ----------
    promises : str
        What is asserted: methods of this class, without the ``_``.
    given : collection of str
        What is known and assumed: promises that have a proof of their own.
    obedient : bool
        The stage behind keeps its part of the contract: once ready, it stays ready until it has taken an order.
    gateway : module
        Of which the ``RiskGateway`` is.
    """

    order: In(Order)
    order_valid: In(1)
    limits: In(RiskLimits)
    symbol_limits: In(SlotSettings(SymbolLimits))
    symbol_limits_valid: In(1)
    limits_valid: In(1)
    lost_bit: In(1)
    armed: In(1)
    kill: In(1)
    kill_venues: In(2)
    kill_strategies: In(16)
    kill_symbols: In(2)
    restricted: In(2)
    reducing: In(1)
    heartbeat: In(1)
    halted: In(4)
    top: In(TopOfBook)
    top_valid: In(1)
    stale: In(2)
    restart: In(2)
    unreachable: In(2)
    disconnected: In(2)
    reply: In(VenueReply)
    next_user_ref: In(data.ArrayLayout(32, 2))
    reply_valid: In(1)
    clear_positions: In(1)
    product: In(64)
    other_product: In(64)
    passed_ready: In(1)
    rejected_ready: In(1)

    def __init__(self, *promises, given=(), obedient=False, gateway=hw.risk.gateway):
        super().__init__()
        self._claims = [(name, Assert) for name in promises] + [(name, Assume) for name in given]
        self._obedient = obedient
        products = [self.product, self.other_product]  # of shares and price; of price and deviation

        class Gateway(gateway.RiskGateway):
            REPLY_DEPTH = 2
            HEARTBEAT_BITS = 0

            @staticmethod
            def Multiplier():
                free = FreeProduct()
                free.any = products.pop(0)
                return free

        self._gateway = Gateway(CONFIG)

    def ports(self):
        return [Value.cast(getattr(self, name)) for name in self.signature.members]

    def elaborate(self, platform):
        m = Module()
        self._past = History(m)
        m.submodules.gateway = gateway = self._gateway
        passed, rejected = gateway.passed, gateway.rejected
        opened = Signal()
        m.d.comb += [
            gateway.orders.payload.eq(self.order),
            gateway.orders.valid.eq(self.order_valid),
            gateway.limits.eq(self.limits),
            gateway.symbol_limits.payload.eq(self.symbol_limits), gateway.symbol_limits.valid.eq(self.symbol_limits_valid),
            gateway.limits_parity.eq(field_parity(self.limits) ^ self.lost_bit),
            gateway.replies.payload.eq(self.reply),
            gateway.next_user_ref.eq(self.next_user_ref),
            gateway.replies.valid.eq(self.reply_valid),
            *(getattr(gateway, name).eq(getattr(self, name)) for name in (
                "limits_valid", "armed", "kill", "kill_venues", "kill_strategies", "kill_symbols", "restricted", "reducing", "heartbeat",
                "clear_positions", "unreachable", "disconnected")),
            Value.cast(gateway.halted).eq(self.halted),
            gateway.tops.payload.eq(self.top), gateway.tops.valid.eq(self.top_valid), gateway.stale.eq(self.stale),
            gateway.restart.eq(self.restart),
            passed.ready.eq(opened if self._obedient else self.passed_ready),
            rejected.ready.eq(self.rejected_ready),
        ]
        with m.If(passed.valid & passed.ready):
            m.d.sync += opened.eq(0)
        with m.Elif(self.passed_ready):
            m.d.sync += opened.eq(1)

        started = Signal(range(16))  # cycles since reset, as far as they matter: the past is known
        with m.If(started != 15):
            m.d.sync += started.eq(started + 1)
        self._watch(m, gateway)
        # The order stands there already before it is on offer: so both states, before and after it, can be asked for.
        m.d.comb += gateway.query_symbol.eq(Mux(self.paired_before[6] | self.paired_before[7], gateway._first.order.symbol,
                                                gateway._order.symbol))
        for name, claim in self._claims:
            getattr(self, f"_{name}")(m, gateway, started, claim)
        return m

    def _watch(self, m, gateway):
        """What is taken, and of which kind: a first leg, the second two cycles later, or a single order."""
        self.taken, self.first, self.second = taken, first, second = Signal(), Signal(), Signal()
        first_before = self._past(first, 2)
        m.d.comb += [
            taken.eq(gateway.orders.valid & gateway.orders.ready),
            second.eq(taken & first_before),
            first.eq(taken & ~second & self.order.pair & (self.order.kind != OrderKind.CANCEL)),
        ]
        self.paired_before = {cycles: self._past(second, cycles) for cycles in (4, 6, 7)}
        self.alone = self._past(first, 4) & ~self._past(taken, 2)  # its second leg did not come
        self.single = self._past(taken & ~first & ~second, 4)
        self.last, self.earlier = Signal(Order), Signal(Order)
        with m.If(taken):
            m.d.sync += [self.last.eq(self.order), self.earlier.eq(self.last)]
        answered = (gateway.passed.valid & gateway.passed.ready) | (gateway.rejected.valid & gateway.rejected.ready)
        leads_on, self.leads = Signal(), Signal()  # the first leg is on offer
        m.d.comb += self.leads.eq(self.paired_before[4] | leads_on)
        m.d.sync += leads_on.eq(self.leads & ~answered)
        self.follows = self._past(self.leads & answered)
        self.on_offer = gateway.passed.valid | gateway.rejected.valid
        reached = Signal()  # the venue of the last order could be, when it was decided on
        self.reached = Signal()
        m.d.comb += self.reached.eq(Mux(
            self.single | self.alone | self.paired_before[4], ~self._past(self.unreachable).bit_select(self.last.venue, 1), reached))
        m.d.sync += reached.eq(self.reached)

    def _decided(self, gateway):
        """(order, its age, condition): each order that leaves, in the cycle after its decision; it was weighed ``age`` cycles ago."""
        passes = gateway.passed.valid
        return [
            (self.last, 2, passes & (self.single | self.alone | self.paired_before[4])),
            (self.earlier, 4, passes & self.paired_before[4]),
        ]

    def _limits(self, m, gateway, started, claim):
        """Nothing stands against what leaves: one claim for each check."""
        for order, age, leaves in self._decided(gateway):
            with m.If(leaves & (order.kind != OrderKind.CANCEL) & (started >= 5)):
                m.d.sync += [
                    *(claim(~breach) for breach in self._against(gateway, order, age).values()),
                    claim(self._past(self.limits).rate_burst != 0)]
        with m.If(gateway.passed.valid & (self.single | self.alone | self.paired_before[4]) & (started >= 4)):
            m.d.sync += claim((self.last.venue < CONFIG.venues) & (self.last.symbol < CONFIG.symbols))

    def _reasons(self, m, gateway, started, claim):
        """A refusal has the first reason of ``PRIORITY`` that stands against the order, and the rate if no other one does."""
        last, first = (self._against(gateway, order, age) for order, age, _ in self._decided(gateway))
        sound, first_sound = (~Cat(breaches.values()).any() for breaches in (last, first))
        pair, stray, told = self.paired_before[4], self._past(gateway._orphan), gateway.rejected.payload.reason
        sound, first_sound = sound & (pair | ~(stray | self.alone)), first_sound & ~self._past(gateway._orphan, 4)
        last[RejectReason.PAIR] = Mux(pair, ~first_sound, stray | self.alone)
        first[RejectReason.PAIR] = self._past(gateway._orphan, 4) | (self.last.kind == OrderKind.CANCEL) | ~sound
        known = (self.last.venue < CONFIG.venues) & (self.last.symbol < CONFIG.symbols)
        reason = Mux(self.last.kind != OrderKind.CANCEL, self._primary(last), Mux(known, RejectReason.NO_SESSION, RejectReason.BAD_ORDER))
        with m.If((self.single | self.alone) & (started >= 6)):
            m.d.sync += claim(~gateway.rejected.valid | (told == reason))
        with m.If(pair & (started >= 6)):
            m.d.sync += [
                claim(~gateway.rejected.valid | (told == self._primary(first))),
                claim(gateway._last_passes | (gateway._last_reason == reason)),
            ]
        with m.If(self.leads & ~pair & (started >= 6)):
            m.d.sync += claim(gateway._last_reason == self._past(gateway._last_reason))
        with m.If(self.follows & (started >= 6)):
            m.d.sync += claim(~gateway.rejected.valid | (told == self._past(gateway._last_reason)))

    @staticmethod
    def _primary(breaches):
        reason = RejectReason.RATE
        for other in reversed(PRIORITY[:-1]):
            reason = Mux(breaches[other], other, reason)
        return reason

    def _against(self, gateway, order, age):
        """Reason: whether it stands against the order, in the cycle after the decision; the order was weighed ``age`` cycles ago."""
        limits, table, second = self._past(self.limits, 2), gateway._table, self.paired_before[4] & (age == 2)
        at, new = Cat(order.symbol[0], order.venue[0]), order.kind == OrderKind.NEW
        own, after = self._past(gateway._by_key.found, age), self._past(gateway.exposure.after, age)
        unknown = (order.kind == OrderKind.REPLACE) & ~self._past(table.known, age + 1)
        nowhere = self._past(gateway._reference.no_reference, age)
        against = {
            RejectReason.DEAD_MAN: self._past(gateway.expired),
            RejectReason.HALTED: self._past(
                ~self.armed | ~self.limits_valid | gateway.fault | gateway.clearing | gateway._broken)
            | self._past(self.lost_bit | gateway.clearing, 2),
            RejectReason.KILLED: self._past(self.kill) | Cat(self._past(switches, 2).bit_select(which, 1) for switches, which in (
                (self.kill_venues, order.venue), (self.kill_strategies, order.strategy), (self.kill_symbols, order.symbol))).any(),
            RejectReason.REPEATED: self._past(gateway.tripped_strategies, 2).bit_select(order.strategy, 1),
            RejectReason.BAD_ORDER: self._bad(order, second) | self._past(gateway.exposure.no_room, age) & ~unknown,
            RejectReason.NO_SESSION: self._past(self.unreachable).bit_select(order.venue, 1),
            RejectReason.UNKNOWN_ORDER: unknown,
            RejectReason.RESTRICTED: self._past(self.restricted, 2).bit_select(order.symbol, 1),
            RejectReason.MARKET_STATE: self._past(self.halted.bit_select(at, 1), 2),
            RejectReason.UNSURE_BOOK: self._past(self.stale, 2).bit_select(order.venue[0], 1)
            | ~self._past(Cat(gateway._reference.sure), 2).bit_select(at, 1),
            RejectReason.MAX_SHARES: (order.shares > limits.max_shares) | (order.shares > own.shares),
            RejectReason.COLLAR: nowhere | (self._past(gateway._reference.distance, age) > limits.max_distance),
            RejectReason.FAT_FINGER: nowhere
            | (self._past(gateway._reference.distance, age) > self._past(self.other_product, age)[16:48]),
            RejectReason.PRICE_BAND: own.outside,
            RejectReason.DUPLICATE: self._past(gateway._duplicates.found, age + 1),
            RejectReason.SELF_MATCH: self._meets_an_own(table, order, age + 1),
            RejectReason.SHORT_SALE: (order.side == Side.SELL) & (after > 0) & own.uptick_only & self._past(gateway._reference.at_bid, age),
            RejectReason.LOCATE: (order.side == Side.SELL) & (after > 0) & own.no_locate,
            RejectReason.REDUCING: self._past(self.reducing) & (after > 0),
            RejectReason.POSITION: (after > limits.max_position) | (after > own.position),
            RejectReason.STRATEGY_RATE: own.strategy_fast, RejectReason.SYMBOL_RATE: own.symbol_fast,
            RejectReason.NO_PLACE: self._past(table.taken).bit_select(order.venue, 1),
            RejectReason.OPEN_ORDERS: new & (self._past(table.count, 2) + second + 1 > limits.max_open_orders),
            **self._money_against(gateway, age, limits, own),
        }
        waivable = WAIVABLE - {RejectReason.DEAD_MAN}  # ``expired`` is low where it is waived
        return {reason: breach & ~limits.waived[reason] if reason in waivable else breach for reason, breach in against.items()}

    def _money_against(self, gateway, age, limits, own):
        account, room, product = gateway._account, self._past(gateway._day.room, 2), self._past(self.product, age)
        first = age > 2
        return {
            RejectReason.MAX_NOTIONAL: (product > limits.max_notional) | (product > own.notional),
            RejectReason.DAY_NOTIONAL: room < 0 if first else product > room,
            RejectReason.GROSS_NOTIONAL: self._past(account.first_gross if first else account.gross, 2),
            RejectReason.NET_NOTIONAL: self._past(account.first_net if first else account.net, 2),
        }

    def _bad(self, order, second):
        """A venue never gets to see it."""
        first = self.earlier
        known = (order.venue < CONFIG.venues) & (order.symbol < CONFIG.symbols)
        sound = (order.shares >= 1) & (order.price >= 1) & (order.price <= 0x7FFFFFFF)
        kind = (order.kind == OrderKind.NEW) | (order.kind == OrderKind.REPLACE) & ~order.pair
        other = (order.kind == OrderKind.NEW) & ~order.pair & (order.strategy == first.strategy) & (order.venue != first.venue) & (
            (order.symbol != first.symbol) | (order.side != first.side))
        return ~(known & sound & kind & (other | ~second))

    def _limits_by_key(self, m, gateway, started, claim):
        """What the tables of its symbol and its strategy said of it when it was weighed."""
        waived = self._past(self.limits.waived, 2)
        for order, age, leaves in self._decided(gateway):
            limits, after = self._past(gateway._by_key.table.limits, age), self._past(gateway.exposure.after, age)
            with m.If(leaves & (order.kind != OrderKind.CANCEL) & (started >= 5)):
                m.d.sync += [
                    claim((order.shares <= limits.max_shares) | waived[RejectReason.MAX_SHARES]),
                    claim((self._past(self.product, age) <= limits.max_notional) | waived[RejectReason.MAX_NOTIONAL]),
                    claim((after <= Mux(order.side == Side.SELL, limits.max_short, limits.max_long)) | waived[RejectReason.POSITION]),
                    *(claim(~self._past(rate.fast, age)) for rate in gateway._by_key.rates.values()),
                    claim((order.price >= limits.min_price) & (order.price <= limits.max_price) | waived[RejectReason.PRICE_BAND]),
                ]
            with m.If(leaves & (order.kind != OrderKind.CANCEL) & (order.side == Side.SELL) & (after > 0) & (started >= 5)):
                m.d.sync += [
                    claim(~self._past(gateway._by_key.locates.short, age) | waived[RejectReason.LOCATE]),
                    claim(~limits.uptick_only | ~self._past(gateway._reference.at_bid, age) | waived[RejectReason.SHORT_SALE]),
                ]

    def _meets_an_own(self, table, order, age):
        """An own order of the other side stood so many cycles ago at the venue, at a price at which the two trade."""
        found = []
        for place, entry in enumerate(table.own.entries):
            entry, stood = self._past(entry, age), self._past(table.places[place], age)
            price = Mux(entry.side == Side.SELL, ~entry.key, entry.key)
            trades = Mux(order.side == Side.SELL, price >= order.price, price <= order.price)
            same = (order.venue == place // CONFIG.open_orders) & (order.symbol == entry.symbol) & (order.side != entry.side)
            found.append(stood & entry.rests & same & trades)
        return Cat(found).any()

    def _position(self, m, gateway, started, claim):
        """With what has left alone, or after the first leg of its pair: once it is counted."""
        passes = gateway.passed.valid & (self.single | self.alone | self.paired_before[4])
        self._counts(m, gateway, started, claim, self._past(self.last, 3), self._past(passes, 3), 5)

    def _position_of_first_leg(self, m, gateway, started, claim):
        """The first leg of a pair counts as the last."""
        pair = self._past(gateway.passed.valid & self.paired_before[4], 5)
        self._counts(m, gateway, started, claim, self._past(self.earlier, 5), pair, 7)

    def _counts(self, m, gateway, started, claim, order, moment, age):
        """The state of a symbol two cycles after it was asked for, and one cycle older; limits of ``age`` cycles ago."""
        position, buy, sell = gateway.position, gateway.working_buy, gateway.working_sell
        calm = ~Cat(self._past(gateway.clearing, cycles) for cycles in range(1, 10)).any() & (started >= 10)
        most = self._past(self.limits, age)
        free, reducing = most.waived[RejectReason.POSITION], self._past(self.reducing, age - 1)
        new = moment & calm
        with m.If(new):
            m.d.sync += claim(position == self._past(position))
        with m.If(new & (order.kind == OrderKind.CANCEL)):
            m.d.sync += [claim(buy == self._past(buy)), claim(sell == self._past(sell))]
        for side, own, other, held in ((Side.BUY, buy, sell, position), (Side.SELL, sell, buy, -position)):
            with m.If(new & (order.kind == OrderKind.NEW) & (order.side == side)):
                m.d.sync += [
                    claim((held + own <= most.max_position) | free), claim((held + own <= 0) | ~reducing),
                    claim(own == self._past(own) + order.shares), claim(other == self._past(other)),
                ]
            with m.If(new & (order.kind == OrderKind.REPLACE) & (order.side == side)):  # the old order works on
                m.d.sync += [
                    claim((held + own <= most.max_position) | free | (own == self._past(own))),
                    claim((held + own <= 0) | ~reducing | (own == self._past(own))),
                    claim((own >= self._past(own)) & (own <= self._past(own) + order.shares)), claim(other == self._past(other)),
                ]

    def _day(self, m, gateway, started, claim):
        """With the order, and once both legs of a pair are counted; of the limit of four cycles before."""
        used = gateway.day_notional
        calm = ~Cat(self._past(gateway.clearing, cycles) for cycles in range(1, 10)).any() & (started >= 10)
        new = gateway.passed.valid & (self.last.kind != OrderKind.CANCEL)  # a REPLACE counts as a whole
        for moment, since in ((self._past(new & self.single), 1), (self._past(new & self.paired_before[4], 3), 3)):
            limit, waived = self._past(self.limits.max_day_notional, since + 4), self._past(self.limits.waived, since + 2)
            with m.If(moment & calm):
                m.d.sync += claim((used <= limit) | waived[RejectReason.DAY_NOTIONAL])

    def _answers(self, m, gateway, started, claim):
        """The latency is constant, and nothing leaves that was not asked for or was changed on the way."""
        passed, rejected = gateway.passed, gateway.rejected
        new = self.on_offer & ~self._past((passed.valid & ~passed.ready) | (rejected.valid & ~rejected.ready))
        with m.If(started >= 6):
            m.d.sync += claim(new == (self.single | self.alone | self.paired_before[4] | self.follows))
        m.d.comb += claim(~(passed.valid & rejected.valid))
        with m.If(self.on_offer & (started >= 6)):
            m.d.sync += [
                claim(passed.payload.as_value() == Mux(self.leads, self.earlier.as_value(), self.last.as_value())),
                claim(rejected.payload.order.as_value() == passed.payload.as_value()),
                claim(gateway._leads == self.leads),
                claim(gateway._order.as_value() == self.last.as_value()),
                claim(~rejected.valid | (rejected.payload.reason != RejectReason.NONE)),
            ]
        known = (self.last.venue < CONFIG.venues) & (self.last.symbol < CONFIG.symbols)
        with m.If((self.single | self.follows) & (self.last.kind == OrderKind.CANCEL) & (started >= 6)):
            m.d.sync += claim(passed.valid == (known & self.reached))

    def _pairs(self, m, gateway, started, claim):
        """Both legs leave or neither, however long the first waits; a leg whose other one has been refused does not leave."""
        both = self.last.kind != OrderKind.CANCEL
        known = (self.last.venue < CONFIG.venues) & (self.last.symbol < CONFIG.symbols)
        with m.If(started >= 6):
            m.d.sync += [
                claim(gateway._second == Cat(self._past(self.second, cycles) for cycles in (1, 2, 3)).any()),
                claim(~gateway._back | self._past(self.second, 5) | self._past(self.second, 6)),
            ]
        with m.If(self.leads & (started >= 6)):
            m.d.sync += [
                claim(self.on_offer),
                claim(gateway._last_passes | (gateway._last_reason != RejectReason.NONE)),
                claim(gateway._last_passes == Mux(both, gateway.passed.valid, known & self.reached)),
            ]
            with m.If(~both):
                m.d.sync += claim(gateway.rejected.valid)
        with m.If(self.follows & both & (started >= 6)):
            m.d.sync += claim(gateway.passed.valid == self._past(gateway.passed.valid))
        with m.If(self.alone & (started >= 6)):
            m.d.sync += [claim(gateway.rejected.valid), claim(gateway._orphan)]
        with m.If(gateway.passed.valid & (self.single | self.paired_before[4]) & (self.last.kind != OrderKind.CANCEL) & (started >= 6)):
            m.d.sync += claim(~self._past(gateway._orphan, 1))
        with m.If(gateway.passed.valid & self.paired_before[4] & (started >= 6)):
            m.d.sync += claim(~self._past(gateway._orphan, 5) & (self.last.strategy == self.earlier.strategy) & ~self.last.pair)

    def _stream_rules(self, m, gateway, started, claim):
        for stream in (gateway.passed, gateway.rejected):
            payload = stream.payload.as_value()
            with m.If(self._past(stream.valid & ~stream.ready) & (started >= 1)):
                m.d.sync += claim(stream.valid & (payload == self._past(payload)))

    def _obedience(self, m, gateway, started, claim):
        """To an obedient stage no order waits behind the door, but the second leg of a pair."""
        m.d.sync += claim(~(gateway.passed.valid & (self.single | self.alone | self.paired_before[4])) | gateway.passed.ready)

    def _reasons_occur(self, m, gateway, started, claim):
        m.d.sync += [Cover(self._goal(gateway, reason)) for reason in RejectReason]

    def _goal(self, gateway, reason):
        if reason is RejectReason.NONE:
            return gateway.passed.valid & self.follows & (gateway.passed.payload.side == Side.SELL)
        return gateway.rejected.valid & (gateway.rejected.payload.reason == reason)
