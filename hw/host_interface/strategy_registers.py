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
)
