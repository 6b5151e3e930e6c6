"""What stands in front of a framer in its proof: any packets, from a source that keeps its part of the contract."""

from amaranth.hdl import Assume, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from hw.reasons import DropReason
from hw.types import PayloadWord

LONGEST = 8_189
"""Words of the largest UDP payload."""


def at_most_one(bits):
    return (bits & (bits - 1)) == 0


class FramerSource(wiring.Component):
    """Ports for any words and verdicts; a proof of a framer is made of it. ``_words``: of the packet that have come."""

    word: In(PayloadWord)
    word_valid: In(1)
    verdict: In(4)
    verdict_valid: In(1)

    def ports(self):
        return [Value.cast(getattr(self, name)) for name in self.signature.members]

    def _feed(self, m, framer):
        m.d.comb += [
            framer.payload.payload.eq(self.word),
            framer.payload.valid.eq(self.word_valid),
            framer.verdict_in.payload.reason.eq(self.verdict),
            framer.verdict_in.valid.eq(self.verdict_valid),
        ]
        self._assume_the_contract(m)

    def _assume_the_contract(self, m):
        """Whole words up to the last; one verdict per packet, after its last word."""
        over, self._words = Signal(), Signal(range(LONGEST + 1))
        with m.If(self.word_valid):
            m.d.sync += [over.eq(self.word.last), self._words.eq(self._words + 1)]
        with m.If(self.verdict_valid):
            m.d.sync += [over.eq(0), self._words.eq(0)]
        m.d.comb += [
            Assume(~(self.word_valid & (self.verdict_valid | over | (self._words >= LONGEST)))),
            Assume((self.word.count == 8) | (self.word.last & (self.word.count >= 1) & (self.word.count < 8))),
            Assume(self.verdict <= max(DropReason)),
        ]
