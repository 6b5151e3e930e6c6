"""What an engine reports when it is done."""

from dataclasses import dataclass, field


@dataclass
class Result:
    """
    Attributes
    ----------
    rows : int
        Book messages of the chosen symbols.
    events : int
        Changes of the top of book that the engine told of.
    cycles : int
        Clock cycles of the card; 0 for an engine without a clock.
    seconds : float
        Time in the engine, without reading ahead and building.
    problems : list of str
        Why the result may not be trusted; empty when it is right.
    """

    rows: int = 0
    events: int = 0
    cycles: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)
