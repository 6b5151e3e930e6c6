"""Reference model of what a venue says of its symbols' trading."""

from sim.golden.records import BUY, HALT, RESUME, BookEvent


class TradingModel:
    """Takes HALT and RESUME events of one venue, by whatever number the symbol has in them.

    A symbol is halted by the last trading action (side 0) or by an operational halt (side 1). Before the first trading action
    it trades only if it is assumed to.
    """

    def __init__(self) -> None:
        self._trading: dict[int, bool] = {}
        self._operational_halts: set[int] = set()

    def apply(self, symbol: int, event: BookEvent) -> None:
        assert event.kind in (HALT, RESUME)
        if event.side == BUY:
            self._trading[symbol] = event.kind == RESUME
        elif event.kind == HALT:
            self._operational_halts.add(symbol)
        else:
            self._operational_halts.discard(symbol)

    def halted(self, symbol: int, assumed: set[int]) -> bool:
        return symbol in self._operational_halts or not self._trading.get(symbol, symbol in assumed)
