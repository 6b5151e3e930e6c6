"""What is generated from the register map is what is committed, and agrees with the map."""

import shutil
import subprocess

import pytest

from host.card import registers as host
from hw.config import ALVEO, CARDS
from hw.host_interface import generate
from hw.host_interface.counter_table import COUNTERS
from hw.host_interface.event_records import EVENT_HEADER, EVENTS
from hw.host_interface.registers import REGISTERS


def test_generated_files_are_up_to_date():
    assert generate.out_of_date() == [], "run `python -m hw.host_interface.generate`"


def test_an_edited_file_is_noticed(tmp_path, monkeypatch, capsys):
    for name, text in generate.FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text())
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    assert generate.main(["--check"]) == 0
    changed = tmp_path / "docs/registers.md"
    changed.write_text(changed.read_text().replace("`0x0044`", "`0x0048`"))
    (tmp_path / "host/card/registers.py").unlink()
    assert generate.main(["--check"]) == 1
    complaints = capsys.readouterr().err.splitlines()
    assert [line.split()[0] for line in complaints] == ["host/card/registers.py", "docs/registers.md"]
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0


def test_the_host_knows_every_register_at_its_place():
    assert list(host.REGISTERS) == [register.name for register in REGISTERS]
    compared = 0
    for register in REGISTERS:
        known = host.REGISTERS[register.name]
        assert (known.access, known.bits, known.signed) == (register.access.value, register.bits, register.signed)
        assert [tuple(field) for field in known.fields] == [(field.name, field.lsb, field.width) for field in register.fields]
        for index, offset in register.elements(ALVEO):
            assert known.address(*index) == offset
            compared += 1
    assert compared > 250


def test_the_host_knows_every_counter_and_event_at_its_place():
    assert {c.name: (c.offset, c.venue_stride) for c in host.COUNTERS.values()} == {
        c.name: (c.offset(), c.offset(1) - c.offset() if c.per_venue else 0) for c in COUNTERS}
    assert [tuple(field) for field in host.EVENT_HEADER] == [(f.name, f.lsb, f.width) for f in EVENT_HEADER]
    assert {kind.name: [tuple(field) for field in fields] for kind, fields in host.EVENTS.items()} == {
        kind.name: [(f.name, f.lsb, f.width) for f in fields] for kind, fields in EVENTS.items()}


def test_the_host_knows_every_configuration():
    assert {name: (sizes.hash, sizes.venues, sizes.events) for name, sizes in host.CARDS.items()} == {
        name: (card.hash, card.venues, card.events) for name, card in CARDS.items()}


def test_the_c_header_says_the_same(tmp_path):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    claims = [f"TRAPJAW_MAGIC == {host.MAGIC:#x}u"]
    for register in REGISTERS:
        *_, (index, offset) = register.elements(ALVEO)
        call = f"({', '.join(map(str, index))})" if index else ""
        claims.append(f"TRAPJAW_REG_{register.name}{call} == {offset:#x}u")
        claims += [f"TRAPJAW_REG_{register.name}_{field.name.upper()}_LSB == {field.lsb}" for field in register.fields]
    claims += [f"TRAPJAW_COUNTER_{c.name}{'(1)' if c.per_venue else ''} == {c.offset(1 if c.per_venue else 0):#x}u" for c in COUNTERS]
    claims += [f"TRAPJAW_RECORD_{kind.name}_{f.name.upper()}_LSB == {f.lsb}" for kind, fields in EVENTS.items() for f in fields]
    source = tmp_path / "claims.c"
    source.write_text('#include "trapjaw_registers.h"\n' + "".join(f'_Static_assert({claim}, "{claim}");\n' for claim in claims))
    command = [compiler, "-std=c11", "-Wall", "-Werror", "-fsyntax-only", "-I", str(generate.ROOT / "host/card"), str(source)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert len(claims) > 150
