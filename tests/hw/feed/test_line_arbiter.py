"""LineArbiter: whatever the lines bring, every message passes once and in order, and what is missing is told once."""

import random
from collections import deque

import pytest

from hw.feed.line_arbiter import LineArbiter
from sim.golden.line_arbiter import LINE_A, LINE_B, RECOVERY, LineArbiterModel, LineFrame
from tests.hw.bench import made, simulate

SESSION = 0x3031323334353637_3839


def frame(first, count, *events):
    """A frame with events of these messages (all of them unless told), each with its number as reference."""
    numbers = events or range(first, first + count)
    return LineFrame(first, first + count, tuple((number, number ^ 0xABCD) for number in numbers if number >= 0))


NO_EVENTS = -1


class Line:
    """One line's frames on their way into the device: the frame shows, its events follow from the next cycle on, or come with it if it
    was told ahead."""

    def __init__(self, dut, line):
        self.frames, self.events = dut.frames[line], dut.events[line]
        self.coming, self.told = dut.coming[line] if line != RECOVERY else None, False
        self.held, self.rows = deque(), deque()

    def put(self, frame, cycle):
        self.held.append(frame)
        self.rows.extend((row, cycle + (not self.told)) for row in frame.events)

    def tell(self, ctx, frame):
        """After the inputs are set: the frame of the next cycle, if there is one and a place for it."""
        if self.coming is None:
            return
        self.told = frame is not None and (not self.held or len(self.held) == 1 and bool(ctx.get(self.frames.ready)))
        ctx.set(self.coming.valid, self.told)
        ctx.set(self.coming.payload, {"first": frame.first, "next": frame.next, "events": len(frame.events)} if self.told else {})

    def clear(self):
        self.held.clear()
        self.rows.clear()

    def drive(self, ctx, cycle):
        head = self.held[0] if self.held else None
        ctx.set(self.frames.valid, head is not None)
        ctx.set(self.frames.payload, {"first": head.first, "next": head.next, "events": len(head.events)} if head else {})
        here = bool(self.rows) and self.rows[0][1] <= cycle
        ctx.set(self.events.valid, here)
        sequence, value = self.rows[0][0] if here else (0, 0)
        ctx.set(self.events.payload, {"sequence": sequence, "reference": value})

    def take(self, ctx):
        """After the inputs are set: what the device takes in this cycle."""
        if ctx.get(self.events.ready) and ctx.get(self.events.valid):
            self.rows.popleft()
        if ctx.get(self.frames.ready) and ctx.get(self.frames.valid):
            self.held.popleft()
            return True
        return False


