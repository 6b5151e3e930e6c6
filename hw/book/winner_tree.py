"""The best price of a side: a tournament whose inner results are kept, so that one change replays one path only."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.exclusive_memory import ExclusiveMemory

RADIX = 4

class WinnerTree(wiring.Component):
    """Keeps, for every region, the winner of every group of four, of every four groups, and so on up to the root.

    The siblings of a path do not depend on the change, so their winners are found while the path is read; the
    change itself then meets one sibling a cycle on its way up.

    Parameters
    ----------
    leaves : int
        Groups of four slots in a region (one set of the price table each); a power of two, at least 4.
    regions : int
        Independent trees, one a side of a symbol.
    rank_bits : int
        Bits of a rank: a price made comparable, so that the largest is the best on either side.

    Ports
    -----
    start : In(1), region : In, slot : In
        Cycle s: something may change in the group of ``slot``.
    group : In(4 x {rank, valid}), commit : In(1)
        Cycle s + 2: the group as it is after the change; with ``commit`` the path is written back, else it is kept as it was.
    ask : In(1)
        Cycle s + 2: the winner is wanted.
    done : Out(1), best : Out({rank, valid, slot}), best_region : Out
        Cycle s + latency, if it was asked for: the winner of the region with this group, for this one cycle.
    clear : In(1), row : In
        Empties row ``row`` in the next cycle, and forgets whatever is under way.

    Notes
    -----
    ``latency`` = 5 cycles + one a level. The next start may follow after ``spacing`` cycles, on any region.
    """

    def __init__(self, *, leaves: int, regions: int, rank_bits: int = 32):
        if leaves < 4 or leaves & (leaves - 1):
            raise ValueError(f"leaves must be a power of two and at least 4, not {leaves}")
        self.leaf_bits = leaves.bit_length() - 1
        self.levels = (self.leaf_bits + 1) // 2
        self.latency = 5 + self.levels
        self.spacing = max(5, self.levels)
        self.depth = regions << (self.leaf_bits - 1)
        self.entry = data.StructLayout({"rank": rank_bits, "valid": 1, "slot": self.leaf_bits + 2})
        # read in stages 1 to ``levels``, written from stage 5 on, by then on another level than a request that follows
        self.nodes = ExclusiveMemory(shape=data.ArrayLayout(self.entry, RADIX), depth=self.depth)
        region_bits = max(1, (regions - 1).bit_length())
        super().__init__({
            "start": In(1),
            "region": In(region_bits),
            "slot": In(self.leaf_bits + 2),
            "group": In(data.ArrayLayout(data.StructLayout({"rank": rank_bits, "valid": 1}), RADIX)),
            "commit": In(1),
            "ask": In(1),
            "done": Out(1),
            "best": Out(self.entry),
            "best_region": Out(region_bits),
            "clear": In(1),
            "row": In(max(1, (self.depth - 1).bit_length())),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.nodes = nodes = self.nodes
        read = nodes.read_port()
        write = nodes.write_port(granularity=1)

        # stage k holds the request of k cycles ago
        stages = self.latency
        active = Signal(stages + 1)
        asked = Signal(stages + 1)
        kept = Signal(stages + 1)
        region = [self.region] + [Signal.like(self.region, name=f"region{k}") for k in range(1, stages + 1)]
        slot = [self.slot] + [Signal.like(self.slot, name=f"slot{k}") for k in range(1, stages + 1)]
        m.d.comb += active[0].eq(self.start)
        for k in range(1, stages + 1):
            m.d.sync += active[k].eq(active[k - 1] & ~self.clear & (self.commit | self.ask if k == 3 else 1))
        m.d.sync += [asked[3:].eq(Cat(self.ask, asked[3:])), kept[3:].eq(Cat(self.commit, kept[3:]))]
        for k in range(1, stages + 1):
            with m.If(active[k - 1]):
                m.d.sync += [region[k].eq(region[k - 1]), slot[k].eq(slot[k - 1])]

        def stronger(a, b):
            return Mux(Cat(a.rank, a.valid) >= Cat(b.rank, b.valid), a.as_value(), b.as_value())

        def semifinal(entries, name):
            """Two rounds with a register after each."""
            half = [Signal(self.entry, name=f"{name}_half{i}") for i in range(2)]
            winner = Signal(self.entry, name=f"{name}_winner")
            m.d.sync += [half[i].eq(stronger(entries[2 * i], entries[2 * i + 1])) for i in range(2)]
            m.d.sync += winner.eq(stronger(*half))
            return winner

        # the node of level k (1 is next to the leaves) is read in stage k, its address made before: the memory is wide
        reads = Signal()
        m.d.comb += read.en.eq(reads)
        m.d.sync += reads.eq(active[:self.levels].any())
        for k in range(self.levels, 0, -1):
            with m.If(active[k - 1]):
                m.d.sync += read.addr.eq(self._node(k, region[k - 1], slot[k - 1]))

        # its word arrives two stages later, without the child on the path
        path = Signal(RADIX)
        siblings = [Signal(self.entry, name=f"sibling{i}") for i in range(RADIX)]
        for k in range(1, self.levels + 1):
            with m.If(active[k]):
                m.d.sync += path.eq(1 << self._child(k, slot[k]))
        for i in range(RADIX):
            m.d.sync += siblings[i].eq(Mux(path[i], 0, read.data[i].as_value()))
        sibling = semifinal(siblings, "sibling")

        group = [Signal(self.entry, name=f"group{i}") for i in range(RADIX)]
        for i in range(RADIX):
            m.d.sync += [
                group[i].rank.eq(self.group[i].rank),
                group[i].valid.eq(self.group[i].valid),
                group[i].slot.eq(Cat(Const(i, 2), slot[2][2:])),
            ]
        leaf = semifinal(group, "leaf")

        # on the way up: in stage 4 + k the winner below level k is known, is written into its node, and meets its siblings
        climber = Signal(self.entry)
        rising = Signal(self.entry)
        m.d.comb += rising.eq(Mux(active[5], leaf.as_value(), climber.as_value()))
        m.d.sync += climber.eq(stronger(rising, sibling))
        place, children = Signal.like(write.addr), Signal(RADIX)  # where it is written in the next cycle
        m.d.sync += children.eq(0)
        for k in range(1, self.levels + 1):
            with m.If(active[3 + k] & kept[3 + k]):
                m.d.sync += [place.eq(self._node(k, region[3 + k], slot[3 + k])), children.eq(1 << self._child(k, slot[3 + k]))]
        cleared = Signal()
        m.d.sync += cleared.eq(self.clear)
        with m.If(self.clear):
            m.d.sync += [place.eq(self.row), children.eq((1 << RADIX) - 1)]
        m.d.comb += [write.addr.eq(place), write.en.eq(children), *(part.eq(Mux(cleared, 0, rising)) for part in write.data)]
        m.d.comb += [self.done.eq(active[stages] & asked[stages]), self.best.eq(climber), self.best_region.eq(region[stages])]
        return m

    def _node(self, level, region, slot):
        """Row of a node: the slot bits that lead to it behind a leading 1, in the region's part of the memory."""
        number = Cat(slot[2 + 2 * level:], 1)
        return Cat(number, *[0] * (self.leaf_bits - 1 - len(number)), region)[:len(self.row)]

    @staticmethod
    def _child(level, slot):
        """Which of the node's children the slot lies under."""
        return slot[2 * level:2 * level + 2]
