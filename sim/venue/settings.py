"""What an exchange is like."""

from dataclasses import dataclass, field

from sim.flow.market import INSTRUMENTS, Instrument
from sim.venue.matching import NEWEST

SECOND = 1_000_000_000
NAMES = ("north", "south", "east", "west", "up", "down", "in", "out")


@dataclass(frozen=True)
class CrowdSettings:
    """Who trades there by themselves.

    Attributes
    ----------
    rate : float
        Events of each symbol per second, on average.
    branching : float
        How many more events one event brings about, on average: 0 is a Poisson process, towards 1 all comes in bursts.
    decay : int
        Nanoseconds after which an event brings about a third as many.
    news : float
        Moves of each symbol's fair price per second.
    lag : int
        Mean nanoseconds until this venue hears of one.
    """

    rate: float = 2_000.0
    branching: float = 0.6
    decay: int = 200_000
    news: float = 50.0
    lag: int = 15_000

    def __post_init__(self) -> None:
        for name in ("rate", "decay", "news", "lag"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} of a crowd is more than 0, not {getattr(self, name)}")
        if not 0 <= self.branching < 0.95:
            raise ValueError(f"branching is from 0 to 0.95, not {self.branching}")


@dataclass(frozen=True)
class Login:
    """Who may log in at the order gateway.

    Attributes
    ----------
    user, password : str
        At most 6 and 10 characters.
    prevention : str
        What happens where two orders of the same port and group would trade: "O" cancels the older, "W" the newer, "D" takes from
        both, "" lets them.
    cancel_on_disconnect : bool
    """

    user: str
    password: str
    prevention: str = NEWEST
    cancel_on_disconnect: bool = True

    def __post_init__(self) -> None:
        for text, most in ((self.user, 6), (self.password, 10)):
            if not (text.isascii() and text.isprintable() and 1 <= len(text) <= most and text == text.strip()):
                raise ValueError(f"a user has 1 to 6 ASCII characters and a password 1 to 10, not {text!r}")
        if self.prevention not in ("O", "W", "D", ""):
            raise ValueError(f"self-match prevention is O, W, D or nothing, not {self.prevention!r}")


@dataclass(frozen=True)
class VenueSettings:
    """One venue of one day. Times are in nanoseconds.

    Attributes
    ----------
    seed : int
        Of everything that is drawn at random. Venues of one seed hear the same news.
    number : int
        Which of the venues this is, from 0.
    symbols : tuple of Instrument
    logins : tuple of Login
    crowd : CrowdSettings or None
        None: nobody but those who log in.
    start : int
        When trading begins, since midnight.
    before : int
        How long orders come before that; the opening cross ends it.
    length : int or None
        How long the symbols trade; the closing cross ends it. None: until the program ends.
    freeze : int
        For how long before a cross its own orders can't be canceled.
    pause : int
        How long orders come after a halt before its cross.
    skew : int
        Mean time that a packet takes to leave on a line.
    retransmissions : int
        Requests per second that are answered, for each source.
    """

    seed: int
    number: int = 0
    symbols: tuple[Instrument, ...] = INSTRUMENTS
    logins: tuple[Login, ...] = (Login("TJ", "TRAPJAW"),)
    crowd: CrowdSettings | None = field(default_factory=CrowdSettings)
    start: int = 34_200 * SECOND
    before: int = 5_000_000
    length: int | None = None
    freeze: int = 1_000_000
    pause: int = 1_000_000
    skew: int = 400
    retransmissions: int = 1_000

    def __post_init__(self) -> None:
        if not 0 <= self.number < len(NAMES):
            raise ValueError(f"there are {len(NAMES)} venues at most, not one of number {self.number}")
        if not self.symbols or len({symbol.name for symbol in self.symbols}) != len(self.symbols):
            raise ValueError("a venue has at least one symbol, and none twice")
        for symbol in self.symbols:
            if not (symbol.name.isascii() and symbol.name.isalnum() and len(symbol.name) <= 8):
                raise ValueError(f"a symbol's name has 1 to 8 letters and digits, not {symbol.name!r}")
        if len({login.user.upper() for login in self.logins}) != len(self.logins):
            raise ValueError("two logins have the same user")

    @property
    def name(self) -> str:
        return NAMES[self.number]

    @property
    def session(self) -> str:
        """Of feed and order gateway, ten characters."""
        return f"TJ{self.seed % 1_000_000:06d}{self.number:02d}"
