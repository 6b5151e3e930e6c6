"""Puts a checker of the stream rules on every stream inside a device, in the RTL that is simulated."""

from amaranth.hdl import Cat, Fragment, Module, ResetInserter, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Watched(wiring.Component):
    """A device and its watchers: the same ports, and a few more.

    Every stream of every component in the hierarchy is watched: a valid payload that was not taken must stay, unchanged.
    Only while a part of the device is reset (``ResetInserter``) or told to begin anew (an input ``clear`` or ``restart``) may it be
    withdrawn.

    Parameters
    ----------
    component : wiring.Component
    probes : sequence of str
        Ports of components inside that are to be seen from outside, as the path of submodules and the port: ``book.tops``.

    Ports
    -----
    those of the component, and
    broken_streams : Out(one bit for each of ``streams``)
        Set from the cycle after a stream broke the rules, until reset.
    probes : outputs named as the path of the probe, with underscores for dots; a stream as ``valid``, ``ready`` and ``payload``.

    Attributes
    ----------
    streams : list of str
        Where in the hierarchy each watched stream is.
    probed_streams : dict of str to (ShapeLike, bool)
        Payload and "always ready" of each probe that is a stream, by its flat name.
    probed_signals : dict of str to ShapeLike
        Shape of every other probe.
    """

    def __init__(self, component: wiring.Component, probes=()):
        self._fragment = Fragment.get(component, None)
        found = _streams(self._fragment, ("top",))
        self.streams, self._interfaces = list(found), list(found.values())
        self._resets = _resets(self._fragment)
        self.probed_streams, self.probed_signals, self._taps = {}, {}, {}
        members = dict(component.signature.members) | {"broken_streams": Out(max(1, len(found)))}
        for probe in probes:
            members |= self._tap(probe)
        super().__init__(members)
        for name in component.signature.members:
            setattr(self, name, getattr(component, name))

    def _tap(self, probe: str) -> dict:
        """The members that show one probe; notes where their values come from."""
        *path, name = probe.split(".")
        component = _component_at(self._fragment, path, probe)
        flat, value, member = probe.replace(".", "_"), getattr(component, name), component.signature.members[name]
        if member.is_port:
            self.probed_signals[flat], self._taps[flat] = member.shape, value
            return {flat: Out(member.shape)}
        shape = member.signature.members["payload"].shape
        self.probed_streams[flat] = shape, member.signature.always_ready
        self._taps |= {f"{flat}__valid": value.valid, f"{flat}__ready": value.ready, f"{flat}__payload": value.payload}
        return {f"{flat}__valid": Out(1), f"{flat}__ready": Out(1), f"{flat}__payload": Out(shape)}

    def elaborate(self, platform):
        m = Module()
        m.submodules.device = self._fragment
        for name, value in self._taps.items():
            m.d.comb += Value.cast(getattr(self, name)).eq(Value.cast(value))
        resetting = Cat(self._resets).any()
        for index, interface in enumerate(self._interfaces):
            held, payload = Signal(), Signal.like(Value.cast(interface.payload))
            m.d.sync += [held.eq(interface.valid & ~interface.ready & ~resetting), payload.eq(interface.payload)]
            with m.If(held & (~interface.valid | (Value.cast(interface.payload) != payload))):
                m.d.sync += self.broken_streams[index].eq(1)
        return m


def _component_at(fragment, path, probe):
    for name in path:
        below = {str(found): subfragment for subfragment, found, _ in fragment.subfragments}
        if name not in below:
            raise ValueError(f"probe {probe}: there is no {name}, but {', '.join(below)}")
        fragment = below[name]
    for component in fragment.origins or ():
        if isinstance(component, wiring.Component):
            return component
    raise ValueError(f"probe {probe}: {'.'.join(path)} is not a component")


def _resets(fragment) -> list:
    """The signals that reset parts of a fragment, or have them begin anew."""
    found = []
    for origin in fragment.origins or ():
        if isinstance(origin, wiring.Component):
            members = origin.signature.members
            found += [Value.cast(getattr(origin, name)) for name in ("clear", "restart") if name in members and members[name].flow == In]
        for transform in getattr(origin, "_transforms_", ()):
            if isinstance(transform, ResetInserter):
                found += [Value.cast(control) for control in transform.controls.values()]
    for subfragment, _, _ in fragment.subfragments:
        found += _resets(subfragment)
    return found


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
