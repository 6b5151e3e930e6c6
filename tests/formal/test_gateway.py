"""What leaves the card keeps the limits, whatever orders, replies, limits and switches do: proved for every reachable state.

One proof for each thing that is promised (tests/formal/gateway_promise.py). Each takes the parts of the gateway that it does not need as
free, so it holds whatever they do. All of them take it as known that each order is answered once, in time and unchanged: but for the
proof "answers", which shows that, whatever the parts do. Each depth is the least with which the induction goes through.
"""

import importlib.util
import sys
from dataclasses import dataclass
from importlib import import_module
from unittest.mock import patch

import pytest

import hw.risk.gateway
from hw.reasons import PRIORITY, RejectReason
from tests.formal.gateway_promise import Promise
from tests.formal.prove import mutated, prove

PARTS = frozenset({
    "account", "answers", "by_key", "cancel_watch", "day", "dead_man", "duplicates", "executions", "exposure", "reference", "table"})
ORDERLY = ("answers", "pairs", "stream_rules")


@dataclass
class Proof:
    """``promises`` of the gateway, with these ``parts`` of it and no others."""

    promises: tuple
    parts: tuple
    depth: int
    given: tuple = ORDERLY
    obedient: bool = False
    also_free: tuple = ()
    """Parts of the parts."""

    def run(self, directory, *, gateway=hw.risk.gateway, mode="prove", depth=None):
        promise = Promise(*self.promises, given=self.given, obedient=self.obedient, gateway=gateway)
        free = [f"top.gateway.{part}" for part in sorted(PARTS.difference(self.parts).union(self.also_free))]
        prove(promise, directory, ports=promise.ports(), depth=depth or self.depth, mode=mode, free=free, sure=True)


PROOFS = {  # the longest first
    "position of a first leg": Proof(
        ("position_of_first_leg",), ("exposure", "table"), 12, also_free=("table.own",)),
    "position": Proof(("position",), ("exposure", "table"), 11, also_free=("table.own",)),
    "answers": Proof(ORDERLY, (), 9, given=()),
    "day": Proof(("day",), ("day",), 11),
    "reasons": Proof(("reasons",), ("reference", "table"), 8),
    "limits": Proof(("limits",), ("reference", "table"), 7),
    "limits by key": Proof(("limits_by_key",), ("by_key",), 7),
    "obedience": Proof(("obedience",), (), 8, obedient=True),
}


@pytest.mark.formal
@pytest.mark.parametrize("name", PROOFS)
def test_the_gateway_keeps_its_promise(tmp_path, name):
    PROOFS[name].run(tmp_path)


@pytest.mark.formal
def test_each_reason_can_be_reached(tmp_path):
    """NONE: both legs of a pair leave."""
    Proof(("reasons_occur",), tuple(PARTS - {"account", "by_key", "executions"}), 16, given=()).run(tmp_path, mode="cover")


