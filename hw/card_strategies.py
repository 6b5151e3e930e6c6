"""The card's part between tops of book and the gateway: which strategies there are, who goes first, and what each is told."""

from amaranth.hdl import Cat, Const, Mux, Signal
from amaranth.lib.wiring import connect

from hw.host_interface import events
from hw.lib.arbiter import StreamArbiter
from hw.reasons import Fate
from hw.risk.cancel_all import STRATEGY as CANCEL_ALL
from hw.signal.signals import Signals
from hw.strategy.arbitrage import STRATEGY as ARBITRAGE
from hw.strategy.arbitrage import Arbitrage
from hw.strategy.direct_quotes import DirectQuotes
from hw.strategy.order_arbiter import OrderArbiter
from hw.strategy.quoter import Quoter
from hw.strategy.trigger import STRATEGY as TRIGGER
from hw.strategy.trigger import Trigger
from hw.strategy.working_quotes import STRATEGY as QUOTER
from hw.types import TopOfBook

HOST = 0
"""The host's number in the orders."""

VARIANCE_FRACTION, QUOTER_FRACTION = 60, 48
"""Bits behind the point of the variance of log returns, as it is measured and as the quoter takes it."""


def add_strategies(m, card, feeds):
    """Tops of all venues to orders that ask to leave: those of every strategy and of the host."""
    config, bank = card.config, card.bank
    m.submodules.merge_tops = merge = StreamArbiter(TopOfBook, config.venues)
    for venue, (tops, _, _) in enumerate(feeds):
        connect(m, tops, merge.inputs[venue])
    card.tops = merge.output
    sources = [(CANCEL_ALL, card.gateway.cancels, Const(1)), (ARBITRAGE, _add_arbitrage(m, card, feeds, merge.output), Const(1))]
    if config.triggers:
        sources.append((TRIGGER, _add_trigger(m, card, feeds, merge.output), bank.trigger_enable))
    sources.append((HOST, bank.host_orders, Const(1)))
    if config.signals:
        _add_signals(m, card, merge.output)
    if config.quoter:
        quoter = _add_quoter(m, card, feeds, merge.output)
        sources += [(QUOTER, quoter.cancels, bank.quoter_enable), (QUOTER, quoter.orders, bank.quoter_enable)]
    m.submodules.order_arbiter = arbiter = OrderArbiter(tuple(number for number, _, _ in sources))
    for (_, orders, enable), port, enabled in zip(sources, arbiter.inputs, arbiter.enable, strict=True):
        connect(m, orders, port)
        m.d.comb += enabled.eq(enable)
    if config.quoter:
        m.d.comb += quoter.dropped.eq(arbiter.dropped[-1])
    top = merge.output.payload
    card.records.append((merge.output.valid & top.changed, events.top_of_book(top, card.clock.now), 16))
    m.d.comb += card.counters.orders_dropped.eq(sum(arbiter.dropped))
    return arbiter.output


def _add_arbitrage(m, card, feeds, tops):
    config, bank, count = card.config, card.bank, card.counters
    m.submodules.arbitrage = arbitrage = Arbitrage(config)
    m.submodules.direct_quotes = quotes = DirectQuotes(config)
    for venue, (_, stale, restart) in enumerate(feeds):
        direct, was_direct = bank.terms[venue].direct, Signal(name=f"was_direct_{venue}")
        m.d.sync += was_direct.eq(direct)
        m.d.comb += [
            quotes.direct[venue].eq(direct), arbitrage.venue_stale[venue].eq(stale & ~direct),
            arbitrage.clear[venue].eq((restart & ~direct) | (direct ^ was_direct)),
        ]
    connect(m, tops, arbitrage.tops)
    connect(m, bank.arbitrage_limits, arbitrage.limits)
    connect(m, bank.quotes, quotes.written)
    connect(m, quotes.quotes, arbitrage.quotes)
    m.d.comb += [
        arbitrage.cooldown.eq(bank.cooldown), arbitrage.enable.eq(bank.enable), arbitrage.terms.eq(bank.terms),
        arbitrage.now.eq(card.clock.now), quotes.now.eq(card.clock.now),
        count.signals.eq(arbitrage.signal.valid), count.missed_signals.eq(arbitrage.missed),
        count.implausible_profits.eq(arbitrage.implausible), count.quotes_refused.eq(quotes.refused),
        count.unsent_signals.eq(arbitrage.unsent),
    ]
    card.records.append((arbitrage.signal.valid, events.signal(arbitrage.signal.payload, card.clock.now), 4))
    if config.price_bits > 32:
        card.records.append((arbitrage.unsent, events.wide_signal(arbitrage.signal.payload, card.clock.now), 4))
    return arbitrage.orders


