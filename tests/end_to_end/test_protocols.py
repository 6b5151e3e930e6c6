"""`trapjaw replay` of PITCH and DEEP 1.0 captures: rows against simple books and the oracle, and what --stats shows."""

import gzip
import random
from contextlib import nullcontext
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from hw.config import TINY
from sim import cli
from sim.flow import deep10, pitch
from sim.golden import iex_tp, pitch_unit
from sim.golden.ethernet import build_udp
from sim.readers.errors import BadInput
from sim.replay.bbo import venue_paths
from sim.replay.errors import ReplayError
from sim.replay.replay import Engine, Options, Report, replay
from tests.data import market_data
from tests.end_to_end.replays import LEAN
from tests.sim.readers.files import message, packet_frame, pcap

GROUP, PORT = 0xE9D12A01, 30_201
SECOND = 34_200


def run(*files: Path, **options) -> Report:
    return replay(Options(files, **{"engine": Engine.GOLDEN, **options}), lambda name, total: nullcontext(lambda count: None))


def capture(path: Path, payloads, **options) -> Path:
    path.write_bytes(pcap([build_udp(payload, destination_ip=GROUP, destination_port=PORT, **options) for payload in payloads]))
    return path


def pitch_day(seed: int, count: int, symbols=("A", "SPY", "ABCDEF")) -> tuple[list[bytes], list[str]]:
    """Messages of every kind, and the rows that they should give, by sorting all orders after every message."""
    rng = random.Random(seed)
    messages, rows = [pitch.time(SECOND)], []
    orders: dict[int, list] = {}  # name, side, price in cents, shares
    second = SECOND

    def row(number, offset, name, kind):
        best = []
        for side, choose in (("B", max), ("S", min)):
            mine = [order for order in orders.values() if order[:2] == [name, side]]
            price = choose((order[2] for order in mine), default=0)
            best += [price * 100, sum(order[3] for order in mine if order[2] == price)]
        rows.append(f"{number},{second * 10**9 + offset},{name},0x{kind:02x},{','.join(map(str, best))}\n")

    for order in range(1, count):
        offset = 1_000 * order % 10**9
        shares, price = rng.randint(1, 900), 10_000 + rng.randint(-12, 12)
        choice = rng.random()
        if choice < 0.05:
            second += 1
            messages.append(pitch.time(second))
            continue
        if choice < 0.1:
            messages.append(pitch.trade_short(offset, "B", 100, "SPY", 10_000, order))
            continue
        if choice < 0.15:
            messages.append(pitch.delete(offset, 10**9 + order))  # nobody's order: no row
            continue
        if choice < 0.5 or not orders:
            side, name = rng.choice("BS"), rng.choice(symbols)
            orders[order] = [name, side, price, shares]
            messages.append(rng.choice([
                pitch.add_long(offset, order, side, shares, name, price * 100), pitch.add_short(offset, order, side, shares, name, price),
                pitch.add_expanded(offset, order, side, shares, name, price * 100),
            ]))
        else:
            order = rng.choice(list(orders))
            name, _, _, left = orders[order]
            part = rng.randint(1, left)
            kind = rng.choice([pitch.executed, pitch.executed_at_price, pitch.reduce_long, pitch.reduce_short, pitch.modify_long,
                               pitch.modify_short, pitch.delete])
            if kind is pitch.executed:
                messages.append(kind(offset, order, part, 1))
            elif kind is pitch.executed_at_price:
                messages.append(kind(offset, order, part, left - part, 1, 12_345))
            elif kind in (pitch.modify_long, pitch.modify_short):
                messages.append(kind(offset, order, shares, price * (100 if kind is pitch.modify_long else 1)))
                orders[order][2:] = price, shares
                part = 0
            elif kind is pitch.delete:
                messages.append(kind(offset, order))
                part = left
            else:
                messages.append(kind(offset, order, part))
            orders[order][3] -= part
            if not orders[order][3]:
                del orders[order]
        row(len(messages) - 1, offset, name, messages[-1][1])
    return messages, rows


