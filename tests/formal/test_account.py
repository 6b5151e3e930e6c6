"""The account's sums never pass their limits, whatever leaves, is filled and dies: proved for every reachable state.

The component by itself, with numbers of few bits and limits that stay as they are. The products of its multiplier are free, as far as no
more is freed than the registers hold (what is below nothing overflows, which the gateway takes as a fault; the sides are smaller than the
gross notional).
"""

import pytest
from amaranth.hdl import Assert, Assume, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

import hw.risk.account
from hw.risk.account import SPARE, Freed
from hw.types import Side
from tests.formal.gateway_promise import FreeProduct
from tests.formal.history import History
from tests.formal.prove import mutated, prove

MONEY = 6
"""Bits of all money here."""


class Door(wiring.Component):
    """Asks as the gateway does: an order alone in three cycles, a pair in seven; what passes spends.

    Of a pair the second leg spends with its judgement, and the first three cycles later.
    """

    max_gross: In(MONEY)
    max_net: In(MONEY)
    ask: In(1)
    pair: In(1)
    side: In(Side)
    notional: In(MONEY)
    first_side: In(Side)
    first_notional: In(MONEY)
    free: In(1)
    freed: In(Freed)
    product: In(64)

    def __init__(self, module=hw.risk.account):
        super().__init__()

        def free():
            multiplier = FreeProduct()
            multiplier.any = self.product
            return multiplier

        self._account = module.AccountNotional(free, MONEY)

    def ports(self):
        return [Value.cast(getattr(self, name)) for name in self.signature.members]

    def elaborate(self, platform):
        m = Module()
        m.submodules.account = account = self._account
        started, max_gross, max_net = Signal(), Signal(MONEY), Signal(MONEY)
        m.d.sync += started.eq(1)
        with m.If(~started):
            m.d.sync += [max_gross.eq(self.max_gross), max_net.eq(self.max_net)]
        step, side, notional, pair = Signal(range(8)), Signal(Side), Signal(MONEY), Signal()
        first_side, first_notional, allowed, later = Signal(Side), Signal(MONEY), Signal(), Signal()
        m.d.comb += [
            account.max_gross.eq(max_gross), account.max_net.eq(max_net),
            account.side.eq(side), account.notional.eq(notional), account.pair.eq(pair),
            account.first_side.eq(first_side), account.first_notional.eq(first_notional),
            account.free.eq(self.free), account.freed.as_value().eq(self.freed.as_value()),
            allowed.eq(~(account.gross | account.net | pair & (account.first_gross | account.first_net))),
            later.eq((step == 5) & pair), account.spend.eq((step == 2) & allowed | later),
            account.spent_side.eq(Mux(later, first_side, side)), account.spent.eq(Mux(later, first_notional, notional)),
        ]
        with m.Switch(step):
            with m.Case(0):
                m.d.sync += [
                    side.eq(self.side), notional.eq(self.notional), pair.eq(self.pair), first_side.eq(self.first_side),
                    first_notional.eq(self.first_notional), step.eq(self.ask & started)]
            with m.Case(2):
                m.d.sync += step.eq(Mux(allowed & pair, 3, 0))
            with m.Case(6):
                m.d.sync += step.eq(0)
            with m.Default():
                m.d.sync += step.eq(step + 1)
        self._promise(m, account, max_gross, max_net, (step >= 3) & (step <= 5) & pair, first_side, first_notional)
        return m

    def _promise(self, m, account, max_gross, max_net, owes, first_side, first_notional):
        """With all that has passed the door: what is on its way to the sums, and the first leg of a pair whose second one has passed."""
        spend, its_side, spent = account._coming
        coming, first = Mux(spend, spent, 0), Mux(owes, first_notional, 0)
        m.d.comb += [Assume(~account.overflow), Assert(account._gross + coming + first <= max_gross)]
        for side, total in account._sides.items():
            own = Mux(its_side == side, coming, 0) + Mux(first_side == side, first, 0)
            m.d.comb += [Assume(total > -(1 << MONEY + SPARE - 1)), Assert(total + own <= max_net)]
        self._books(m, account)

    def _books(self, m, account):
        """Where nothing has been freed of late, a sum has grown by what has left two cycles before, and by nothing else."""
        cycles, past = Signal(range(8)), History(m)
        m.d.sync += cycles.eq(Mux(self.free, 0, Mux(cycles == 7, 7, cycles + 1)))
        spent, side = Mux(past(account.spend, 2), past(account.spent, 2), 0), past(account.spent_side, 2)
        for name, total in (("all", account._gross), *account._sides.items()):
            with m.If(cycles == 7):
                m.d.comb += Assert(total == past(total) + (spent if name == "all" else Mux(side == name, spent, 0)))


@pytest.mark.formal
def test_the_sums_keep_their_limits(tmp_path):
    door = Door()
    prove(door, tmp_path, ports=door.ports(), depth=10)


@pytest.mark.formal
@pytest.mark.parametrize(("old", "new"), [
    ("self.max_gross - self._gross - ahead)", "self.max_gross - self._gross)"),
    ("Mux(same, ahead, 0)", "0"),
    ("Mux(self.side == Side.SELL, sell, buy)", "buy"),
    ("self.first_net.eq(first_net[-1])", "self.first_net.eq(0)"),
    ("Mux(spend & (side == name), spent, 0)", "0"),
    ("total.eq(self._gross + Mux(spend, spent, 0) - dead)", "total.eq(self._gross - dead)"),
], ids=["the first leg is not counted", "its side is not counted", "a sale counts as a purchase",
        "the first leg may pass the net limit", "no side grows", "the gross notional does not grow"])
def test_the_proof_fails_on_a_mutant(tmp_path, old, new):
    door = Door(mutated(hw.risk.account, old, new))
    with pytest.raises(AssertionError, match="DONE .FAIL"):
        prove(door, tmp_path, ports=door.ports(), depth=20, mode="bmc")