def _add_trigger(m, card, feeds, tops):
    bank = card.bank
    m.submodules.trigger = trigger = Trigger(card.config, card.config.triggers)
    connect(m, bank.triggers, trigger.commits)
    firing = trigger.firing.payload
    m.d.comb += [
        trigger.tops.valid.eq(tops.valid & tops.ready), trigger.tops.payload.eq(tops.payload),
        trigger.venue_stale.eq(Cat(stale for _, stale, _ in feeds)), trigger.enable.eq(bank.trigger_enable),
        bank.triggers_armed.eq(trigger.armed), bank.triggers_fired.eq(trigger.fired),
        card.counters.triggers_fired.eq(Mux(trigger.firing.valid, sum(firing.entries), 0)),
    ]
    card.records.append((trigger.firing.valid, events.trigger(firing, card.clock.now), 4))
    return trigger.orders


def _add_quoter(m, card, feeds, tops):
    """Its part before the gateway; ``tell_quoter`` has what comes back."""
    bank, signals = card.bank, card.signals
    m.submodules.quoter = card.quoter = quoter = Quoter(card.config)
    connect(m, bank.quoter_parameters, quoter.parameters)
    measured, given = signals.volatility, quoter.variances.payload
    variance = measured.payload.variance[VARIANCE_FRACTION - QUOTER_FRACTION:]
    m.d.comb += [
        quoter.tops.valid.eq(tops.valid & tops.ready), quoter.tops.payload.eq(tops.payload),
        quoter.venue.eq(bank.quoter_venue), quoter.now.eq(card.clock.now), quoter.enable.eq(bank.quoter_enable & bank.armed),
        quoter.venue_stale.eq(Cat(stale for _, stale, _ in feeds)), quoter.clear.eq(Cat(restart for _, _, restart in feeds)),
        quoter.variances.valid.eq(measured.valid), given.symbol.eq(measured.payload.symbol), given.valid.eq(measured.payload.valid),
        given.variance.eq(Mux(variance[32:].any(), (1 << 32) - 1, variance)),
        quoter.unmeasured.eq(bank.signals_restart | signals.lost), bank.quoter_fault.eq(quoter.fault),
    ]
    return quoter


def tell_quoter(m, card):
    """Its position, and what becomes of its orders."""
    quoter, gateway, sent = card.quoter, card.gateway, card.transmit.sent
    m.d.comb += [
        gateway.second_symbol.eq(quoter.position_symbol), quoter.position.eq(gateway.second_position),
        quoter.sent.valid.eq(sent.valid & (sent.payload.fate != Fate.ABORTED)), quoter.sent.payload.eq(sent.payload),
        quoter.rejected.valid.eq(gateway.rejected.valid), quoter.rejected.payload.eq(gateway.rejected.payload),
        quoter.forget.eq(card.bank.clear_positions & ~card.bank.armed),
    ]
    m.d.sync += [quoter.replies.valid.eq(gateway.settled), quoter.replies.payload.eq(gateway.settlement)]  # when a query sees it


def _add_signals(m, card, tops):
    """What is made of tops and executions beside the trade path."""
    bank = card.bank
    m.submodules.signals = card.signals = signals = Signals(card.config)
    for executions, taken in zip(card.executions, signals.executions, strict=True):
        connect(m, executions, taken)
    shown, show = signals.shown, bank.signals_shown
    m.d.comb += [
        signals.tops.valid.eq(tops.valid & tops.ready), signals.tops.payload.eq(tops.payload),
        signals.settings.eq(bank.signals), signals.restart.eq(bank.signals_restart),
        signals.ask.eq(bank.signals_ask), signals.symbol.eq(bank.signals_symbol),
        card.counters.signal_updates_lost.eq(signals.lost),
        show.signal_valid.eq(Cat(shown[name].valid for name in signals.VALUES)),
        show.ema_value.eq(shown.ema.value), show.rsi_value.eq(shown.rsi.value),
        show.macd_value.eq(shown.macd.macd), show.macd_line.eq(shown.macd.signal), show.variance.eq(shown.volatility.variance),
        show.flow_change.eq(shown.order_flow.change), show.flow_sum.eq(shown.order_flow.total),
        show.weighted_mid.eq(shown.weighted_mid.value),
        show.volume_bought.eq(shown.traded_volume.bought), show.volume_sold.eq(shown.traded_volume.sold),
    ]
