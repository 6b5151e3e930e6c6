"""Says which step of a long build is running, and for how long."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

console = Console(highlight=False)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Shows the step with its running time on a terminal; elsewhere a line when it begins. A line with the time when it ends."""
    begin = time.monotonic()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    if not console.is_terminal:
        console.print(f"{name} ...")
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        progress.add_task(name, total=None)
        yield
    console.print(f"{name}: {time.monotonic() - begin:.0f} s")
