"""Writes what follows from the register map: the host's tables, the C header and the documentation.

    python -m hw.host_interface.generate            writes the files
    python -m hw.host_interface.generate --check    says which ones are out of date, exit status 1 if any is
"""

import argparse
import inspect
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from hw.config import CARDS
from hw.host_interface import registers
from hw.host_interface.counter_table import COUNTER_VENUE_STRIDE, COUNTERS, Counter
from hw.host_interface.event_records import EVENT_HEADER, EVENTS, EventKind
from hw.host_interface.map_types import Field, Register, member_docs
from hw.host_interface.registers import REGISTERS
from hw.reasons import AnswerKind, DownReason, DropReason, Fate, LimitRefusal, RejectReason, StaleReason

ROOT = Path(__file__).resolve().parent.parent.parent

CONSTANTS = ("MAGIC", "VERSION_MAJOR", "VERSION_MINOR", "BAR_SIZE", "REGISTERS_SIZE", "RING_OFFSET", "RECORD_BYTES")
SIZES = ("venues", "symbols", "orders", "levels", "backlog", "events", "clock_hz", "price_bits")
ENUMERATIONS = {
    EventKind: "EVENT", DropReason: "DROP", RejectReason: "REJECT", StaleReason: "STALE", LimitRefusal: "LIMIT", AnswerKind: "ANSWER",
    DownReason: "DOWN", Fate: "FATE"}
"""Enumerations that the host needs, with their prefix in the C header."""

SECTIONS = (
    ("Identity", registers.IDENTITY), ("Control", registers.CONTROL), ("Risk limits", registers.RISK),
    ("Arbitrage", registers.ARBITRAGE), ("Positions, replies and orders of the host", registers.ORDERS),
    ("Orders for a book", registers.RESTORATION), ("Signals", registers.SIGNALS),
    ("Venues", registers.VENUES), ("Quoter and trigger", registers.STRATEGIES), ("Clock and latencies", registers.TELEMETRY),
    ("Symbols", registers.SYMBOLS), ("Order sessions", registers.SESSIONS),
)
SOURCE = "hw/host_interface/registers.py"
NOTICE = f"Generated from {SOURCE} by `python -m hw.host_interface.generate`; do not edit."


def constant(name: str) -> str:
    value = getattr(registers, name)
    return f"{value:#x}" if value > 255 else str(value)


# --- host/card/registers.py ---------------------------------------------------------------------------------------------------------


def host_fields(fields: tuple[Field, ...], indent: str) -> list[str]:
    """As many of them in a line as fit."""
    entries = [f'Field("{field.name}", {field.lsb}, {field.width}),'.replace(" ", "\0") for field in fields]
    lines = textwrap.wrap(" ".join(entries), 140, initial_indent=indent, subsequent_indent=indent, break_long_words=False)
    return [line.replace("\0", " ") for line in lines]


def host_register(register: Register) -> list[str]:
    arguments = [f'"{register.name}"', f"{register.offset:#06x}", f'"{register.access.value}"']
    if register.bits != 32:
        arguments.append(f"bits={register.bits}")
    if register.signed:
        arguments.append("signed=True")
    if register.dimensions:
        dimensions = "".join(f'Dimension("{d.name}", {d.maximum}, {d.stride:#x}), ' for d in register.dimensions)
        arguments.append(f"dimensions=({dimensions.rstrip()})")
    line = f"    Register({', '.join(arguments)}"
    if register.fields:
        return [f"{line}, fields=(", *host_fields(register.fields, " " * 8), "    )),"]
    return [f"{line}),"]


