"""Packs and unpacks the records of the card, because a simulator shows a packed port only as one wide number."""

from collections import namedtuple
from functools import cache

from amaranth.hdl import Shape
from amaranth.lib import data


class Codec:
    """Translates between the bits of a port and plain Python: integers, named tuples (structs) and tuples (arrays).

    Parameters
    ----------
    shape : ShapeLike
        As declared in the component's signature; offsets and widths are taken from its Amaranth layout.
    """

    def __init__(self, shape):
        layout = shape if isinstance(shape, data.Layout) else getattr(shape, "as_shape", lambda: shape)()
        self._fields, self._elements = {}, []
        if isinstance(layout, data.ArrayLayout):
            self._elements = [(field.offset, codec_of(field.shape)) for _, field in layout]
            self.width = layout.size
        elif isinstance(layout, data.Layout):
            self._fields = {name: (field.offset, codec_of(field.shape)) for name, field in layout}
            self.width = layout.size
            self.record = namedtuple(getattr(shape, "__name__", "Record"), self._fields)
        else:
            cast = Shape.cast(shape)
            self.width, self._signed = cast.width, cast.signed
        self._mask = (1 << self.width) - 1

    def unpack(self, bits: int):
        """The value that these bits stand for."""
        if self._fields:
            return self.record._make(codec.unpack(bits >> offset & codec._mask) for offset, codec in self._fields.values())
        if self._elements:
            return tuple(codec.unpack(bits >> offset & codec._mask) for offset, codec in self._elements)
        if self._signed and bits >> self.width - 1 & 1:
            return bits - (1 << self.width)
        return bits

    def pack(self, value) -> int:
        """The bits of a value. Structs may be any named tuple or mapping; fields that it does not have are 0, others are an error."""
        if self._fields:
            items = value._asdict() if hasattr(value, "_asdict") else dict(value)
            unknown = items.keys() - self._fields.keys()
            if unknown:
                raise ValueError(f"{self.record.__name__} has no field {', '.join(sorted(unknown))}; it has {', '.join(self._fields)}")
            return sum(self._fields[name][1].pack(item) << self._fields[name][0] for name, item in items.items())
        if self._elements:
            if len(value) > len(self._elements):
                raise ValueError(f"expected at most {len(self._elements)} elements, got {len(value)}")
            return sum(codec.pack(item) << offset for item, (offset, codec) in zip(value, self._elements, strict=False))
        low, high = (-(1 << self.width - 1), (1 << self.width - 1) - 1) if self._signed else (0, self._mask)
        if not low <= int(value) <= high:
            raise ValueError(f"{value} does not fit {self.width} bits")
        return int(value) & self._mask


@cache
def codec_of(shape) -> Codec:
    """The codec of a shape; made once."""
    return Codec(shape)