@pytest.mark.parametrize("seed", range(3))
def test_golden_engine_on_a_random_day_of_pitch(seed, tmp_path):
    messages, rows = pitch_day(seed, 1_500)
    report = run(capture(tmp_path / "day.pcap", pitch_unit.packets(7, 1, messages)), bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    header, *found = (tmp_path / "out.csv").read_text().splitlines(keepends=True)
    assert header == "msg_index,ts_ns,symbol,type,bid_px,bid_sz,ask_px,ask_sz\n"
    assert found == rows
    run(tmp_path / "day.pcap", symbols="SPY", protocol="pitch", bbo_out=tmp_path / "spy.csv")
    assert (tmp_path / "spy.csv").read_text().splitlines(keepends=True)[1:] == [row for row in rows if row.split(",")[2] == "SPY"]


def test_a_unit_clear_voids_the_result(tmp_path):
    messages = [pitch.time(SECOND), pitch.add_short(1, 1, "B", 100, "A", 1), pitch.unit_clear(2), pitch.add_short(3, 2, "B", 100, "A", 1)]
    report = run(capture(tmp_path / "day.pcap", pitch_unit.packets(7, 1, messages)), bbo_out=tmp_path / "out.csv")
    assert report.result.problems == ["venue 0: unit clear: the book is void"]
    assert not (tmp_path / "out.csv").exists()


def test_what_is_refused(tmp_path):
    day = capture(tmp_path / "day.pcap", pitch_unit.packets(7, 1, [pitch.time(1), pitch.add_short(1, 1, "X", 1, "A", 1)]))
    with pytest.raises(BadInput, match=r"offset 96: expected a message that can be, came side of a 0x22 message is b'X', not B or S"):
        run(day)
    with pytest.raises(BadInput, match="expected IEX-TP packets, came none in 1 frames"):
        run(day, protocol="deep10")
    (tmp_path / "day.itch50").write_bytes(b"\0\x0c" + message("S"))
    with pytest.raises(ReplayError, match="pitch is read from captures"):
        run(tmp_path / "day.itch50", protocol="pitch")


def stats(path: Path, *options: str) -> dict[str, str]:
    """What --stats prints, without its frame: the counts by their names."""
    app = typer.Typer()
    app.command()(cli.replay)
    result = CliRunner().invoke(app, [str(path), "--stats", "--engine", "golden", *options])
    assert result.exit_code == 0 or "not right" in result.stderr, result.stderr
    table = result.stdout[result.stdout.index(path.name):]
    cells = [line.strip("│ ").split("│") for line in table.splitlines() if "│" in line]
    return {name.strip(): value.strip() for name, value in cells}


def test_statistics_count_gaps_duplicates_and_drops(tmp_path):
    adds = [pitch.add_short(number, number, "B", 100, "A", 1) for number in range(1, 9)]
    payloads = [pitch_unit.pack_unit(7, 5, adds[:2]), pitch_unit.pack_unit(7, 6, adds[1:3]), pitch_unit.pack_unit(7, 0, []),
                pitch_unit.pack_unit(7, 11, [pitch.time(1), *adds[3:5]]), pitch_unit.pack_unit(7, 20, [])]
    frames = [build_udp(payload, destination_ip=GROUP, destination_port=PORT) for payload in payloads]
    bad = bytearray(build_udp(payloads[0], destination_ip=GROUP, destination_port=PORT))
    bad[-1] ^= 1
    arp = bytes(12) + b"\x08\x06" + bytes(46)
    path = tmp_path / "day.pcap"
    path.write_bytes(pcap([*frames, bytes(bad), arp, arp]))
    assert stats(path) == {
        "messages": "6", "0x22 add short": "5", "0x20 time": "1", "symbols with book activity": "1", "first sequence number": "5",
        "gaps": "2", "missing messages": "9", "duplicates": "1", "dropped frames": "3", "NOT_MATCHED": "2", "UDP_CHECKSUM": "1",
    }


def test_statistics_of_itch(tmp_path):
    path = tmp_path / "day.pcap"
    path.write_bytes(pcap([packet_frame(1, [message("S"), message("A"), message("A", reference=2)]), packet_frame(1, [message("S")])]))
    found = stats(path)
    assert (found["A"], found["S"], found["duplicates"], found["gaps"]) == ("2", "1", "1", "0")


@pytest.mark.parametrize(("name", "options", "expected"), [
    ("cboe/AddOrderShortMessage.pcap", ["--line", "2"], {"messages": "5", "0x22 add short": "4", "first sequence number": "47,690"}),
    ("cboe/ModifyOrderShortMessage.pcap", [], {"messages": "1", "0x28 modify short": "1", "symbols with book activity": "0"}),
    ("cboe/MultipleMessages.pcap", [], {"messages": "3", "0x22 add short": "2", "0x20 time": "1"}),
    ("cboe/bats_mcastpitch_realtime_useq.pcap", [], {"messages": "40", "gaps": "1", "missing messages": "2", "0x2a trade long": "2"}),
    ("cboe/bats_mcastpitch_grp_useq.pcap", [], {"messages": "4", "0x03 gap request": "1", "0x04 gap response": "1"}),
    ("cboe/bats_mcastpitch_spin_useq.pcap", [], {"messages": "12", "0x82 spin response": "2"}),
    ("iex/20231002_DEEP10_test.pcap.gz", [], {"messages": "48,325", "8 buy level": "1,526", "gaps": "0", "duplicates": "0"}),
])  # fmt: skip
def test_statistics_of_real_captures(name, options, expected):
    found = stats(market_data(name), *options)
    assert found.items() >= expected.items()


@pytest.mark.parametrize("day", ["Bx", "Nasdaq"])
def test_statistics_of_the_real_packets(day):
    """One type a capture, its name in the file's."""
    folder = market_data(f"packets/{day}.Equities.TotalView.Itch.v5.0.20230822")
    for path in sorted(folder.glob("*.pcap")):
        found = stats(path)
        assert int(found["messages"].replace(",", "")) >= 1
        assert found["gaps"] == "0"


def test_order_entry_is_refused_as_what_it_is():
    folder = market_data("packets/Nasdaq.Nsm.Ouch.v5.0")
    captures = sorted(folder.glob("*.pcap"))
    assert len(captures) == 6
    for path in captures:
        with pytest.raises(ReplayError, match=rf"{path.name} is a capture of order entry \(SoupBinTCP\), not of a feed"):
            run(path, stats=True)


def test_segments_of_iex(tmp_path):
    """Whatever its sessions' numbers, a capture of DEEP is known by its content."""
    messages = [deep10.system_event(1, "O"), deep10.trading_status(2, "SPY", "T"), deep10.level(3, "SPY", "B", 100, 10_000)]
    path = capture(tmp_path / "day.pcap", iex_tp.packets(77, 1, messages))
    assert stats(path, "--symbols", "SPY")["8 buy level"] == "1"


def test_the_iex_oracle(tmp_path):
    """All symbols, row for row; the oracle's time is in microseconds and it has no column for the type."""
    wanted = gzip.decompress(market_data("iex/20231002_DEEP10_test.bbo.csv.gz").read_bytes()).decode().splitlines()[1:]
    report = run(market_data("iex/20231002_DEEP10_test.pcap.gz"), bbo_out=tmp_path / "out.csv")
    assert not report.result.problems
    rows = [row.split(",") for row in (tmp_path / "out.csv").read_text().splitlines()[1:]]
    assert [",".join([index, str(int(time) // 1_000), name, *top]) for index, time, name, _, *top in rows] == wanted


def both_engines(*files: Path, out: Path, **options) -> Report:
    """The card's rows must be the golden engine's."""
    golden, card = (run(*files, engine=engine, bbo_out=out / f"{engine}.csv", **options) for engine in (Engine.GOLDEN, Engine.RTL))
    assert not golden.result.problems
    assert not card.result.problems
    for path in venue_paths(out / "golden.csv", len(files)):
        assert path.read_text() == path.with_name(path.name.replace("golden", "rtl")).read_text()
    return card


@pytest.mark.parametrize("smallest", [LEAN, pytest.param(TINY, marks=pytest.mark.slow)], ids=["lean", "tiny"])
def test_a_card_of_a_pitch_and_a_deep_venue(smallest, tmp_path, monkeypatch):
    """Compiled, with a protocol a port; then a unit clear, after which nothing may be trusted."""
    monkeypatch.setattr("sim.replay.replay.CARDS", {smallest.name: smallest})
    messages, rows = pitch_day(4, 220, symbols=("SYM1", "SYM2"))
    pitch_file = capture(tmp_path / "a.pcap", pitch_unit.packets(7, 1, messages, limit=300))
    rng = random.Random(5)
    levels = [
        deep10.level(at, rng.choice(("SYM1", "SYM2")), side := rng.choice("BS"), rng.choice((0, 100, 250)),
                     1_000_000 + 100 * rng.randint(1, 9) * (1 if side == "S" else -1), complete=rng.random() < 0.7)
        for at in range(1, 400)
    ]
    deep_file = capture(tmp_path / "b.pcap", iex_tp.packets(5, 1, levels, limit=300))
    report = both_engines(pitch_file, deep_file, out=tmp_path)
    assert report.card == f"{smallest.name}-pitch-deep10"
    assert (tmp_path / "rtl.venue0.csv").read_text().splitlines(keepends=True)[1:] == rows

    cleared = [*messages[:50], pitch.unit_clear(5), *messages[50:]]
    bad = capture(tmp_path / "bad.pcap", pitch_unit.packets(7, 1, cleared, limit=300))
    report = run(bad, deep_file, engine=Engine.RTL, bbo_out=tmp_path / "bad.csv")
    assert any("malformed messages" in problem for problem in report.result.problems)
    assert any("venue 0: stale" in problem for problem in report.result.problems)
    assert not list(tmp_path.glob("bad*.csv"))


@pytest.mark.slow
@pytest.mark.parametrize(("symbols", "card"), [("top:4", "tiny-deep10"), ("top:64", "alveo-deep10")])
def test_the_iex_oracle_through_the_card(symbols, card, tmp_path):
    """The busiest symbols, which have most of the day's rows."""
    report = both_engines(market_data("iex/20231002_DEEP10_test.pcap.gz"), out=tmp_path, symbols=symbols)
    assert report.card == card
    assert report.result.rows > 500
