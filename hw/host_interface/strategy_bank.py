"""The bank's part for the strategies: what the host has written becomes their settings."""

from amaranth.hdl import Cat

from hw.host_interface.fields import parts


def set_up_strategies(m, bank, value, written, source):
    """Joins the bank's ports for the strategies with the register file's ``value``, ``written`` and ``source``."""
    enable = dict(parts(value.strategy_enable, "STRATEGY_ENABLE"))
    m.d.comb += [bank.quoter_enable.eq(enable["quoter"]), bank.trigger_enable.eq(enable["trigger"])]
    _set_up_arbitrage(m, bank, value, written)
    _set_up_triggers(m, bank, value, written, source)
    _commit_slot(m, "quoter", bank.quoter_parameters, value, written)
    m.d.comb += [
        bank.quoter_venue.eq(value.quoter_venue), source.quoter_fault.eq(bank.quoter_fault),
        source.config_quoter.eq(bank.config.quoter),
    ]


def _set_up_arbitrage(m, bank, value, written):
    _commit_slot(m, "arb", bank.arbitrage_limits, value, written)
    m.d.comb += [bank.cooldown.eq(value.arb_cooldown), bank.enable.eq(Cat(value.arb_enable))]
    for venue, terms in enumerate(bank.terms):
        m.d.comb += [
            terms.enable.eq(value.arb_venues[venue]), terms.direct.eq(value.arb_direct[venue]),
            terms.share_fee.eq(value.arb_share_fee[venue]), terms.fee_rate.eq(value.arb_fee_rate[venue]),
            terms.max_age.eq(value.arb_max_age[venue]),
        ]
    quote = bank.quotes.payload
    m.d.comb += [
        bank.quotes.valid.eq(written.quote_doorbell & value.quote_doorbell),
        *(getattr(quote, field).eq(part) for field, part in parts(value.quote, "QUOTE")),
        *(getattr(quote, field).eq(getattr(value, f"quote_{field}"))
          for field in ("bid_price", "bid_shares", "ask_price", "ask_shares", "time")),
    ]


def _set_up_triggers(m, bank, value, written, source):
    commit, entry = bank.triggers.payload, bank.triggers.payload.entry
    which, watch, order = (dict(parts(getattr(value, name.lower()), name)) for name in ("TRIGGER_COMMIT", "TRIGGER_WATCH", "TRIGGER_ORDER"))
    m.d.comb += [
        bank.triggers.valid.eq(written.trigger_commit), commit.index.eq(which["index"]), entry.armed.eq(which["armed"]),
        entry.symbol.eq(watch["symbol"]), entry.watch_venue.eq(watch["venue"]), entry.when.eq(watch["when"]), entry.at.eq(value.trigger_at),
        entry.venue.eq(order["venue"]), entry.side.eq(order["side"]), entry.shares.eq(value.trigger_shares),
        entry.price.eq(value.trigger_price),
        source.config_triggers.eq(bank.config.triggers),
        source.trigger_armed.eq(bank.triggers_armed), source.trigger_fired.eq(bank.triggers_fired),
    ]


def _commit_slot(m, table, output, value, written):
    """The registers <TABLE>_<SETTING> go to a slot table when a slot is written to <TABLE>_COMMIT."""
    values = output.payload["values"]
    m.d.comb += [
        output.valid.eq(getattr(written, f"{table}_commit")), output.payload.symbol.eq(getattr(value, f"{table}_commit")),
        *(values[setting].eq(getattr(value, f"{table}_{setting}")) for setting in values.shape().as_shape().members),
    ]
