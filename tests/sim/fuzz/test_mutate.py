"""The fuzz campaign's frames: every rule and every fate comes, and the same seed gives the same frames."""

from collections import Counter

import pytest

from hw.reasons import DropReason
from sim.flow import deep10 as deep
from sim.flow import pitch
from sim.fuzz.dialect import DIALECTS
from sim.fuzz.judge import Fate, Judge, Judgement
from sim.fuzz.mutate import Address, Mutated, Mutator
from sim.golden.ethernet import build_udp, with_tag
from sim.golden.moldudp64 import pack_end_of_session

ADDRESS = Address(0xE9360C6F, 26_477)


def speaker(protocol):
    return DIALECTS[protocol](0, 2)


def frame_of(packet, *, error=False):
    return Mutated(build_udp(packet, destination_ip=ADDRESS.ip, destination_port=ADDRESS.port), error, "by hand")


def judged(protocol, packet, **options):
    return Judge(protocol, speaker(protocol)).judge(frame_of(packet, **options), [ADDRESS], 7)


@pytest.mark.parametrize("protocol", DIALECTS)
def test_every_rule_and_every_fate_comes(protocol):
    mutator, judge = Mutator(5, ADDRESS, speaker(protocol)), Judge(protocol, speaker(protocol))
    frames = [mutator.frame(7) for _ in range(4_000)]
    judgements = [judge.judge(frame, [ADDRESS], 7) for frame in frames]
    rules = Counter(frame.how for frame in frames)
    assert len(rules) == 1 + len({rule.__name__ for rule in mutator.rules}) == 17
    assert min(rules.values()) > 20
    fates = Counter(judgement.fate for judgement in judgements)
    assert min(fates[fate] for fate in Fate) > 30
    dropped = {judgement.reason for judgement in judgements if judgement.fate is Fate.DROPPED}
    assert dropped == set(DropReason) - {DropReason.NONE, DropReason.SESSION, DropReason.OVERFLOW}
    assert all(judgement.fate is Fate.TAKEN for frame, judgement in zip(frames, judgements, strict=True)
               if frame.how == "good" and not frame.error)
    assert sum(judgement.events for judgement in judgements if judgement.fate is Fate.TAKEN) > 1_000


@pytest.mark.parametrize("protocol", DIALECTS)
def test_same_seed_same_frames(protocol):
    def frames(seed):
        dialect = speaker(protocol)
        mutator = Mutator(seed, ADDRESS, dialect, [dialect.message(Mutator(0, ADDRESS, dialect).chance)])
        return [mutator.frame(number) for number in range(300)]

    assert frames(1) == frames(1)
    assert frames(1) != frames(2)


@pytest.mark.parametrize("protocol", DIALECTS)
def test_a_new_order_is_an_event_of_the_first_symbol(protocol):
    dialect = speaker(protocol)
    chance = Mutator(0, ADDRESS, dialect).chance
    for side in "BS":
        judge = Judge(protocol, dialect)
        change = judge.feed.decode(dialect.new_order(chance, side, 1_234_500))
        assert judge.feed.slot(change, {dialect.locates[0]: 0}, {dialect.names[0]: 0}) == 0
        assert (change.event.side, change.event.price) == ("BS".index(side), 1_234_500)


def test_fates_by_hand():
    dialect = speaker("itch50")
    chance = Mutator(0, ADDRESS, dialect).chance
    add, other = dialect.new_order(chance, "B", 100), b"D\0\3" + bytes(16)
    good = dialect.pack(dialect.session, 7, [add, other, b"short"])
    assert judged("itch50", good) == Judgement(Fate.TAKEN, first=7, next=10, events=1)
    tagged = Mutated(with_tag(frame_of(good).data), False, "by hand")
    assert Judge("itch50", dialect).judge(tagged, [ADDRESS], 7) == judged("itch50", good)
    assert judged("itch50", good, error=True) == Judgement(Fate.DROPPED, DropReason.MAC_ERROR)
    assert judged("itch50", good[:-1]) == Judgement(Fate.DROPPED, DropReason.MALFORMED)
    for position, body in (((dialect.session, 8), add), ((b"ANOTHER   ", 7), add), ((dialect.session, 7), add[:-1])):
        assert judged("itch50", dialect.pack(*position, [body])).fate is Fate.UPSETS
    assert judged("itch50", pack_end_of_session(dialect.session, 7)).fate is Fate.UPSETS


def test_fates_of_the_other_protocols_by_hand():
    """An order without a name reaches the book, one of an unknown symbol does not."""
    dialect = speaker("pitch")
    messages = [pitch.time(1), pitch.delete(1, 2), pitch.add_short(1, 2, "B", 3, "OTHER", 4), pitch.add_short(1, 2, "B", 3, "SYM1", 4)]
    assert judged("pitch", dialect.pack(dialect.session, 7, messages)) == Judgement(Fate.TAKEN, first=7, next=11, events=2)
    for last in (pitch.unit_clear(1), pitch.end_of_session(1), pitch.add_short(1, 2, "X", 3, "SYM1", 4)):
        assert judged("pitch", dialect.pack(dialect.session, 7, [*messages, last])).fate is Fate.UPSETS
    dialect = speaker("deep10")
    messages = [deep.system_event(1, "S"), deep.level(1, "OTHER", "B", 1, 2), deep.level(1, "SYM0", "S", 0, 2)]
    assert judged("deep10", dialect.pack(dialect.session, 7, messages)) == Judgement(Fate.TAKEN, first=7, next=10, events=1)
    assert judged("deep10", dialect.pack(bytes(4), 7, messages)).fate is Fate.UPSETS
