"""Follows a card event by event beside the golden chain, at every joint between two stages.

The golden models have no time. Where the order of things is the device's to choose (which venue's record comes first, in which
cycle a switch falls) it is taken from the probes inside the device; what follows from it is the models'.
"""

from collections import Counter, deque
from copy import copy

from hw.reasons import DropReason, RejectReason, StaleReason
from sim.bench.told import tb_bits, told_of
from sim.bench.words import FrameCollector
from sim.golden.arbitrage import Limits as ArbitrageLimits
from sim.golden.arbitrage import Venue
from sim.golden.bank import BankModel
from sim.golden.card import CardModel, Record
from sim.golden.ethernet import ETHERNET_HEADER, HEADERS
from sim.golden.moldudp64 import HEADER_LENGTH, Gap
from sim.golden.open_orders import Answer
from sim.golden.order_frame import Address
from sim.golden.records import ADD, HALT, RESUME, Order, TopOfBook
from sim.golden.risk import MASKS, Limits, Market

LINE_PORTS = {"feed": "a", "feed_b": "b"}
"""A venue's ports in the order of its lines, and how the stages behind them are called."""

DECIDED_TO_SEEN = 8
"""Cycles at most from a frame's verdict until the device's arbiter knows of the frame."""

LINE_REGISTERS = ("FEED", "FEED_B", "RECOVERY")

ARBITER_COUNTS = ("messages", "duplicates", "restored")

VENUE_PROBES = (
    "book.events", "book.tops", "book.venue_stale", "book.halted", "state.stale", "state.restart",
    "arbiter.gap", "arbiter.gave_up", "arbiter.recovered", "recovery.dropped", *(f"arbiter.{counted}" for counted in ARBITER_COUNTS),
    *(f"{line}_{probe}" for line in LINE_PORTS.values() for probe in ("gate.final", "buffer.dropped", "late.dropped")),
)
CARD_PROBES = (
    "merge_tops.output", "arbitrage.orders", "arbitrage.limits", "arbitrage.cooldown", "arbitrage.terms", "arbitrage.enable",
    "arbitrage.venue_stale", "arbitrage.clear", "order_arbiter.output", "clock.now", *(f"gateway.{name}" for name in (
        "passed", "rejected", "replies", "settled", "applied",
        "armed", "kill", *MASKS, "limits", "limits_valid", "clear_positions", "fault", "halted", "stale", "restart",
        "reducing", "heartbeat")),
)
STRATEGY_LATENCY = 4

SETTLED = 10
"""Cycles after which a register write certainly has its effect."""


def probes(venues: int) -> tuple[str, ...]:
    """What the scoreboard looks at inside a card."""
    return tuple(f"venue_{venue}_{probe}" for venue in range(venues) for probe in VENUE_PROBES) + CARD_PROBES


def plain_order(order) -> Order:
    return Order(*(getattr(order, name) for name in Order._fields))


class LineBoard:
    """The frames of one port, and what the card says of each."""

    def __init__(self, tb, venue: int, port: str):
        name = f"venue_{venue}_{LINE_PORTS[port]}"
        self.collector, self.final = FrameCollector(tb.monitor(f"{port}__{venue}")), tb.port(f"{name}_gate_final")
        self._tb, self.taken, self.outcomes = tb, 0, []
        self._dropped = [f"{name}_buffer_dropped", f"{name}_late_dropped"]
        if port == "feed":
            self._dropped.append(f"venue_{venue}_recovery_dropped")

    def verdict(self):
        """In the cycle in which a frame's fate is decided: reason, data, MAC error, cycles of its words; else None."""
        if not self.final.is_valid:
            return None
        reason = DropReason(self.final.codec.unpack(self.final.bits).reason)
        number, self.taken = self.taken, self.taken + 1
        assert number < len(self.collector.frames), "the card judged a frame that has not ended"
        reason = DropReason.OVERFLOW if any(map(self._tb.get, self._dropped)) else reason
        return reason, self.collector.frames[number][2], self.collector.errors[number], self.collector.times[number]


