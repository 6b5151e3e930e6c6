"""The whole card: which stages there are and who talks to whom. Nothing is decided here."""

from amaranth.hdl import Const, Module, Mux, ResetInserter
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from hw.book.book import Book
from hw.config import CardConfig
from hw.feed.frame_gate import FrameGate
from hw.feed.itch50 import Itch50Decoder
from hw.feed.moldudp64 import MoldUdp64
from hw.feed.symbol_filter import SymbolFilter
from hw.feed.venue_state import VenueState
from hw.host_interface import events
from hw.host_interface.bank import RegisterBank
from hw.host_interface.bus import RegisterBus
from hw.host_interface.event_ring import EventRing
from hw.host_interface.registers import counter_elements
from hw.lib.arbiter import StreamArbiter
from hw.lib.commit_buffer import CommitBuffer
from hw.net.udp_receive import UdpReceive
from hw.net.udp_transmit import UdpTransmit
from hw.order_entry.ouch50 import OuchEnterOrder
from hw.reasons import DropReason
from hw.risk.gateway import RiskGateway
from hw.strategy.arbitrage import Arbitrage
from hw.telemetry.clock import Clock
from hw.telemetry.counters import Counters
from hw.types import BookEvent, FrameReceive, FrameTransmit, Order, TopOfBook

STAGES = (
    ("UDP receive", UdpReceive, "net"),
    ("MoldUDP64", MoldUdp64, "feed"),
    ("ITCH 5.0", Itch50Decoder, "feed"),
    ("Symbol filter", SymbolFilter, "feed"),
    ("Commit buffer", CommitBuffer, "lib"),
    ("Order book", Book, "book"),
    ("Arbitrage", Arbitrage, "strategy"),
    ("Risk gateway", RiskGateway, "risk"),
    ("OUCH 5.0", OuchEnterOrder, "order_entry"),
    ("UDP transmit", UdpTransmit, "net"),
)
"""The trade path in the order of the data flow: name, component (its ``LATENCY`` is in cycles), folder."""


