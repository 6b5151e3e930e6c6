"""What a decoder tells, as the plain records of the golden models."""

from sim.golden import records


def plain_event(event):
    assert event.symbol == 0
    return records.BookEvent(event.kind.value, event.side.value, *(getattr(event, field) for field in records.BookEvent._fields[2:]))


def plain_state(state):
    return records.MarketState(chr(state.kind), *(getattr(state, field) for field in records.MarketState._fields[1:]))


def plain_trade(done):
    return records.Trade(chr(done.kind), *(getattr(done, field) for field in records.Trade._fields[1:]))


def plain_entry(entry):
    return records.DirectoryEntry(entry.locate, entry.name.to_bytes(8, "little"))


PLAIN = {"events": plain_event, "state": plain_state, "trades": plain_trade, "directory": plain_entry}
"""Port: how to read its payload."""
NAMING = ("events", "state", "trades")
"""Ports of the decoders of protocols that call symbols by their names."""


class NamedTold:
    """All that the decoder of such a protocol tells: (cycle, port, record, symbol or None, sequence, ingress) or (cycle, "malformed")."""

    def __init__(self):
        self.told = []

    def look(self, ctx, decoder, cycle):
        for port in NAMING:
            output = getattr(decoder, port)
            if ctx.get(output.valid):
                payload = ctx.get(output.payload)
                assert ctx.get(decoder.message_seen)
                name = ctx.get(decoder.symbol_name).to_bytes(8, "little").decode("latin-1") if ctx.get(decoder.named) else None
                self.told.append((cycle, port, PLAIN[port](payload), name, payload.sequence, payload.ingress))
        if ctx.get(decoder.malformed):
            self.told.append((cycle, "malformed"))
