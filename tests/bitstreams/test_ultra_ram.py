"""The data-centre card's memories on UltraScale+: the order store and the table of far levels in UltraRAM, the others in block RAM."""

import re
from math import ceil

import pytest
from amaranth.hdl import Shape

from bitstreams.flow import cells, synthesise
from hw.book.book import Book
from hw.book.far_levels import LEAF, FarLevels
from hw.book.near_levels import Level, NearLevels, Totals, level_change
from hw.book.order_store import OrderStore, order_layout, region_bits
from hw.book.winner_tree import RADIX, WinnerTree
from hw.config import ALVEO, CARDS
from hw.export import compact_rtlil
from hw.lib.exclusive_memory import ExclusiveMemory
from hw.lib.hash_table import BANKS
from hw.types import Rank, TopOfBook

ULTRA_ROWS, ULTRA_WIDTH = 4096, 72
"""Of one URAM288."""
BLOCK_BYTES = 4096
"""Of one RAMB36E2, nine bits each."""
VU13P = {"URAM288": 1280, "RAMB36E2": 2688, "LUT": 1_728_000}
"""What the largest chip of the family has: that of the Alveo U250."""


def ultra_rams(rows: int, ways: int, entry: int) -> int:
    """UltraRAMs of a memory that writes one of the ``ways`` entries of a row: in bytes of eight bits or of nine, whichever take fewer."""
    return min(ceil(rows * ways * ceil(entry / byte) / (ULTRA_ROWS * (ULTRA_WIDTH // byte))) for byte in (8, 9))


def store_rams() -> int:
    entry = 1 + 64 + order_layout(ALVEO).size
    return BANKS * ultra_rams(ALVEO.orders // (BANKS * ALVEO.order_ways), ALVEO.order_ways, entry)


def far_blocks() -> int:
    """Of the tables and the trees; at most: what nobody reads of a winner is left out."""
    entry = 1 + region_bits(ALVEO) + Shape.cast(Rank).width + Totals.size
    rows = ALVEO.level_tables * ALVEO.levels // (BANKS * RADIX)
    tree = WinnerTree(leaves=ALVEO.levels // LEAF, regions=2 * ALVEO.symbols)
    memories = (*BANKS * [(rows, entry)], (tree.depth, tree.entry.size))
    return sum(ceil(depth * RADIX * ceil(bits / 9) / BLOCK_BYTES) for depth, bits in memories)


def synthesised(component) -> tuple[dict[str, int], dict[str, int]]:
    """Cells by type, and by kind."""
    found = cells(synthesise(compact_rtlil(component, "top"), family="xcup"))
    kinds = {
        "LUT": sum(count for cell, count in found.items() if re.fullmatch(r"LUT\d|INV", cell)),
        "FF": sum(count for cell, count in found.items() if cell.startswith("FD")),
        "LUT RAM": sum(count for cell, count in found.items() if re.match(r"RAM\d|SRL", cell)),
        "block RAM": found["RAMB36E2"] + found["RAMB18E2"] / 2,
    }
    print(f"{type(component).__name__}: {kinds}, {dict(sorted(found.items()))}")
    return found, kinds


def asking(component) -> list[str]:
    """Memories that ask for UltraRAM, by name."""
    memory = r'((?:  attribute .*\n)+)  memory .* \\(\S+)\n'
    return [name for attributes, name in re.findall(memory, compact_rtlil(component, "top")) if r'\ram_style "ultra"' in attributes]


def test_a_million_orders_at_a_venue():
    assert ALVEO.orders >= 1_048_576


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.name)
def test_only_the_largest_memories_ask_for_ultra_ram(card):
    assert asking(Book(card, 0)) == (["bank0", "bank1"] if card is ALVEO else [])


def test_what_the_owner_says_wins():
    assert ExclusiveMemory(shape=72, depth=1 << 20).attrs["ram_style"] == "ultra"
    assert "ram_style" not in ExclusiveMemory(shape=72, depth=1 << 10).attrs
    assert ExclusiveMemory(shape=72, depth=1 << 20, attrs={"ram_style": "block"}).attrs["ram_style"] == "block"


@pytest.mark.slow
def test_order_store_is_ultra_ram():
    store = OrderStore(ALVEO)
    found, kinds = synthesised(store)
    assert found["URAM288"] == store_rams()
    assert kinds["LUT RAM"] == kinds["block RAM"] == 0
    row = BANKS * ALVEO.order_ways * store.table.entry_shape.size
    compared, under_way = BANKS * ALVEO.order_ways * 64 // 2, 64 + store.table.place_bits + store.layout.size
    assert kinds["FF"] < row + row // BANKS + compared + 3 * under_way, \
        "registered once are the rows that were read, the set that is kept, and what was compared; three operations are under way"
    assert kinds["LUT"] < 24 * row, "the rows of 32 UltraRAMs are chosen from, at some 13 LUTs a bit"


@pytest.mark.slow
def test_far_levels_are_block_ram():
    levels = FarLevels(ALVEO)
    found, kinds = synthesised(levels)
    assert found["URAM288"] == 0
    assert far_blocks() // 2 < kinds["block RAM"] <= far_blocks()
    assert kinds["LUT RAM"] == ceil(level_change(ALVEO).size / 14), "the queue of changes: 14 bits of 32 rows in each"
    assert levels.DEPTH == 32
    row = BANKS * RADIX * levels.table.entry_shape.size
    assert kinds["FF"] < 4 * row
    assert kinds["LUT"] < 16 * row


@pytest.mark.slow
def test_books_of_all_venues_fit_the_largest_chip():
    """UltraRAM, block RAM, and LUTs for the near levels, which are read in the cycle in which they are asked for, for two queues and for
    the levels that are told."""
    found, kinds = synthesised(Book(ALVEO, 0))
    assert found["URAM288"] == store_rams()
    assert far_blocks() // 2 < kinds["block RAM"] <= far_blocks()
    levels = (NearLevels.LEVELS + 1) * ceil(2 * ALVEO.symbols / 64) * ceil(Level.size / 7)  # the first cell is read for both sides
    assert found["RAM64M8"] == levels, "seven bits of 64 rows in each"
    queues = sum(ceil(width / 14) for width in (level_change(ALVEO).size, Shape.cast(TopOfBook).width, Level.size))
    assert kinds["LUT RAM"] == levels + queues
    used = {"URAM288": found["URAM288"], "RAMB36E2": kinds["block RAM"], "LUT": kinds["LUT"] + 8 * kinds["LUT RAM"]}
    assert all(ALVEO.venues * count <= VU13P[cell] for cell, count in used.items())
