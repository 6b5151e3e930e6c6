"""The register map as the host knows it.

Generated from hw/host_interface/registers.py by `python -m hw.host_interface.generate`; do not edit.
"""

from enum import IntEnum

from host.card.definition import CardSizes, Counter, Dimension, Field, Register

MAGIC = 0x5452504a
VERSION_MAJOR = 1
VERSION_MINOR = 16
BAR_SIZE = 0x100000
REGISTERS_SIZE = 0x10000
RING_OFFSET = 0x80000
RECORD_BYTES = 32


class EventKind(IntEnum):
    NONE = 0
    TOP_OF_BOOK = 1
    ORDER_SENT = 2
    ORDER_REJECTED = 3
    GAP = 4
    VENUE_STALE = 5
    STATE = 6
    LEVEL = 7
    ORDER = 8
    ORDERS = 9
    SIGNAL = 10
    TRIGGER = 11
    CLOCK = 12
    VENUE_MESSAGE = 13
    SESSION = 14
    WIDE_SIGNAL = 15


class DropReason(IntEnum):
    NONE = 0
    MAC_ERROR = 1
    NOT_MATCHED = 2
    TRUNCATED = 3
    IP_CHECKSUM = 4
    FRAGMENT_OR_OPTIONS = 5
    UDP_CHECKSUM = 6
    MALFORMED = 7
    SESSION = 8
    OVERFLOW = 9


class RejectReason(IntEnum):
    NONE = 0
    HALTED = 1
    KILLED = 2
    BAD_ORDER = 3
    MAX_SHARES = 4
    MAX_NOTIONAL = 5
    POSITION = 6
    RATE = 7
    MARKET_STATE = 8
    PAIR = 9
    DEAD_MAN = 10
    REDUCING = 11
    RESTRICTED = 12
    DAY_NOTIONAL = 13
    DUPLICATE = 14
    OPEN_ORDERS = 15
    NO_PLACE = 16
    UNKNOWN_ORDER = 17
    UNSURE_BOOK = 18
    COLLAR = 19
    FAT_FINGER = 20
    SELF_MATCH = 21
    NO_SESSION = 22
    STRATEGY_RATE = 23
    SYMBOL_RATE = 24
    PRICE_BAND = 25
    SHORT_SALE = 26
    LOCATE = 27
    GROSS_NOTIONAL = 28
    NET_NOTIONAL = 29
    REPEATED = 30


class StaleReason(IntEnum):
    NONE = 0
    GAP = 1
    RESTORE = 2


class LimitRefusal(IntEnum):
    GENERATION = 0
    RANGE = 1
    WAIVED = 2
    HEARTBEAT = 3
    DAY = 4
    POSITION = 5
    NOTIONAL = 6
    BAND = 7
    ACCOUNT = 8


class AnswerKind(IntEnum):
    FILLED = 0
    RELEASED = 1
    ENDED = 2
    REPLACED = 3
    NOTED = 4
    MOVED = 5
    UNSENT = 6


class DownReason(IntEnum):
    NONE = 0
    CLOSED = 1
    REFUSED = 2
    RESET = 3
    PEER_CLOSED = 4
    TIMEOUT = 5
    SMALL_MSS = 6
    LOGIN_REJECTED = 7
    ENDED = 8
    PROTOCOL = 9
    SILENT = 10
    ABORTED = 11


class Fate(IntEnum):
    SENT = 0
    THROWN_AWAY = 1
    ABORTED = 2