LAST_CHECK = "RejectReason.NO_PLACE: gateway._table.taken.bit_select(order.venue, 1),"
MUTANTS = {
    "limits": {
        **{f"{reason.name} is not looked at": ("checks", LAST_CHECK, f"{LAST_CHECK} RejectReason.{reason.name}: 0,")
           for reason in PRIORITY if reason not in (RejectReason.PAIR, RejectReason.RATE)},
        "what can't be waived can be": ("checks", "if reason in WAIVABLE else breach", ""),
        "the switch of the firm is not looked at": ("checks", "found[RejectReason.KILLED] | gateway.kill,", "found[RejectReason.KILLED],"),
        "that of a venue": ("checks", "gateway.kill_venues.bit_select(order.venue, 1)", "0"),
        "that of a strategy": ("checks", "gateway.kill_strategies.bit_select(order.strategy, 1)", "0"),
        "that of a symbol": ("checks", "gateway.kill_symbols.bit_select(order.symbol, 1))", "0)"),
        "orders leave a card that is not armed": ("gateway", "~self.armed | ~self.limits_valid |", "~self.limits_valid |"),
        "without limits": ("gateway", "~self.armed | ~self.limits_valid |", "~self.armed |"),
        "after a fault": ("gateway", "~self.limits_valid | self.fault | self.clearing", "~self.limits_valid | self.clearing"),
        "a limit that has lost a bit counts": ("checks", "limits_broken(gateway) | gateway.clearing", "gateway.clearing"),
        "any price is one": ("gateway", " | (order.price > MAX_PRICE)", ""),
        "a little further": ("checks", "exceeds(leg.distance, limits.max_distance)", "exceeds(leg.distance, limits.max_distance + 1)"),
        "one share too many": (
            "checks", "exceeds(leg.order.shares, limits.max_shares)", "exceeds(leg.order.shares, limits.max_shares + 1)"),
        "the gross notional of the first leg is nothing": ("gateway", "gross=account.first_gross", "gross=0"),
        "the first leg may be anything": ("gateway", "sound & (first_sound | ~paired)", "sound"),
        "a pair is one open order": ("gateway", "net=account.net, ahead=second", "net=account.net"),
        "a burst of nothing is one": ("token_bucket", "(tokens != 0) & (self.burst != 0)", "1"),
    },
    "reasons": {
        "the last reason is told": (
            "leg", "_first(breaches, before), _first(breaches, behind)", "_first(breaches, behind), _first(breaches, before)"),
        "the rate is told as another": ("leg", "_first(breaches, others), last)", "_first(breaches, others), RejectReason.PAIR)"),
        "a bad cancel has no session": (
            "gateway", "Mux(leg.bad, RejectReason.BAD_ORDER, RejectReason.NO_SESSION)", "RejectReason.NO_SESSION"),
        "the first leg has the reason of the second": ("gateway", "Mux(second, first_reason, reason)", "reason"),
        "the second leg that of the first": ("gateway", "last_reason.eq(reason)", "last_reason.eq(first_reason)"),
        "a leg is not refused for the other": (
            "gateway", "= first.stray | cancel | ~sound", "= first.stray"),
    },
    "limits by key": {
        "a symbol's own limit of shares is not looked at": ("checks", "| exceeds(leg.order.shares, leg.own.shares)", "| 0"),
        "a symbol's own limit of notional is not looked at": ("checks", "| (leg.notional > leg.own.notional)", "| 0"),
        "a symbol's own limit of its position is not looked at": ("checks", "| exceeds(leg.after, leg.own.position)", "| 0"),
        "short is long": ("limits_by_key", "Mux(order.side == Side.SELL", "Mux(order.side == Side.BUY"),
        "a price may be below the band": ("limits_by_key", "| exceeds(table.limits.min_price, order.price)", ""),
        "a price may be above the band": ("checks", "RejectReason.PRICE_BAND: leg.own.outside", "RejectReason.PRICE_BAND: 0"),
        "sold short without locates": ("checks", "is_short(leg) & leg.own.no_locate", "0"),
        "sold short at the bid": ("checks", "is_short(leg) & leg.own.uptick_only & leg.at_bid", "0"),
        "a strategy may be as fast as it likes": ("checks", "STRATEGY_RATE: leg.own.strategy_fast", "STRATEGY_RATE: 0"),
        "a symbol may be as fast as it likes": ("checks", "SYMBOL_RATE: leg.own.symbol_fast", "SYMBOL_RATE: 0"),
    },
    "answers": {
        "a switch makes it slower": (
            "gateway", 'm.next = "MEASURE"', 'with m.If(~self.reducing):\n                    m.next = "MEASURE"'),
        "an order is taken while another one is on offer": ("gateway", "self.passed.ready & ~on_offer", "self.passed.ready"),
        "the second leg leaves twice": (
            "gateway", "Mux(leads, first.order.as_value(), leg.order.as_value())", "leg.order.as_value()"),
        "the first leg is forgotten": ("gateway", "leads.eq(second),", "leads.eq(0),"),
        "a refusal is told once, heard or not": (
            "gateway", "self.accepted | (self.rejected.valid & self.rejected.ready)):", "self.accepted | self.rejected.valid):"),
        "the rate is no reason": ("leg", "_first(breaches, others), last)", "_first(breaches, others), RejectReason.NONE)"),
        "no cancel leaves after a kill": ("gateway", "Mux(cancel, ~leg.bad", "Mux(cancel, ~leg.bad & ~self.kill"),
        "no cancel leaves without limits": ("gateway", "Mux(cancel, ~leg.bad", "Mux(cancel, ~leg.bad & self.limits_valid"),
        "no cancel leaves when the host is silent": ("gateway", "Mux(cancel, ~leg.bad", "Mux(cancel, ~leg.bad & ~self.expired"),
        "no cancel leaves when halted": ("gateway", "Mux(cancel, ~leg.bad", "Mux(cancel, ~leg.bad & ~halted"),
        "the second leg leaves, whatever stands against it": ("gateway", "last_passes.eq(passes)", "last_passes.eq(1)"),
        "a first leg leaves alone": ("gateway", "alone.eq(leg.stray | (leg.order.pair & ~second))", "alone.eq(leg.stray)"),
        "a second leg leaves alone": ("gateway", "alone.eq(leg.stray | (leg", "alone.eq((leg"),
    },
    "position": {
        "the position has no limit": ("checks", "exceeds(leg.after, limits.max_position) |", ""),
        "what works does not count": ("exposure", "total.eq(working + self.shares", "total.eq(self.shares"),
        "what is sold is bought": ("exposure", "after.working_sell.eq(self._reserved)", "after.working_buy.eq(self._reserved)"),
        "reducing is not looked at": ("checks", "found[RejectReason.REDUCING] & gateway.reducing", "0"),
        "a cancel is counted": ("gateway", "booked.eq(granted)", "booked.eq(decide)"),
    },
    "position of a first leg": {
        "the first leg does not count": ("gateway", "exposure.reserve.eq(booked | reserve_first)", "exposure.reserve.eq(booked)"),
        "it counts as its other leg": ("gateway", "Mux(back, first.order.shares, order.shares)", "order.shares"),
        "it may be anything": ("gateway", "sound & (first_sound | ~paired)", "sound"),
    },
    "day": {
        "it has no limit": ("checks", "RejectReason.DAY_NOTIONAL: day,", "RejectReason.DAY_NOTIONAL: 0,"),
        "the first leg does not count": ("gateway", "day.ahead.eq(Mux(self._second, first.notional, 0))", "day.ahead.eq(0)"),
    },
    "obedience": {
        "an order goes behind a closed door": ("gateway", "self.passed.ready & ~on_offer", "~on_offer"),
    },
}
"""Of each proof: the module that is changed, and how."""
EACH = [(proof, name) for proof, mutants in MUTANTS.items() for name in mutants]


def mutant(where, old, new):
    """The gateway's module, with a piece of its source or of another module's of hw.risk exchanged."""
    module = import_module(f"hw.risk.{where}")
    changed = mutated(module, old, new)
    if module is hw.risk.gateway:
        return changed
    gateway = importlib.util.module_from_spec(hw.risk.gateway.__spec__)
    with patch.dict(sys.modules, {module.__name__: changed}), patch.object(hw.risk, where, changed):
        gateway.__spec__.loader.exec_module(gateway)
    return gateway


def test_each_proof_has_mutants():
    assert set(MUTANTS) == set(PROOFS)


@pytest.mark.parametrize(("proof", "name"), EACH)
def test_a_mutant_still_fits_the_source(proof, name):
    Promise(gateway=mutant(*MUTANTS[proof][name]))


@pytest.mark.formal
@pytest.mark.parametrize(("proof", "name"), EACH)
def test_the_proof_fails_on_a_mutant(tmp_path, proof, name):
    with pytest.raises(AssertionError, match="DONE .FAIL"):
        PROOFS[proof].run(tmp_path, gateway=mutant(*MUTANTS[proof][name]), mode="bmc", depth=20)