class VenueBoard:
    """One venue from its ports to the records of its book."""

    def __init__(self, tb, card: CardModel, number: int):
        self.tb, self.model, self.number = tb, card.venues[number], number
        self.lines = [LineBoard(tb, number, port) for port in LINE_PORTS]
        self.collector = self.lines[0].collector
        name = f"venue_{number}_"
        self.gap, self.tops, self.book_events = (tb.port(name + port) for port in ("arbiter_gap", "book_tops", "book_events"))
        self._stale, self._restart, self._book_stale = name + "state_stale", name + "state_restart", name + "book_venue_stale"
        self._halted = name + "book_halted"
        self._gave_up, self._recovered = name + "arbiter_gave_up", name + "arbiter_recovered"
        self.events, self.records, self.gaps, self.losses = deque(), [], [], []
        self._times, self.on_event = {}, lambda *_: None
        self._was_stale, self._new, self._restarts = False, True, False
        self._in_book, self._forgets = deque(), False
        self._decided = 0  # cycle of the last frame's verdict
        self._counted = Counter()  # of messages, by the device

    def sample(self, cycle):
        self._watch_frames(cycle)
        self._watch_gaps(cycle)
        self._watch_records(cycle)
        for name in ARBITER_COUNTS:
            self._counted[name.upper()] += self.tb.get(f"venue_{self.number}_arbiter_{name}")
        if self._restarts:
            self.events.clear()
            self.model.restart()
            self._forget_counts(cycle)
            self._restarts, self._forgets = False, True
        if self._forgets and not self._in_book:
            self.model.forget()
            self._forgets = False
        if self.tb.get(self._restart):
            self._restarts = True
        if self.book_events.is_valid and self.book_events.is_ready:
            assert self.events, f"cycle {cycle}: venue {self.number}'s book took an event that no good frame had"
            self._in_book.append(self.events.popleft())
        self._was_stale = bool(self.tb.get(self._book_stale))

    def _forget_counts(self, cycle):
        """The model counts a frame's messages at its verdict, the device when their turn comes: what still waits never counts."""
        counts = self.model.arbiter.counts
        early = {name: (count, counts[name]) for name, count in self._counted.items() if count > counts[name]}
        assert not early, f"cycle {cycle}: venue {self.number} has counted messages that it was not sent (device, golden model): {early}"
        for name, count in self._counted.items():
            counts[name] = count

    def _watch_frames(self, cycle):
        for port, board in enumerate(self.lines):
            if (verdict := board.verdict()) is None:
                continue
            reason, data, error, times = verdict
            self._decided = cycle
            outcome = self.model.frame(data, port=port, error=error, full=reason is DropReason.OVERFLOW)
            if reason is DropReason.NONE:
                self._note_times(data, times)
            self.tb.compare([reason], [outcome.reason], f"cycle {cycle}: fate of venue {self.number}'s frame {data.hex()}")
            board.outcomes.append(outcome)
            self.events.extend(outcome.events)

    def _watch_gaps(self, cycle):
        """Time decides what is a gap and when it is given up: the device's clock, the model's figures."""
        if self.gap.is_valid:
            trusted = self.model.stale is StaleReason.NONE
            gap, told = self.model.gap(), self.gap.codec.unpack(self.gap.bits)
            told = Gap(told.session.to_bytes(10, "little"), told.first, told.count)
            assert gap is not None, f"cycle {cycle}: venue {self.number} tells a gap that is none"
            self.tb.compare([told], [gap], f"cycle {cycle}: gap")
            self.gaps.append((self.number, gap))
            if trusted:
                self.losses.append((self.number, self.model.stale))
        if self.tb.get(self._gave_up):
            self.events.extend(self.model.give_up())
        if self.tb.get(self._recovered):
            arbiter = self.model.arbiter
            on_its_way = cycle - self._decided < DECIDED_TO_SEEN  # a frame that opens the next hole
            recovered = arbiter.recovered or (on_its_way and arbiter.expected >= arbiter.until)
            assert recovered, f"cycle {cycle}: venue {self.number} has not recovered"
            self.model.recovered()

    def _watch_records(self, cycle):
        if not self.tops.is_valid:
            self._new = True
            return
        if self._new:
            assert self._in_book, f"cycle {cycle}: venue {self.number} gave a record without an event"
            record = self._book(self._in_book.popleft())
            self.records.append(record)
            halts = tb_bits(self.tb.get(self._halted), self.tb.component.config.symbols)
            wanted = {symbol for symbol in range(self.tb.component.config.symbols) if self.model.halted(symbol)}
            assert self._forgets or halts == wanted, f"cycle {cycle}: venue {self.number} does not trade {halts}, the golden model {wanted}"
            top = self.tops.codec.unpack(self.tops.bits)
            self.tb.compare([device_record(top)], [record], f"cycle {cycle}: record")
            entered = {(time + self.tb.get("clock_now") - cycle) & 0xFFFF_FFFF for time in self._times[record.sequence]}
            assert top.ingress in entered, f"cycle {cycle}: message {record.sequence} entered at {entered}, the record says {top.ingress}"
        self._new = self.tops.is_ready

    def _book(self, slot_event):
        """The golden record of an event; tells ``on_event`` of the event, the order that it names, and the tops around it."""
        book, event = self.model.book, slot_event.event
        order = copy(book.orders.get(event.reference))
        named = order is not None and event.kind not in (ADD, HALT, RESUME)
        symbol = order.locate if named else slot_event.symbol
        before = book.top(symbol)
        forgotten = self._restarts or self._forgets  # the last word of a book that is being forgotten: nobody may trade on it
        record = self.model.book_event(slot_event, venue_stale=self._was_stale or forgotten)
        self.on_event(event, order, before, record.top)
        return record

    def _note_times(self, frame, cycles):
        """When the last byte of each message, with what shares its word of the payload, was on the port: of every copy of it."""
        payload, at = HEADERS, HEADERS + HEADER_LENGTH
        end = ETHERNET_HEADER + int.from_bytes(frame[16:18], "big")
        sequence = int.from_bytes(frame[payload + 10:payload + 18], "big")
        while at + 2 <= end:
            at += 2 + int.from_bytes(frame[at:at + 2], "big")
            last = min(payload + ((at - 1 - payload) // 8 + 1) * 8, end) - 1
            self._times.setdefault(sequence, set()).add(cycles[last // 8])
            sequence += 1

    def check_rest(self):
        assert not self.events, f"venue {self.number}: {len(self.events)} events gave no record"
        for line in self.lines:
            assert line.taken == len(line.collector.frames), f"venue {self.number}: frames without a verdict"
        assert bool(self.tb.get(self._stale)) == (self.model.stale is not StaleReason.NONE), f"venue {self.number} stale"


def device_record(top) -> Record:
    fields = TopOfBook(*(getattr(top, name) for name in TopOfBook._fields))
    flags = (bool(getattr(top, name)) for name in ("stale", "halted", "changed", "partial"))
    return Record(top.venue, top.symbol, fields, *flags, top.sequence, top.timestamp)


class CardScoreboard:
    """The whole card. Add it to the testbench after the sources, and tell it of register writes by ``HostBus.on_write``.

    Attributes
    ----------
    model : CardModel
    bank : BankModel
    venues : list of VenueBoard
    latencies : list of (Order, cycles)
        From the last byte of the trigger to the first word of the order's frame.
    """

    def __init__(self, tb, bus):
        self.tb, self.bus = tb, bus
        config = tb.component.config
        self.config, self.model, self.bank = config, CardModel(config.venues, config.symbols, config.open_orders), BankModel()
        self.venues = [tb.add(VenueBoard(tb, self.model, number)) for number in range(config.venues)]
        self.collector = FrameCollector(tb.monitor("orders"))
        self.ports = {name: tb.port(name) for name in (
            "merge_tops_output", "arbitrage_limits", "arbitrage_orders", "order_arbiter_output", "gateway_passed", "gateway_rejected",
            "gateway_replies")}
        self.merged, self.rejected, self.sent, self.latencies, self.signals = [], [], [], [], []
        self._limits_of, self._on_offer = {}, 0
        self._cleared = [-100] * config.venues
        self._judging, self._asked, self._replies, self._settling = deque(), None, deque(), deque()
        self._waiting_orders, self._waiting_host, self._passed, self._frames = deque(), deque(), deque(), deque()
        self._history, self._frames_seen = deque(maxlen=8), 0
        self._order, self._reply, self._host_refused = {}, {}, 0
        self.reasons, self._bank_checked = Counter(), 0
        self._verdicts, self._probed, self._limits, self._halted, self._touch = deque(), {}, None, set(), None
        bus.on_write(self._written)
        bus.on_read(self.bank.read)

    # what the host writes

    def _written(self, name, index, value):
        self.bank.write(name, value)
        venue = self.model.venues[index[0]].settings if index and name not in ("NAME", "ARB_ENABLE", "KILL_SYMBOLS", "RESTRICTED") else None
        prefix, _, field = name.rpartition("_")
        if prefix in LINE_REGISTERS and field in ("IP", "PORT"):
            line = LINE_REGISTERS.index(prefix)
            ip, port = venue.addresses[line]
            venue.addresses[line] = (value, port) if name.endswith("IP") else (ip, value)
        elif name == "FEED_SEQUENCE":
            venue.feed_sequence = value
        elif name == "BINDING":
            venue.locates = {locate: slot for locate, slot in venue.locates.items() if slot != index[1]}
            if value >> 31:
                venue.locates[value & 0xFFFF] = index[1]
        elif name == "ASSUME_TRADING":
            slots = {32 * index[1] + bit for bit in range(32) if value >> bit & 1}
            venue.assume_trading = {slot for slot in venue.assume_trading if slot // 32 != index[1]} | slots
        elif name == "USER_REF":
            self.model.risk.open.next_ref[index[0]] = value
        elif name == "NAME":
            self.model.names[index[0]] = value.to_bytes(8, "little").decode("ascii")
        elif name.startswith("ORDER_"):
            venue.order_address = venue.order_address._replace(**{name.removeprefix("ORDER_").lower(): value})
            assert isinstance(venue.order_address, Address)
        elif name.startswith("HOST_ORDER"):
            self._host_order(name, value)

    def _host_order(self, name, value):
        self._order[name] = value
        if name == "HOST_ORDER_DOORBELL" and value & 1:
            fields = self._order.get("HOST_ORDER", 0)
            self._waiting_host.append(Order(
                0, fields & 0xF, fields >> 16 & 0xFF, fields >> 8 & 1, self._order.get("HOST_ORDER_SHARES", 0),
                self._order.get("HOST_ORDER_PRICE", 0)))

    # the cycle

    def sample(self, cycle):
        self._history.append((
            self._probe("arbitrage_enable"), self._probe("arbitrage_venue_stale"), self._probe("arbitrage_terms"), self.tb.get("clock_now"),
            dict(self._limits_of)))
        port = self.ports["arbitrage_limits"]
        if port.is_valid:  # of the records from the next cycle on
            given = port.codec.unpack(port.bits)
            self._limits_of[given.symbol] = ArbitrageLimits(**given.values._asdict())
        self._judge_records(cycle)
        self._watch_merge(cycle)
        self._watch_gateway(cycle)
        self._watch_frames(cycle)
        self._check_bank(cycle)

    def _probe(self, name):
        """The value of a probe, taken apart anew only when it has changed."""
        bits = int(getattr(self.tb.dut, name).value)
        before = self._probed.get(name)
        if before is None or before[0] != bits:
            before = self._probed[name] = bits, self.tb.get(name)
        return before[1]

    def _watch_merge(self, cycle):
        port = self.ports["merge_tops_output"]
        if port.is_valid and port.is_ready:
            top = port.codec.unpack(port.bits)
            record = device_record(top)
            self.merged.append(record)
            self._touch = record.touch
            if not self._cleared[record.venue] < cycle <= self._cleared[record.venue] + self.config.symbols:
                self._judging.append((cycle + STRATEGY_LATENCY, record, top.ingress))
        clear = tb_bits(self._probe("arbitrage_clear"), self.config.venues)
        for venue in clear:
            self._judging.append((cycle + STRATEGY_LATENCY, venue, None))
        if clear:
            for venue in range(self.config.venues):
                if venue in clear or self._cleared[venue] < cycle <= self._cleared[venue] + self.config.symbols:
                    self._cleared[venue] = cycle
        port = self.ports["order_arbiter_output"]
        if port.is_valid and port.is_ready:
            order = port.codec.unpack(port.bits)
            source = self._waiting_orders if order.strategy else self._waiting_host
            assert source, f"cycle {cycle}: nobody asked for {plain_order(order)}"
            self.tb.compare([plain_order(order)], [source.popleft()], f"cycle {cycle}: order to the gateway")
            self._asked = plain_order(order), order.ingress

    def _judge_records(self, cycle):
        """The strategy looks at its settings on the way: see the cycles in which each is used."""
        while self._judging and self._judging[0][0] == cycle:
            _, record, ingress = self._judging.popleft()
            rule = self.model.arbitrage
            if isinstance(record, int):
                rule.forget(record)
                continue
            at = dict(zip(range(cycle - len(self._history) + 1, cycle + 1), self._history, strict=True))
            taken = cycle - STRATEGY_LATENCY
            rule.enabled, rule.limits = tb_bits(at[taken][0], self.config.symbols), at[taken][4]
            rule.cooldown = self._probe("arbitrage_cooldown")
            rule.terms = [Venue(**terms._asdict()) for terms in at[taken + 1][2]]
            rule.stale_venues = tb_bits(at[taken + 1][1], self.config.venues) | {
                venue for venue, since in enumerate(self._cleared) if since <= taken + 1 <= since + self.config.symbols + 1}
            time = at[taken][3] % (1 << 48)
            outcome = self.model.strategy(record, cycle=cycle, waiting=self._on_offer > 0, time=time)
            self._waiting_orders.extend(outcome.orders)
            self._on_offer += len(outcome.orders)
            if outcome.signal:
                self.signals.append(outcome.signal._asdict() | {"symbol": record.symbol, "time": time})
        orders = self.ports["arbitrage_orders"]
        self._on_offer -= orders.is_valid and orders.is_ready

    def _watch_gateway(self, cycle):
        risk = self.model.risk
        vars(risk).update({name: bool(self._probe(f"gateway_{name}")) for name in ("armed", "kill", "limits_valid", "fault", "reducing")})
        risk.switch(**{name: self._probe(f"gateway_{name}") for name in MASKS})
        risk.halted, self._halted = self._halted, self._halts()  # the state of the market is taken up a cycle before
        limits = self._probe("gateway_limits")
        if limits is not self._limits:
            self._limits, risk.limits = limits, Limits(**limits._asdict())
        asked, self._asked = self._asked, None
        stale, restarted = (tb_bits(self._probe(f"gateway_{name}"), self.config.venues) for name in ("stale", "restart"))
        market, self._touch, heartbeat = Market(self._touch, stale, restarted), None, bool(self._probe("gateway_heartbeat"))
        for (order, ingress), reason in self.model.gateway(cycle, asked, heartbeat=heartbeat, market=market):
            self.reasons[reason] += 1
            self._verdicts.append((order, ingress, reason))
        if self._probe("gateway_settled"):
            risk.settle(self._settling.popleft())
        if self._probe("gateway_applied") and (settlement := risk.answer(self._replies.popleft())):
            self._settling.append(settlement)
        port = self.ports["gateway_replies"]
        if port.is_valid:
            self._replies.append(Answer(*port.codec.unpack(port.bits)))
        if self._probe("gateway_clear_positions") and risk.clear_positions():
            self._replies.clear()
            self._settling.clear()
        self._watch_answers(cycle)
        risk.open.cycle()

    def _halts(self):
        """By the device's clock; that it is right is checked where the book says it."""
        halted = enumerate(self._probe("gateway_halted"))
        return {(venue, symbol) for venue, symbols in halted for symbol in tb_bits(symbols, self.config.symbols)}

    def _watch_answers(self, cycle):
        """The gateway has one order at a time, so its answers come in the order of its decisions."""
        passed, rejected = self.ports["gateway_passed"], self.ports["gateway_rejected"]
        if passed.is_valid and passed.is_ready:
            order = passed.codec.unpack(passed.bits)
            self._answer(cycle, plain_order(order), RejectReason.NONE)
            user_ref, frame = self.model.send(plain_order(order))
            self._frames.append((plain_order(order), user_ref, frame, order.ingress))
        if rejected.is_valid and rejected.is_ready:
            item = rejected.codec.unpack(rejected.bits)
            self._answer(cycle, plain_order(item.order), RejectReason(item.reason))
            self.rejected.append((plain_order(item.order), RejectReason(item.reason)))

    def _answer(self, cycle, order, reason):
        assert self._verdicts, f"cycle {cycle}: the gateway answers an order that it was not asked about: {order}"
        expected, _, verdict = self._verdicts.popleft()
        self.tb.compare([(order, reason)], [(expected, verdict)], f"cycle {cycle}: decision of the gateway")

    def _watch_frames(self, cycle):
        while self._frames_seen < len(self.collector.frames):
            first, _, data = self.collector.frames[self._frames_seen]
            self._frames_seen += 1
            assert self._frames, f"cycle {cycle}: a frame left that no order passed for: {data.hex()}"
            order, user_ref, frame, ingress = self._frames.popleft()
            self.tb.compare([data], [frame], f"cycle {cycle}: frame of {order}")
            # the clock of the card and the number of the cycle run side by side
            latency = (first + self.tb.get("clock_now") - cycle - ingress) & 0xFFFF_FFFF
            self.sent.append((order, user_ref, latency))
            if order.strategy:
                self.latencies.append((order, latency))

    def _check_bank(self, cycle):
        if cycle - self.bus.last_write == SETTLED:
            tb, bank = self.tb, self.bank
            if tb.get("gateway_fault"):
                bank.fault()
            got = bool(tb.get("gateway_armed")), bool(tb.get("gateway_kill")), bool(tb.get("gateway_limits_valid"))
            tb.compare([got], [(bank.armed, bank.killed, bank.limits_valid)], f"cycle {cycle}: armed, killed, limits valid")
            tb.compare([tb.get("gateway_limits")._asdict()], [vars(bank.limits)], f"cycle {cycle}: limits in force")

    # at the end

    def check_rest(self):
        """Nothing may be left on the way."""
        for venue in self.venues:
            venue.check_rest()
        for name, rest in (("orders of the detector", self._waiting_orders), ("orders of the host", self._waiting_host),
                           ("answers", self._verdicts), ("order frames", self._frames)):
            assert not rest, f"{len(rest)} {name} never came, the first {rest[0]}"

    def check_events(self, records):
        """The event ring's records, kind by kind: complete but for those that it says were lost. Returns how many were."""
        expected = {
            "TOP_OF_BOOK": [{
                "venue": r.venue, "symbol": r.symbol, "stale": r.stale, "halted": r.halted, "sequence": r.sequence,
                "crossed": 0 < r.top.ask_price < r.top.bid_price, "locked": 0 < r.top.ask_price == r.top.bid_price,
                **{name: getattr(r.top, name) for name in ("bid_price", "bid_shares", "ask_price", "ask_shares")},
            } for r in self.merged if r.changed],
            "ORDER_SENT": [told_of(order) | {"user_ref": ref, "latency": latency, "fate": 0} for order, ref, latency in self.sent],
            "SIGNAL": self.signals,
            "ORDER_REJECTED": [told_of(order) | {"reason": reason} for order, reason in self.rejected],
        }
        for venue in self.venues:
            expected[f"VENUE_STALE {venue.number}"] = [{"venue": v, "reason": reason} for v, reason in venue.losses]
            expected[f"GAP {venue.number}"] = [
                {"venue": v, "first": gap.first, "count": gap.count, "session_start": int.from_bytes(gap.session[:8], "little"),
                 "session_end": int.from_bytes(gap.session[8:], "little")} for v, gap in venue.gaps]
        lost = 0
        for source, wanted in expected.items():
            kind, _, venue = source.partition(" ")
            got = [record for found, record in records if found.name == kind and (not venue or record["venue"] == int(venue))]
            lost += self._match(source, got, wanted)
        return lost

    def _match(self, source, got, wanted):
        at, lost = 0, 0
        for record in got:
            start = at
            while at < len(wanted) and any(record[name] != value for name, value in wanted[at].items()):
                at += 1
            assert at < len(wanted), f"event ring: {source} {record} is not among the expected from {wanted[start:start + 3]} on"
            assert (at > start) == bool(record["lost"]), f"event ring: {at - start} records of {source} are missing before {record}"
            lost += at - start
            at += 1
            self.tb.transactions += 1
        return lost + len(wanted) - at

    async def check_counters(self, *, skip=()):
        """Every counter that the models keep."""
        counts = self.model.counts
        answers = self.model.risk.open.counts
        counts = counts + Counter(
            BAD_REPLIES=answers["bad"], LATE_REPLIES=answers["late"], UNKNOWN_CANCELS=answers["unknown_cancel"])
        names = ["SIGNALS", "MISSED_SIGNALS", "IMPLAUSIBLE_PROFITS", "ORDERS_PASSED", "BAD_REPLIES", "LATE_REPLIES", "UNKNOWN_CANCELS"]
        names += [f"REJECT_{reason.name}" for reason in RejectReason if reason]
        wanted = {name: counts[name] for name in names}
        wanted |= {"LIMITS_REFUSED": self.bank.refused_commits, "ARM_REFUSED": self.bank.refused_arms}
        got = {name: await self.bus.counter(name) for name in wanted}
        names = ["FRAMES", "HEARTBEATS", "SESSION_ENDS", "GAPS", "MISSING_MESSAGES", "GIVEN_UP", "STALE", "BOOK_EVENTS", "TOPS",
                 "TRADING_STATES", "UNKNOWN_REFERENCES", "ORDER_FRAMES", *(f"DROP_{reason.name}" for reason in DropReason if reason)]
        for venue in self.venues:
            for name in names:
                key = f"{name} {venue.number}"
                got[key], wanted[key] = await self.bus.counter(name, venue.number), venue.model.counts[name]
            for name in ("MESSAGES", "DUPLICATES", "RESTORED"):
                key = f"{name} {venue.number}"
                got[key], wanted[key] = await self.bus.counter(name, venue.number), venue.model.arbiter.counts[name]
        wrong = {name: (got[name], wanted[name]) for name in wanted if got[name] != wanted[name] and name.split()[0] not in skip}
        assert not wrong, f"counters (device, golden model): {wrong}"
        self.tb.transactions += len(wanted)
