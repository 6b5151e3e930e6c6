"""OUCH 5.0 Enter, Replace and Cancel Order, or their like of 4.2, in SoupBinTCP packets (PROTOCOLS: sections 4 to 6)."""

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.config import CardConfig
from hw.lib.wire import big_endian, characters, hexadecimal
from hw.order_entry import ouch42
from hw.order_entry.packet_sum import PacketSum
from hw.types import Order, OrderKind, OrderWord, Side, SlotName, VenueIndex

MESSAGE_BYTES = {OrderKind.NEW: 47, OrderKind.REPLACE: 40, OrderKind.CANCEL: 9}
"""Enter, Replace and Cancel Order, without appendage."""

LEAST_BYTES = 18
"""What a packet is filled up to with zeros, so that it fills an Ethernet frame."""


class OuchOrders(wiring.Component):
    """Turns an order that has passed the risk gateway into the packet that asks the venue for it: Enter, Replace or Cancel Order.

    One order at a time: ``orders.ready`` means that the order can leave at once, and stays until it is taken. It may come with the last
    word of the packet before.

    Parameters
    ----------
    config : CardConfig

    Ports
    -----
    orders : In(stream of Order)
        Limit order, immediate or cancel or for the ``day``, displayed, principal, not ISO, no cross. ``side`` SELL goes as "S" (long).
        The venue wants 1 to 999,999 shares; what the limits let pass above it the venue refuses. The shares of a REPLACE are those
        of the whole order, what has traded of it with them; those of a CANCEL may stay.
    link_free : In(1)
        The transmit stage behind could begin a frame at once. Once set it should stay so until ``packet`` is valid: an order that was
        taken up by then waits else.
    names : In(stream.Signature(SlotName, always_ready=True))
        A symbol's name from now on.
    set_user_ref : In(1)
        Pulse: the next order to ``set_user_ref_venue`` gets the number ``set_user_ref_value``. The venue ignores an order whose
        number is not above all it has seen today.
    set_user_ref_venue : In(VenueIndex)
    set_user_ref_value : In(32)
    next_user_ref : Out(array of 32 bits, one a venue)
        1 after reset. Each order takes one number, but for a CANCEL.
    skip : In(venues)
        Pulse: the venue's next number is left out. Not with an order to it.
    exhausted : Out(1)
        A venue's numbers have run out (the next would be 0): no order is taken until the host sets it.
    packet : Out(stream of OrderWord)
        50 bytes in 7 words, of a REPLACE 43 in 6, of a CANCEL 12, filled up to 18, in 3. ClOrdID is "TJ", then hex digits: venue (1),
        strategy (1), symbol (2), UserRefNum (8). To a venue of ``ouch42``: 52 in 7, 50 in 7, 22 in 3; its token is "TJ", UserRefNum (8),
        four blanks.
    packet_sum : Out(24)
        Of the packet's bytes as 16-bit numbers, not folded (RFC 1071): from the fourth cycle on, that of its first word's offer being the
        first, and so not part of ``packet``, whose words stay as they are until they are taken.

    Notes
    -----
    Latency 1, to the first word; the words follow without a pause.
    """

    LATENCY = 1
    KINDS = tuple(MESSAGE_BYTES)
    """What it has a message for; nothing else may come."""

    def __init__(self, config: CardConfig):
        super().__init__({
            "orders": In(stream.Signature(Order)),
            "link_free": In(1, init=1),
            "names": In(stream.Signature(SlotName, always_ready=True)),
            "set_user_ref": In(1),
            "set_user_ref_venue": In(VenueIndex),
            "set_user_ref_value": In(32),
            "next_user_ref": Out(data.ArrayLayout(32, config.venues), init=[1] * config.venues),
            "skip": In(config.venues),
            "exhausted": Out(1),
            "packet": Out(stream.Signature(OrderWord)),
            "packet_sum": Out(24),
        })
        self._config = config

    def elaborate(self, platform):
        m = Module()
        order = Signal(Order)
        user_ref, name = Signal(32), Signal(64)
        index, last_index = Signal(range(7)), Signal(range(7))
        venues = range(self._config.venues)

        m.submodules.names = names = memory.Memory(
            shape=64, depth=self._config.symbols, init=[], attrs={"ram_style": "distributed"})
        write, read = names.write_port(), names.read_port(domain="comb")
        m.d.comb += [
            write.en.eq(self.names.valid), write.addr.eq(self.names.payload.symbol), write.data.eq(self.names.payload.name),
            read.addr.eq(self.orders.payload.symbol),
        ]

        taken = Signal()
        spent = Signal(self._config.venues)  # a register, as ``ready`` goes far: the next number would be 0
        m.d.comb += [
            self.exhausted.eq(spent.any()),
            self.orders.ready.eq((~self.packet.valid | self.packet.ready & self.packet.payload.last) & self.link_free & ~self.exhausted),
            taken.eq(self.orders.valid & self.orders.ready),
        ]
        with m.If(self.packet.valid & self.packet.ready):
            m.d.sync += index.eq(index + 1)
            with m.If(self.packet.payload.last):
                m.d.sync += self.packet.valid.eq(0)
        with m.If(taken):
            m.d.sync += [
                order.eq(self.orders.payload),
                name.eq(read.data),
                self.packet.valid.eq(1),
                index.eq(0),
                user_ref.eq(self.orders.payload.reference),
            ]
        takes_number = Signal()
        m.d.comb += takes_number.eq(taken & (self.orders.payload.kind != OrderKind.CANCEL))
        for venue in venues:
            number = self.next_user_ref[venue]
            mine = takes_number & (self.orders.payload.venue == venue)
            with m.If(mine):
                m.d.sync += user_ref.eq(number)
            with m.If(mine | self.skip[venue]):
                m.d.sync += [number.eq(number + 1), spent[venue].eq(number.all())]
            with m.If(self.set_user_ref & (self.set_user_ref_venue == venue)):
                m.d.sync += [number.eq(self.set_user_ref_value), spent[venue].eq(self.set_user_ref_value == 0)]

        payload = self.packet.payload
        m.d.comb += [payload.order.eq(order), payload.user_ref.eq(user_ref), payload.last.eq(index == last_index)]
        spoken = {"ouch50": self._messages, "ouch42": ouch42.messages}
        protocols = [self._config.order_protocol(venue) for venue in venues]
        for protocol in dict.fromkeys(protocols):
            mine = Cat(order.venue == venue for venue in venues if protocols[venue] == protocol).any() if len(set(protocols)) > 1 else 1
            self._offer(m, (order, index, last_index), mine, self._packets(m, spoken[protocol](order, name, user_ref), protocol))
        return m

    def _packets(self, m, messages, protocol):
        """Of each kind its packet with what fills it up, its bytes without, and its sum."""
        packets = {}
        for kind, message in messages.items():
            length = 3 + len(message) // 8
            packet = Cat(big_endian(Const(length - 2, 16)), characters("U"), message, Const(0, 8 * max(0, LEAST_BYTES - length)))
            m.submodules[f"sum_{kind.name.lower()}_{protocol}"] = total = PacketSum(len(packet) // 8)
            m.d.comb += total.packet.eq(packet)
            packets[kind] = packet, length, total.sum
        return packets

    def _offer(self, m, packet, mine, packets):
        """The word of the order's packet that is next."""
        order, index, last_index = packet
        payload = self.packet.payload
        with m.If(mine), m.Switch(order.kind):
            for kind, (packet, length, total) in packets.items():
                with m.Case(kind):
                    words = [packet[bit:bit + 64] for bit in range(0, len(packet), 64)]
                    m.d.comb += [
                        payload.data.eq(Array(words)[index]), payload.length.eq(length), last_index.eq(len(words) - 1),
                        payload.count.eq(Mux(payload.last, (len(packet) // 8 - 1) % 8 + 1, 8)), self.packet_sum.eq(total),
                    ]

    def _messages(self, order, name, user_ref):
        """Of each kind, in OUCH 5.0."""
        identity = Cat(characters("TJ"), hexadecimal(Cat(order.symbol, order.strategy, order.venue)), hexadecimal(user_ref))
        price, time_in_force = Cat(Const(0, 32), big_endian(order.price)), Mux(order.day, characters("0"), characters("3"))
        messages = {
            OrderKind.NEW: Cat(
                characters("O"),
                big_endian(user_ref),
                Mux(order.side == Side.SELL, characters("S"), characters("B")),
                big_endian(order.shares),
                name,
                price,
                time_in_force,
                characters("Y"),  # display
                characters("P"),  # capacity: principal
                characters("N"),  # intermarket sweep
                characters("N"),  # cross type: continuous market
                identity,
                Const(0, 16),  # appendage length
            ),
            OrderKind.REPLACE: Cat(
                characters("U"),
                big_endian(order.reference),
                big_endian(user_ref),
                big_endian(order.shares),
                price,
                time_in_force,
                characters("Y"),  # display
                characters("N"),  # intermarket sweep
                identity,
                Const(0, 16),  # appendage length
            ),
            OrderKind.CANCEL: Cat(characters("X"), big_endian(order.reference), big_endian(order.shares)),
        }
        assert {kind: len(message) // 8 for kind, message in messages.items()} == MESSAGE_BYTES
        return messages