class Card(wiring.Component):
    """Market data in, orders out.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    feed : In(FrameReceive).array(venues)
        Market data, one port per venue: Ethernet frames without preamble and FCS.
    orders : Out(FrameTransmit)
        Order frames to all venues.
    bus : In(RegisterBus)
        The host's window (docs/registers.md).
    backlog : Out(16).array(venues)
        Book events that wait for a venue's book, for a replay that can be slowed down.

    Notes
    -----
    Latency: the sum of the stages' in ``STAGES`` and of the wait for the frame's verdict; docs/latency.md has it, and what was measured.
    """

    def __init__(self, config: CardConfig):
        self.config = config
        super().__init__({
            "feed": In(FrameReceive).array(config.venues),
            "orders": Out(FrameTransmit),
            "bus": In(RegisterBus),
            "backlog": Out(16).array(config.venues),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.clock = self.clock = Clock()
        m.submodules.bank = self.bank = RegisterBank(self.config)
        m.submodules.counters = self.counters = Counters(counter_elements(self.config))
        self.records = []  # (valid, event record, depth of its queue) of everything that the host is told

        feeds = [self._venue(m, venue) for venue in range(self.config.venues)]
        orders = self._strategies(m, feeds)
        passed = self._gateway(m, orders)
        self._order_entry(m, passed)
        self._host(m)
        return m

    def _venue(self, m, venue):
        """Frames of one venue to tops of its book; between the port and the commit buffer nothing ever waits.

        Returns the tops, whether the venue may not be traded, and a pulse when its book begins anew.
        """
        config, control = self.config, self.bank.venues[venue]
        receive, framer, decoder, select = UdpReceive(), MoldUdp64(), Itch50Decoder(), SymbolFilter(config.symbols)
        gate, state, book = FrameGate(decoder.LATENCY + select.LATENCY - 1), VenueState(), Book(config, venue)
        buffer = CommitBuffer(BookEvent, config.backlog)
        m.submodules[f"venue_{venue}_receive"] = receive
        m.submodules[f"venue_{venue}_framer"] = framer
        m.submodules[f"venue_{venue}_decoder"] = decoder
        m.submodules[f"venue_{venue}_select"] = select
        m.submodules[f"venue_{venue}_gate"] = gate
        m.submodules[f"venue_{venue}_state"] = state
        m.submodules[f"venue_{venue}_buffer"] = ResetInserter(state.restart)(buffer)
        m.submodules[f"venue_{venue}_book"] = book

        connect(m, flipped(self.feed[venue]), receive.frames)
        connect(m, receive.payload, framer.payload)
        connect(m, framer.words, decoder.words)
        connect(m, decoder.events, select.input)
        connect(m, select.output, buffer.input)
        connect(m, buffer.output, book.events)

        connect(m, receive.verdict, framer.verdict_in)
        connect(m, framer.verdict, gate.verdict)
        m.d.comb += [gate.malformed.eq(decoder.malformed), buffer.commit.eq(gate.commit), buffer.discard.eq(gate.discard)]

        m.d.comb += [
            receive.now.eq(self.clock.now), receive.address.eq(control.feed_address), select.bindings.eq(control.bindings),
            framer.set_sequence.eq(state.restart), framer.sequence_in.eq(control.sequence),
            state.gap.eq(framer.gap.valid), state.malformed.eq(gate.lost), state.dropped.eq(buffer.dropped),
            state.frames.valid.eq(self.feed[venue].valid), state.frames.payload.eq(self.feed[venue].payload),
            state.final.valid.eq(gate.final.valid), state.final.payload.eq(gate.final.payload),
            state.resync.eq(control.resync),
            book.venue_stale.eq(state.stale), book.clear.eq(state.restart),
            control.expected.eq(framer.expected), control.backlog.eq(buffer.level), self.backlog[venue].eq(buffer.level),
            control.stale.eq(state.stale), control.stale_reason.eq(state.reason), control.busy.eq(book.busy | state.pending),
        ]
        self.records += [
            (framer.gap.valid, events.gap(Const(venue), framer.gap.payload, self.clock.now), 4),
            (state.went_stale, events.venue_stale(Const(venue), state.reason, self.clock.now), 4),
        ]
        count = self.counters
        m.d.comb += [
            count.frames[venue].eq(gate.final.valid),
            count.drops[venue].valid.eq(gate.final.valid | buffer.dropped),
            count.drops[venue].reason.eq(Mux(buffer.dropped, DropReason.OVERFLOW, gate.final.payload.reason)),
            count.messages[venue].eq(decoder.message_seen), count.duplicates[venue].eq(framer.duplicate),
            count.heartbeats[venue].eq(framer.heartbeat), count.session_ends[venue].eq(framer.end_of_session),
            count.gaps[venue].eq(framer.gap.valid),
            count.missing_messages[venue].eq(Mux(framer.gap.valid, framer.gap.payload.count, 0)),
            count.malformed_messages[venue].eq(decoder.malformed), count.stale[venue].eq(state.went_stale),
            count.book_events[venue].eq(book.events.valid & book.events.ready),
            count.tops[venue].eq(book.tops.valid & book.tops.ready),
            count.unknown_references[venue].eq(book.unknown_reference), count.duplicate_references[venue].eq(book.duplicate_reference),
            count.store_full[venue].eq(book.store_full), count.levels_full[venue].eq(book.levels_full),
            count.bad_events[venue].eq(book.bad_event), count.level_overflows[venue].eq(book.overflow),
        ]
        return book.tops, state.stale | book.busy, state.restart

    def _strategies(self, m, feeds):
        """Tops of all venues to orders that ask to leave."""
        config, bank = self.config, self.bank
        m.submodules.merge_tops = merge = StreamArbiter(TopOfBook, config.venues)
        m.submodules.arbitrage = arbitrage = Arbitrage(config)
        m.submodules.merge_orders = orders = StreamArbiter(Order, 2)

        for venue, (tops, stale, restart) in enumerate(feeds):
            connect(m, tops, merge.inputs[venue])
            m.d.comb += [arbitrage.venue_stale[venue].eq(stale), arbitrage.clear[venue].eq(restart)]
        connect(m, merge.output, arbitrage.tops)
        connect(m, arbitrage.orders, orders.inputs[0])
        connect(m, bank.host_orders, orders.inputs[1])
        m.d.comb += [arbitrage.settings.eq(bank.arbitrage), arbitrage.enable.eq(bank.enable)]
        top = merge.output.payload
        self.records.append((merge.output.valid & top.changed, events.top_of_book(top, self.clock.now), 16))
        m.d.comb += [self.counters.signals.eq(arbitrage.signals), self.counters.missed_signals.eq(arbitrage.missed)]
        return orders.output

    def _gateway(self, m, orders):
        """The one door."""
        bank = self.bank
        m.submodules.gateway = gateway = RiskGateway(self.config)
        connect(m, orders, gateway.orders)
        connect(m, bank.replies, gateway.replies)
        m.d.comb += [
            gateway.limits.eq(bank.limits), gateway.limits_valid.eq(bank.limits_valid),
            gateway.armed.eq(bank.armed), gateway.kill.eq(bank.kill), gateway.clear_positions.eq(bank.clear_positions),
            gateway.query_symbol.eq(bank.query_symbol), bank.position.eq(gateway.position),
            bank.working_buy.eq(gateway.working_buy), bank.working_sell.eq(gateway.working_sell), bank.fault.eq(gateway.fault),
            gateway.rejected.ready.eq(1),
        ]
        rejected = gateway.rejected.payload
        self.records.append((gateway.rejected.valid, events.order_rejected(rejected, self.clock.now), 4))
        m.d.comb += [
            self.counters.orders_passed.eq(gateway.accepted), self.counters.bad_replies.eq(gateway.bad_reply),
            self.counters.rejects.valid.eq(gateway.rejected.valid), self.counters.rejects.reason.eq(rejected.reason),
        ]
        return gateway.passed

    def _order_entry(self, m, passed):
        """Orders that passed to frames."""
        bank = self.bank
        m.submodules.ouch = ouch = OuchEnterOrder(self.config)
        m.submodules.transmit = transmit = UdpTransmit(self.config)
        connect(m, passed, ouch.orders)
        connect(m, ouch.packet, transmit.packet)
        connect(m, transmit.frames, flipped(self.orders))
        m.d.comb += [ouch.link_free.eq(transmit.free), ouch.names.eq(bank.names), transmit.now.eq(self.clock.now)]
        for venue, control in enumerate(bank.venues):
            m.d.comb += [transmit.addresses[venue].eq(control.order_address), control.next_user_ref.eq(ouch.next_user_ref[venue])]
            with m.If(control.set_user_ref):
                m.d.comb += [ouch.set_user_ref.eq(1), ouch.set_user_ref_venue.eq(venue), ouch.set_user_ref_value.eq(control.user_ref)]
        sent = transmit.sent.payload
        self.records.append((transmit.sent.valid, events.order_sent(sent, self.clock.now), 4))
        for venue, frames in enumerate(self.counters.order_frames):
            m.d.comb += frames.eq(transmit.sent.valid & (sent.order.venue == venue))

    def _host(self, m):
        """The host's window: registers, counters, event ring."""
        bank, counters = self.bank, self.counters
        m.submodules.watch = watch = events.StateWatch()
        self.records.append((watch.records.valid, watch.records.payload, 4))
        sources = sorted(self.records, key=lambda record: record[2])  # rare records first, tops of book last
        m.submodules.ring = ring = EventRing(self.config.events, [depth for _, _, depth in sources])
        for (valid, payload, _), port in zip(sources, ring.records, strict=True):
            m.d.comb += [port.valid.eq(valid), port.payload.eq(payload)]

        connect(m, flipped(self.bus), bank.bus)
        m.d.comb += [
            bank.now.eq(self.clock.now), watch.now.eq(self.clock.now), watch.state.eq(bank.state),
            ring.read_index.eq(bank.read_index), bank.write_index.eq(ring.write_index),
            ring.read_address.eq(bank.ring.address), bank.ring.data.eq(ring.read_data),
            counters.index.eq(bank.counters.address), bank.counters.data.eq(counters.value),
            counters.events_lost.eq(ring.lost), counters.bus_errors.eq(bank.bus_error),
            counters.limits_refused.eq(bank.limits_refused), counters.host_orders_refused.eq(bank.host_order_refused),
        ]
