# SPDX-License-Identifier: Apache-2.0
"""Bridges of this host: wanted state declared, the difference applied.

A device that is right already is taken over as it is.  Bridges that are made here carry the alias ``nova``, by which
:meth:`Bridges.remove` knows them again; a kill between two steps is repaired by the next :meth:`Bridges.ensure`.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nova import errors
from nova.system import devices, sysctl, vlan
from nova.system.commands import CommandRunner
from nova.system.devices import Address, Device, Route
from nova.system.vlan import Vlan

LOG = logging.getLogger(__name__)

ALIAS = "nova"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,15}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A bridge as it is wanted; addresses beyond the wanted ones are left alone."""

    name: str
    interface: str = ""
    """The interface that leads out of it; empty for a bridge inside this host"""
    addresses: tuple[Address, ...] = ()
    mtu: int | None = None
    ipv6: bool = False
    """Whether the host itself may speak IPv6 on it"""
    vlan: Vlan | None = None
    """The VLAN that leads out of it, in place of an interface that is there already"""

    @property
    def port(self) -> str:
        """The device that leads out of it; empty for a bridge inside this host."""
        return self.vlan.name if self.vlan else self.interface


class Bridges:
    """The bridges that this daemon needs."""

    def __init__(self, runner: CommandRunner, *, alias: str = ALIAS, may_move_default_route: bool = False) -> None:
        """
        :param alias: what the devices that are made here are marked with
        :param may_move_default_route: put an interface into a bridge although the default route goes over it
        """
        self._alias = alias
        self._runner = runner
        self._may_move_default_route = may_move_default_route

    def ensure(self, wanted: Sequence[Bridge]) -> frozenset[str]:
        """Make the bridges as they are wanted; the names of those that were not there, or lacked an address.

        :raises errors.InvalidConfiguration: a name is taken by another device, or an interface is missing, belongs to
            another bridge, or carries the default route; nothing is changed then
        """
        vlan.ensure(self._runner, [bridge.vlan for bridge in wanted if bridge.vlan], alias=self._alias)
        present, routes = devices.devices(self._runner), devices.routes(self._runner)
        for bridge in wanted:
            self._check(bridge, present, routes)
        new = [bridge for bridge in wanted if bridge.name not in present]
        devices.change(self._runner, [line for bridge in new for line in _made(bridge, present, self._alias)])
        quiet = [bridge.name for bridge in wanted if not bridge.ipv6]
        switches = {name: value for bridge in quiet for name, value in sysctl.ipv6_off(bridge).items()}
        sysctl.set_all(self._runner, switches)
        lines = [line for bridge in wanted for line in _set_up(bridge, present, routes)]
        devices.change(self._runner, lines)
        return frozenset(bridge.name for bridge in wanted if _missing(bridge, present))

    def remove(self, gateways: Collection[str], *, keep: Collection[str] = ()) -> None:
        """Remove the bridges that were made here, but for those with guests on them, and *gateways* from the rest.

        Bridges that are to *keep* are left alone.  VLANs of removed bridges go too where they were made here.
        Addresses other than *gateways* (``10.0.0.1/24``) go back to the interface they came from, with their routes.
        """
        present, routes = devices.devices(self._runner), devices.routes(self._runner)
        for device in (each for each in present.values() if each.name not in keep):
            ports = [port for port in present.values() if port.master == device.name]
            mine = device.kind == "bridge" and device.alias == self._alias
            if mine and len(ports) <= 1 and all(port.kind != "tun" for port in ports):
                devices.change(self._runner, _taken_down(device, ports, routes, gateways))
                tags = [port.name for port in ports if port.kind == "vlan" and port.alias == self._alias]
                devices.change(self._runner, [f"link del dev {name}" for name in tags])
                continue
            if mine:
                LOG.warning("The bridge %s stays: %d devices are in it", device.name, len(ports))
            surplus = [address.cidr for address in device.addresses if address.cidr in gateways]
            devices.change(self._runner, [f"addr del {cidr} dev {device.name}" for cidr in surplus])

    def _check(self, bridge: Bridge, present: Mapping[str, Device], routes: Sequence[Route]) -> None:
        for name in (bridge.name, bridge.port or "none"):
            if not _NAME.fullmatch(name) or name in (".", ".."):
                raise errors.InvalidConfiguration(f"{name[:40]!r} is not the name of a network device.")
        found = present.get(bridge.name)
        if found and found.kind != "bridge":
            raise errors.InvalidConfiguration(
                f"The bridge {bridge.name} cannot be made: a device of this name exists and is no bridge.",
                bridge=bridge.name,
            )
        if bridge.port:
            self._check_interface(bridge, present.get(bridge.port), routes)

    def _check_interface(self, bridge: Bridge, interface: Device | None, routes: Sequence[Route]) -> None:
        if interface is None:
            raise errors.InvalidConfiguration(
                f"The interface {bridge.port} for the bridge {bridge.name} does not exist on this host "
                "(flat_interface, or the network's bridge_interface).",
                bridge=bridge.name,
            )
        if interface.master == bridge.name:
            return
        if interface.master:
            raise errors.InvalidConfiguration(
                f"The interface {interface.name} is in the bridge {interface.master}, not in {bridge.name}."
            )
        default = any(route.destination == "default" and route.device == interface.name for route in routes)
        if default and not self._may_move_default_route:
            raise errors.InvalidConfiguration(
                f"The interface {interface.name} carries the default route of this host; it is not put into the bridge "
                f"{bridge.name}. Put it there yourself, or choose another flat_interface.",
                bridge=bridge.name,
            )