_REGISTERS = (
    Register("MAGIC", 0x0000, "ro"),
    Register("VERSION", 0x0004, "ro", fields=(
        Field("minor", 0, 16), Field("major", 16, 16),
    )),
    Register("CONFIG_HASH", 0x0008, "ro", bits=64),
    Register("CONFIG_VENUES", 0x0010, "ro"),
    Register("CONFIG_SYMBOLS", 0x0014, "ro"),
    Register("CONFIG_ORDERS", 0x0018, "ro"),
    Register("CONFIG_LEVELS", 0x001c, "ro"),
    Register("CONFIG_BACKLOG", 0x0020, "ro"),
    Register("CONFIG_EVENTS", 0x0024, "ro"),
    Register("CONFIG_CLOCK_HZ", 0x0028, "ro"),
    Register("CONFIG_RECOVERY", 0x002c, "ro"),
    Register("CONFIG_SIGNALS", 0x0030, "ro", bits=1),
    Register("CONFIG_TRIGGERS", 0x0034, "ro", bits=5),
    Register("CONFIG_QUOTER", 0x0038, "ro", bits=1),
    Register("CONFIG_SESSIONS", 0x003c, "ro", bits=1),
    Register("CONFIG_PRICE_BITS", 0x00fc, "ro"),
    Register("SCRATCH", 0x0040, "rw"),
    Register("ARM", 0x0044, "rw", bits=1),
    Register("KILL", 0x0048, "rw", bits=1),
    Register("STATE", 0x004c, "ro", fields=(
        Field("armed", 0, 1), Field("limits_valid", 1, 1), Field("killed", 2, 1), Field("fault", 3, 1), Field("expired", 4, 1),
        Field("day_level", 5, 3), Field("stale", 8, 8), Field("busy", 16, 8), Field("tripped", 24, 1), Field("fast_cancels", 25, 1),
        Field("repeated", 26, 1),
    )),
    Register("RESYNC", 0x0050, "wo", bits=8),
    Register("CLEAR_POSITIONS", 0x0054, "wo", bits=1),
    Register("ARM_CHALLENGE", 0x0058, "ro"),
    Register("ARM_UNLOCK", 0x005c, "wo"),
    Register("TIME", 0x0060, "ro", bits=64),
    Register("EVENT_WRITE_INDEX", 0x0068, "ro"),
    Register("EVENT_READ_INDEX", 0x006c, "rw"),
    Register("LOOK", 0x0070, "rw", fields=(
        Field("symbol", 0, 8), Field("venue", 8, 4), Field("orders", 12, 1), Field("busy", 31, 1),
    )),
    Register("RESTORE", 0x0074, "wo", bits=8),
    Register("RESTORE_DONE", 0x0078, "wo", bits=8),
    Register("TRIP", 0x007c, "rw", fields=(
        Field("dead_man", 0, 1), Field("fault", 1, 1),
    )),
    Register("SHADOW_MAX_SHARES", 0x0080, "rw"),
    Register("SHADOW_MAX_POSITION", 0x0084, "rw"),
    Register("SHADOW_MAX_NOTIONAL", 0x0088, "rw", bits=64),
    Register("SHADOW_RATE_BURST", 0x0090, "rw", bits=16),
    Register("SHADOW_RATE_INTERVAL", 0x0094, "rw"),
    Register("LIMITS_COMMIT", 0x00a0, "wo"),
    Register("LIMITS_GENERATION", 0x00a4, "ro"),
    Register("LIMITS_STATUS", 0x00a8, "ro", fields=(
        Field("refused", 0, 16), Field("checking", 31, 1),
    )),
    Register("LIMITS_CHECKSUM", 0x00ac, "ro"),
    Register("ACTIVE_MAX_SHARES", 0x00c0, "ro"),
    Register("ACTIVE_MAX_POSITION", 0x00c4, "ro"),
    Register("ACTIVE_MAX_NOTIONAL", 0x00c8, "ro", bits=64),
    Register("ACTIVE_RATE_BURST", 0x00d0, "ro", bits=16),
    Register("ACTIVE_RATE_INTERVAL", 0x00d4, "ro"),
    Register("SHADOW_WAIVED", 0x0300, "rw"),
    Register("SHADOW_DUPLICATE_WINDOW", 0x0304, "rw"),
    Register("SHADOW_MAX_DAY_NOTIONAL", 0x0308, "rw", bits=64),
    Register("SHADOW_HEARTBEAT_INTERVAL", 0x0310, "rw"),
    Register("SHADOW_MAX_OPEN_ORDERS", 0x0314, "rw", bits=16),
    Register("SHADOW_MAX_DISTANCE", 0x0318, "rw"),
    Register("SHADOW_MAX_DEVIATION", 0x031c, "rw", bits=16),
    Register("ACTIVE_WAIVED", 0x0320, "ro"),
    Register("ACTIVE_DUPLICATE_WINDOW", 0x0324, "ro"),
    Register("ACTIVE_MAX_DAY_NOTIONAL", 0x0328, "ro", bits=64),
    Register("ACTIVE_HEARTBEAT_INTERVAL", 0x0330, "ro"),
    Register("ACTIVE_MAX_OPEN_ORDERS", 0x0334, "ro", bits=16),
    Register("ACTIVE_MAX_DISTANCE", 0x0338, "ro"),
    Register("ACTIVE_MAX_DEVIATION", 0x033c, "ro", bits=16),
    Register("REDUCING", 0x0340, "rw", bits=1),
    Register("KILL_VENUES", 0x0344, "rw", bits=8),
    Register("KILL_STRATEGIES", 0x0348, "rw", bits=16),
    Register("HEARTBEAT", 0x034c, "wo", bits=1),
    Register("DAY_NOTIONAL", 0x0350, "ro", bits=64),
    Register("OPEN_ORDERS", 0x0358, "ro"),
    Register("CANCEL_ALL", 0x035c, "rw", fields=(
        Field("now", 0, 8), Field("on_stop", 8, 8),
    )),
    Register("KILL_SYMBOLS", 0x0360, "rw", dimensions=(Dimension("word", 8, 0x4),)),
    Register("RESTRICTED", 0x0380, "rw", dimensions=(Dimension("word", 8, 0x4),)),
    Register("SYMBOL_MAX_SHARES", 0x03a0, "rw"),
    Register("SYMBOL_COMMIT", 0x03a4, "wo", bits=8),
    Register("SYMBOL_MAX_NOTIONAL", 0x03a8, "rw", bits=64),
    Register("SYMBOL_MAX_LONG", 0x03b0, "rw"),
    Register("SYMBOL_MAX_SHORT", 0x03b4, "rw"),
    Register("SYMBOL_STATUS", 0x03b8, "ro", bits=16),
    Register("SYMBOL_GENERATION", 0x03bc, "ro"),
    Register("SHOWN_MAX_NOTIONAL", 0x03c0, "ro", bits=64),
    Register("SHOWN_MAX_SHARES", 0x03c8, "ro"),
    Register("SHOWN_MAX_LONG", 0x03cc, "ro"),
    Register("SHOWN_MAX_SHORT", 0x03d0, "ro"),
    Register("SYMBOL_LOCATES", 0x03d4, "rw"),
    Register("SYMBOL_MIN_PRICE", 0x03d8, "rw"),
    Register("SYMBOL_MAX_PRICE", 0x03dc, "rw"),
    Register("SYMBOL_UPTICK_ONLY", 0x03e0, "rw", bits=1),
    Register("SHOWN_LOCATES", 0x03e4, "ro"),
    Register("SHOWN_MIN_PRICE", 0x03e8, "ro"),
    Register("SHOWN_MAX_PRICE", 0x03ec, "ro"),
    Register("SHOWN_UPTICK_ONLY", 0x03f0, "ro", bits=1),
    Register("KILL_ABORTS", 0x03fc, "rw", bits=8),
    Register("SHADOW_STRATEGY_INTERVAL", 0x0a00, "rw"),
    Register("SHADOW_STRATEGY_WINDOW", 0x0a04, "rw"),
    Register("SHADOW_SYMBOL_INTERVAL", 0x0a08, "rw"),
    Register("SHADOW_SYMBOL_WINDOW", 0x0a0c, "rw"),
    Register("SHADOW_CANCEL_BURST", 0x0a10, "rw", bits=16),
    Register("SHADOW_CANCEL_INTERVAL", 0x0a14, "rw"),
    Register("ACTIVE_STRATEGY_INTERVAL", 0x0a20, "ro"),
    Register("ACTIVE_STRATEGY_WINDOW", 0x0a24, "ro"),
    Register("ACTIVE_SYMBOL_INTERVAL", 0x0a28, "ro"),
    Register("ACTIVE_SYMBOL_WINDOW", 0x0a2c, "ro"),
    Register("ACTIVE_CANCEL_BURST", 0x0a30, "ro", bits=16),
    Register("ACTIVE_CANCEL_INTERVAL", 0x0a34, "ro"),
    Register("SHADOW_MAX_GROSS", 0x0a40, "rw", bits=64),
    Register("SHADOW_MAX_NET", 0x0a48, "rw", bits=64),
    Register("SHADOW_MAX_EXECUTIONS", 0x0a50, "rw", bits=16),
    Register("SHADOW_EXECUTION_WINDOW", 0x0a54, "rw"),
    Register("ACTIVE_MAX_GROSS", 0x0a60, "ro", bits=64),
    Register("ACTIVE_MAX_NET", 0x0a68, "ro", bits=64),
    Register("ACTIVE_MAX_EXECUTIONS", 0x0a70, "ro", bits=16),
    Register("ACTIVE_EXECUTION_WINDOW", 0x0a74, "ro"),
    Register("GROSS_NOTIONAL", 0x0a80, "ro", bits=64),
    Register("NET_BUY", 0x0a88, "ro", bits=64, signed=True),
    Register("NET_SELL", 0x0a90, "ro", bits=64, signed=True),
    Register("EXECUTION_TRIPS", 0x0a98, "rw", bits=16),
    Register("ARB_MIN_PROFIT", 0x0100, "rw"),
    Register("ARB_MAX_SHARES", 0x0104, "rw", bits=18),
    Register("ARB_COOLDOWN", 0x0108, "rw"),
    Register("ARB_MIN_SHARES", 0x010c, "rw", bits=18),
    Register("ARB_COMMIT", 0x0110, "wo", bits=8),
    Register("ARB_VENUES", 0x0114, "rw", bits=8),
    Register("ARB_DIRECT", 0x0118, "rw", bits=8),
    Register("ARB_ENABLE", 0x0120, "rw", dimensions=(Dimension("word", 8, 0x4),)),
    Register("POSITION_SYMBOL", 0x0140, "rw", fields=(
        Field("symbol", 0, 8), Field("busy", 31, 1),
    )),
    Register("POSITION", 0x0148, "ro", bits=64, signed=True),
    Register("WORKING_BUY", 0x0150, "ro"),
    Register("WORKING_SELL", 0x0154, "ro"),
    Register("REPLY", 0x0160, "rw", bits=16, fields=(
        Field("symbol", 0, 8), Field("side", 8, 1), Field("kind", 9, 3), Field("venue", 12, 4),
    )),
    Register("REPLY_SHARES", 0x0164, "rw"),
    Register("REPLY_DOORBELL", 0x0168, "wo", bits=1),
    Register("REPLY_USER_REF", 0x016c, "rw"),
    Register("REPLY_NUMBER", 0x0170, "rw"),
    Register("HOST_ORDER", 0x0180, "rw", bits=27, fields=(
        Field("venue", 0, 4), Field("side", 8, 1), Field("symbol", 16, 8), Field("kind", 24, 2), Field("day", 26, 1),
    )),
    Register("HOST_ORDER_SHARES", 0x0184, "rw"),
    Register("HOST_ORDER_PRICE", 0x0188, "rw"),
    Register("HOST_ORDER_DOORBELL", 0x018c, "wo", bits=1),
    Register("HOST_ORDER_BUSY", 0x0190, "ro", bits=1),
    Register("HOST_ORDER_REFERENCE", 0x0194, "rw"),
    Register("QUOTE_ASK_SHARES", 0x0198, "rw"),
    Register("QUOTE_DOORBELL", 0x019c, "wo", bits=1),
    Register("QUOTE", 0x01a0, "rw", fields=(
        Field("venue", 0, 4), Field("symbol", 16, 16),
    )),
    Register("QUOTE_BID_SHARES", 0x01a4, "rw"),
    Register("QUOTE_BID_PRICE", 0x01a8, "rw", bits=48),
    Register("QUOTE_ASK_PRICE", 0x01b0, "rw", bits=48),
    Register("QUOTE_TIME", 0x01b8, "rw", bits=48),
    Register("RESTORE_REFERENCE", 0x01c0, "rw", bits=64),
    Register("RESTORE_SHARES", 0x01c8, "rw"),
    Register("RESTORE_PRICE", 0x01cc, "rw"),
    Register("RESTORE_ORDER", 0x01d0, "rw", fields=(
        Field("symbol", 0, 8), Field("venue", 8, 4), Field("side", 12, 1), Field("busy", 31, 1),
    )),
    Register("SIGNAL_SOURCE", 0x0200, "rw", fields=(
        Field("source", 0, 2), Field("venue", 8, 4),
    )),
    Register("SIGNAL_SYMBOL", 0x0204, "rw", fields=(
        Field("symbol", 0, 8), Field("busy", 31, 1),
    )),
    Register("SIGNAL_EMA", 0x0208, "rw", bits=64, fields=(
        Field("seed", 0, 17), Field("period", 20, 10), Field("factor", 32, 17),
    )),
    Register("SIGNAL_RSI", 0x0210, "rw", bits=64, fields=(
        Field("seed", 0, 17), Field("period", 20, 10), Field("factor", 32, 17),
    )),
    Register("SIGNAL_MACD_FAST", 0x0218, "rw", bits=64, fields=(
        Field("seed", 0, 17), Field("period", 20, 10), Field("factor", 32, 17),
    )),
    Register("SIGNAL_MACD_SLOW", 0x0220, "rw", bits=64, fields=(
        Field("seed", 0, 17), Field("period", 20, 10), Field("factor", 32, 17),
    )),
    Register("SIGNAL_MACD_SIGNAL", 0x0228, "rw", bits=64, fields=(
        Field("seed", 0, 17), Field("period", 20, 10), Field("factor", 32, 17),
    )),
    Register("SIGNAL_VOLATILITY", 0x0230, "rw", bits=64, fields=(
        Field("seed", 0, 17), Field("period", 20, 10), Field("factor", 32, 17),
    )),
    Register("SIGNAL_FLOW_FACTOR", 0x0238, "rw", bits=17),
    Register("SIGNAL_VALID", 0x0240, "ro", fields=(
        Field("ema", 0, 1), Field("rsi", 1, 1), Field("macd", 2, 1), Field("volatility", 3, 1), Field("order_flow", 4, 1),
        Field("weighted_mid", 5, 1), Field("traded_volume", 6, 1),
    )),
    Register("EMA_VALUE", 0x0248, "ro", bits=50),
    Register("RSI_VALUE", 0x0250, "ro", bits=17),
    Register("MACD_VALUE", 0x0258, "ro", bits=64, signed=True),
    Register("MACD_LINE", 0x0260, "ro", bits=64, signed=True),
    Register("VARIANCE", 0x0268, "ro", bits=50),
    Register("FLOW_CHANGE", 0x0270, "ro", bits=64, signed=True),
    Register("FLOW_SUM", 0x0278, "ro", bits=64, signed=True),
    Register("WEIGHTED_MID", 0x0280, "ro", bits=50),
    Register("VOLUME_BOUGHT", 0x0288, "ro", bits=48),
    Register("VOLUME_SOLD", 0x0290, "ro", bits=48),
    Register("FEED_IP", 0x0400, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("FEED_PORT", 0x0404, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("FEED_SEQUENCE", 0x0408, "rw", bits=64, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("FEED_EXPECTED", 0x0410, "ro", bits=64, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("BACKLOG", 0x0418, "ro", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("STALE_REASON", 0x041c, "ro", bits=4, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ORDER_DESTINATION_MAC", 0x0420, "rw", bits=48, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ORDER_SOURCE_MAC", 0x0428, "rw", bits=48, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ORDER_DESTINATION_IP", 0x0430, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ORDER_SOURCE_IP", 0x0434, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ORDER_DESTINATION_PORT", 0x0438, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ORDER_SOURCE_PORT", 0x043c, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("USER_REF", 0x0440, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("FEED_B_IP", 0x0444, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("FEED_B_PORT", 0x0448, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("RECOVERY_IP", 0x044c, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("RECOVERY_PORT", 0x0450, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("HOLE_CYCLES", 0x0454, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("RECOVERY_CYCLES", 0x0458, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("RECOVERING", 0x045c, "ro", bits=1, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("DIRECTORY", 0x0460, "rw", bits=1, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ARB_SHARE_FEE", 0x0464, "rw", bits=24, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ARB_FEE_RATE", 0x0468, "rw", bits=18, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("ARB_MAX_AGE", 0x0470, "rw", bits=48, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("STRATEGY_ENABLE", 0x0800, "rw", fields=(
        Field("quoter", 2, 1), Field("trigger", 3, 1),
    )),
    Register("TRIGGER_COMMIT", 0x0804, "wo", fields=(
        Field("index", 0, 8), Field("armed", 31, 1),
    )),
    Register("TRIGGER_ARMED", 0x0808, "ro", bits=16),
    Register("TRIGGER_FIRED", 0x080c, "ro", bits=16),
    Register("TRIGGER_WATCH", 0x0810, "rw", fields=(
        Field("symbol", 0, 8), Field("venue", 8, 4), Field("when", 12, 2),
    )),
    Register("TRIGGER_AT", 0x0814, "rw"),
    Register("TRIGGER_ORDER", 0x0818, "rw", fields=(
        Field("venue", 0, 4), Field("side", 8, 1),
    )),
    Register("TRIGGER_SHARES", 0x081c, "rw"),
    Register("TRIGGER_PRICE", 0x0820, "rw"),
    Register("QUOTER_COMMIT", 0x0840, "wo", bits=8),
    Register("QUOTER_VENUE", 0x0844, "rw", bits=4),
    Register("QUOTER_FAULT", 0x0848, "ro", bits=1),
    Register("QUOTER_ENABLE", 0x0850, "rw", bits=1),
    Register("QUOTER_AVERSION", 0x0854, "rw"),
    Register("QUOTER_CONSTANT", 0x0858, "rw", bits=31),
    Register("QUOTER_END", 0x085c, "rw"),
    Register("QUOTER_TICK", 0x0860, "rw", bits=16),
    Register("QUOTER_RECIPROCAL", 0x0864, "rw"),
    Register("QUOTER_SHARES", 0x0868, "rw"),
    Register("QUOTER_MAX_POSITION", 0x086c, "rw"),
    Register("QUOTER_THRESHOLD", 0x0870, "rw", bits=16),
    Register("QUOTER_INTERVAL", 0x0874, "rw", bits=31),
    Register("TAI_TIME", 0x0f00, "ro", bits=64),
    Register("TAI_SET", 0x0f08, "wo", bits=64),
    Register("TAI_INCREMENT", 0x0f10, "rw", bits=40),
    Register("TAI_ADJUST", 0x0f18, "wo"),
    Register("LATENCY_BIN", 0x0f20, "rw", fields=(
        Field("bin", 0, 9), Field("clearing", 30, 1), Field("busy", 31, 1),
    )),
    Register("LATENCY_BIN_COUNT", 0x0f28, "ro", bits=48),
    Register("LATENCY_COUNT", 0x0f30, "ro", bits=48),
    Register("LATENCY_SUM", 0x0f38, "ro", bits=64),
    Register("LATENCY_LEAST", 0x0f40, "ro"),
    Register("LATENCY_MOST", 0x0f44, "ro"),
    Register("LATENCY_CLEAR", 0x0f48, "wo", bits=1),
    Register("NAME", 0x1000, "rw", bits=64, dimensions=(Dimension("symbol", 256, 0x8),)),
    Register("BOUND", 0x1800, "ro", dimensions=(Dimension("venue", 8, 0x20), Dimension("word", 8, 0x4),)),
    Register("ASSUME_TRADING", 0x1900, "rw", dimensions=(Dimension("venue", 8, 0x20), Dimension("word", 8, 0x4),)),
    Register("HALTED", 0x1a00, "ro", dimensions=(Dimension("venue", 8, 0x20), Dimension("word", 8, 0x4),)),
    Register("BINDING", 0x2000, "rw", dimensions=(Dimension("venue", 8, 0x400), Dimension("symbol", 256, 0x4),), fields=(
        Field("locate", 0, 16), Field("enable", 31, 1),
    )),
    Register("SESSION_VENUES", 0x1b80, "rw", bits=8),
    Register("SESSION_TICK", 0x1b84, "rw", bits=24),
    Register("SESSION_COMMAND", 0x1c00, "wo", dimensions=(Dimension("venue", 8, 0x80),), fields=(
        Field("open", 0, 1), Field("close", 1, 1), Field("cut", 2, 1), Field("logout", 3, 1), Field("ask", 4, 1),
    )),
    Register("SESSION_STATE", 0x1c04, "ro", dimensions=(Dimension("venue", 8, 0x80),), fields=(
        Field("state", 0, 3), Field("up", 3, 1), Field("known", 4, 1), Field("reason", 8, 4), Field("login_reason", 16, 8),
    )),
    Register("SESSION_INITIAL_SEQUENCE", 0x1c08, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_TIMEOUT", 0x1c0c, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_KEEP_ALIVE", 0x1c10, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_TRIES", 0x1c14, "rw", bits=4, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_HEARTBEAT", 0x1c18, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_SILENCE", 0x1c1c, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_USER", 0x1c20, "rw", bits=48, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_PASSWORD", 0x1c28, "rw", bits=64, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_PASSWORD_END", 0x1c30, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_NAME_END", 0x1c34, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_NAME", 0x1c38, "rw", bits=64, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_WANTED", 0x1c40, "rw", bits=64, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_WANTED_HIGH", 0x1c48, "rw", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_NUMBER", 0x1c4c, "ro", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_TOLD_NAME", 0x1c50, "ro", bits=64, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_TOLD_NAME_END", 0x1c58, "ro", bits=16, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_UNACKNOWLEDGED", 0x1c5c, "ro", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_NEXT", 0x1c60, "ro", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_EXPECTED", 0x1c64, "ro", dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_HOP_MAC", 0x1c68, "ro", bits=48, dimensions=(Dimension("venue", 8, 0x80),)),
    Register("SESSION_NEXT_HOP", 0x1c70, "rw", dimensions=(Dimension("venue", 8, 0x80),)),
)

REGISTERS: dict[str, Register] = {register.name: register for register in _REGISTERS}
"""Every register by name."""

_COUNTERS = (
    Counter("FRAMES", 0x4000, 8),
    Counter("DROP_MAC_ERROR", 0x4040, 8),
    Counter("DROP_NOT_MATCHED", 0x4080, 8),
    Counter("DROP_TRUNCATED", 0x40c0, 8),
    Counter("DROP_IP_CHECKSUM", 0x4100, 8),
    Counter("DROP_FRAGMENT_OR_OPTIONS", 0x4140, 8),
    Counter("DROP_UDP_CHECKSUM", 0x4180, 8),
    Counter("DROP_MALFORMED", 0x41c0, 8),
    Counter("DROP_SESSION", 0x4200, 8),
    Counter("DROP_OVERFLOW", 0x4240, 8),
    Counter("MESSAGES", 0x4800, 8),
    Counter("DUPLICATES", 0x4840, 8),
    Counter("HEARTBEATS", 0x4880, 8),
    Counter("GAPS", 0x48c0, 8),
    Counter("MISSING_MESSAGES", 0x4900, 8),
    Counter("MALFORMED_MESSAGES", 0x4940, 8),
    Counter("SESSION_ENDS", 0x4980, 8),
    Counter("STALE", 0x49c0, 8),
    Counter("BOOK_EVENTS", 0x4a00, 8),
    Counter("TOPS", 0x4a40, 8),
    Counter("UNKNOWN_REFERENCES", 0x4a80, 8),
    Counter("DUPLICATE_REFERENCES", 0x4ac0, 8),
    Counter("STORE_FULL", 0x4b00, 8),
    Counter("LEVELS_FULL", 0x4b40, 8),
    Counter("BAD_EVENTS", 0x4b80, 8),
    Counter("LEVEL_OVERFLOWS", 0x4bc0, 8),
    Counter("ORDER_FRAMES", 0x4c00, 8),
    Counter("RESTORED", 0x4c40, 8),
    Counter("EARLY_FRAMES", 0x4c80, 8),
    Counter("GIVEN_UP", 0x4cc0, 8),
    Counter("DIRECTORY_MISSED", 0x4d00, 8),
    Counter("TRADING_STATES", 0x4d40, 8),
    Counter("SESSION_RETRANSMITTED", 0x4d80, 8),
    Counter("SESSION_REFUSED", 0x4dc0, 8),
    Counter("SESSION_DUPLICATE_ACK", 0x4e00, 8),
    Counter("SESSION_OUT_OF_ORDER", 0x4e40, 8),
    Counter("SESSION_CHALLENGED", 0x4e80, 8),
    Counter("SESSION_FAST_RETRANSMIT", 0x4ec0, 8),
    Counter("SESSION_TIMED_OUT", 0x4f00, 8),
    Counter("SESSION_DOWN", 0x4f40, 8),
    Counter("SESSION_MESSAGES", 0x4f80, 8),
    Counter("SESSION_BAD_FRAMES", 0x4fc0, 8),
    Counter("SIGNALS", 0x5000, 0),
    Counter("MISSED_SIGNALS", 0x5040, 0),
    Counter("ORDERS_PASSED", 0x5080, 0),
    Counter("BAD_REPLIES", 0x50c0, 0),
    Counter("IMPLAUSIBLE_PROFITS", 0x5100, 0),
    Counter("QUOTES_REFUSED", 0x5140, 0),
    Counter("TRIGGERS_FIRED", 0x5180, 0),
    Counter("ORDERS_DROPPED", 0x51c0, 0),
    Counter("LATE_REPLIES", 0x5200, 0),
    Counter("UNKNOWN_CANCELS", 0x5240, 0),
    Counter("FAST_CANCELS", 0x5280, 0),
    Counter("UNSENT_SIGNALS", 0x5380, 0),
    Counter("SIGNAL_UPDATES_LOST", 0x53c0, 0),
    Counter("REJECT_HALTED", 0x5440, 0),
    Counter("REJECT_KILLED", 0x5480, 0),
    Counter("REJECT_BAD_ORDER", 0x54c0, 0),
    Counter("REJECT_MAX_SHARES", 0x5500, 0),
    Counter("REJECT_MAX_NOTIONAL", 0x5540, 0),
    Counter("REJECT_POSITION", 0x5580, 0),
    Counter("REJECT_RATE", 0x55c0, 0),
    Counter("REJECT_MARKET_STATE", 0x5600, 0),
    Counter("REJECT_PAIR", 0x5640, 0),
    Counter("REJECT_DEAD_MAN", 0x5680, 0),
    Counter("REJECT_REDUCING", 0x56c0, 0),
    Counter("REJECT_RESTRICTED", 0x5700, 0),
    Counter("REJECT_DAY_NOTIONAL", 0x5740, 0),
    Counter("REJECT_DUPLICATE", 0x5780, 0),
    Counter("REJECT_OPEN_ORDERS", 0x57c0, 0),
    Counter("REJECT_NO_PLACE", 0x5800, 0),
    Counter("REJECT_UNKNOWN_ORDER", 0x5840, 0),
    Counter("REJECT_UNSURE_BOOK", 0x5880, 0),
    Counter("REJECT_COLLAR", 0x58c0, 0),
    Counter("REJECT_FAT_FINGER", 0x5900, 0),
    Counter("REJECT_SELF_MATCH", 0x5940, 0),
    Counter("REJECT_NO_SESSION", 0x5980, 0),
    Counter("REJECT_STRATEGY_RATE", 0x59c0, 0),
    Counter("REJECT_SYMBOL_RATE", 0x5a00, 0),
    Counter("REJECT_PRICE_BAND", 0x5a40, 0),
    Counter("REJECT_SHORT_SALE", 0x5a80, 0),
    Counter("REJECT_LOCATE", 0x5ac0, 0),
    Counter("REJECT_GROSS_NOTIONAL", 0x5b00, 0),
    Counter("REJECT_NET_NOTIONAL", 0x5b40, 0),
    Counter("REJECT_REPEATED", 0x5b80, 0),
    Counter("EVENTS_LOST", 0x6000, 0),
    Counter("LIMITS_REFUSED", 0x6040, 0),
    Counter("HOST_ORDERS_REFUSED", 0x6080, 0),
    Counter("BUS_ERRORS", 0x60c0, 0),
    Counter("RESTORE_REFUSED", 0x6100, 0),
    Counter("ARM_REFUSED", 0x6140, 0),
)

COUNTERS: dict[str, Counter] = {counter.name: counter for counter in _COUNTERS}
"""Every counter by name."""

EVENT_HEADER = (
    Field("kind", 0, 4), Field("lost", 4, 1), Field("card_time", 224, 32),
)
"""Fields that every event record has."""

EVENTS: dict[EventKind, tuple[Field, ...]] = {
    EventKind.TOP_OF_BOOK: (
        Field("stale", 5, 1), Field("halted", 6, 1), Field("venue", 8, 4), Field("crossed", 12, 1), Field("locked", 13, 1),
        Field("symbol", 16, 8), Field("bid_price", 32, 32), Field("bid_shares", 64, 32), Field("ask_price", 96, 32),
        Field("ask_shares", 128, 32), Field("sequence", 160, 64),
    ),
    EventKind.ORDER_SENT: (
        Field("side", 5, 1), Field("order_kind", 6, 2), Field("venue", 8, 4), Field("trigger_venue", 12, 4), Field("symbol", 16, 8),
        Field("strategy", 24, 4), Field("price", 32, 32), Field("shares", 64, 32), Field("trigger_sequence", 128, 64), Field("fate", 28, 2),
        Field("user_ref", 96, 32), Field("latency", 192, 32),
    ),
    EventKind.ORDER_REJECTED: (
        Field("side", 5, 1), Field("order_kind", 6, 2), Field("venue", 8, 4), Field("trigger_venue", 12, 4), Field("symbol", 16, 8),
        Field("strategy", 24, 4), Field("price", 32, 32), Field("shares", 64, 32), Field("trigger_sequence", 128, 64),
        Field("reason", 96, 8),
    ),
    EventKind.GAP: (
        Field("venue", 8, 4), Field("first", 32, 64), Field("count", 96, 64), Field("session_start", 160, 64), Field("session_end", 12, 16),
    ),
    EventKind.VENUE_STALE: (
        Field("venue", 8, 4), Field("reason", 28, 4),
    ),
    EventKind.STATE: (
        Field("state", 32, 32), Field("changed", 64, 32),
    ),
    EventKind.LEVEL: (
        Field("side", 5, 1), Field("venue", 8, 4), Field("number", 12, 4), Field("symbol", 16, 8), Field("price", 32, 32),
        Field("shares", 64, 32), Field("orders", 96, 16), Field("sequence", 160, 64),
    ),
    EventKind.ORDER: (
        Field("side", 5, 1), Field("venue", 8, 4), Field("symbol", 16, 8), Field("price", 32, 32), Field("shares", 64, 32),
        Field("reference", 96, 64), Field("sequence", 160, 64),
    ),
    EventKind.ORDERS: (
        Field("venue", 8, 4), Field("count", 32, 32), Field("since", 96, 64), Field("sequence", 160, 64),
    ),
    EventKind.SIGNAL: (
        Field("shares", 8, 18), Field("symbol", 32, 16), Field("buy_venue", 48, 8), Field("sell_venue", 56, 8), Field("profit", 64, 48),
        Field("time", 112, 48), Field("buy_price", 160, 32), Field("sell_price", 192, 32),
    ),
    EventKind.TRIGGER: (
        Field("venue", 8, 4), Field("symbol", 16, 8), Field("bid_price", 32, 32), Field("ask_price", 64, 32), Field("entries", 96, 16),
        Field("sequence", 160, 64),
    ),
    EventKind.CLOCK: (
        Field("cycles", 32, 64), Field("time", 96, 64), Field("increment", 160, 40),
    ),
    EventKind.VENUE_MESSAGE: (
        Field("unsure", 5, 1), Field("venue", 8, 4), Field("type", 16, 8), Field("user_ref", 32, 32), Field("shares", 64, 32),
        Field("price", 96, 32), Field("reference", 128, 64), Field("code", 192, 16), Field("number", 208, 16),
    ),
    EventKind.SESSION: (
        Field("up", 5, 1), Field("venue", 8, 4), Field("reason", 16, 4), Field("number", 32, 32),
    ),
    EventKind.WIDE_SIGNAL: (
        Field("symbol", 16, 8), Field("buy_price", 32, 48), Field("time", 112, 48), Field("sell_price", 160, 48),
    ),
}
"""Fields of each kind of event record, beside the header's."""

CARDS: dict[str, CardSizes] = {
    "tiny": CardSizes(
        0xeb85f6288ed02c2d, venues=2, symbols=4, orders=256, levels=64, backlog=128, events=64, clock_hz=156250000, price_bits=32,
    ),
    "ecp5": CardSizes(
        0xddd6842b34af34b0, venues=2, symbols=4, orders=4096, levels=1024, backlog=256, events=256, clock_hz=156250000, price_bits=32,
    ),
    "medium": CardSizes(
        0x41e52de62f4ed1f7, venues=2, symbols=4, orders=4096, levels=4096, backlog=256, events=256, clock_hz=156250000, price_bits=32,
    ),
    "alveo": CardSizes(
        0x44b8442356240b92, venues=2, symbols=64, orders=1048576, levels=4096, backlog=1024, events=4096, clock_hz=156250000, price_bits=32,
    ),
}
"""The named configurations."""
