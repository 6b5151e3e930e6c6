"""The fuzz campaign's frames: every rule and every fate comes, and the same seed gives the same frames."""

from collections import Counter

from hw.reasons import DropReason
from sim.fuzz.judge import Fate, Judgement, judge
from sim.fuzz.mutate import Address, Mutated, Mutator, message
from sim.golden.ethernet import build_udp, with_tag
from sim.golden.moldudp64 import pack_end_of_session, pack_packet

ADDRESS = Address(0xE9360C6F, 26_477, b"FUZZING000")
LOCATES = [1, 2]


def frame_of(packet, *, error=False):
    return Mutated(build_udp(packet, destination_ip=ADDRESS.ip, destination_port=ADDRESS.port), error, "by hand")


def judged(packet, **options):
    return judge(frame_of(packet, **options), [ADDRESS], 7, LOCATES)


def test_every_rule_and_every_fate_comes():
    mutator = Mutator(5, ADDRESS, LOCATES)
    frames = [mutator.frame(7) for _ in range(4_000)]
    judgements = [judge(frame, [ADDRESS], 7, LOCATES) for frame in frames]
    rules = Counter(frame.how for frame in frames)
    assert len(rules) == 1 + len({rule.__name__ for rule in mutator.rules}) == 17
    assert min(rules.values()) > 20
    fates = Counter(judgement.fate for judgement in judgements)
    assert min(fates[fate] for fate in Fate) > 50
    dropped = {judgement.reason for judgement in judgements if judgement.fate is Fate.DROPPED}
    assert dropped == set(DropReason) - {DropReason.NONE, DropReason.SESSION, DropReason.OVERFLOW}
    assert all(judgement.fate is Fate.TAKEN for frame, judgement in zip(frames, judgements, strict=True)
               if frame.how == "good" and not frame.error)


def test_same_seed_same_frames():
    def frames(seed):
        mutator = Mutator(seed, ADDRESS, LOCATES, [message("A", [9], Mutator(0, ADDRESS, LOCATES).chance)])
        return [mutator.frame(number) for number in range(300)]

    assert frames(1) == frames(1)
    assert frames(1) != frames(2)


def test_fates_by_hand():
    chance = Mutator(0, ADDRESS, LOCATES).chance
    add, other = message("A", LOCATES, chance), message("D", [3], chance)
    good = pack_packet(ADDRESS.session, 7, [add, other, b"short"])
    assert judged(good) == Judgement(Fate.TAKEN, first=7, next=10, events=1)
    tagged = Mutated(with_tag(frame_of(good).data), False, "by hand")
    assert judge(tagged, [ADDRESS], 7, LOCATES) == judged(good)
    assert judged(good, error=True) == Judgement(Fate.DROPPED, DropReason.MAC_ERROR)
    assert judged(good[:-1]) == Judgement(Fate.DROPPED, DropReason.MALFORMED)
    for position, body in (((ADDRESS.session, 8), add), ((b"ANOTHER   ", 7), add), ((ADDRESS.session, 7), add[:-1])):
        assert judged(pack_packet(*position, [body])).fate is Fate.UPSETS
    assert judged(pack_end_of_session(ADDRESS.session, 7)).fate is Fate.UPSETS
