"""Back ends for boards, on files that stand in for devices: what they refuse, and how they touch the bus."""

import ctypes
import os
import struct

import pytest

from host.card import mapped
from host.card.control import Control
from host.card.limits import Limits
from host.card.pcie import PcieCard
from host.card.protocol import Card, CardError
from host.card.registers import BAR_SIZE, REGISTERS
from host.card.uio import UioCard
from tests.host.card.accesses import STORE, Accesses, NotAvailableError, count_accesses
from tests.host.card.model_card import ModelCard

ADDRESS = "0000:01:00.0"


def pcie_device(folder, *, size=BAR_SIZE, enable="1"):
    device = folder / ADDRESS
    device.mkdir()
    (device / "resource0").write_bytes(bytes(size))
    (device / "enable").write_text(enable + "\n")
    return PcieCard(ADDRESS, devices=folder), device / "resource0"


def uio_device(folder, *, size=f"{BAR_SIZE:#x}"):
    maps = folder / "uio0/maps/map0"
    maps.mkdir(parents=True)
    (maps / "size").write_text(size + "\n")
    (folder / "dev").mkdir()
    (folder / "dev/uio0").write_bytes(bytes(BAR_SIZE))
    return UioCard(0, devices=folder / "dev", classes=folder), folder / "dev/uio0"


@pytest.fixture(params=[pcie_device, uio_device], ids=["pcie", "uio"])
def device(request, tmp_path):
    """A card on a file, and the file."""
    card, path = request.param(tmp_path)
    yield card, path
    card.close()


# Words


def test_words_are_where_the_device_has_them(device):
    card: Card = device[0]
    path = device[1]
    card.write32(0x40, 0x12345678)
    card.write32(BAR_SIZE - 4, 0xFFFFFFFF)
    assert path.read_bytes()[0x40:0x44] == bytes.fromhex("78563412")
    with path.open("r+b") as file:
        file.seek(0x100)
        file.write(struct.pack("<4I", 1, 2, 3, 0xFFFFFFFE))
    assert card.read32(0x100) == 1
    assert card.read_words(0x104, 3) == [2, 3, 0xFFFFFFFE]
    assert card.read_words(0x104, 0) == []
    assert card.read32(BAR_SIZE - 4) == 0xFFFFFFFF


@pytest.mark.parametrize(("offset", "count", "complaint"), [
    (0x41, 1, "0x41 is not a multiple of 4"), (BAR_SIZE, 1, "not within"), (-4, 1, "not within"), (BAR_SIZE - 4, 2, "not within"),
])
def test_offsets_outside_the_window_are_refused(device, offset, count, complaint):
    with pytest.raises(ValueError, match=complaint):
        device[0].read_words(offset, count)
    if count == 1:
        with pytest.raises(ValueError, match=complaint):
            device[0].write32(offset, 0)


@pytest.mark.parametrize("value", [-1, 1 << 32])
def test_a_value_that_is_no_word_is_refused(device, value):
    with pytest.raises(ValueError, match="does not fit"):
        device[0].write32(0x40, value)


def test_a_closed_card_says_so(device):
    card = device[0]
    card.close()
    card.close()
    for act in (lambda: card.read32(0), lambda: card.write32(0, 0), lambda: card.read_words(0, 2)):
        with pytest.raises(CardError, match="has been closed"):
            act()


# Accesses


def address_of(card, offset):
    """Where in this process's memory a register lies."""
    return ctypes.addressof(ctypes.c_char.from_buffer(card._words)) + offset


def watched(act, address, **options):
    try:
        return count_accesses(act, address, **options)
    except NotAvailableError as error:
        pytest.skip(str(error))


ONE = Accesses(word=1, before=0, after=0)
SPOT = REGISTERS["SHADOW_MAX_SHARES"].address()


