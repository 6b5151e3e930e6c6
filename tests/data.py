"""Where the market data lies that tests may use, and does not belong to the repository."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def market_data(name: str) -> Path:
    """Path of a file of the data collection; skips the test where it is not there."""
    folders = [Path(os.environ["TRAPJAW_DATA"])] if "TRAPJAW_DATA" in os.environ else []
    folders.append(ROOT.parent / "shared" / "data")
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    pytest.skip(f"market data {name} is neither in $TRAPJAW_DATA nor in ../shared/data")
