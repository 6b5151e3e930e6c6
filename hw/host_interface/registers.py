"""The register map of the card: the single definition, with the counters (counter_table.py) and the event records (event_records.py).

The bank (bank.py), the counters (hw/telemetry/counters.py), the host's typed access (host/card/registers.py), the C header and
docs/registers.md all come from these tables. They import no Amaranth, so that the generators need no HDL tool.

Rules of the map, for every register:

- An access is 32 bits wide and aligned. Anything else, and any access to an address or in a direction that the tables do not
  have, reads 0, writes nothing and counts as BUS_ERRORS.
- A register of more than 32 bits takes two words, the low one first. Reading the low word latches the high word of the same
  instant; writing the low word only waits for the high word, which makes both take effect in one cycle. The high word must be the
  next write after its low word.
- Offsets and strides never depend on the configuration and never move within a major version. Elements of an array that a
  configuration does not have are no registers.
"""

from hw.host_interface.map_types import Access, Dimension, Field, Register
from hw.host_interface.session_registers import SESSIONS
from hw.host_interface.signal_registers import SIGNALS
from hw.host_interface.strategy_registers import STRATEGIES
from hw.host_interface.telemetry_registers import TELEMETRY

MAGIC = 0x5452504A
"""ASCII "TRPJ", the first letter in the top bits."""

VERSION_MAJOR = 1
"""The host refuses another one."""

VERSION_MINOR = 16
"""Grows with every addition to the map."""

BAR_SIZE = 0x100000
"""Bytes of the window."""

REGISTERS_SIZE = 0x10000
"""Registers lie below this offset."""

RING_OFFSET = 0x80000
"""Record i of the event ring lies at RING_OFFSET + RECORD_BYTES * (i mod events)."""

RECORD_BYTES = 32

RING_MAX_EVENTS = (BAR_SIZE - RING_OFFSET) // RECORD_BYTES

RO, RW, WO = Access.RO, Access.RW, Access.WO

MAX_VENUES = 8
LINE_A, LINE_B, RECOVERY = range(3)
LINES = 3
"""Feed addresses of a venue: of line A, of line B, and of retransmitted packets, which come on line A's port."""
PORTS = 2
"""Feed ports of a venue."""
MAX_SYMBOLS = 256

