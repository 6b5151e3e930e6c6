"""The registers of the quoter and the trigger (docs/strategies.md); a part of registers.py."""

from hw.host_interface.map_types import Access, Field, Register

RO, RW, WO = Access.RO, Access.RW, Access.WO

MAX_TRIGGERS = 16

STRATEGIES = (
    Register("STRATEGY_ENABLE", 0x0800, RW, "One bit per strategy, by its number. 0: nothing new of it reaches the gateway. The arbitrage "
             "detector has ARB_ENABLE instead.", fields=(
        Field("quoter", 2, 1, "While it is 0, or the card is disarmed, its quotes are cancelled."),
        Field("trigger", 3, 1, "While it is 0 nothing fires, and what has fired but not left is spent."))),
    Register("TRIGGER_COMMIT", 0x0804, WO, "Writing it makes the entry what the five registers from TRIGGER_WATCH on say, in one cycle. An "
             "entry that is not there is ignored.", fields=(
        Field("index", 0, 8, "Which entry."), Field("armed", 31, 1, "0: nothing is prepared here any more."))),
    Register("TRIGGER_ARMED", 0x0808, RO, "One bit per entry: it waits for its condition.", bits=MAX_TRIGGERS),
    Register("TRIGGER_FIRED", 0x080C, RO, "One bit per entry: it has fired since it was last committed.", bits=MAX_TRIGGERS),
    Register("TRIGGER_WATCH", 0x0810, RW, "Shadow: whose price is looked at, and how.", fields=(
        Field("symbol", 0, 8, "Slot; the order is for it as well."), Field("venue", 8, 4, "Whose top of book."),
        Field("when", 12, 2, "0: bid at least TRIGGER_AT, 1: bid at most, 2: ask at least, 3: ask at most."))),
    Register("TRIGGER_AT", 0x0814, RW, "Shadow: the price of the condition, in 1/10000."),
    Register("TRIGGER_ORDER", 0x0818, RW, "Shadow: the order.", fields=(
        Field("venue", 0, 4, "Where it goes."), Field("side", 8, 1, "0 buy, 1 sell."))),
    Register("TRIGGER_SHARES", 0x081C, RW, "Shadow: its quantity."),
    Register("TRIGGER_PRICE", 0x0820, RW, "Shadow: its price in 1/10000."),
    Register("QUOTER_COMMIT", 0x0840, WO, "Writing a slot puts the ten shadows from QUOTER_ENABLE on in force for this symbol, in one "
             "cycle. A slot without a commit since reset is not quoted.", bits=8),
    Register("QUOTER_VENUE", 0x0844, RW, "Where it quotes, and by whose top of book. What stands at another venue is cancelled.", bits=4),
    Register("QUOTER_FAULT", 0x0848, RO, "1: news of its orders were lost. It quotes nothing more until CLEAR_POSITIONS.", bits=1),
    Register("QUOTER_ENABLE", 0x0850, RW, "Shadow: 1: the symbol is quoted.", bits=1),
    Register("QUOTER_AVERSION", 0x0854, RW, "Shadow: risk aversion, scaled (docs/strategies.md has this and the others)."),
    Register("QUOTER_CONSTANT", 0x0858, RW, "Shadow: part of the spread that is the same at all times, in ticks with 12 bits behind the "
             "point.", bits=31),
    Register("QUOTER_END", 0x085C, RW, "Shadow: TIME at which the quoting ends, in 2^16 cycles."),
    Register("QUOTER_TICK", 0x0860, RW, "Shadow: tick, in 1/10000.", bits=16),
    Register("QUOTER_RECIPROCAL", 0x0864, RW, "Shadow: 2^31 / QUOTER_TICK, rounded up."),
    Register("QUOTER_SHARES", 0x0868, RW, "Shadow: quantity of a quote."),
    Register("QUOTER_MAX_POSITION", 0x086C, RW, "Shadow: no quote that would take the position further than this on its side."),
    Register("QUOTER_THRESHOLD", 0x0870, RW, "Shadow: a quote further than this from its target is moved, in 1/10000.", bits=16),
    Register("QUOTER_INTERVAL", 0x0874, RW, "Shadow: least cycles from one message of a side to its next, but for a cancel.", bits=31),
)
