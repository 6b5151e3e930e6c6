"""The whole card: which stages there are and who talks to whom. Nothing is decided here."""

from typing import NamedTuple

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.book.book import Book
from hw.card_strategies import add_strategies, tell_quoter
from hw.config import CardConfig
from hw.feed.directory import DirectoryBinder
from hw.feed.feed_session import FeedSession
from hw.feed.frame_gate import FrameGate
from hw.feed.itch50 import Itch50Decoder
from hw.feed.line_arbiter import LineArbiter
from hw.feed.line_buffer import LineBuffer
from hw.feed.line_order import LineOrder
from hw.feed.moldudp64 import MoldUdp64
from hw.feed.name_table import NameTable
from hw.feed.protocols import PROTOCOLS
from hw.feed.restore import Restore
from hw.feed.symbol_filter import SymbolFilter
from hw.feed.trading_status import TradingStatus
from hw.feed.venue_state import VenueState
from hw.host_interface import events
from hw.host_interface.bank import RegisterBank
from hw.host_interface.bus import RegisterBus
from hw.host_interface.counter_table import counter_elements
from hw.host_interface.event_ring import EventRing
from hw.host_interface.registers import LINE_A, RECOVERY
from hw.lib.choice import any_of
from hw.net.tcp_session import COUNTED
from hw.net.udp_receive import UdpReceive
from hw.net.udp_transmit import UdpTransmit
from hw.order_entry.order_stop import OrderStop
from hw.order_entry.ouch50 import OuchOrders
from hw.order_sessions import OrderSessions
from hw.reasons import DropReason
from hw.risk.gateway import RiskGateway
from hw.strategy.arbitrage import Arbitrage
from hw.telemetry.clock import Clock
from hw.telemetry.counters import Counters
from hw.telemetry.latency_histogram import LatencyHistogram
from hw.telemetry.tai_clock import TaiClock
from hw.types import BookEventKind, FrameReceive, FrameTransmit

STAGES = (
    ("UDP receive", UdpReceive, "net"),
    ("MoldUDP64", MoldUdp64, "feed"),
    ("ITCH 5.0", Itch50Decoder, "feed"),
    ("Symbol filter", SymbolFilter, "feed"),
    ("Line buffer", LineBuffer, "feed"),
    ("Line arbiter", LineArbiter, "feed"),
    ("Order book", Book, "book"),
    ("Arbitrage", Arbitrage, "strategy"),
    ("Risk gateway", RiskGateway, "risk"),
    ("OUCH 5.0", OuchOrders, "order_entry"),
    ("UDP transmit", UdpTransmit, "net"),
)
"""The trade path in the order of the data flow: name, component (its ``LATENCY`` is in cycles), folder."""

LINE_NAMES = ("a", "b")
RETRANSMITTED = 1
"""Entry of line A's match table for retransmitted packets; 0 is the line's own."""

DIRECTORY_DEPTH = 16
"""Followed symbols that one frame of a directory may introduce."""


def stage_cycles(component: type) -> int:
    """Latency of a stage for what an opportunity sends, which is a pair."""
    return getattr(component, "PAIR_LATENCY", component.LATENCY)


class Line(NamedTuple):
    """What the venue needs of one of its ports."""

    gate: FrameGate
    decoder: wiring.Component
    buffers: list[LineBuffer]
    """Of frames in order; of two lines of those overtaken too, and line A's of those retransmitted as well."""