VENUE = Dimension("venue", MAX_VENUES, 0x80)
SYMBOL = Dimension("symbol", MAX_SYMBOLS, 8)
ENABLE_WORD = Dimension("word", MAX_SYMBOLS // 32, 4)
SLOTS_VENUE = Dimension("venue", MAX_VENUES, 0x20)
BINDING_VENUE = Dimension("venue", MAX_VENUES, 0x400)
BINDING_SYMBOL = Dimension("symbol", MAX_SYMBOLS, 4)

STATE_FIELDS = (
    Field("armed", 0, 1, "Orders may pass the gateway."),
    Field("limits_valid", 1, 1, "Limits have been committed since reset."),
    Field("killed", 2, 1, "The kill switch is on."),
    Field("fault", 3, 1, "A part of the card found itself broken; only a reset clears it."),
    Field("expired", 4, 1, "The host has been silent for too long; no order passes before its next HEARTBEAT and an ARM."),
    Field("day_level", 5, 3, "Of the day's notional limit, reached: 1 for 50 %, 2 for 75, 3 for 85, 4 for 90, 5 for 95."),
    Field("stale", 8, 8, "One bit per venue: its books may not be trusted."),
    Field("busy", 16, 8, "One bit per venue: its book is still being cleared."),
    Field("tripped", 24, 1, "It has disarmed itself (TRIP) and can't be armed before that has been acknowledged."),
    Field("fast_cancels", 25, 1, "Cancels leave faster than ACTIVE_CANCEL_BURST and ACTIVE_CANCEL_INTERVAL say; a warning, it stops none."),
    Field("repeated", 26, 1, "A strategy is off for too many executions (EXECUTION_TRIPS)."),
)

IDENTITY = (
    Register("MAGIC", 0x0000, RO, 'Always 0x5452504A, "TRPJ".'),
    Register("VERSION", 0x0004, RO, "Version of this map.", fields=(
        Field("minor", 0, 16, "Grows with additions."), Field("major", 16, 16, "Another one is another map."))),
    Register("CONFIG_HASH", 0x0008, RO, "First 64 bits of the SHA-256 of the card's configuration.", bits=64),
    Register("CONFIG_VENUES", 0x0010, RO, "Feed ports."),
    Register("CONFIG_SYMBOLS", 0x0014, RO, "Symbol slots."),
    Register("CONFIG_ORDERS", 0x0018, RO, "Places in each venue's order store."),
    Register("CONFIG_LEVELS", 0x001C, RO, "Places for far price levels in each table of a book."),
    Register("CONFIG_BACKLOG", 0x0020, RO, "Book events that the buffer of a feed line holds."),
    Register("CONFIG_EVENTS", 0x0024, RO, "Records in the event ring."),
    Register("CONFIG_CLOCK_HZ", 0x0028, RO, "Clock of the card in Hz: the unit of every time in cycles."),
    Register("CONFIG_RECOVERY", 0x002C, RO, "Book events that a recovery line's buffer holds: ask for no more messages at a time."),
    Register("CONFIG_SIGNALS", 0x0030, RO, "1: the card makes signals; else their registers do nothing and read 0.", bits=1),
    Register("CONFIG_TRIGGERS", 0x0034, RO, "Entries for prepared orders; 0: there are none.", bits=5),
    Register("CONFIG_QUOTER", 0x0038, RO, "1: the card has a quoter.", bits=1),
    Register("CONFIG_SESSIONS", 0x003C, RO, "1: it has order sessions over TCP; else their registers do nothing.", bits=1),
    Register("CONFIG_PRICE_BITS", 0x00FC, RO, "Of the prices that the arbitrage detector compares: 32 or 48."),
)

CONTROL = (
    Register("SCRATCH", 0x0040, RW, "Keeps what is written and does nothing: for testing the bus."),
    Register("ARM", 0x0044, RW, "1 arms the card, which only works right after ARM_UNLOCK, with committed limits, the kill switch off, no "
             "fault, no TRIP and a host that is heard; else it counts as ARM_REFUSED. 0 disarms it. Reads whether it is armed.",
             bits=1, live=True),
    Register("KILL", 0x0048, RW, "1 stops every new order and disarms. To go on: write 0, then arm again.", bits=1),
    Register("STATE", 0x004C, RO, "What the card allows itself.", fields=STATE_FIELDS),
    Register("RESYNC", 0x0050, WO, "One bit per venue: start its feed afresh at FEED_SEQUENCE, of any session, with an empty book, "
             "no longer stale. It stays busy in STATE until the book is empty.", bits=MAX_VENUES),
    Register("CLEAR_POSITIONS", 0x0054, WO, "Write 1: positions become 0 and open orders are forgotten; only while disarmed, and while "
             "none is open at a venue.", bits=1),
    Register("ARM_CHALLENGE", 0x0058, RO, "A number that every write to ARM or ARM_UNLOCK changes."),
    Register("ARM_UNLOCK", 0x005C, WO, "Writing the complement of ARM_CHALLENGE lets the next write of ARM, within 2^24 cycles, arm the "
             "card; anything else counts as ARM_REFUSED."),
    Register("TIME", 0x0060, RO, "Clock cycles since reset.", bits=64),
    Register("EVENT_WRITE_INDEX", 0x0068, RO, "Records that the card has put into the event ring, modulo 2^32."),
    Register("EVENT_READ_INDEX", 0x006C, RW, "Records that the host has taken, modulo 2^32: their places are free again."),
    Register("LOOK", 0x0070, RW, "Writing a venue and a symbol: the ten best bids and the ten best asks, all as after one event, come "
             "as LEVEL records. Or all orders of a venue's book, as ORDER records and an ORDERS record behind them; these wait while the "
             "event ring is half full. Ignored while it is busy.", live=True, fields=(
        Field("symbol", 0, 8, "Slot."), Field("venue", 8, 4, "Whose book."), Field("orders", 12, 1, "1: all orders, of all symbols."),
        Field("busy", 31, 1, "Not all records are in the event ring yet; ignored when written."))),
    Register("RESTORE", 0x0074, WO, "One bit per venue: as RESYNC, but it is stale (StaleReason RESTORE) and what its feed brings waits "
             "in the lines' buffers, while its book takes orders by RESTORE_ORDER.", bits=MAX_VENUES),
    Register("RESTORE_DONE", 0x0078, WO, "One bit per venue: after RESTORE, its book is whole. Its feed goes on at FEED_SEQUENCE, and it "
             "is no longer stale.", bits=MAX_VENUES),
    Register("TRIP", 0x007C, RW, "Why an armed card has disarmed itself. It can't be armed again before somebody has written 1 to each bit "
             "that is set, which clears it.", live=True, fields=(
        Field("dead_man", 0, 1, "The host was silent for too long."), Field("fault", 1, 1, "A part of the card found itself broken."))),
)


def limit_registers(prefix: str, offset: int, access: Access, note: str) -> tuple[Register, ...]:
    """The risk limits, which stand in the map twice: the shadow and what is in force."""
    return (
        Register(prefix + "MAX_SHARES", offset + 0x00, access, f"Largest quantity of one order, in shares. {note}"),
        Register(prefix + "MAX_POSITION", offset + 0x04, access,
                 f"Largest long or short position of a symbol, working orders included, in shares. {note}"),
        Register(prefix + "MAX_NOTIONAL", offset + 0x08, access, f"Largest shares x price of one order, in 1/10000. {note}", bits=64),
        Register(prefix + "RATE_BURST", offset + 0x10, access, f"Token bucket: orders at once. {note}", bits=16),
        Register(prefix + "RATE_INTERVAL", offset + 0x14, access, f"Token bucket: cycles per order in the long run. {note}"),
    )


def more_limits(prefix: str, offset: int, access: Access, note: str) -> tuple[Register, ...]:
    """Those that came later; committed with the others."""
    return (
        Register(prefix + "WAIVED", offset + 0x00, access, "One bit per RejectReason: this check is off. Only those that docs/risk.md "
                 f"calls waivable can be. {note}"),
        Register(prefix + "DUPLICATE_WINDOW", offset + 0x04, access,
                 f"Cycles within which the same order is a duplicate; 0: none is. {note}"),
        Register(prefix + "MAX_DAY_NOTIONAL", offset + 0x08, access,
                 f"Most of shares x price of all orders since CLEAR_POSITIONS, in 1/10000. {note}", bits=64),
        Register(prefix + "HEARTBEAT_INTERVAL", offset + 0x10, access,
                 f"Longest silence of the host, in 1024 cycles; then the card disarms itself. {note}"),
        Register(prefix + "MAX_OPEN_ORDERS", offset + 0x14, access, f"Most orders open at a time, over all venues. {note}", bits=16),
        Register(prefix + "MAX_DISTANCE", offset + 0x18, access, "Furthest that a price may be from the middle of the venue's last sure "
                 f"best bid and ask, either way, in 1/10000. {note}"),
        Register(prefix + "MAX_DEVIATION", offset + 0x1C, access, f"The same in 2^-16 of the order's price. {note}", bits=16),
    )


def rate_limits(prefix: str, offset: int, access: Access, note: str) -> tuple[Register, ...]:
    """Of strategies, symbols and cancels; committed with the others."""
    ahead = "How far it may be ahead of that, in cycles: so many orders at once as this is intervals, and one."
    return (
        Register(prefix + "STRATEGY_INTERVAL", offset + 0x00, access,
                 f"Cycles per order of a strategy in the long run; 0: not limited. {note}"),
        Register(prefix + "STRATEGY_WINDOW", offset + 0x04, access, f"{ahead} {note}"),
        Register(prefix + "SYMBOL_INTERVAL", offset + 0x08, access,
                 f"Cycles per order for a symbol in the long run; 0: not limited. {note}"),
        Register(prefix + "SYMBOL_WINDOW", offset + 0x0C, access, f"{ahead} {note}"),
        Register(prefix + "CANCEL_BURST", offset + 0x10, access,
                 f"Cancels at once without a warning (FAST_CANCELS); 0: there is none. They leave all the same. {note}", bits=16),
        Register(prefix + "CANCEL_INTERVAL", offset + 0x14, access, f"Cycles per cancel in the long run. {note}"),
    )


def account_limits(prefix: str, offset: int, access: Access, note: str) -> tuple[Register, ...]:
    """Of the account as a whole; committed with the others."""
    return (
        Register(prefix + "MAX_GROSS", offset + 0x00, access, f"Largest GROSS_NOTIONAL with an order, in 1/10000. {note}", bits=64),
        Register(prefix + "MAX_NET", offset + 0x08, access, "Largest NET_BUY with a buy order, NET_SELL with a sell order, in 1/10000. "
                 f"{note}", bits=64),
        Register(prefix + "MAX_EXECUTIONS", offset + 0x10, access,
                 f"Most executions of a strategy in a window; 0: not limited. {note}", bits=16),
        Register(prefix + "EXECUTION_WINDOW", offset + 0x14, access, f"Cycles of a window; 0: it never ends. {note}"),
    )


RISK = (
    *limit_registers("SHADOW_", 0x0080, RW, "Shadow: no effect before the commit."),
    Register("LIMITS_COMMIT", 0x00A0, WO, "Writing LIMITS_GENERATION + 1 puts all shadow limits in force in one cycle; "
             "any other value, and shadows that are out of range or contradict each other, change nothing and count as LIMITS_REFUSED."),
    Register("LIMITS_GENERATION", 0x00A4, RO, "Number of the limits in force; 0: none yet, and nothing passes."),
    Register("LIMITS_STATUS", 0x00A8, RO, "What became of the last LIMITS_COMMIT.", fields=(
        Field("refused", 0, 16, "One bit for each LimitRefusal that applied; 0: it was taken."),
        Field("checking", 31, 1, "LIMITS_CHECKSUM is not yet that of the limits in force."))),
    Register("LIMITS_CHECKSUM", 0x00AC, RO, "CRC-32 (as of zip and Ethernet) of LIMITS_GENERATION and all ACTIVE_ registers, in the order "
             "of their offsets, each word of them as four bytes, the lowest first. Made of what the card has, over and over again."),
    *limit_registers("ACTIVE_", 0x00C0, RO, "In force."),
    *more_limits("SHADOW_", 0x0300, RW, "Shadow: no effect before the commit."),
    *more_limits("ACTIVE_", 0x0320, RO, "In force."),
    Register("REDUCING", 0x0340, RW, "1: only an order leaves with which position and working orders of its symbol stay at or below zero "
             "on its side.", bits=1),
    Register("KILL_VENUES", 0x0344, RW, "One bit per venue: 1 stops every new order to it.", bits=MAX_VENUES),
    Register("KILL_STRATEGIES", 0x0348, RW, "One bit per strategy (bit 0 the host, 1 the arbitrage detector): 1 stops every new order "
             "of it.", bits=16),
    Register("HEARTBEAT", 0x034C, WO, "Any write: the host lives (ACTIVE_HEARTBEAT_INTERVAL).", bits=1),
    Register("DAY_NOTIONAL", 0x0350, RO, "Shares x price of all orders that left since CLEAR_POSITIONS, in 1/10000.", bits=64),
    Register("OPEN_ORDERS", 0x0358, RO, "Orders of the card that are open, as far as replies have told."),
    Register("CANCEL_ALL", 0x035C, RW, "The card cancels own orders at a venue, each once.", fields=(
        Field("now", 0, 8, "One bit per venue: all that are open, as long as it is 1."),
        Field("on_stop", 8, 8, "One bit per venue: those that a kill switch stops (KILL, KILL_VENUES, KILL_STRATEGIES, KILL_SYMBOLS), and "
              "all after a fault or when the host has been silent for too long."))),
    Register("KILL_SYMBOLS", 0x0360, RW, "One bit per symbol: 1 stops every new order for it. Symbol s is bit s mod 32 of word s div 32.",
             dimensions=(ENABLE_WORD,)),
    Register("RESTRICTED", 0x0380, RW, "One bit per symbol, as in KILL_SYMBOLS: it may not be traded.", dimensions=(ENABLE_WORD,)),
    Register("SYMBOL_MAX_SHARES", 0x03A0, RW, "Shadow: largest quantity of one order for a symbol, in shares."),
    Register("SYMBOL_COMMIT", 0x03A4, WO, "Writing a slot puts the shadows SYMBOL_MAX_* and so on in force for this symbol, in one cycle. "
             "They hold beside ACTIVE_MAX_SHARES and so on; a symbol without a commit since reset has none of its own. A slot that is not "
             "there, and shadows that contradict each other, change nothing and count as LIMITS_REFUSED.", bits=8),
    Register("SYMBOL_MAX_NOTIONAL", 0x03A8, RW, "Shadow: largest shares x price of one order for it, in 1/10000.", bits=64),
    Register("SYMBOL_MAX_LONG", 0x03B0, RW, "Shadow: its largest long position, working orders included, in shares."),
    Register("SYMBOL_MAX_SHORT", 0x03B4, RW, "Shadow: its largest short position, working orders included; 0: it is not sold short."),
    Register("SYMBOL_STATUS", 0x03B8, RO, "What became of the last SYMBOL_COMMIT: one bit for each LimitRefusal that applied, 0: it was "
             "taken.", bits=16),
    Register("SYMBOL_GENERATION", 0x03BC, RO, "Commits of SYMBOL_COMMIT that were taken since reset."),
    Register("SHOWN_MAX_NOTIONAL", 0x03C0, RO, "Snapshot of POSITION_SYMBOL: its limits in force, as the gateway has them; all ones: none.",
             bits=64),
    Register("SHOWN_MAX_SHARES", 0x03C8, RO, "Snapshot of POSITION_SYMBOL, likewise."),
    Register("SHOWN_MAX_LONG", 0x03CC, RO, "Snapshot of POSITION_SYMBOL, likewise."),
    Register("SHOWN_MAX_SHORT", 0x03D0, RO, "Snapshot of POSITION_SYMBOL, likewise."),
    Register("SYMBOL_LOCATES", 0x03D4, RW, "Shadow: most shares of all orders that sell it short, since CLEAR_POSITIONS."),
    Register("SYMBOL_MIN_PRICE", 0x03D8, RW, "Shadow: least price of an order for it, in 1/10000."),
    Register("SYMBOL_MAX_PRICE", 0x03DC, RW, "Shadow: largest price of an order for it, in 1/10000."),
    Register("SYMBOL_UPTICK_ONLY", 0x03E0, RW, "Shadow: 1: it is sold short only above the best bid.", bits=1),
    Register("SHOWN_LOCATES", 0x03E4, RO, "Snapshot of POSITION_SYMBOL, likewise."),
    Register("SHOWN_MIN_PRICE", 0x03E8, RO, "Snapshot of POSITION_SYMBOL, likewise; 0: none."),
    Register("SHOWN_MAX_PRICE", 0x03EC, RO, "Snapshot of POSITION_SYMBOL, likewise."),
    Register("SHOWN_UPTICK_ONLY", 0x03F0, RO, "Snapshot of POSITION_SYMBOL, likewise; 0: no.", bits=1),
    Register("KILL_ABORTS", 0x03FC, RW, "One bit per venue: 1: the frame of a new order to it that is being sent when a kill switch stops "
             "the order ends at once, with an error; 0: it finishes. What has not begun never leaves. A session loses its connection with "
             "such a frame.", bits=MAX_VENUES),
    *rate_limits("SHADOW_", 0x0A00, RW, "Shadow: no effect before the commit."),
    *rate_limits("ACTIVE_", 0x0A20, RO, "In force."),
    *account_limits("SHADOW_", 0x0A40, RW, "Shadow: no effect before the commit."),
    *account_limits("ACTIVE_", 0x0A60, RO, "In force."),
    Register("GROSS_NOTIONAL", 0x0A80, RO, "Of the account, since CLEAR_POSITIONS: what was bought and sold, and what works, in 1/10000.",
             bits=64),
    Register("NET_BUY", 0x0A88, RO, "What was bought, less what was sold, and the buy orders that work, in 1/10000.", bits=64, signed=True),
    Register("NET_SELL", 0x0A90, RO, "What was sold, less what was bought, and the sell orders that work, in 1/10000.", bits=64,
             signed=True),
    Register("EXECUTION_TRIPS", 0x0A98, RW, "One bit per strategy: it had more executions than ACTIVE_MAX_EXECUTIONS in a window, and its "
             "orders are refused. Writing 1 to a bit lets it go on.", bits=16, live=True),
)

ARBITRAGE = (
    Register("ARB_MIN_PROFIT", 0x0100, RW, "Shadow: smallest profit per share after fees that is traded, in 1/10000."),
    Register("ARB_MAX_SHARES", 0x0104, RW, "Shadow: cap on the shares of each leg; 0: the symbol is not traded.", bits=18),
    Register("ARB_COOLDOWN", 0x0108, RW, "Cycles after a signal during which the symbol gives no other."),
    Register("ARB_MIN_SHARES", 0x010C, RW, "Shadow: fewest shares that are traded.", bits=18),
    Register("ARB_COMMIT", 0x0110, WO, "Writing a slot puts the three shadows in force for this symbol, in one cycle. A slot without a "
             "commit since reset is not traded.", bits=8),
    Register("ARB_VENUES", 0x0114, RW, "One bit per venue: it may be bought from and sold to.", bits=MAX_VENUES),
    Register("ARB_DIRECT", 0x0118, RW, "One bit per venue: its quotes come from the host (QUOTE); its feed is not heard. A change forgets "
             "its quotes.", bits=MAX_VENUES),
    Register("ARB_ENABLE", 0x0120, RW, "One bit per symbol: the detector may trade it. Symbol s is bit s mod 32 of word s div 32.",
             dimensions=(ENABLE_WORD,)),
)

ORDERS = (
    Register("POSITION_SYMBOL", 0x0140, RW, "Writing a symbol takes the snapshot that the next three registers show, and "
             "SHOWN_*.", live=True, fields=(
        Field("symbol", 0, 8, "Symbol asked for."), Field("busy", 31, 1, "The snapshot is being taken; ignored when written."))),
    Register("POSITION", 0x0148, RO, "Snapshot: position in shares, short is negative.", bits=64, signed=True),
    Register("WORKING_BUY", 0x0150, RO, "Snapshot: shares of working buy orders."),
    Register("WORKING_SELL", 0x0154, RO, "Snapshot: shares of working sell orders."),
    Register("REPLY", 0x0160, RW, "What a venue answered to an order.", bits=16, fields=(
        Field("symbol", 0, 8, "Slot whose position moves; of kind 5 only."), Field("side", 8, 1, "0: it grows, 1: it shrinks."),
        Field("kind", 9, 3, "0: shares were filled; 1: shares are dead and stop counting; 2: the order is dead, with whatever was left "
              "of it; 3: the REPLACE of this number is in force; 4: nothing changes (accepted, session messages); 5: the host moves a "
              "position, only while disarmed; 6: the order never came to its venue and is dead, REPLY_NUMBER means nothing."),
        Field("venue", 12, 4, "Who says it."))),
    Register("REPLY_SHARES", 0x0164, RW, "Shares of the reply."),
    Register("REPLY_DOORBELL", 0x0168, WO, "Write 1: the gateway takes the reply.", bits=1),
    Register("REPLY_USER_REF", 0x016C, RW, "UserRefNum of the order; of kind 3 the new one."),
    Register("REPLY_NUMBER", 0x0170, RW, "Number of the reply among the venue's, without a gap (SoupBinTCP's sequence number): one that "
             "has been told before is forgotten, and a gap is a fault. After CLEAR_POSITIONS it begins anywhere."),
    Register("HOST_ORDER", 0x0180, RW, "An order of the host.", bits=27, fields=(
        Field("venue", 0, 4, "Where it goes."), Field("side", 8, 1, "0 buy, 1 sell."), Field("symbol", 16, 8, "Slot."),
        Field("kind", 24, 2, "0: a new one; 1: one in the place of the host's own HOST_ORDER_REFERENCE, of the same symbol and side, "
              "HOST_ORDER_SHARES with what has traded of it; 2: a cancel of HOST_ORDER_REFERENCE, of which at most "
              "HOST_ORDER_SHARES stay."),
        Field("day", 26, 1, "A new one may stand until the end of the day; 0: immediate or cancel."))),
    Register("HOST_ORDER_SHARES", 0x0184, RW, "Its quantity."),
    Register("HOST_ORDER_PRICE", 0x0188, RW, "Its price in 1/10000."),
    Register("HOST_ORDER_DOORBELL", 0x018C, WO, "Write 1: the order goes to the gateway; while HOST_ORDER_BUSY it is refused instead and "
             "counts as HOST_ORDERS_REFUSED.", bits=1),
    Register("HOST_ORDER_BUSY", 0x0190, RO, "The last order of the host still waits at the gateway.", bits=1),
    Register("HOST_ORDER_REFERENCE", 0x0194, RW, "UserRefNum of the order that a replacement or a cancel is about."),
    Register("QUOTE_ASK_SHARES", 0x0198, RW, "Shares at the ask of QUOTE."),
    Register("QUOTE_DOORBELL", 0x019C, WO, "Write 1: the detector takes the quote as a whole; one that can't be (unknown venue or symbol, "
             "a price of more than CONFIG_PRICE_BITS, a bid above the ask, a time to come) counts as QUOTES_REFUSED.", bits=1),
    Register("QUOTE", 0x01A0, RW, "Best bid and ask of a venue of ARB_DIRECT, as the host has heard them.", fields=(
        Field("venue", 0, 4, "Whose."), Field("symbol", 16, 16, "Slot."))),
    Register("QUOTE_BID_SHARES", 0x01A4, RW, "Shares at the bid."),
    Register("QUOTE_BID_PRICE", 0x01A8, RW, "In 1/10000; 0: no bid.", bits=48),
    Register("QUOTE_ASK_PRICE", 0x01B0, RW, "In 1/10000; 0: no ask.", bits=48),
    Register("QUOTE_TIME", 0x01B8, RW, "TIME at which it was so, from which ARB_MAX_AGE counts.", bits=48),
)

RESTORATION = (
    Register("RESTORE_REFERENCE", 0x01C0, RW, "A live order for the book of a venue: its reference.", bits=64),
    Register("RESTORE_SHARES", 0x01C8, RW, "Its shares."),
    Register("RESTORE_PRICE", 0x01CC, RW, "Its price in 1/10000."),
    Register("RESTORE_ORDER", 0x01D0, RW, "Writing it puts the order into the book, as after message FEED_SEQUENCE - 1. Refused, and "
             "counted as RESTORE_REFUSED, unless the venue waits for it (RESTORE), and while it is busy.", live=True, fields=(
        Field("symbol", 0, 8, "Slot."), Field("venue", 8, 4, "Whose book."), Field("side", 12, 1, "0 buy, 1 sell."),
        Field("busy", 31, 1, "The last one is not in the book yet; ignored when written."))),
)


def venue_register(name: str, offset: int, access: Access, doc: str, **options) -> Register:
    return Register(name, 0x0400 + offset, access, doc, dimensions=(VENUE,), **options)


VENUES = (
    venue_register("FEED_IP", 0x00, RW, "IPv4 multicast group of the feed's line A, first octet in the top bits."),
    venue_register("FEED_PORT", 0x04, RW, "UDP destination port of the feed's line A.", bits=16),
    venue_register("FEED_SEQUENCE", 0x08, RW, "Sequence number of the first message that a RESYNC waits for.", bits=64),
    venue_register("FEED_EXPECTED", 0x10, RO, "Sequence number expected next: every message below it has been taken or given up.", bits=64),
    venue_register("BACKLOG", 0x18, RO, "Book events and frames that wait in the lines' buffers.", bits=16),
    venue_register("STALE_REASON", 0x1C, RO, "Why the venue went stale (StaleReason); 0 while it is not.", bits=4),
    venue_register("ORDER_DESTINATION_MAC", 0x20, RW, "Of the order session; first octet in the top bits.", bits=48),
    venue_register("ORDER_SOURCE_MAC", 0x28, RW, "Of the order session; first octet in the top bits.", bits=48),
    venue_register("ORDER_DESTINATION_IP", 0x30, RW, "Of the order session."),
    venue_register("ORDER_SOURCE_IP", 0x34, RW, "Of the order session."),
    venue_register("ORDER_DESTINATION_PORT", 0x38, RW, "UDP port of the order session.", bits=16),
    venue_register("ORDER_SOURCE_PORT", 0x3C, RW, "UDP port of the order session.", bits=16),
    venue_register("USER_REF", 0x40, RW, "UserRefNum that the venue's next order carries, or the next one whose place among the open "
                   "orders is free.", live=True),
    venue_register("FEED_B_IP", 0x44, RW, "IPv4 multicast group of the feed's line B, first octet in the top bits."),
    venue_register("FEED_B_PORT", 0x48, RW, "UDP destination port of the feed's line B; 0: there is none.", bits=16),
    venue_register("RECOVERY_IP", 0x4C, RW, "IPv4 destination of retransmitted packets, multicast or not, first octet in the top bits. "
                   "They come on the port of line A."),
    venue_register("RECOVERY_PORT", 0x50, RW, "UDP destination port of retransmitted packets; 0: there are none.", bits=16),
    venue_register("HOLE_CYCLES", 0x54, RW, "Cycles that messages may be missing, while frames behind them wait, before it is a gap."),
    venue_register("RECOVERY_CYCLES", 0x58, RW, "Cycles without progress after which the messages of a gap are given up; until then frames "
                   "behind them wait. With HOLE_CYCLES 0 as well, nothing ever waits."),
    venue_register("RECOVERING", 0x5C, RO, "A gap has been told, and what follows it is not through yet. The venue is stale until then "
                   "or, if messages were given up, until a RESYNC.", bits=1),
    venue_register("DIRECTORY", 0x60, RW, "1: a slot that has a NAME but no BINDING follows the instrument of this name in the venue's "
                   "directory. Off after reset.", bits=1),
    venue_register("ARB_SHARE_FEE", 0x64, RW, "Fee per share of an order that trades at once, in 2^-8 of 1/10000, two's complement: a "
                   "rebate is negative. Charged on quotes that come after it.", bits=24),
    venue_register("ARB_FEE_RATE", 0x68, RW, "The same in 2^-22 of the price (1 basis point is 419.4304).", bits=18),
    venue_register("ARB_MAX_AGE", 0x70, RW, "Cycles after which a quote is none.", bits=48),
)

SYMBOLS = (
    Register("NAME", 0x1000, RW, "Symbol as orders carry it: eight ASCII characters, space padded, the first in bits 7:0.", bits=64,
             dimensions=(SYMBOL,)),
    Register("BOUND", 0x1800, RO, "One bit per symbol: the venue's directory has bound it (DIRECTORY). Symbol s is bit s mod 32 of word "
             "s div 32. Writing the symbol's NAME forgets it.", dimensions=(SLOTS_VENUE, ENABLE_WORD)),
    Register("ASSUME_TRADING", 0x1900, RW, "One bit per symbol, as in BOUND. 1: it trades until the venue says otherwise, at the start and "
             "after a RESYNC. 0: it is halted until the venue says that it trades.", dimensions=(SLOTS_VENUE, ENABLE_WORD)),
    Register("HALTED", 0x1A00, RO, "One bit per symbol, as in BOUND: the venue does not trade it, or has not said that it does. The "
             "gateway refuses orders for it.", dimensions=(SLOTS_VENUE, ENABLE_WORD)),
    Register("BINDING", 0x2000, RW, "Which of a venue's instruments the slot follows.", dimensions=(BINDING_VENUE, BINDING_SYMBOL), fields=(
        Field("locate", 0, 16, "The venue's own number for the symbol."), Field("enable", 31, 1, "The slot follows it."))),
)

REGISTERS = (
    *IDENTITY, *CONTROL, *RISK, *ARBITRAGE, *ORDERS, *RESTORATION, *SIGNALS, *VENUES, *STRATEGIES, *TELEMETRY, *SYMBOLS, *SESSIONS)
"""All registers but the counters, in the order of their offsets."""
