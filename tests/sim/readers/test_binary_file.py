"""BinaryFILE: PROTOCOLS.md section 1, and every way in which a file can be wrong."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sim.golden.itch50 import MESSAGE_LENGTHS
from sim.readers.binary_file import read_binary_file
from sim.readers.content import CHUNK
from sim.readers.errors import BadInput
from tests.data import market_data
from tests.sim.readers.files import ONE_LINE, binary_file, message, outcome

EVERY_TYPE = [message(kind) for kind in MESSAGE_LENGTHS]


def write(tmp_path: Path, data: bytes, name: str = "file.itch50") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_every_type_comes_back(tmp_path, pack):
    assert list(read_binary_file(write(tmp_path, pack(binary_file(EVERY_TYPE))))) == EVERY_TYPE


def test_messages_across_the_reading_chunks(tmp_path):
    messages = EVERY_TYPE * (3 * CHUNK // sum(map(len, EVERY_TYPE)))
    assert list(read_binary_file(write(tmp_path, binary_file(messages)))) == messages


def test_a_zero_length_at_the_very_end_is_the_end_mark(tmp_path):
    assert list(read_binary_file(write(tmp_path, binary_file(EVERY_TYPE) + b"\0\0"))) == EVERY_TYPE


def test_several_gzip_members_are_one_file(tmp_path):
    data = gzip.compress(binary_file(EVERY_TYPE)) + gzip.compress(binary_file(EVERY_TYPE))
    assert list(read_binary_file(write(tmp_path, data))) == EVERY_TYPE * 2


DELETE, ADD = message("D"), message("A")
BAD_FILES = {
    "empty": (b"", "offset 0: expected market data, came an empty file"),
    "empty within gzip": (gzip.compress(b""), "offset 0: expected market data, came an empty file"),
    "half a length": (binary_file([DELETE]) + b"\0", "offset 21: expected a length field of 2 bytes, came the end of the file after 1"),
    "cut in a message": (binary_file([DELETE, DELETE])[:-1],
                         "offset 23: expected a message of 19 bytes, came the end of the file after 18"),
    "cut after a length": (binary_file([DELETE]) + b"\0\x13",
                           "offset 23: expected a message of 19 bytes, came the end of the file after 0"),
    "zero length within": (b"\0\0" + binary_file([DELETE]), "offset 0: expected a length field of at least 1, came 0"),
    "zero length before more": (binary_file([DELETE]) + b"\0\0" + binary_file([DELETE]),
                                "offset 21: expected a length field of at least 1, came 0"),
    "nothing but zero lengths": (bytes(100), "offset 0: expected a length field of at least 1, came 0"),
    "only an end mark": (bytes(2), "offset 0: expected a length field of at least 1, came 0"),
    "unknown type": (b"\0\x13" + b"Z" + DELETE[1:],
                     "offset 2: expected a message type of ITCH 5.0, came 'Z' (the length field before it says 19)"),
    "unprintable type": (binary_file([DELETE]) + b"\0\x13\xff" + DELETE[1:],
                         "offset 23: expected a message type of ITCH 5.0, came 0xff (the length field before it says 19)"),
    "wrong length": (b"\0\x14" + DELETE + b"\0", "offset 2: expected 19 bytes for a message of type 'D', came 20"),
    "side": (binary_file([message("A", side=0x58)]), "offset 21: expected side B or S, came 'X'"),
    "price": (binary_file([DELETE, message("U", price=0x80000000)]), "offset 54: expected a price of at most 2147483647, came 2147483648"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_one_line(tmp_path, name):
    data, line = BAD_FILES[name]
    path = write(tmp_path, data)
    with pytest.raises(BadInput) as caught:
        list(read_binary_file(path))
    assert str(caught.value) == f"{path}, {line}"


def test_gzip_cut_short(tmp_path):
    data = binary_file(EVERY_TYPE * 100)
    path = write(tmp_path, gzip.compress(data)[:-20])
    with pytest.raises(BadInput, match=r"offset \d+: expected more of the gzip stream, came the end of the file: it is cut short"):
        list(read_binary_file(path))


def test_gzip_with_a_wrong_byte(tmp_path):
    data = bytearray(gzip.compress(binary_file(EVERY_TYPE * 100)))
    data[-6] ^= 1  # the CRC
    path = write(tmp_path, bytes(data))
    with pytest.raises(BadInput, match="expected a sound gzip stream, came CRC check failed"):
        list(read_binary_file(path))


def test_what_is_no_file(tmp_path):
    with pytest.raises(BadInput, match="expected a file, came no such file"):
        list(read_binary_file(tmp_path / "nowhere"))
    with pytest.raises(BadInput, match="expected a file, came a directory"):
        list(read_binary_file(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="expected a file, which can be read more than once, came a pipe or device"):
        list(read_binary_file(tmp_path / "pipe"))
    if os.geteuid():
        path = write(tmp_path, b"x")
        path.chmod(0)
        with pytest.raises(BadInput, match="expected a readable file, came Permission denied"):
            list(read_binary_file(path))


def survives(path: Path) -> None:
    """Either messages or one line."""
    messages, line = outcome(read_binary_file(path))
    assert messages or ONE_LINE.fullmatch(line)
    assert all(len(body) == MESSAGE_LENGTHS[chr(body[0])] for body in messages)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_at_all(tmp_path, data):
    survives(write(tmp_path, data))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=st.lists(st.sampled_from(list(MESSAGE_LENGTHS)), min_size=1, max_size=10), zipped=st.booleans(),
       changes=st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=3), cut=st.integers(0, 40))
def test_a_good_file_with_wrong_bytes(tmp_path, kinds, zipped, changes, cut):
    data = bytearray(binary_file(map(message, kinds)))
    if zipped:
        data = bytearray(gzip.compress(bytes(data)))
    for place, value in changes:
        data[place % len(data)] = value
    survives(write(tmp_path, bytes(data[:len(data) - cut])))


@pytest.mark.parametrize(("name", "count"), [
    ("nasdaq_itch50/20120621_AMZN.itch50.gz", 187_083), ("nasdaq_itch50/20191230_premarket.itch50.gz", 251_837),
    ("nasdaq_itch50/synthetic_mit.itch50.gz", 12_012), ("cross_venue/20240808_BTC_usdm.itch50.gz", 67_659),
])
def test_market_data(name, count):
    """Counts of the manifest."""
    assert sum(1 for _ in read_binary_file(market_data(name))) == count