class Run:
    """The device with its lines, and the model that is asked the same.

    Frames reach the model in the cycle in which the device can see them; what the device does about holes, the model does too, unless
    the frames come so thick that a few cycles matter (``follow`` is false).
    """

    def __init__(self, arrivals, *, hole=20, recovery=50, expected=1, ready=lambda: True, restarts=(), cycles=None, follow=True,
                 ahead=False):
        self.events, self.wanted, self.gaps, self.log, self.expected = [], [], [], [], []
        self.times, self.follow = {}, follow
        self.model = LineArbiterModel(expected)
        arrivals = sorted(arrivals, key=lambda arrival: arrival[0])
        total = {"messages": 0, "duplicates": 0, "restored": 0}
        dut = made(LineArbiter)

        async def testbench(ctx):
            lines = [Line(dut, line) for line in range(3)]
            ctx.set(dut.hole_cycles, hole)
            ctx.set(dut.recovery_cycles, recovery)
            ctx.set(dut.session, SESSION)
            ctx.set(dut.sequence_in, expected)
            ctx.set(dut.restart, 1)
            await ctx.tick()
            waiting, again = deque(arrivals), deque(restarts)
            end = cycles or (arrivals[-1][0] if arrivals else 0) + 6 * (hole + recovery) + 3_000
            for cycle in range(end):
                restart = bool(again) and again[0][0] == cycle
                while waiting and waiting[0][0] == cycle:
                    _, line, item = waiting.popleft()
                    lines[line].put(item, cycle)
                    self.wanted += self.model.frame(line, *item)
                for line in lines:
                    line.drive(ctx, cycle)
                ctx.set(dut.output.ready, ready())
                ctx.set(dut.restart, restart)
                if restart:
                    ctx.set(dut.sequence_in, again[0][1])
                if ahead:
                    soon = {line: item for at, line, item in reversed(waiting) if at == cycle + 1}
                    for number, line in enumerate(lines):
                        line.tell(ctx, soon.get(number))
                self._look(ctx, dut, cycle, total)
                for line in lines:
                    line.take(ctx)
                if restart:
                    _, sequence = again.popleft()
                    for line in lines:
                        line.clear()
                    self.model.restart(sequence)
                    self.wanted = list(self.events)
                await ctx.tick()

        simulate(dut, testbench)
        self.total = total

    def _look(self, ctx, dut, cycle, total):
        if ctx.get(dut.output.valid):
            event = ctx.get(dut.output.payload)
            self.times.setdefault(event.sequence, cycle)
            if ctx.get(dut.output.ready):
                self.events.append((event.sequence, event.reference))
        if ctx.get(dut.gap.valid):
            gap = ctx.get(dut.gap.payload)
            assert gap.session == SESSION
            if self.follow:
                told = self.model.gap()
                assert told is not None, f"cycle {cycle}: a gap {gap.first}, {gap.count} that is none or was told"
                assert (gap.first, gap.count) == (told.first, told.count)
            self.gaps.append((gap.first, gap.count))
            self.log.append((cycle, "gap"))
        for name in ("gave_up", "recovered", "early"):
            if ctx.get(getattr(dut, name)):
                self.log.append((cycle, name))
        if ctx.get(dut.gave_up) and self.follow:
            assert self.model.hole
            self.wanted += self.model.give_up()
        if ctx.get(dut.recovered) and self.follow:
            assert self.model.recovered
        for name in total:
            total[name] += ctx.get(getattr(dut, name))
        self.expected.append(ctx.get(dut.expected))

    def check(self):
        assert self.events == self.wanted
        assert self.expected[-1] == self.model.expected
        assert self.total == {name: self.model.counts[name.upper()] for name in self.total}
        assert sum(what == "early" for _, what in self.log) == self.model.counts["EARLY"]
        assert [number for number, _ in self.events] == sorted({number for number, _ in self.events})
        return self

    def when(self, what):
        return [cycle for cycle, name in self.log if name == what]


def test_latency():
    """The frame shows in cycle 5, its event in cycle 6; it is at the output ``LATENCY`` cycles later."""
    run = Run([(5, LINE_A, frame(1, 1)), (40, LINE_B, frame(2, 3)), (60, RECOVERY, frame(5, 1))]).check()
    assert [run.times[number] for number in (1, 2, 3, 4, 5)] == [6 + LineArbiter.LATENCY, 42, 43, 44, 62]


def test_a_frame_told_ahead_brings_its_events_with_it():
    """Frames in cycles 5, 40 and 60; that of the recovery line can't be told."""
    run = Run([(5, LINE_A, frame(1, 1)), (40, LINE_B, frame(2, 3)), (60, RECOVERY, frame(5, 1))], ahead=True).check()
    assert [run.times[number] for number in (1, 2, 3, 4, 5)] == [5 + LineArbiter.LATENCY, 41, 42, 43, 62]


def test_a_frame_told_ahead_is_early_or_old_as_any_other():
    run = Run([
        (5, LINE_A, frame(4, 2)), (9, LINE_B, frame(1, 3)), (20, LINE_B, frame(1, 5)), (30, LINE_A, frame(5, 3)), (40, LINE_B, frame(8, 2)),
    ], ahead=True).check()
    assert [number for number, _ in run.events] == list(range(1, 10))
    assert not run.log


def test_the_first_copy_wins_whichever_line_brings_it():
    arrivals = []
    for number in range(1, 60):
        lead, lag = random.Random(number).choice([(LINE_A, LINE_B), (LINE_B, LINE_A)])
        arrivals += [(20 * number, lead, frame(number, 1)), (20 * number + 7, lag, frame(number, 1))]
    run = Run(arrivals).check()
    assert [number for number, _ in run.events] == list(range(1, 60))
    assert run.total == {"messages": 59, "duplicates": 59, "restored": 0}


def test_lines_may_cut_the_messages_differently():
    run = Run([
        (5, LINE_A, frame(1, 4)), (5, LINE_B, frame(1, 2)), (20, LINE_B, frame(3, 6)), (21, LINE_A, frame(5, 2)), (60, LINE_A, frame(7, 9)),
    ]).check()
    assert [number for number, _ in run.events] == list(range(1, 16))
    assert not run.log


