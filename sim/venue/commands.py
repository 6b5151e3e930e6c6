"""Faults and halts as a person types them: one command a line."""

from collections.abc import Callable, Sequence

from sim.venue.exchange import Exchange

LINES = {"a": 0, "b": 1}

HELP = """\
halt SYMBOL, resume SYMBOL         no orders but cancels; orders again, and a cross
disconnect USER                    cut a client's connection
reject N [CODE]                    reject the next N orders
drop|duplicate|reorder LINE CHANCE make line a or b lose, double, overtake packets
delay LINE NS                      make it late
break MATCH                        take a client's trade back
status                             what has happened so far
A venue's name before a command gives it to that venue alone."""


def execute(exchanges: Sequence[Exchange], line: str) -> str:
    """Does what a line says, at all venues or at the one that it names; what there is to say of it. Raises ValueError."""
    words = line.split()
    named = [exchange for exchange in exchanges if words and exchange.settings.name == words[0].lower()]
    if named:
        words = words[1:]
    if not words:
        return ""
    if words[0].lower() == "help":
        return HELP
    action = _parse(words[0].lower(), words[1:])
    return "\n".join(f"{exchange.settings.name}: {action(exchange) or 'done'}" for exchange in named or exchanges)


def _parse(command: str, words: list[str]) -> Callable[[Exchange], str | None]:
    match command, words:
        case "halt", [symbol]:
            return lambda exchange: exchange.halt(symbol)
        case "resume", [symbol]:
            return lambda exchange: exchange.resume(symbol)
        case "disconnect", [user]:
            return lambda exchange: exchange.disconnect(user)
        case "reject", [orders]:
            number = _integer(orders)
            return lambda exchange: exchange.reject(number)
        case "reject", [orders, code]:
            number, reason = _integer(orders), _integer(code)
            return lambda exchange: exchange.reject(number, reason)
        case ("drop" | "duplicate" | "reorder" | "delay"), [line, value]:
            if line.lower() not in LINES:
                raise ValueError(f"lines are a and b, not {line}")
            amount = _number(value)
            return lambda exchange: exchange.fault(LINES[line.lower()], command, amount)
        case "break", [match]:
            trade = _integer(match)
            return lambda exchange: exchange.break_trade(trade)
        case "status", []:
            return status
    raise ValueError(f"no such command: {' '.join([command, *words])} (help lists them)")


def status(exchange: Exchange) -> str:
    """One line."""
    lines = ", ".join(f"line {name}: " + " ".join(f"{number:,} {what}" for what, number in exchange.feed.lines[at].counts.items())
                      for name, at in LINES.items())
    answered = exchange.retransmission.counts
    return (f"{len(exchange.feed.messages):,} messages, {len(exchange.engine.orders):,} orders standing, "
            f"{sum(bool(connection.account) for connection in exchange.connections)} clients, {lines}, "
            f"{answered['answered']:,} of {answered.total():,} requests answered")


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, not {text}") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, not {text}") from None