def host_tables() -> str:
    lines = [
        '"""The register map as the host knows it.', "", NOTICE, '"""', "",
        "from enum import IntEnum", "",
        "from host.card.definition import CardSizes, Counter, Dimension, Field, Register", "",
        *(f"{name} = {constant(name)}" for name in CONSTANTS), "", "",
    ]
    for enumeration in ENUMERATIONS:
        lines += [f"class {enumeration.__name__}(IntEnum):", *(f"    {member.name} = {member.value}" for member in enumeration), "", ""]
    lines += ["_REGISTERS = (", *(line for register in REGISTERS for line in host_register(register)), ")", ""]
    lines += ["REGISTERS: dict[str, Register] = {register.name: register for register in _REGISTERS}", '"""Every register by name."""', ""]
    lines += ["_COUNTERS = ("]
    for counter in COUNTERS:
        stride = COUNTER_VENUE_STRIDE if counter.per_venue else 0
        lines.append(f'    Counter("{counter.name}", {counter.offset():#06x}, {stride}),')
    lines += [")", "", "COUNTERS: dict[str, Counter] = {counter.name: counter for counter in _COUNTERS}"]
    lines += ['"""Every counter by name."""', ""]
    lines += ["EVENT_HEADER = (", *host_fields(EVENT_HEADER, "    "), ")", '"""Fields that every event record has."""', ""]
    lines += ["EVENTS: dict[EventKind, tuple[Field, ...]] = {"]
    for kind, fields in EVENTS.items():
        lines += [f"    EventKind.{kind.name}: (", *host_fields(fields, " " * 8), "    ),"]
    lines += ["}", '"""Fields of each kind of event record, beside the header\'s."""', ""]
    lines += ["CARDS: dict[str, CardSizes] = {"]
    for card in CARDS.values():
        sizes = ", ".join(f"{name}={getattr(card, name)}" for name in SIZES)
        lines += [f'    "{card.name}": CardSizes(', f"        {card.hash:#018x}, {sizes},", "    ),"]
    lines += ["}", '"""The named configurations."""']
    return "\n".join(lines) + "\n"


# --- host/card/trapjaw_registers.h --------------------------------------------------------------------------------------------------


def c_parameters(register: Register) -> tuple[str, str]:
    """Parameter list and offset expression of a register's macro."""
    if not register.dimensions:
        return "", f"{register.offset:#06x}u"
    names = ", ".join(d.name for d in register.dimensions)
    return f"({names})", " + ".join([f"({register.offset:#06x}u", *(f"{d.stride:#x}u * ({d.name})" for d in register.dimensions)]) + ")"


def c_field(prefix: str, field: Field) -> list[str]:
    name = f"TRAPJAW_{prefix}_{field.name.upper()}"
    return [f"#define {name}_LSB {field.lsb}", f"#define {name}_WIDTH {field.width}"]


def c_header() -> str:
    lines = [
        f"/* The register map of the card. {NOTICE}", " *",
        " * An access is one aligned 32-bit load or store. A register of more than 32 bits takes two words: low first, then high.", " */",
        "#ifndef TRAPJAW_REGISTERS_H", "#define TRAPJAW_REGISTERS_H", "",
        *(f"#define TRAPJAW_{name} {constant(name)}u" for name in CONSTANTS), "",
    ]
    for enumeration, prefix in ENUMERATIONS.items():
        lines.append(f"/* {enumeration.__name__} */")
        lines += [f"#define TRAPJAW_{prefix}_{member.name} {member.value}" for member in enumeration]
        lines.append("")
    for title, section in SECTIONS:
        lines.append(f"/* {title} */")
        for register in section:
            parameters, expression = c_parameters(register)
            lines.append(f"#define TRAPJAW_REG_{register.name}{parameters} {expression}")
            for field in register.fields:
                lines += c_field(f"REG_{register.name}", field)
        lines.append("")
    lines.append("/* Counters: 64 bit, low word first */")
    for counter in COUNTERS:
        if counter.per_venue:
            expression = f"(venue) ({counter.offset():#06x}u + {COUNTER_VENUE_STRIDE:#x}u * (venue))"
        else:
            expression = f" {counter.offset():#06x}u"
        lines.append(f"#define TRAPJAW_COUNTER_{counter.name}{expression}")
    lines += ["", "/* Event records: bit 0 of word 0 is LSB 0 */"]
    for field in EVENT_HEADER:
        lines += c_field("RECORD", field)
    for kind, fields in EVENTS.items():
        for field in fields:
            lines += c_field(f"RECORD_{kind.name}", field)
    lines += ["", "#endif"]
    return "\n".join(lines) + "\n"


# --- docs/registers.md --------------------------------------------------------------------------------------------------------------