def _made(bridge: Bridge, present: Mapping[str, Device], alias: str) -> Iterator[str]:
    """A bridge takes the smallest address of its ports, unless it was given one: guests must not see it change."""
    port = present.get(bridge.port)
    mac = port.mac_address if port else "02:" + ":".join(f"{byte:02x}" for byte in secrets.token_bytes(5))
    yield f"link add name {bridge.name} address {mac} type bridge forward_delay 0 stp_state 0"
    yield f"link set dev {bridge.name} alias {alias}"


def _set_up(bridge: Bridge, present: Mapping[str, Device], routes: Sequence[Route]) -> Iterator[str]:
    found = present.get(bridge.name)
    if bridge.mtu and (found is None or found.mtu != bridge.mtu):
        yield f"link set dev {bridge.name} mtu {bridge.mtu}"
    for address in _missing(bridge, present):
        broadcast = f" broadcast {address.broadcast}" if address.broadcast else ""
        yield f"addr add {address.cidr}{broadcast} scope {address.scope} dev {bridge.name}"
    if found is None or not found.up:
        yield f"link set dev {bridge.name} up"
    interface = present.get(bridge.port)
    if interface is None or interface.master == bridge.name:
        return
    yield f"link set dev {interface.name} master {bridge.name} up"
    yield from _moved(interface, bridge.name, routes, keep=())


def _missing(bridge: Bridge, present: Mapping[str, Device]) -> list[Address]:
    found = present.get(bridge.name)
    there = {address.cidr for address in found.addresses} if found else set()
    return [address for address in bridge.addresses if address.cidr not in there]


def _moved(source: Device, target: str, routes: Sequence[Route], keep: Collection[str]) -> Iterator[str]:
    """Addresses, and the routes that the kernel drops with them, go from one device to another."""
    moving = [a for a in source.addresses if a.is_v4 and a.scope == "global" and a.cidr not in keep]
    for address in moving:
        broadcast = f" broadcast {address.broadcast}" if address.broadcast else ""
        yield f"addr del {address.cidr} dev {source.name}"
        yield f"addr add {address.cidr}{broadcast} dev {target}"
    for route in routes if moving else ():
        if route.device == source.name and not route.by_kernel:
            via = f" via {route.gateway}" if route.gateway else ""
            yield f"route replace {route.destination}{via} dev {target} {' '.join(route.words)}"


def _taken_down(
    bridge: Device, ports: Sequence[Device], routes: Sequence[Route], gateways: Collection[str]
) -> Iterator[str]:
    for port in ports:
        yield f"link set dev {port.name} nomaster"
        yield from _moved(bridge, port.name, routes, keep=gateways)
    yield f"link del dev {bridge.name}"
