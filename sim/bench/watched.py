"""Puts a checker of the stream rules on every stream inside a device, in the RTL that is simulated."""

from amaranth.hdl import Fragment, Module, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import Out


class Watched(wiring.Component):
    """A device and its watchers: the same ports, and one more.

    Every stream of every component in the hierarchy is watched: a valid payload that was not taken must stay, unchanged.

    Parameters
    ----------
    component : wiring.Component

    Ports
    -----
    those of the component, and
    broken_streams : Out(one bit for each of ``streams``)
        Set from the cycle after a stream broke the rules, until reset.

    Attributes
    ----------
    streams : list of str
        Where in the hierarchy each watched stream is; known once elaborated.
    """

    def __init__(self, component: wiring.Component):
        self._component = component
        self._fragment = Fragment.get(component, None)
        found = _streams(self._fragment, ("top",))
        self.streams, self._interfaces = list(found), list(found.values())
        super().__init__(dict(component.signature.members) | {"broken_streams": Out(max(1, len(found)))})
        for name in component.signature.members:
            setattr(self, name, getattr(component, name))

    def elaborate(self, platform):
        m = Module()
        m.submodules.device = self._fragment
        for index, interface in enumerate(self._interfaces):
            held, payload = Signal(), Signal.like(Value.cast(interface.payload))
            m.d.sync += [held.eq(interface.valid & ~interface.ready), payload.eq(interface.payload)]
            with m.If(held & (~interface.valid | (Value.cast(interface.payload) != payload))):
                m.d.sync += self.broken_streams[index].eq(1)
        return m


def _streams(fragment, path) -> dict:
    """The streams that can wait, of the components of a fragment and of those below it."""
    found = {}
    for component in fragment.origins or ():
        if isinstance(component, wiring.Component):
            found |= _members(component, component.signature, path)
    for subfragment, name, _ in fragment.subfragments:
        found |= _streams(subfragment, (*path, str(name)))
    return found


def _members(interface, signature, path) -> dict:
    found = {}
    for name, member in signature.members.items():
        if not member.is_signature:
            continue
        for where, part in _elements(getattr(interface, name), member.dimensions, (*path, name)):
            if not isinstance(member.signature, stream.Signature):
                found |= _members(part, member.signature, where)
            elif not member.signature.always_ready:
                found[".".join(where)] = part
    return found


def _elements(value, dimensions, path):
    if not dimensions:
        yield path, value
        return
    for index, part in enumerate(value):
        yield from _elements(part, dimensions[1:], (*path, str(index)))