class Card(wiring.Component):
    """Market data in, orders out.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    feed, feed_b : In(FrameReceive).array(venues)
        Market data, two lines per venue that carry the same messages: Ethernet frames without preamble and FCS. Retransmitted packets
        come on the port of line A, to an address of their own.
    orders : Out(FrameTransmit)
        Order frames to all venues.
    replies : In(FrameReceive)
        Frames that come on the port of the orders; only of a card with sessions.
    bus : In(RegisterBus)
        The host's window (docs/registers.md).
    backlog : Out(16).array(venues)
        Book events and frames that wait in the buffers of a venue's lines, for a replay that can be slowed down.

    Notes
    -----
    Latency: the sum of the stages' in ``STAGES`` and of the wait for the frame's verdict; docs/latency.md has it, and what was measured.
    """

    def __init__(self, config: CardConfig):
        self.config = config
        super().__init__({
            "feed": In(FrameReceive).array(config.venues),
            "feed_b": In(FrameReceive).array(config.venues),
            "orders": Out(FrameTransmit), **({"replies": In(FrameReceive)} if config.sessions else {}),
            "bus": In(RegisterBus),
            "backlog": Out(16).array(config.venues),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.clock = self.clock = Clock()
        m.submodules.bank = self.bank = RegisterBank(self.config)
        m.submodules.counters = self.counters = Counters(counter_elements(self.config))
        self.names = self.bank.names  # travel from venue to venue, and then to the orders
        self.looking = []  # each book: it is telling its levels, or its orders
        self.told = []  # (valid, event record) of each book's orders, of which one is asked at a time
        self.room = Signal()  # in the event ring
        self.restores = []  # what each venue takes of the host's orders for books
        self.executions = []  # of each book
        self.records = []  # (valid, event record, depth of its queue) of everything that the host is told

        self.gateway = RiskGateway(self.config)
        feeds = [self._venue(m, venue) for venue in range(self.config.venues)]
        orders = add_strategies(m, self, feeds)
        passed = self._gateway(m, orders, feeds)
        self._order_entry(m, passed)
        if self.config.quoter:
            tell_quoter(m, self)
        self._restore(m)
        self._telemetry(m)
        self._host(m)
        m.d.comb += self.bank.looking.eq(Cat(self.looking).any())
        return m

    def _venue(self, m, venue):
        """Frames of one venue to tops of its book; between a port and its line's buffer nothing ever waits.

        Returns the tops, whether the venue may not be traded, and a pulse when its book begins anew.
        """
        config, control, name = self.config, self.bank.venues[venue], f"venue_{venue}"
        lines = config.lines
        session, state, arbiter, book = FeedSession(lines), VenueState(lines), LineArbiter(5 if lines > 1 else 2), Book(config, venue)
        binder = DirectoryBinder(config.symbols, lines, DIRECTORY_DEPTH)
        m.submodules[f"{name}_binder"] = binder
        m.submodules[f"{name}_names"] = names = NameTable(config.symbols)
        connect(m, self.names, names.input)
        self.names = names.output
        m.submodules[f"{name}_session"] = session
        m.submodules[f"{name}_state"] = state
        m.submodules[f"{name}_arbiter"] = arbiter
        m.submodules[f"{name}_book"] = book
        m.submodules[f"{name}_restore"] = restore = Restore()
        shared = []
        if lines > 1:
            m.submodules[f"{name}_recovery"] = recovery = LineBuffer(config.recovery, config.recovery, block_ram=False)
            shared.append(recovery)
        lines = [self._line(m, venue, number, session, state, names, binder, shared) for number in range(lines)]
        buffers = [*(buffer for line in lines for buffer in line.buffers if buffer not in shared), *shared]

        feed = arbiter.frames[:-1], arbiter.events[:-1], arbiter.coming
        for buffer, frames, held, coming in zip([buffer for buffer in buffers if buffer not in shared], *feed, strict=True):
            m.d.comb += [
                frames.valid.eq(buffer.frame.valid & ~restore.restoring), frames.payload.eq(buffer.frame.payload),
                buffer.frame.ready.eq(frames.ready),
                coming.valid.eq(buffer.coming.valid & ~restore.restoring), coming.payload.eq(buffer.coming.payload),
            ]
            connect(m, buffer.events, held)
        for recovery in shared:
            connect(m, recovery.frame, restore.recovery_frames)
            connect(m, recovery.events, restore.recovery_events)
        connect(m, restore.frames, arbiter.frames[-1])
        connect(m, restore.events, arbiter.events[-1])
        connect(m, arbiter.output, book.events)
        backlog = sum(buffer.level + buffer.waiting for buffer in buffers)
        m.d.comb += [
            binder.names.eq(names.names), binder.renamed.eq(names.renamed), binder.enable.eq(control.directory),
            binder.host_bindings.eq(control.bindings), control.bound.eq(binder.bound),
            session.restart.eq(state.restart),
            arbiter.session.eq(session.name), arbiter.restart.eq(state.restart | restore.resume), arbiter.sequence_in.eq(control.sequence),
            arbiter.hole_cycles.eq(control.hole_cycles), arbiter.recovery_cycles.eq(control.recovery_cycles),
            state.gap.eq(arbiter.gap.valid), state.gave_up.eq(arbiter.gave_up), state.recovered.eq(arbiter.recovered),
            state.settling.eq(Cat(line.gate.busy for line in lines).any()), state.resync.eq(control.resync),
            state.restore.eq(control.restore), state.resume.eq(restore.resume),
            restore.enable.eq(control.restore), restore.pending.eq(state.pending), restore.restart.eq(state.restart),
            restore.sequence_in.eq(control.sequence), restore.expected.eq(arbiter.expected), restore.busy.eq(arbiter.output.valid),
            book.venue_stale.eq(state.stale), book.clear.eq(state.restart),
            book.assume_trading.eq(control.assume_trading), control.halted.eq(book.halted),
            control.expected.eq(arbiter.expected), control.recovering.eq(arbiter.recovering),
            control.backlog.eq(backlog), self.backlog[venue].eq(backlog),
            control.stale.eq(state.stale), control.stale_reason.eq(state.reason), control.busy.eq(book.busy | state.pending),
        ]
        self.records += [
            (arbiter.gap.valid, events.gap(Const(venue), arbiter.gap.payload, self.clock.now), 1),
            (state.went_stale, events.venue_stale(Const(venue), state.reason, self.clock.now), 1),
            (book.level_valid, events.level(book.level, self.clock.now), 2),
        ]
        self.looking.append(book.looking)
        order, orders = events.order(book.order, self.clock.now), events.orders(book.orders, self.clock.now)
        self.told.append((book.order_valid | book.orders_valid, Mux(book.orders_valid, orders, order)))
        self.restores.append(restore)
        self.executions.append(book.executions)
        self._count_feed(m, venue, lines, arbiter, binder, restore)
        count, is_status = self.counters, book.events.payload.kind.as_value() >= BookEventKind.HALT.value
        m.d.comb += [
            count.stale[venue].eq(state.went_stale),
            count.book_events[venue].eq(book.events.valid & book.events.ready & ~is_status),
            count.trading_states[venue].eq(book.events.valid & book.events.ready & is_status),
            count.tops[venue].eq(book.tops.valid & book.tops.ready),
            book.look.eq(self.bank.look & ~self.bank.look_orders & (self.bank.look_venue == venue)),
            book.look_orders.eq(self.bank.look & self.bank.look_orders & (self.bank.look_venue == venue)),
            book.look_symbol.eq(self.bank.look_symbol), book.room.eq(self.room),
            count.unknown_references[venue].eq(book.unknown_reference), count.duplicate_references[venue].eq(book.duplicate_reference),
            count.store_full[venue].eq(book.store_full), count.levels_full[venue].eq(book.levels_full),
            count.bad_events[venue].eq(book.bad_event), count.level_overflows[venue].eq(book.overflow),
        ]
        return book.tops, state.stale | book.busy, state.restart

    def _line(self, m, venue, number, session, state, names, binder, shared):
        """One port of a venue, from its frames to the buffers of those in order and overtaken; some of line A's go to ``shared``."""
        config, control, name = self.config, self.bank.venues[venue], f"venue_{venue}_{LINE_NAMES[number]}"
        protocol = PROTOCOLS[config.protocol(venue)]
        port, addresses = (self.feed, self.feed_b)[number][venue], control.addresses
        recovery = shared if number == LINE_A else []
        addresses = [addresses[number], *(addresses[RECOVERY] for _ in recovery)]
        receive, framer, decoder, status = UdpReceive(len(addresses)), protocol.framer(), protocol.decoder(), TradingStatus()
        select = protocol.select(config.symbols)
        gate = FrameGate(decoder.LATENCY + select.LATENCY - 1)
        buffers = {"buffer": LineBuffer(config.backlog, config.frames)}
        if config.lines > 1:
            buffers["late"] = LineBuffer(config.recovery, config.recovery, block_ram=False)
        stages = {"receive": receive, "framer": framer, "decoder": decoder, "status": status, "select": select, "gate": gate, **buffers}
        for stage, component in stages.items():
            m.submodules[f"{name}_{stage}"] = component

        connect(m, flipped(port), receive.frames)
        connect(m, receive.payload, framer.payload)
        protocol.join(m, framer, decoder, status, select, binder.bindings, names.names)
        if protocol.has_directory:
            connect(m, decoder.directory, binder.entries[number])

        connect(m, receive.verdict, framer.verdict_in)
        connect(m, framer.verdict, gate.verdict)
        m.d.comb += [
            receive.now.eq(self.clock.now), *(entry.eq(address) for entry, address in zip(receive.address, addresses, strict=True)),
            session.good[number].eq(framer.verdict.valid & (framer.verdict.payload.reason == DropReason.NONE)),
            session.session[number].eq(framer.span.session), gate.other_session.eq(session.other[number]),
            gate.span.eq(framer.span), gate.end_of_session.eq(framer.end_of_session), gate.malformed.eq(decoder.malformed),
            binder.commit[number].eq(gate.commit), binder.discard[number].eq(gate.lose | gate.discard),
            state.frames[number].valid.eq(port.valid), state.frames[number].payload.eq(port.payload),
            state.final[number].valid.eq(gate.final.valid), state.final[number].payload.eq(gate.final.payload),
        ]
        with m.If(receive.verdict.valid & (receive.verdict.payload.reason == DropReason.NONE)):
            m.d.sync += gate.retransmitted_in.eq(receive.verdict_entry == RETRANSMITTED)
        line = Line(gate, decoder, [*buffers.values(), *recovery])
        self._fill_buffers(m, name, line, select, state.restart)
        return line

    def _fill_buffers(self, m, name, line, select, restart):
        """Every event goes to all buffers that the port fills; its frame's end says which one may keep it."""
        gate, places = line.gate, [Const(1)]
        if len(line.buffers) > 1:
            m.submodules[f"{name}_order"] = order = LineOrder()
            m.d.comb += [
                order.first.eq(gate.first), order.next.eq(gate.next), order.restart.eq(restart),
                order.good.eq((gate.commit | gate.lose) & ~gate.retransmitted),
            ]
            places = [~gate.retransmitted & ~order.late, ~gate.retransmitted & order.late, gate.retransmitted]
        for buffer, mine in zip(line.buffers, places, strict=False):
            m.d.comb += [
                buffer.input.valid.eq(select.output.valid), buffer.input.payload.eq(select.output.payload),
                buffer.commit.eq(gate.commit & mine), buffer.lose.eq(gate.lose & mine),
                buffer.discard.eq(gate.discard | gate.final.valid & ~mine),
                buffer.first.eq(gate.first), buffer.next.eq(gate.next), buffer.clear.eq(restart),
            ]

    def _count_feed(self, m, venue, lines, arbiter, binder, restore):
        """The counters of what the venue's lines brought."""
        count = self.counters
        for number, line in enumerate(lines):
            drop, final, full = count.drops[venue][number], line.gate.final, Cat(buffer.dropped for buffer in line.buffers).any()
            m.d.comb += [drop.valid.eq(final.valid), drop.reason.eq(Mux(full, DropReason.OVERFLOW, final.payload.reason))]
        m.d.comb += [
            count.frames[venue].eq(sum(line.gate.final.valid for line in lines)),
            count.heartbeats[venue].eq(sum(line.gate.heartbeat for line in lines)),
            count.session_ends[venue].eq(sum(line.gate.session_end for line in lines)),
            count.malformed_messages[venue].eq(sum(line.decoder.malformed for line in lines)),
            count.messages[venue].eq(Mux(restore.restoring, 0, arbiter.messages)), count.duplicates[venue].eq(arbiter.duplicates),
            count.restored[venue].eq(Mux(restore.restoring, 0, arbiter.restored)), count.early_frames[venue].eq(arbiter.early),
            count.gaps[venue].eq(arbiter.gap.valid), count.given_up[venue].eq(arbiter.gave_up),
            count.directory_missed[venue].eq(sum(binder.missed)),
            count.missing_messages[venue].eq(Mux(arbiter.gap.valid, arbiter.gap.payload.count, 0)),
        ]

    def _gateway(self, m, orders, feeds):
        """The one door."""
        bank = self.bank
        m.submodules.gateway = gateway = self.gateway
        connect(m, orders, gateway.orders)
        connect(m, bank.symbol_limits, gateway.symbol_limits)
        m.d.comb += [
            bank.shown_limits.eq(gateway.shown_limits), gateway.limits.eq(bank.limits), gateway.limits_valid.eq(bank.limits_valid),
            Value.cast(gateway.halted).eq(Cat(control.halted for control in bank.venues)),
            gateway.tops.valid.eq(self.tops.valid & self.tops.ready), gateway.tops.payload.eq(self.tops.payload),
            gateway.stale.eq(Cat(stale for _, stale, _ in feeds)), gateway.restart.eq(Cat(restart for _, _, restart in feeds)),
            gateway.limits_parity.eq(bank.limits_parity), gateway.heartbeat.eq(bank.heartbeat),
            *(getattr(gateway, name).eq(bank.switches[name]) for name in bank.switches.shape().members),
            bank.expired.eq(gateway.expired), bank.day_level.eq(gateway.day_level),
            bank.tripped_strategies.eq(gateway.tripped_strategies), gateway.rearm_strategies.eq(bank.rearm_strategies),
            *(getattr(bank, name).eq(getattr(gateway, name)) for name in ("day_notional", "gross_notional", "net_buy", "net_sell")),
            gateway.armed.eq(bank.armed), gateway.clear_positions.eq(bank.clear_positions),
            gateway.query_symbol.eq(bank.query_symbol), bank.position.eq(gateway.position),
            bank.working_buy.eq(gateway.working_buy), bank.working_sell.eq(gateway.working_sell), bank.fault.eq(gateway.fault),
            gateway.rejected.ready.eq(1),
        ]
        rejected = gateway.rejected.payload
        self.records.append((gateway.rejected.valid, events.order_rejected(rejected, self.clock.now), 4))
        m.d.comb += [
            self.counters.orders_passed.eq(gateway.accepted), self.counters.bad_replies.eq(gateway.bad_reply),
            self.counters.late_replies.eq(gateway.late_reply), self.counters.unknown_cancels.eq(gateway.unknown_cancel),
            bank.open_orders.eq(gateway.open_orders), bank.fast_cancels.eq(gateway.fast_cancels),
            self.counters.fast_cancels.eq(gateway.fast_cancel),
            self.counters.rejects.valid.eq(gateway.rejected.valid), self.counters.rejects.reason.eq(rejected.reason),
        ]
        return gateway.passed

    def _order_entry(self, m, passed):
        """Orders that passed to frames."""
        bank = self.bank
        m.submodules.ouch = ouch = OuchOrders(self.config)
        m.submodules.transmit = self.transmit = transmit = OrderSessions(self.config) if self.config.sessions else UdpTransmit(self.config)
        connect(m, passed, ouch.orders)
        connect(m, ouch.packet, transmit.packet)
        m.submodules.order_stop = stop = OrderStop(self.config)
        if self.config.sessions:
            self._join_sessions(m, transmit, ouch, stop.stop)
        else:
            connect(m, transmit.frames, flipped(self.orders))
            connect(m, bank.replies, self.gateway.replies)
        connect(m, self.names, ouch.names)
        m.d.comb += [
            stop.switches.eq(bank.switches), stop.aborts.eq(bank.kill_aborts), stop.order.eq(ouch.packet.payload.order),
            stop.valid.eq(ouch.packet.valid), stop.ends.eq(ouch.packet.ready & ouch.packet.payload.last),
            transmit.abort.eq(stop.abort),
            ouch.link_free.eq(transmit.free), transmit.now.eq(self.clock.now),
            self.gateway.next_user_ref.eq(ouch.next_user_ref), ouch.skip.eq(self.gateway.skip),
        ]
        for venue, control in enumerate(bank.venues):
            m.d.comb += [transmit.addresses[venue].eq(control.order_address), control.next_user_ref.eq(ouch.next_user_ref[venue])]
            with m.If(control.set_user_ref):
                m.d.comb += [ouch.set_user_ref.eq(1), ouch.set_user_ref_venue.eq(venue), ouch.set_user_ref_value.eq(control.user_ref)]
        sent = transmit.sent.payload
        self.records.append((transmit.sent.valid, events.order_sent(sent, self.clock.now), 2))
        for venue, frames in enumerate(self.counters.order_frames):
            m.d.comb += frames.eq(transmit.frame & (sent.order.venue == venue))

    def _join_sessions(self, m, sessions, ouch, stop):
        """The sessions' port, and what they tell gateway and host."""
        bank, gateway, count, told = self.bank, self.gateway, self.counters, sessions.told
        connect(m, sessions.transmit, flipped(self.orders))
        connect(m, flipped(self.replies), sessions.frames)
        connect(m, bank.replies, sessions.host_replies)
        connect(m, sessions.replies, gateway.replies)
        m.d.comb += [
            sessions.stop.eq(stop), sessions.packet_sum.eq(ouch.packet_sum), sessions.tick_cycles.eq(bank.session_tick),
            gateway.unreachable.eq(sessions.unreachable), gateway.disconnected.eq(sessions.disconnected),
        ]
        self.records.append((told.valid, events.venue_message(told.payload, self.clock.now), 4))
        for venue, control in enumerate(bank.sessions):
            connect(m, control, sessions.control[venue])
            rises, falls = sessions.rises[venue], sessions.falls[venue]
            self.records.append((rises | falls, events.session(
                Const(venue), ~falls, Mux(falls, control.reason, 0), control.number, self.clock.now), 2))
            m.d.comb += [
                *(getattr(count, f"session_{name}")[venue].eq(getattr(sessions, name)[venue]) for name in (*COUNTED, "bad_frames")),
                count.session_down[venue].eq(falls),
                count.session_messages[venue].eq(told.valid & (told.payload.message.venue == venue)),
            ]

    def _restore(self, m):
        """Orders of the host to the venue that they name."""
        orders = self.bank.restored
        for venue, restore in enumerate(self.restores):
            mine = orders.payload.venue == venue
            m.d.comb += [restore.orders.valid.eq(orders.valid & mine), restore.orders.payload.eq(orders.payload)]
            with m.If(mine):
                m.d.comb += orders.ready.eq(restore.orders.ready)
        refused = Cat(restore.refused for restore in self.restores).any()
        m.d.comb += self.counters.restore_refused.eq(self.bank.restore_refused + refused)

    def _telemetry(self, m):
        """The time of day, and how long orders took after the feed messages that they follow."""
        m.submodules.tai = tai = TaiClock()
        m.submodules.latencies = latencies = LatencyHistogram()
        control, sent = self.bank.telemetry, self.transmit.sent
        self.records.append((tai.reading.valid, events.clock(tai.reading.payload, self.clock.now), 1))
        m.d.comb += [
            tai.now.eq(self.clock.now), control.time.eq(tai.time),
            *(getattr(tai, name).eq(getattr(control, name)) for name in ("set", "value", "adjust", "offset", "increment")),
            latencies.clear.eq(control.clear), latencies.bin.eq(control.bin),
            *(getattr(control, name).eq(getattr(latencies, name)) for name in ("clearing", "shown", "summary")),
            latencies.latency.valid.eq(self.transmit.frame & (sent.payload.order.trigger_sequence != 0)),
            latencies.latency.payload.eq(sent.payload.latency),
        ]

    def _host(self, m):
        """The host's window: registers, counters, event ring."""
        bank, counters = self.bank, self.counters
        m.submodules.watch = watch = events.StateWatch()
        self.records.append((watch.records.valid, watch.records.payload, 4))
        self.records.append((Cat(valid for valid, _ in self.told).any(), any_of(self.told), 2))
        sources = sorted(self.records, key=lambda record: record[2])  # rare records first, tops of book last
        m.submodules.ring = ring = EventRing(self.config.events, [depth for _, _, depth in sources])
        for (valid, payload, _), port in zip(sources, ring.records, strict=True):
            m.d.comb += [port.valid.eq(valid), port.payload.eq(payload)]

        connect(m, flipped(self.bus), bank.bus)
        m.d.comb += [
            bank.now.eq(self.clock.now), watch.now.eq(self.clock.now), watch.state.eq(bank.state),
            ring.read_index.eq(bank.read_index), self.room.eq(ring.room), bank.write_index.eq(ring.write_index),
            ring.read_address.eq(bank.ring.address), bank.ring.data.eq(ring.read_data),
            counters.index.eq(bank.counters.address), bank.counters.data.eq(counters.value),
            counters.events_lost.eq(ring.lost), counters.bus_errors.eq(bank.bus_error),
            counters.limits_refused.eq(bank.limits_refused), counters.host_orders_refused.eq(bank.host_order_refused),
            counters.arm_refused.eq(bank.arm_refused),
        ]
