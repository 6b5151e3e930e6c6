"""The feed protocols that a port can speak: which stages read it, and how they are put together."""

from collections.abc import Callable
from typing import NamedTuple

from amaranth.lib import wiring
from amaranth.lib.wiring import connect

from hw.feed.deep10 import DeepDecoder
from hw.feed.iex_tp import IexTp
from hw.feed.itch50 import Itch50Decoder
from hw.feed.moldudp64 import MoldUdp64
from hw.feed.name_filter import NameFilter
from hw.feed.pitch import PitchDecoder
from hw.feed.pitch_unit import PitchUnit
from hw.feed.symbol_filter import SymbolFilter


class FeedProtocol(NamedTuple):
    """The stages between a UDP payload and the events of the symbols that the card follows."""

    framer: Callable[[], wiring.Component]
    decoder: Callable[[], wiring.Component]
    select: Callable[[int], wiring.Component]
    """The filter, for a number of symbols."""
    has_directory: bool = False
    """The decoder tells the names that locates stand for."""

    def join(self, m, framer, decoder, status, select, bindings, names):
        """Connects one of each. ``bindings`` and ``names`` are those of the venue's slots; what has no use for names leaves them."""
        connect(m, framer.words, decoder.words)
        connect(m, decoder.events, status.events)
        connect(m, decoder.state, status.state)
        connect(m, status.output, select.input)
        m.d.comb += select.bindings.eq(bindings)
        if self.framer is PitchUnit:
            m.d.comb += [decoder.second.eq(framer.second), decoder.clear.eq(framer.clear)]
        if self.select is NameFilter:
            m.d.comb += [select.name.eq(decoder.symbol_name), select.named.eq(decoder.named), select.names.eq(names)]


PROTOCOLS = {
    "itch50": FeedProtocol(MoldUdp64, Itch50Decoder, SymbolFilter, has_directory=True),
    "pitch": FeedProtocol(PitchUnit, PitchDecoder, NameFilter),
    "deep10": FeedProtocol(IexTp, DeepDecoder, NameFilter),
}
"""By the names that a card's configuration uses."""
