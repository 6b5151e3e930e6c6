"""The registers of the signals (docs/signals.md); a part of registers.py."""

from hw.host_interface.map_types import Access, Field, Register

SMOOTHINGS = ("EMA", "RSI", "MACD_FAST", "MACD_SLOW", "MACD_SIGNAL", "VOLATILITY")

SMOOTHING_FIELDS = (
    Field("seed", 0, 17, "1 / period in units of 2^-17, rounded down."),
    Field("period", 20, 10, "2 to 1023."),
    Field("factor", 32, 17, "2 / (period + 1), of the RSI the seed, in units of 2^-17."),
)

VALUES = (
    ("SIGNAL_VALID", 32, False, "One bit per signal: the value is one."),
    ("EMA_VALUE", 50, False, "Price with 18 bits behind the point."),
    ("RSI_VALUE", 17, False, "0 to 100 with 10 bits behind the point."),
    ("MACD_VALUE", 64, True, "Fast less slow mean, a price with 18 bits behind the point."),
    ("MACD_LINE", 64, True, "The signal line, in the same format."),
    ("VARIANCE", 50, False, "Of the log return from one update to the next, in units of 2^-60."),
    ("FLOW_CHANGE", 64, True, "Order-flow imbalance of the last update, in shares."),
    ("FLOW_SUM", 64, True, "Its decayed sum, in shares with 7 bits behind the point."),
    ("WEIGHTED_MID", 50, False, "Price with 18 bits behind the point."),
    ("VOLUME_BOUGHT", 48, False, "Shares of sell orders that were executed since the restart."),
    ("VOLUME_SOLD", 48, False, "Shares of buy orders that were."),
)
"""What is shown of a symbol: name, bits, signed, meaning. Each takes eight bytes."""

VALID_FIELDS = tuple(
    Field(signal, bit, 1, "The last update gave it a value.")
    for bit, signal in enumerate(("ema", "rsi", "macd", "volatility", "order_flow", "weighted_mid", "traded_volume")))

SIGNALS = (
    Register("SIGNAL_SOURCE", 0x0200, Access.RW, "Writing it makes all signals begin anew. Their settings may be changed only while the "
             "source is 0.", fields=(
        Field("source", 0, 2, "What EMA, RSI, MACD and volatility are made of: 0 nothing, 1 mids, 2 trades."),
        Field("venue", 8, 4, "Whose book the signals look at."))),
    Register("SIGNAL_SYMBOL", 0x0204, Access.RW, "Writing a symbol takes the snapshot of its last values that the registers "
             "from SIGNAL_VALID on show.", live=True, fields=(
        Field("symbol", 0, 8, "Symbol asked for."), Field("busy", 31, 1, "The snapshot is being taken; ignored when written."))),
    *(Register(f"SIGNAL_{name}", 0x0208 + 8 * place, Access.RW, f"Setting of {name.replace('_', ' ')}.", bits=64, fields=SMOOTHING_FIELDS)
      for place, name in enumerate(SMOOTHINGS)),
    Register("SIGNAL_FLOW_FACTOR", 0x0238, Access.RW, "What the sum of the order-flow imbalance loses each update, in units of 2^-17.",
             bits=17),
    *(Register(name, 0x0240 + 8 * place, Access.RO, f"Snapshot: {doc[0].lower()}{doc[1:]}", bits=bits, signed=signed,
               fields=VALID_FIELDS if name == "SIGNAL_VALID" else ()) for place, (name, bits, signed, doc) in enumerate(VALUES)),
)
