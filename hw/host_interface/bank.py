"""The register bank: everything the host says to the card and hears from it, but the events, goes through here."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.arbitrage_types import ArbitrageLimits, VenueTerms, WrittenQuote
from hw.config import CardConfig
from hw.host_interface import registers
from hw.host_interface.arming import Arming
from hw.host_interface.bus import READ_LATENCY, RegisterBus
from hw.host_interface.counter_table import counter_elements
from hw.host_interface.fields import parts
from hw.host_interface.limits import LIMITS, SYMBOL_LIMITS, commit_limits
from hw.host_interface.register_file import RegisterFile
from hw.host_interface.session_bank import set_up_sessions
from hw.host_interface.signal_registers import SMOOTHINGS
from hw.host_interface.signal_registers import VALUES as SIGNAL_VALUES
from hw.host_interface.strategy_bank import set_up_strategies
from hw.host_interface.strategy_registers import MAX_TRIGGERS
from hw.host_interface.telemetry_bank import TelemetryControl, set_up_telemetry
from hw.lib.choice import lowest
from hw.lib.slot_table import SlotSettings
from hw.reasons import StaleReason
from hw.session_types import SessionControl
from hw.settings import QuoterParameters, RiskLimits, RiskSwitches, SymbolLimits, TriggerCommit
from hw.types import (
    BookOrder,
    Cycles,
    FeedAddress,
    Order,
    OrderAddress,
    OrderKind,
    SignalSettings,
    SlotName,
    SymbolBinding,
    SymbolIndex,
    VenueIndex,
)
from hw.venue_reply import VenueReply

QUERY_CYCLES = 8
"""Cycles from a question for a position to the snapshot of the answer; the gateway needs fewer."""

def read_port(address, width):
    """A memory that the host reads through the bank, with a fixed latency."""
    return wiring.Signature({"address": Out(address), "data": In(width)})


def VenueControl(symbols: int) -> wiring.Signature:
    """What the bank and one venue's stages tell each other.

    Members
    -------
    addresses : Out(data.ArrayLayout(FeedAddress, 3))
        Of line A, line B and recovery.
    hole_cycles, recovery_cycles : Out(32)
        For the line arbiter.
    recovering : In(1)
    sequence : Out(64)
        Of the first message after a restart.
    expected : In(64)
        Sequence number expected next.
    backlog : In(16)
        Book events waiting.
    resync : Out(1)
        Pulse: start afresh at ``sequence`` with an empty book.
    restore : Out(1)
        From the cycle after it on: the host fills the book.
    stale, busy : In(1)
        The books may not be trusted; the book is being cleared.
    stale_reason : In(StaleReason)
    bindings : Out(data.ArrayLayout(SymbolBinding, symbols))
    directory : Out(1)
        Names bind as well.
    bound : In(symbols)
        Slots that are bound by their names.
    assume_trading : Out(symbols)
        The slot trades until the venue says otherwise.
    halted : In(symbols)
        The venue does not trade the slot's symbol, as far as is known.
    order_address : Out(OrderAddress)
    set_user_ref : Out(1)
        Pulse: the next order carries ``user_ref``.
    user_ref : Out(32)
    next_user_ref : In(32)
        What it will carry.
    """
    return wiring.Signature({
        "addresses": Out(data.ArrayLayout(FeedAddress, registers.LINES)), "sequence": Out(64), "expected": In(64), "backlog": In(16),
        "hole_cycles": Out(32), "recovery_cycles": Out(32), "recovering": In(1),
        "resync": Out(1), "restore": Out(1), "stale": In(1), "busy": In(1), "stale_reason": In(StaleReason),
        "bindings": Out(data.ArrayLayout(SymbolBinding, symbols)), "directory": Out(1), "bound": In(symbols),
        "assume_trading": Out(symbols), "halted": In(symbols),
        "order_address": Out(OrderAddress), "set_user_ref": Out(1), "user_ref": Out(32), "next_user_ref": In(32),
    })


class RegisterBank(wiring.Component):
    """Answers the host's accesses, keeps its settings, and holds the state that no stage may decide alone: armed, killed, limits in force.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    bus : In(RegisterBus)
    now : In(64)
        Card time.
    armed, kill : Out(1)
        Orders may pass; none may. ``armed`` falls in the cycle after ``kill``, ``fault`` or ``expired``.
    switches : Out(RiskSwitches)
        The kill switches of all levels, ``kill`` among them, and what is restricted.
    kill_aborts : Out(venues)
        A kill switch ends the frame of an order to the venue.
    heartbeat : Out(1)
        Pulse.
    expired : In(1)
        The host has been silent for too long: disarms, and does not let it be armed.
    fast_cancels : In(1)
        For STATE.
    tripped_strategies : In(16), rearm_strategies : Out(16)
        Strategies that had too many executions; pulses: those that may go on.
    tripped : Out(1)
        The card has disarmed itself, and waits for somebody to take note of it.
    day_notional, day_level : In(64), In(3)
    gross_notional, net_buy, net_sell : In(64)
    limits_parity : Out(one bit a limit)
        Made from the shadows at the commit: from then on it tells when a limit has lost a bit.
    limits : Out(RiskLimits)
        In force; all of them change in one cycle, with a commit.
    symbol_limits : Out(stream.Signature(SlotSettings(SymbolLimits), always_ready=True))
        Committed for one symbol.
    shown_limits : In(SymbolLimits)
        Of ``query_symbol``, as ``position``.
    limits_valid : Out(1)
        There has been a commit.
    fault : In(1)
        A part of the card is broken: disarms, and does not let it be armed.
    clear_positions : Out(1)
        Pulse.
    arbitrage_limits : Out(stream.Signature(SlotSettings(ArbitrageLimits), always_ready=True))
        What has been committed for a symbol.
    cooldown : Out(Cycles)
    terms : Out(data.ArrayLayout(VenueTerms, venues))
        For the arbitrage detector.
    quotes : Out(stream.Signature(WrittenQuote, always_ready=True))
        The host has written a quote.
    enable : Out(symbols)
        Symbols that the arbitrage detector may trade.
    trigger_enable : Out(1)
    triggers : Out(stream.Signature(TriggerCommit, always_ready=True))
        The host has prepared an order, or takes one back.
    triggers_armed, triggers_fired : In(one bit an entry)
    quoter_enable : Out(1), quoter_venue : Out(VenueIndex)
    quoter_parameters : Out(stream.Signature(SlotSettings(QuoterParameters), always_ready=True))
        What has been committed for a symbol.
    quoter_fault : In(1)
    sessions : Out(SessionControl).array(venues)
    session_tick : Out(24)
        Cycles of the sessions' tick, less one.
    venues : Out(VenueControl).array(venues)
    names : Out(stream.Signature(SlotName, always_ready=True))
        A slot's name has been written; it is kept by those who need it.
    query_symbol : Out(8)
    position : In(signed(33))
    working_buy, working_sell : In(32)
        Of ``query_symbol``, at most ``QUERY_CYCLES`` - 2 cycles after it.
    replies : Out(stream.Signature(VenueReply, always_ready=True))
    open_orders : In(32)
    host_orders : Out(stream.Signature(Order))
    look : Out(1), look_venue, look_symbol, look_orders : Out
        Pulse: the host wants to see the levels of this symbol, or all orders. Not while ``looking``.
    looking : In(1)
    restored : Out(stream.Signature(BookOrder))
        An order for the book of a venue of this card, on a symbol of this card.
    restore_refused : Out(1)
        Pulse: one for another, or while the last one waits.
    signals : Out(SignalSettings), signals_restart : Out(1)
        Pulse: all signals begin anew, with these settings.
    signals_ask : Out(1), signals_symbol : Out(SymbolIndex), signals_shown : In(a number for each register of a signal's value)
        Pulse: show this symbol's values, at most ``QUERY_CYCLES`` - 2 cycles after it.
    telemetry : Out(TelemetryControl)
    state : Out(32)
        The STATE register.
    write_index : In(32)
    read_index : Out(32)
        Of the event ring.
    ring : Out(address of a word of the ring; data 3 cycles later)
    counters : Out(address in ``counter_elements(config)``; data 2 cycles later)
    bus_error, limits_refused, host_order_refused, arm_refused : Out(1)
        Pulses: an access that the map does not have; a commit that was not taken; an order while the last one was waiting; as
        ``Arming.refused``.

    Notes
    -----
    A read takes ``bus.READ_LATENCY`` cycles. A write shows on these ports three cycles after it; a later read sees it, and what
    the bank made of it.
    """

    def __init__(self, config: CardConfig):
        if config.events > registers.RING_MAX_EVENTS:
            raise ValueError(f"card {config.name}: the window has room for {registers.RING_MAX_EVENTS} events, not {config.events}")
        self.config = config
        self._counters = counter_elements(config)
        super().__init__({
            "bus": In(RegisterBus), "now": In(64),
            "armed": Out(1), "kill": Out(1), "limits": Out(RiskLimits), "limits_valid": Out(1), "fault": In(1), "clear_positions": Out(1),
            "symbol_limits": Out(stream.Signature(SlotSettings(SymbolLimits), always_ready=True)), "shown_limits": In(SymbolLimits),
            "limits_parity": Out(len(LIMITS)), "switches": Out(RiskSwitches(config.venues, config.symbols)), "heartbeat": Out(1),
            "kill_aborts": Out(config.venues),
            "expired": In(1), "tripped": Out(1), "fast_cancels": In(1), "day_notional": In(64), "day_level": In(3),
            "tripped_strategies": In(16), "rearm_strategies": Out(16),
            "gross_notional": In(64), "net_buy": In(signed(64)), "net_sell": In(signed(64)),
            "arbitrage_limits": Out(stream.Signature(SlotSettings(ArbitrageLimits), always_ready=True)),
            "cooldown": Out(Cycles), "terms": Out(data.ArrayLayout(VenueTerms, config.venues)),
            "quotes": Out(stream.Signature(WrittenQuote, always_ready=True)), "enable": Out(config.symbols),
            "trigger_enable": Out(1), "triggers": Out(stream.Signature(TriggerCommit, always_ready=True)),
            "triggers_armed": In(MAX_TRIGGERS), "triggers_fired": In(MAX_TRIGGERS),
            "quoter_enable": Out(1), "quoter_venue": Out(VenueIndex), "quoter_fault": In(1),
            "quoter_parameters": Out(stream.Signature(SlotSettings(QuoterParameters), always_ready=True)),
            "venues": Out(VenueControl(config.symbols)).array(config.venues),
            "sessions": Out(SessionControl()).array(config.venues), "session_tick": Out(24),
            "names": Out(stream.Signature(SlotName, always_ready=True)),
            "query_symbol": Out(8), "position": In(signed(33)), "working_buy": In(32), "working_sell": In(32),
            "replies": Out(stream.Signature(VenueReply, always_ready=True)), "open_orders": In(32),
            "host_orders": Out(stream.Signature(Order)),
            "look": Out(1), "look_venue": Out(VenueIndex), "look_symbol": Out(SymbolIndex), "look_orders": Out(1),
            "looking": In(1), "restored": Out(stream.Signature(BookOrder)), "restore_refused": Out(1),
            "signals": Out(SignalSettings), "signals_restart": Out(1), "signals_ask": Out(1), "signals_symbol": Out(SymbolIndex),
            "signals_shown": In(wiring.Signature({
                name.lower(): Out(signed(bits) if is_signed else bits) for name, bits, is_signed, _ in SIGNAL_VALUES})),
            "telemetry": Out(TelemetryControl),
            "state": Out(32),
            "write_index": In(32), "read_index": Out(32),
            "ring": Out(read_port(range(config.events * registers.RECORD_BYTES // 4), 32)),
            "counters": Out(read_port(range(len(self._counters)), 64)),
            "bus_error": Out(1), "limits_refused": Out(1), "host_order_refused": Out(1), "arm_refused": Out(1),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.file = file = RegisterFile(self.config, registers.REGISTERS)
        self._answer(m, file)
        self._identify(m, file.source)
        self._control(m, file.value, file.written, file.source)
        commit_limits(m, self, file.value, file.written, file.source)
        set_up_strategies(m, self, file.value, file.written, file.source)
        set_up_sessions(m, self, file.value, file.written, file.source)
        self._query_position(m, file.value, file.written, file.source)
        self._look(m, file.value, file.written, file.source)
        self._restore(m, file.value, file.written, file.source)
        self._set_up_signals(m, file.value, file.written, file.source)
        set_up_telemetry(m, self, file.value, file.written, file.source)
        self._ring_doorbells(m, file.value, file.written, file.source)
        for number in range(self.config.venues):
            self._connect_venue(m, file, number)
        self._tell_names(m, file)
        return m

    def _tell_names(self, m, file):
        named, slot = lowest(file.written.name)
        m.d.comb += [self.names.valid.eq(named), self.names.payload.symbol.eq(slot), self.names.payload.name.eq(file.content)]

    def _answer(self, m, file):
        """The bus: what was asked in cycle 0 is written by 3, looked up from then on, and chosen into the answer by 6."""
        address = self.bus.address
        aligned = address[:2] == 0
        ring_end = registers.RING_OFFSET + self.config.events * registers.RECORD_BYTES
        in_file = stages(m, aligned & (address < registers.REGISTERS_SIZE))
        in_ring = stages(m, aligned & (address >= registers.RING_OFFSET) & (address < ring_end))
        at, read, write = stages(m, address), stages(m, self.bus.read), stages(m, self.bus.write)
        write_data, file_write = stages(m, self.bus.write_data), stages(m, self.bus.write & in_file[0])
        m.d.comb += [
            file.address.eq(at[1]),
            file.write_data.eq(write_data[1]),
            file.write.eq(file_write[1]),
            file.read_address.eq(at[2]),
            self.ring.address.eq(at[2] >> 2),
        ]
        bad_write = stages(m, file.refused | (write[2] & ~in_file[2]), first=2)
        is_counter = stages(m, self._find_counter(m, at[3]), first=3)

        high_word = at[5][2]
        latch = Signal(32)
        answer = Signal(32)
        known = Signal()
        row = Signal.like(file.row)
        m.d.comb += row.eq(file.row)
        with m.If(is_counter[5]):
            m.d.comb += [Cat(row.low, row.high).eq(self.counters.data), row.has_low.eq(1), row.has_high.eq(1), row.wide.eq(1)]

        with m.If(in_ring[5]):
            m.d.comb += [answer.eq(self.ring.data), known.eq(1)]
        with m.Elif(in_file[5]):
            m.d.comb += [
                answer.eq(Mux(high_word, Mux(row.wide, latch, row.high), row.low)),
                known.eq(Mux(high_word, row.has_high, row.has_low)),
            ]
        with m.If(read[5] & in_file[5] & row.wide & ~high_word):
            m.d.sync += latch.eq(row.high)
        m.d.sync += [
            self.bus.read_data.eq(Mux(known, answer, 0)),
            self.bus_error.eq(bad_write[5] | (read[5] & ~known)),
        ]

    def _find_counter(self, m, address):
        """Sets the index of the counter at an address; returns whether there is one."""
        found = Signal()
        with m.Switch(address[3:16]):
            for number, (_, _, offset) in enumerate(self._counters):
                with m.Case(offset >> 3):
                    m.d.comb += [self.counters.address.eq(number), found.eq(1)]
        return found

    def _identify(self, m, source):
        config = self.config
        m.d.comb += [
            source.magic.eq(registers.MAGIC),
            source.version.eq(registers.VERSION_MAJOR << 16 | registers.VERSION_MINOR),
            source.config_hash.eq(Const(config.hash, 64)),
            source.time.eq(self.now),
        ]
        for size in ("venues", "symbols", "orders", "levels", "backlog", "events", "clock_hz", "recovery", "price_bits"):
            m.d.comb += getattr(source, f"config_{size}").eq(getattr(config, size))

    def _control(self, m, value, written, source):
        m.d.comb += [
            self.kill.eq(value.kill),
            self.switches.kill.eq(value.kill), self.switches.reducing.eq(value.reducing),
            self.switches.kill_venues.eq(value.kill_venues), self.switches.kill_strategies.eq(value.kill_strategies),
            self.switches.kill_symbols.eq(Cat(value.kill_symbols)), self.switches.restricted.eq(Cat(value.restricted)),
            self.switches.cancel_all.eq(value.cancel_all), self.switches.cancel_on_stop.eq(value.cancel_all[8:]),
            self.kill_aborts.eq(value.kill_aborts), self.heartbeat.eq(written.heartbeat),
            *(getattr(source, name).eq(getattr(self, name)) for name in ("day_notional", "gross_notional", "net_buy", "net_sell")),
            self.clear_positions.eq(written.clear_positions & value.clear_positions),
            self.read_index.eq(value.event_read_index),
            source.event_write_index.eq(self.write_index),
            source.arm.eq(self.armed),
            source.state.eq(self.state),
            self.state.eq(Cat(
                self.armed, self.limits_valid, self.kill, self.fault, self.expired, self.day_level,
                self._per_venue("stale"), self._per_venue("busy"), self.tripped, self.fast_cancels,
                self.tripped_strategies.any())),
            source.execution_trips.eq(self.tripped_strategies),
            self.rearm_strategies.eq(Mux(written.execution_trips, value.execution_trips, 0)),
        ]
        m.submodules.arming = arming = Arming()
        m.d.comb += [
            arming.may_arm.eq(self.limits_valid & ~self.kill & ~self.fault & ~self.expired),
            arming.expired.eq(self.expired), arming.fault.eq(self.fault),
            arming.unlock_written.eq(written.arm_unlock), arming.unlock.eq(value.arm_unlock),
            arming.arm_written.eq(written.arm), arming.arm.eq(value.arm),
            arming.trip_written.eq(written.trip), arming.trip_acknowledged.eq(value.trip),
            source.arm_challenge.eq(arming.challenge), source.trip.eq(arming.trip),
            self.armed.eq(arming.armed), self.arm_refused.eq(arming.refused), self.tripped.eq(arming.trip.any()),
        ]

    def _per_venue(self, name):
        bits = [getattr(venue, name) for venue in self.venues]
        return Cat(*bits, Const(0, registers.MAX_VENUES - len(bits)))

    @staticmethod
    def busy_after(m, asked):
        """Cycles until what was asked for is there."""
        remaining = Signal(range(QUERY_CYCLES + 1))
        with m.If(asked):
            m.d.sync += remaining.eq(QUERY_CYCLES)
        with m.Elif(remaining != 0):
            m.d.sync += remaining.eq(remaining - 1)
        return remaining

    def _query_position(self, m, value, written, source):
        remaining = self.busy_after(m, written.position_symbol)
        m.d.comb += [
            self.query_symbol.eq(value.position_symbol),
            source.position_symbol.eq(Cat(self.query_symbol, Const(0, 23), remaining != 0)),
        ]
        with m.If(remaining == 1):
            m.d.sync += [
                source.position.eq(self.position),
                source.working_buy.eq(self.working_buy),
                source.working_sell.eq(self.working_sell),
                *(getattr(source, f"shown_{name}").eq(self.shown_limits[name]) for name in SYMBOL_LIMITS),
            ]

    def _look(self, m, value, written, source):
        symbol, venue, orders, _ = parts(value.look, "LOOK")
        asked = Signal()
        m.d.sync += asked.eq(written.look & ~self.looking)
        m.d.comb += [
            self.look.eq(asked), self.look_symbol.eq(symbol[1]), self.look_venue.eq(venue[1]), self.look_orders.eq(orders[1]),
            source.look.eq(Cat(self.look_symbol, self.look_venue, self.look_orders, Const(0, 18), self.looking | asked)),
        ]

    def _restore(self, m, value, written, source):
        fields, waits, order = dict(parts(value.restore_order, "RESTORE_ORDER")), self.restored.valid, self.restored.payload
        good = (fields["venue"] < self.config.venues) & (fields["symbol"] < self.config.symbols) & ~waits
        m.d.comb += source.restore_order.eq(Cat(*(value for name, value in fields.items() if name != "busy"), Const(0, 18), waits))
        m.d.sync += self.restore_refused.eq(written.restore_order & ~good)
        with m.If(self.restored.ready):
            m.d.sync += waits.eq(0)
        with m.If(written.restore_order & good):
            m.d.sync += [
                waits.eq(1), order.venue.eq(fields["venue"]), order.symbol.eq(fields["symbol"]), order.side.eq(fields["side"]),
                order.reference.eq(value.restore_reference), order.shares.eq(value.restore_shares), order.price.eq(value.restore_price),
            ]

    def _set_up_signals(self, m, value, written, source):
        remaining, settings = self.busy_after(m, written.signal_symbol), self.signals
        _, (_, venue) = parts(value.signal_source, "SIGNAL_SOURCE")
        m.d.comb += [
            settings.source.eq(value.signal_source[:2]), settings.venue.eq(venue), settings.order_flow.eq(value.signal_flow_factor),
            *(settings[name.lower()][field].eq(part) for name in SMOOTHINGS
              for field, part in parts(getattr(value, f"signal_{name.lower()}"), f"SIGNAL_{name}")),
            self.signals_restart.eq(written.signal_source),
            self.signals_ask.eq(written.signal_symbol), self.signals_symbol.eq(value.signal_symbol),
            source.signal_symbol.eq(Cat(self.signals_symbol, Const(0, 23), remaining != 0)),
            source.config_signals.eq(self.config.signals),
            *(getattr(source, name.lower()).eq(getattr(self.signals_shown, name.lower())) for name, *_ in SIGNAL_VALUES),
        ]

    def _ring_doorbells(self, m, value, written, source):
        reply, order = self.replies.payload, self.host_orders.payload
        m.d.comb += [
            self.replies.valid.eq(written.reply_doorbell & value.reply_doorbell),
            reply.shares.eq(value.reply_shares), reply.user_ref.eq(value.reply_user_ref), reply.number.eq(value.reply_number),
            source.open_orders.eq(self.open_orders),
            *(getattr(reply, field).eq(part) for field, part in parts(value.reply, "REPLY")),
            source.host_order_busy.eq(self.host_orders.valid),
        ]
        doorbell, order_kind = written.host_order_doorbell & value.host_order_doorbell, dict(parts(value.host_order, "HOST_ORDER"))["kind"]
        waits = self.host_orders.valid & ~self.host_orders.ready
        m.d.sync += self.host_order_refused.eq(doorbell & waits)
        with m.If(~waits):
            m.d.sync += self.host_orders.valid.eq(doorbell)
        with m.If(~waits & doorbell):
            m.d.sync += [
                *(getattr(order, field).eq(part) for field, part in parts(value.host_order, "HOST_ORDER")),
                order.shares.eq(value.host_order_shares),
                order.price.eq(value.host_order_price),
                order.reference.eq(Mux(order_kind == OrderKind.NEW, 0, value.host_order_reference)),
                order.ingress.eq(self.now),
            ]

    def _connect_venue(self, m, file, number):
        venue, value, written, source = self.venues[number], file.value, file.written, file.source
        resync, restore = written.resync & value.resync[number], written.restore & value.restore[number]
        m.d.comb += [
            *(venue.addresses[line][field].eq(getattr(value, f"{prefix}_{field}")[number])
              for line, prefix in enumerate(("feed", "feed_b", "recovery")) for field in ("ip", "port")),
            venue.hole_cycles.eq(value.hole_cycles[number]),
            venue.recovery_cycles.eq(value.recovery_cycles[number]),
            source.recovering[number].eq(venue.recovering),
            venue.sequence.eq(value.feed_sequence[number]),
            venue.resync.eq(resync | restore),
            source.feed_expected[number].eq(venue.expected),
            source.backlog[number].eq(venue.backlog),
            source.stale_reason[number].eq(venue.stale_reason),
            venue.user_ref.eq(value.user_ref[number]),
            venue.set_user_ref.eq(written.user_ref[number]),
            venue.directory.eq(value.directory[number]),
            Cat(source.bound[number]).eq(venue.bound),
            venue.assume_trading.eq(Cat(value.assume_trading[number])),
            Cat(source.halted[number]).eq(venue.halted),
            source.user_ref[number].eq(venue.next_user_ref),
        ]
        with m.If(restore):
            m.d.sync += venue.restore.eq(1)
        with m.Elif(resync | (written.restore_done & value.restore_done[number])):
            m.d.sync += venue.restore.eq(0)
        for field in ("destination_mac", "source_mac", "destination_ip", "source_ip", "destination_port", "source_port"):
            m.d.comb += getattr(venue.order_address, field).eq(getattr(value, f"order_{field}")[number])
        for binding, bound in zip(venue.bindings, value.binding[number], strict=True):
            m.d.comb += [getattr(binding, field).eq(part) for field, part in parts(bound, "BINDING")]


def stages(m, value, *, first=0):
    """A value now and in each later cycle of a read: index n is the value after n cycles of the bus; ``first`` is where it stands."""
    result = {first: value}
    for cycle in range(first + 1, READ_LATENCY):
        result[cycle] = Signal.like(value, name=f"cycle_{cycle}")
        m.d.sync += result[cycle].eq(result[cycle - 1])
    return result