def test_both_at_once_without_a_pause():
    """Frames of both lines in every other cycle, in step."""
    arrivals = [(5 + 4 * number, line, frame(1 + 2 * number, 2)) for number in range(50) for line in (LINE_A, LINE_B)]
    run = Run(arrivals).check()
    assert [number for number, _ in run.events] == list(range(1, 101))


@pytest.mark.parametrize("events", [(), (NO_EVENTS,)], ids=["an event each", "no events"])
def test_shortest_frames_at_line_rate(events):
    """Seven words are the shortest frame of any protocol: two lines of them leave nothing waiting."""
    arrivals = [(5 + 7 * number, line, frame(1 + number, 1, *events)) for number in range(100) for line in (LINE_A, LINE_B)]
    arrivals.append((5 + 7 * 100, LINE_B, frame(101, 1)))
    run = Run(arrivals).check()
    assert run.times[101] <= 5 + 7 * 100 + 8


def test_what_one_line_lost_comes_from_the_other():
    arrivals = [(5, LINE_A, frame(1, 1)), (10, LINE_A, frame(3, 1)), (15, LINE_A, frame(4, 1)), (24, LINE_B, frame(1, 2)),
                (26, LINE_B, frame(3, 2))]  # fmt: skip
    run = Run(arrivals, hole=20).check()
    assert [number for number, _ in run.events] == [1, 2, 3, 4]
    assert not run.log


@pytest.mark.parametrize("hole", [0, 1, 10, 100])
def test_a_hole_becomes_a_gap_after_its_time(hole):
    arrivals = [(5, LINE_A, frame(1, 1)), (10, LINE_A, frame(3, 2)), (12, LINE_B, frame(4, 1))]
    run = Run(arrivals, hole=hole, recovery=1_000, cycles=500).check()
    assert run.gaps == [(2, 1)]
    (cycle,) = run.when("gap")
    assert hole <= cycle - 10 <= hole + 10
    assert [number for number, _ in run.events] == [1], "live frames wait"


def test_a_gap_that_recovery_fills():
    """Frames that run ahead of the recovery are thrown away, and those that fill it in pieces are not told as another gap."""
    run = Run([
        (5, LINE_A, frame(1, 1)), (6, LINE_B, frame(1, 1)), (10, LINE_A, frame(5, 2)), (12, LINE_B, frame(6, 1)), (13, LINE_A, frame(7, 1)),
        (60, RECOVERY, frame(3, 1)), (100, RECOVERY, frame(2, 2)), (140, RECOVERY, frame(4, 1)),
    ], hole=20, recovery=200).check()  # fmt: skip
    assert run.gaps == [(2, 3)]
    assert [number for number, _ in run.events] == [1, 2, 3, 4, 5, 6, 7]
    assert run.total["restored"] == 3
    assert [what for _, what in run.log] == ["gap", "early", "recovered"]
    assert run.when("recovered")[0] > run.times[7]


def test_a_gap_that_nobody_fills_is_given_up():
    run = Run([(5, LINE_A, frame(3, 1)), (6, LINE_B, frame(9, 1)), (7, LINE_A, frame(4, 1))], hole=20, recovery=100).check()
    assert run.gaps == [(1, 2), (5, 4)]
    assert [what for _, what in run.log] == ["gap", "gave_up", "gap", "gave_up", "recovered"]
    first, second = run.when("gave_up")
    assert 100 <= first - run.when("gap")[0] <= 110
    assert [number for number, _ in run.events] == [3, 4, 9]


@pytest.mark.parametrize(("first", "count"), [(7, 1), (7, 0), (1, 1), (3, 0)], ids=["ahead", "heartbeat ahead", "old", "heartbeat"])
def test_a_flood_beside_the_hole_does_not_keep_it_open(first, count):
    """More frames on the recovery line than a wire holds, none of which brings what is missing."""
    flood = [(5 + 5 * number, RECOVERY, frame(first, count)) for number in range(170)]
    run = Run([(5, LINE_A, frame(1, 2)), (50, LINE_A, frame(9, 1)), (60, LINE_B, frame(5, 1)), *flood], hole=100, recovery=200, cycles=900,
              follow=False)  # fmt: skip
    assert run.gaps == [(3, 2), (6, 3)]
    times = [run.when("gap")[0] - 50, run.when("gave_up")[0] - run.when("gap")[0], run.when("gap")[1] - run.when("gave_up")[0]]
    assert all(limit <= time <= limit + 30 for time, limit in zip(times, (100, 200, 100), strict=True)), times
    assert [number for number, _ in run.events][:3] == [1, 2, 5]


