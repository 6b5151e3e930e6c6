import random

import pytest
from amaranth.hdl import signed
from amaranth.lib import data

from hw.types import BookEvent, Order, RejectedOrder, SymbolBinding
from sim.bench.layouts import codec_of


def random_fields(rng, codec):
    return codec.unpack(rng.getrandbits(codec.width))


@pytest.mark.parametrize("shape", [BookEvent, Order, RejectedOrder, data.ArrayLayout(SymbolBinding, 4)])
def test_unpack_and_pack_are_inverse(shape):
    rng, codec = random.Random(1), codec_of(shape)
    for _ in range(100):
        bits = rng.getrandbits(codec.width)
        assert codec.pack(codec.unpack(bits)) == bits


def test_fields_lie_where_amaranth_puts_them():
    values = {"strategy": 1, "venue": 2, "symbol": 3, "side": 1, "shares": 500, "price": 12_345, "trigger_sequence": 1 << 60, "ingress": 99}
    assert codec_of(Order).pack(values) == data.Layout.cast(Order).const(values).as_value().value


def test_nested_and_signed():
    assert codec_of(RejectedOrder).unpack(codec_of(RejectedOrder).pack({"order": {"shares": 7}, "reason": 6})).order.shares == 7
    assert codec_of(signed(33)).unpack(codec_of(signed(33)).pack(-5)) == -5
    assert codec_of(8).pack(255) == 255


def test_mistakes_are_errors():
    with pytest.raises(ValueError, match="has no field colour"):
        codec_of(Order).pack({"colour": 1})
    with pytest.raises(ValueError, match="does not fit 32 bits"):
        codec_of(Order).pack({"shares": 1 << 32})
    with pytest.raises(ValueError, match="at most 4"):
        codec_of(data.ArrayLayout(SymbolBinding, 4)).pack([{}] * 5)