def test_a_register_operation_is_one_access_of_its_own_word(device):
    card = device[0]
    address = address_of(card, SPOT)
    assert watched(lambda: card.write32(SPOT, 500), address) == ONE
    assert watched(lambda: card.write32(SPOT, 500), address, kind=STORE) == ONE
    assert watched(lambda: card.read32(SPOT), address) == ONE
    assert watched(lambda: card.read32(SPOT), address, kind=STORE) == Accesses(0, 0, 0)
    assert watched(lambda: card.read_words(SPOT - 4, 3), address) == Accesses(1, 1, 1)
    assert watched(lambda: card.read_words(SPOT - 4, 1), address) == Accesses(word=0, before=1, after=0)


def test_the_count_sees_what_is_banned(device):
    """Otherwise the test before this one would prove nothing."""
    card = device[0]
    address = address_of(card, SPOT)
    assert watched(lambda: struct.pack_into("<I", card._map, SPOT, 500), address, kind=STORE).word == 2
    assert watched(lambda: card._map.__setitem__(slice(SPOT, SPOT + 4), b"abcd"), address).word > 1
    assert watched(lambda: setattr(ctypes.c_uint32.from_buffer(card._map, SPOT), "value", 5), address).word > 1


def test_setting_limits_stores_each_word_once(tmp_path):
    """Through the typed layer: a limit passes through no other value on its way."""
    card, path = pcie_device(tmp_path)
    path.write_bytes(b"".join(word.to_bytes(4, "little") for word in words_of(ModelCard("tiny"))))

    def set_limits():
        with pytest.raises(CardError):
            Control(card).set_limits(Limits(500, 1 << 40, 10_000, 4, 1_000))  # a file commits nothing

    for name in ("SHADOW_MAX_SHARES", "SHADOW_MAX_NOTIONAL", "SHADOW_RATE_BURST", "LIMITS_COMMIT"):
        assert watched(set_limits, address_of(card, REGISTERS[name].address()), kind=STORE).word == 1, name


def words_of(model):
    return [model.words.get(offset, 0) for offset in range(0, BAR_SIZE, 4)]


# Refusals


def one_line(error):
    return "\n" not in str(error.value)


def test_missing_devices(tmp_path):
    with pytest.raises(CardError, match=r"uio7: no such device: is the card there and its driver bound\?") as error:
        UioCard(7, devices=tmp_path, classes=tmp_path)
    assert one_line(error)
    with pytest.raises(CardError, match="0000:09:00.0/resource0: no such device") as error:
        PcieCard("0000:09:00.0", devices=tmp_path)
    assert one_line(error)


def test_a_window_that_is_too_small(tmp_path):
    with pytest.raises(CardError, match="resource0: the window should have 0x100000 bytes, not 0x1000"):
        pcie_device(tmp_path, size=0x1000)
    with pytest.raises(CardError, match="uio0: the window should have 0x100000 bytes, not 0x10000"):
        uio_device(tmp_path, size="0x10000")


def test_a_uio_device_whose_description_is_odd(tmp_path):
    with pytest.raises(CardError, match="size: should hold a size like 0x100000, not 'many'"):
        uio_device(tmp_path, size="many")
    with pytest.raises(CardError, match="map3/size: the device has no such memory region"):
        UioCard(0, region=3, devices=tmp_path / "dev", classes=tmp_path)


def test_a_window_that_is_smaller_than_it_says(tmp_path):
    with pytest.raises(CardError, match="uio0: could not be mapped"):
        shrunk_device(tmp_path)


def shrunk_device(folder):
    uio_device(folder)[0].close()
    (folder / "dev/uio0").write_bytes(bytes(0x1000))
    UioCard(0, devices=folder / "dev", classes=folder)


def test_a_pci_device_that_is_off(tmp_path):
    with pytest.raises(CardError, match=r"resource0: the device is off: write 1 to .*/enable"):
        pcie_device(tmp_path, enable="0")


def test_no_permission(tmp_path, monkeypatch):
    def refuse(path, flags):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CardError, match="resource0: permission denied: this needs read and write access") as error:
        pcie_device(tmp_path)
    assert one_line(error)


def test_a_big_endian_machine_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped.sys, "byteorder", "big")
    with pytest.raises(CardError, match="this machine is big-endian"):
        pcie_device(tmp_path)
