"""The best price of a side: a tournament whose inner results are kept, so that one change replays one path only."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hw.lib.choice import any_of
from hw.lib.exclusive_memory import ExclusiveMemory

RADIX = 4


class WinnerTree(wiring.Component):
    """Keeps, for every region, the winner of every leaf of sixteen slots, of every four leaves, and so on up to the root.

    Whoever changes a slot shows the slots of its leaf as they are then, four a cycle. The siblings of the path do not depend on the change,
    so their winners are found while the path is read; the leaf's winner then meets one sibling a cycle on its way up.

    Parameters
    ----------
    leaves : int
        Of a region; a power of two, at least 4.
    regions : int
        Independent trees, one a side of a symbol.
    rank_bits : int
        Bits of a rank: a price made comparable, so that the largest is the best on either side.
    groups : int
        Of four slots a leaf, 1, 2 or 4.

    Ports
    -----
    start : In(1), region : In, leaf : In, ask : In(1)
        Cycle s: a slot of ``leaf`` has changed; or, with ``ask``, nothing has, and the winner of the region is wanted.
    group : In(4 x {rank, valid})
        Cycle s + 2 + j: the slots 4 j to 4 j + 3 of the leaf, as they are now. Ignored where it was asked.
    done : Out(1), best : Out({rank, valid, slot}), best_region : Out
        Cycle s + latency, if it was asked: the winner, for this one cycle.
    clear : In(1), row : In
        Empties row ``row`` in the next cycle, and forgets whatever is under way.

    Notes
    -----
    ``latency`` = 5 cycles + one a group + one a level. The next start may follow after ``spacing`` cycles, on any region.
    """

    def __init__(self, *, leaves: int, regions: int, rank_bits: int = 32, groups: int = 4):
        if leaves < 4 or leaves & (leaves - 1):
            raise ValueError(f"leaves must be a power of two and at least 4, not {leaves}")
        self.leaf_bits = leaves.bit_length() - 1
        self.levels = (self.leaf_bits + 1) // 2
        self._groups = groups
        self._climbs = 5 + groups  # stage in which the winner of the leaf is known
        self.latency = self._climbs + self.levels
        self.spacing = max(6, self.levels)
        self.depth = regions << (self.leaf_bits - 1)
        self._rank_bits = rank_bits
        self._group_bits = groups.bit_length() - 1
        self.entry = self._entry(2 + self._group_bits + self.leaf_bits)
        # a level is read five stages before it is written, by then on another level than a request that follows
        self.nodes = ExclusiveMemory(shape=data.ArrayLayout(self.entry, RADIX), depth=self.depth)
        region_bits = max(1, (regions - 1).bit_length())
        super().__init__({
            "start": In(1),
            "region": In(region_bits),
            "leaf": In(self.leaf_bits),
            "ask": In(1),
            "group": In(data.ArrayLayout(data.StructLayout({"rank": rank_bits, "valid": 1}), RADIX)),
            "done": Out(1),
            "best": Out(self.entry),
            "best_region": Out(region_bits),
            "clear": In(1),
            "row": In(max(1, (self.depth - 1).bit_length())),
        })

    def _entry(self, slot_bits):
        return data.StructLayout({"rank": self._rank_bits, "valid": 1, "slot": slot_bits})

    def elaborate(self, platform):
        m = Module()
        m.submodules.nodes = nodes = self.nodes
        read = nodes.read_port()
        write = nodes.write_port(granularity=1)

        # stage k holds the request of k cycles ago
        stages = self.latency
        active = Signal(stages + 1)
        requests = data.StructLayout({"region": self.region.shape(), "leaf": self.leaf_bits, "ask": 1})
        request = [Signal(requests, name=f"request{k}") for k in range(stages + 1)]
        m.d.comb += [active[0].eq(self.start), request[0].eq(Cat(self.region, self.leaf, self.ask))]
        m.d.sync += active[1:].eq(active[:-1] & ~self.clear.replicate(stages))
        for k in range(1, stages + 1):
            with m.If(active[k - 1]):
                m.d.sync += request[k].eq(request[k - 1])

        leaf, sibling = self._leaf(m, active, request[1]), self._sibling(m, read, active, request)
        climber, rising = Signal(self.entry), Signal(self.entry)

        # on the way up: in the k-th stage of the climb the winner below level k is known, is written into its node, and meets its siblings
        m.d.comb += rising.eq(Mux(active[self._climbs], leaf, climber.as_value()))
        m.d.sync += climber.eq(self._stronger(rising, sibling))
        place, children = Signal.like(write.addr), Signal(RADIX)  # where it is written in the next cycle
        m.d.sync += children.eq(0)
        for k in range(1, self.levels + 1):
            rises = request[self._climbs + k - 2]
            with m.If(active[self._climbs + k - 2] & ~rises.ask):
                m.d.sync += [place.eq(self._node(k, rises)), children.eq(1 << self._child(k, rises))]
        cleared = Signal()
        m.d.sync += cleared.eq(self.clear)
        with m.If(self.clear):
            m.d.sync += [place.eq(self.row), children.eq((1 << RADIX) - 1)]
        m.d.comb += [
            write.addr.eq(place), write.en.eq(children), *(part.eq(Mux(cleared, 0, rising)) for part in write.data),
            self.done.eq(active[stages] & request[stages].ask), self.best.eq(climber), self.best_region.eq(request[stages].region),
        ]
        return m

    def _leaf(self, m, active, request):
        """The winner of the leaf: of each group, and of all so far."""
        small = self._entry(2 + self._group_bits)
        group = [Signal(small, name=f"group{i}") for i in range(RADIX)]
        number = Signal(self._group_bits)
        m.d.comb += number.eq(any_of((active[2 + j], j) for j in range(self._groups)))
        for i in range(RADIX):
            m.d.sync += group[i].eq(Cat(self.group[i].rank, self.group[i].valid & ~request.ask, Const(i, 2), number))
        winner, best, leaf = self._semifinal(m, group, small, "leaf"), Signal(small), Signal(self.leaf_bits)
        m.d.sync += best.eq(Mux(active[5], winner.as_value(), self._stronger(winner, best)))
        with m.If(active[5]):
            m.d.sync += leaf.eq(request.leaf)
        return Cat(best, leaf)

    def _sibling(self, m, read, active, request):
        """The winner of a node's children but the one on the path, one level a cycle, each in time for the climb."""
        first = self._groups - 1  # the node of level k (1 is next to the leaves) is read in stage first + k
        reads = Signal()
        m.d.comb += read.en.eq(reads)
        m.d.sync += reads.eq(active[first:first + self.levels].any())
        for k in range(self.levels, 0, -1):  # the address is made before: the memory is wide
            with m.If(active[first + k - 1]):
                m.d.sync += read.addr.eq(self._node(k, request[first + k - 1]))

        # its word is kept before anything looks at it, as the memory lies all over the chip, and then without the child on the path
        word, path = Signal.like(read.data), Signal(RADIX)
        siblings = [Signal(self.entry, name=f"sibling{i}") for i in range(RADIX)]
        m.d.sync += word.eq(read.data)
        for k in range(1, self.levels + 1):
            about = request[first + k + 1]
            with m.If(active[first + k + 1]):
                m.d.sync += path.eq(Mux(about.ask, 0, 1 << self._child(k, about)))
        for i in range(RADIX):
            m.d.sync += siblings[i].eq(Mux(path[i], 0, word[i].as_value()))
        return self._semifinal(m, siblings, self.entry, "sibling")

    @staticmethod
    def _stronger(a, b):
        return Mux(Cat(a.rank, a.valid) >= Cat(b.rank, b.valid), a.as_value(), b.as_value())

    def _semifinal(self, m, entries, shape, name):
        """The winner of four, in two rounds with a register after each."""
        half = [Signal(shape, name=f"{name}_half{i}") for i in range(2)]
        winner = Signal(shape, name=f"{name}_winner")
        m.d.sync += [half[i].eq(self._stronger(entries[2 * i], entries[2 * i + 1])) for i in range(2)]
        m.d.sync += winner.eq(self._stronger(*half))
        return winner

    def _node(self, level, request):
        """Row of a node: the bits that lead to it behind a leading 1, in the region's part of the memory."""
        number = Cat(request.leaf[2 * level:], 1)
        return Cat(number, *[0] * (self.leaf_bits - 1 - len(number)), request.region)[:len(self.row)]

    @staticmethod
    def _child(level, request):
        """Which of the node's children the leaf lies under."""
        return request.leaf[2 * level - 2:2 * level]
