"""`trapjaw venue`: an exchange to trade against, on this machine's loopback."""

import asyncio
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sim.flow.market import INSTRUMENTS, Instrument
from sim.venue.commands import execute, status
from sim.venue.exchange import Exchange
from sim.venue.session import Addresses, VenueServer, WallClock
from sim.venue.settings import NAMES, SECOND, CrowdSettings, Login, VenueSettings

REFUSED = 2

PORT = 26_400
"""Of the first venue's order gateway; its lines A and B are the next two, its retransmission server the one after; venues are ten apart."""

GROUP = "239.192.74.1"
QUIT = "quit"
"""On stdin: the program ends."""

BEFORE = 2 * SECOND
"""Time to log in before the opening cross."""


@dataclass(frozen=True)
class Options:
    """What a person asks for; see the command."""

    venues: int
    seed: int
    symbols: str | None
    users: tuple[str, ...]
    rate: float
    seconds: float | None
    host: str
    port: int
    group: str | None


def venue(
    venues: Annotated[int, typer.Option(min=1, max=len(NAMES), help="How many; they hear the same news at different times.")] = 1,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn at random.")] = 1,
    symbols: Annotated[str | None, typer.Option(help="NAME or NAME=PRICE, with commas between them.")] = None,
    user: Annotated[list[str] | None, typer.Option(metavar="USER:PASSWORD", help="Who may log in. Default: TJ:TRAPJAW.")] = None,
    rate: Annotated[float, typer.Option(min=0, help="Mean events of each symbol per second by the crowd; 0: no crowd.")] = 200.0,
    seconds: Annotated[float | None, typer.Option(min=0.001, help="How long the symbols trade. Default: until interrupted.")] = None,
    host: Annotated[str, typer.Option(help="IPv4 address to listen at, and to send multicast from.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1024, max=65_400, help="TCP port of the first venue's order gateway.")] = PORT,
    unicast: Annotated[bool, typer.Option("--unicast", help="Send the feed to the host itself instead of to multicast groups.")] = False,
    write: Annotated[Path | None, typer.Option(help="No sockets: write the feed of a day of --seconds as ITCH 5.0 BinaryFILE and leave. "
                                                    "With more venues: F.north, F.south and so on.")] = None,
) -> None:
    """Run an exchange: OUCH 5.0 over SoupBinTCP in, ITCH 5.0 over MoldUDP64 on two lines out. Commands are read from stdin (help lists
    them, quit ends it).

    Exit status: 0 the day is over or was interrupted; 2 it could not begin.
    """
    options = Options(venues, seed, symbols, tuple(user or ()), rate, seconds, host, port, None if unicast else GROUP)
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        if write is not None:
            _write(options, write)
        else:
            asyncio.run(_serve(options, Console(soft_wrap=True, highlight=False), errors))
    except (ValueError, OSError) as error:
        errors.print(f"trapjaw: {error}", markup=False)
        raise typer.Exit(REFUSED) from None
    except KeyboardInterrupt:
        pass


def settings(options: Options) -> list[VenueSettings]:
    """One for each venue. Raises ValueError."""
    stocks = _symbols(options.symbols) if options.symbols else INSTRUMENTS
    logins = tuple(_login(text) for text in options.users) or (Login("TJ", "TRAPJAW"),)
    crowd = CrowdSettings(rate=options.rate, news=options.rate / 40) if options.rate else None
    length = None if options.seconds is None else round(options.seconds * SECOND)
    return [VenueSettings(options.seed, number, stocks, logins, crowd, before=BEFORE, length=length, pause=SECOND, freeze=SECOND // 2)
            for number in range(options.venues)]


def addresses(options: Options, number: int) -> Addresses:
    """Of venue ``number``. Raises ValueError."""
    try:
        host, group = IPv4Address(options.host), options.group and IPv4Address(options.group)
    except AddressValueError as error:
        raise ValueError(f"expected an IPv4 address: {error}") from None
    port = options.port + 10 * number
    if group:
        lines = [(str(group + 2 * number + line), port + 1 + line) for line in (0, 1)]
    else:
        lines = [(str(host), port + 1 + line) for line in (0, 1)]
    return Addresses((str(host), port), (str(host), port + 3), (lines[0], lines[1]))


def _symbols(text: str) -> tuple[Instrument, ...]:
    known = {instrument.name: instrument for instrument in INSTRUMENTS}
    found = []
    for word in text.split(","):
        name, _, price = word.strip().upper().partition("=")
        if not price:
            found.append(known.get(name, Instrument(name, 100_0000)))
            continue
        try:
            found.append(Instrument(name, round(float(price) * 100) * 100))
        except (ValueError, OverflowError):
            raise ValueError(f"expected a price in money after {name}=, not {price}") from None
    if not all(100 <= instrument.price <= 90_000_0000 for instrument in found):
        raise ValueError("prices are from 0.01 to 90000")
    return tuple(found)


def _login(text: str) -> Login:
    user, colon, password = text.partition(":")
    if not colon:
        raise ValueError(f"expected USER:PASSWORD, not {text}")
    return Login(user, password)


def _write(options: Options, path: Path) -> None:
    if options.seconds is None:
        raise ValueError("--write needs --seconds")
    for each in settings(options):
        exchange = Exchange(each)
        exchange.advance(each.start + (each.length or 0) + SECOND)
        file = path if options.venues == 1 else path.with_name(f"{path.name}.{each.name}")
        file.write_bytes(b"".join(len(message).to_bytes(2, "big") + message for message in exchange.feed.messages))


async def _serve(options: Options, console: Console, errors: Console) -> None:
    servers = []
    try:
        venues = settings(options)
        clock = WallClock(venues[0].start - venues[0].before)
        for each in venues:
            server = VenueServer(Exchange(each), addresses(options, each.number), clock)
            await server.start()
            servers.append(server)
            console.print(_table(server))
        exchanges = [server.exchange for server in servers]
        loop = asyncio.get_running_loop()
        end = threading.Event()
        threading.Thread(target=_read_commands, args=(loop, end, exchanges, console, errors), daemon=True).start()
        await asyncio.gather(*(server.run(lambda exchange=server.exchange: end.is_set() or _over(exchange)) for server in servers))
        for exchange in exchanges:
            console.print(f"{exchange.settings.name}: {status(exchange)}", markup=False)
    finally:
        for server in servers:
            await server.stop()


def _over(exchange: Exchange) -> bool:
    """The end of the session has been told for a while."""
    length = exchange.settings.length
    return length is not None and exchange.now > exchange.settings.start + length + SECOND // 2


def _read_commands(loop: asyncio.AbstractEventLoop, end: threading.Event, exchanges: Sequence[Exchange], console: Console,
                   errors: Console) -> None:
    """In a thread of its own, as reading waits; what is read is done in the loop."""
    def do(line: str) -> None:
        try:
            if line.strip() == QUIT:
                end.set()
            else:
                console.print(execute(exchanges, line), markup=False)
        except ValueError as error:
            errors.print(f"trapjaw: {error}", markup=False)

    with suppress(RuntimeError):  # the loop is over
        for line in sys.stdin or ():
            if line.strip():
                loop.call_soon_threadsafe(do, line)


def _table(server: VenueServer) -> Table:
    each, where = server.exchange.settings, server.addresses
    table = Table(title=f"{each.name}, session {each.session}", show_header=False, title_justify="left")
    names = ("orders (TCP)", "line A", "line B", "requests (UDP)")
    for name, place in zip(names, (where.orders, *where.lines, where.requests), strict=True):
        table.add_row(name, ":".join(map(str, place)))
    table.add_row("users", ", ".join(login.user for login in each.logins))
    table.add_row("symbols (locate)", ", ".join(f"{name.strip()} ({locate})" for name, locate in server.exchange.locates.items()))
    return table