def offset_text(register: Register) -> str:
    return " ".join([f"`{register.offset:#06x}`", *(f"+ `{d.stride:#x}`·{d.name}" for d in register.dimensions)])


def register_rows(register: Register) -> list[str]:
    width = f"{register.bits}{' signed' if register.signed else ''}"
    rows = [f"| {offset_text(register)} | `{register.name}` | {register.access.value} | {width} | {register.doc} |"]
    for field in register.fields:
        rows.append(f"| | ↳ `{field.name}` | | {bit_text(field.lsb, field.width)} | {field.doc} |")
    return rows


def bit_text(lsb: int, width: int) -> str:
    return f"bit {lsb}" if width == 1 else f"bits {lsb + width - 1}:{lsb}"


def record_row(field: Field) -> str:
    first, bit = divmod(field.lsb, 32)
    last = (field.lsb + field.width - 1) // 32
    place = f"word {first}, {bit_text(bit, field.width)}" if first == last else f"words {first} and {last}"
    return f"| {place} | `{field.name}` | {field.width} | {field.doc} |"


def counter_row(counter: Counter) -> str:
    place = f"`{counter.offset():#06x}`" + (f" + `{COUNTER_VENUE_STRIDE:#x}`·venue" if counter.per_venue else "")
    return f"| {place} | `{counter.name}` | {counter.doc} |"


def table(*columns: str) -> list[str]:
    return ["", f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]


def documentation() -> str:
    rules = inspect.getdoc(registers).split("Rules of the map, for every register:")[1].strip("\n")
    lines = [
        "# Register map", "", NOTICE, "",
        f"Version {registers.VERSION_MAJOR}.{registers.VERSION_MINOR}. The window is {registers.BAR_SIZE >> 20} MiB: "
        f"registers from 0, the event ring from `{registers.RING_OFFSET:#x}`.", "",
        "Rules, for every register:", "", rules, "",
    ]
    for title, section in SECTIONS:
        lines += [f"## {title}", *table("offset", "register", "access", "bits", "meaning")]
        lines += [row for register in section for row in register_rows(register)]
        lines.append("")
    lines += [
        "## Counters", "",
        "64 bit each, counting since reset, low word first. A counter shows an event within a few hundred cycles of it.",
        *table("offset", "counter", "counts"), *(counter_row(counter) for counter in COUNTERS), "",
        "## Event records", "",
        f"{registers.RECORD_BYTES} bytes each; record i lies at `{registers.RING_OFFSET:#x}` + "
        f"{registers.RECORD_BYTES}·(i mod `CONFIG_EVENTS`). "
        "The host reads those from `EVENT_READ_INDEX` up to `EVENT_WRITE_INDEX`, then moves `EVENT_READ_INDEX`.",
        "", "Every record has:", *table("where", "field", "bits", "meaning"), *(record_row(field) for field in EVENT_HEADER), "",
    ]
    for kind, fields in EVENTS.items():
        lines += [f"### {kind.name} ({kind.value})", "", member_docs(EventKind)[kind.name]]
        lines += [*table("where", "field", "bits", "meaning"), *(record_row(field) for field in fields), ""]
    lines.append("## Enumerations")
    for enumeration in ENUMERATIONS:
        docs = member_docs(enumeration)
        lines += ["", f"### {enumeration.__name__}", *table("value", "name", "meaning")]
        lines += [f"| {member.value} | `{member.name}` | {docs.get(member.name, '')} |" for member in enumeration]
    return "\n".join(lines) + "\n"


FILES: dict[str, Callable[[], str]] = {
    "host/card/registers.py": host_tables,
    "host/card/trapjaw_registers.h": c_header,
    "docs/registers.md": documentation,
}


def out_of_date() -> list[str]:
    """Names of the generated files that do not have what the definition says."""
    return [name for name, text in FILES.items() if not (ROOT / name).exists() or (ROOT / name).read_text() != text()]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m hw.host_interface.generate", description="Write what follows from the register map.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 if a file is out of date")
    options = parser.parse_args(arguments)
    stale = out_of_date()
    if options.check:
        for name in stale:
            print(f"{name} is not what {SOURCE} says: run `python -m hw.host_interface.generate`", file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (ROOT / name).write_text(FILES[name]())
        print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