def test_without_patience_a_gap_is_passed_at_once():
    run = Run([(5, LINE_A, frame(3, 1)), (20, LINE_A, frame(4, 1))], hole=0, recovery=0).check()
    assert run.gaps == [(1, 2)]
    assert run.times[3] <= 5 + 20
    assert [what for _, what in run.log] == ["gap", "gave_up", "recovered"]


def test_a_heartbeat_reveals_what_is_missing():
    run = Run([(5, LINE_A, frame(1, 1)), (10, LINE_A, frame(4, 0)), (90, RECOVERY, frame(2, 2))], hole=20, recovery=100).check()
    assert run.gaps == [(2, 2)]
    assert run.when("recovered")


def test_messages_that_are_no_events_count_too():
    run = Run([(5, LINE_A, frame(1, 9, NO_EVENTS)), (6, LINE_B, frame(1, 12, 3, 11)), (40, LINE_A, frame(13, 1))]).check()
    assert [number for number, _ in run.events] == [11, 13]
    assert run.total == {"messages": 13, "duplicates": 9, "restored": 0}


def test_unsequenced_packets_are_nobodys():
    run = Run([(5, LINE_A, frame(0, 0)), (9, LINE_A, frame(1, 1)), (30, LINE_B, frame(0, 0))]).check()
    assert run.total == {"messages": 1, "duplicates": 0, "restored": 0}
    assert not run.log


def test_a_restart_throws_away_what_waits():
    run = Run([(5, LINE_A, frame(3, 40)), (6, LINE_B, frame(9, 1)), (60, LINE_A, frame(10, 2)), (70, LINE_B, frame(8, 3))],
              hole=10, recovery=1_000, ready=lambda: False, restarts=[(50, 8)], cycles=300)  # fmt: skip
    assert run.expected[49:52] == [1, 1, 8]
    assert run.when("gap")
    assert not run.when("gave_up")
    assert not run.when("recovered")


def stream(rng, first, count, lose):
    """Frames of a line: all messages in order, cut anywhere, some frames lost and some sent again."""
    at, frames, last = first, [], first + count
    while at < last:
        size = min(rng.choice([0, 1, 1, 2, 3, 8, 20]), last - at)
        item = frame(at, size)
        if rng.random() >= lose:
            frames.append(item)
        if rng.random() < 0.05 and frames:
            frames.append(rng.choice(frames[-3:]))
        at += size
    return frames


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 20))])
def test_random_lines(seed):
    rng = random.Random(seed)
    base = rng.choice([1, 1 << 40, (1 << 64) - 100_000])
    arrivals, events = [], {number: rng.random() < 0.8 for number in range(base, base + 600)}
    for line, lose in ((LINE_A, 0.1), (LINE_B, 0.1), (RECOVERY, 0.5)):
        cycle = rng.randrange(10) if line != RECOVERY else 60
        for item in stream(rng, base, 600, lose):
            shown = tuple((number, number ^ 0xABCD) for number in range(item.first, item.next) if events[number])
            arrivals.append((cycle, line, item._replace(events=shown)))
            cycle += rng.choice([1, 2, 5, 20, 20, 40])
    fast = seed % 2 == 0
    run = Run(arrivals, hole=rng.choice([0, 30]), recovery=rng.choice([0, 100]), expected=base,
              ready=lambda: fast or rng.random() < 0.6, follow=False, ahead=seed % 4 > 1)  # fmt: skip
    check_random(run, events, base)


def check_random(run, events, base):
    """Timing decides which frames a gap overtakes, so that here the promises count: nothing twice, nothing invented, losses told."""
    numbers = [number for number, _ in run.events]
    assert numbers == sorted(set(numbers))
    assert all(value == number ^ 0xABCD for number, value in run.events)
    end = run.expected[-1]
    missed = [number for number in range(base, end) if events.get(number) and number not in set(numbers)]
    told = [(first, first + count) for first, count in run.gaps]
    assert all(any(first <= number < last for first, last in told) for number in missed)
    assert run.total["messages"] + sum(last - first for first, last in told) >= end - base
    assert len(numbers) > 300


@pytest.mark.parametrize("lines", [0, 1, 6])
def test_a_wrong_number_of_lines_is_refused(lines):
    with pytest.raises(ValueError, match="lines must be 2 to 5"):
        LineArbiter(lines)
