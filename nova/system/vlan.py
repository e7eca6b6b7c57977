# SPDX-License-Identifier: Apache-2.0
"""VLAN devices of this host (IEEE 802.1Q), made where they are missing and taken over where they are right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nova import errors
from nova.system import devices, sysctl
from nova.system.commands import CommandRunner
from nova.system.devices import Device

_FIRST, _LAST = 1, 4094


@dataclass(frozen=True, slots=True, kw_only=True)
class Vlan:
    """The frames with one tag on an interface."""

    tag: int
    parent: str
    """The interface that the tagged frames go over"""

    @property
    def name(self) -> str:
        """Its device: ``vlan100``."""
        return f"vlan{self.tag}"


def ensure(runner: CommandRunner, wanted: Sequence[Vlan], *, alias: str) -> None:
    """Make the VLANs that are missing; those that are there stay as they are.

    :param alias: what a new device is marked with
    :raises errors.InvalidConfiguration: a tag is impossible, a parent is missing, or a device of the name is another
        VLAN or none; nothing is changed then
    """
    if not wanted:
        return
    present = devices.devices(runner)
    new = [vlan for vlan in wanted if _check(vlan, present)]
    devices.change(runner, [line for vlan in new for line in _made(vlan, present, alias)])
    sysctl.set_all(runner, {name: value for vlan in new for name, value in sysctl.ipv6_off(vlan.name).items()})
    down = [vlan.name for vlan in wanted if vlan in new or not present[vlan.name].up]
    devices.change(runner, [f"link set dev {name} up" for name in down])


def _check(vlan: Vlan, present: Mapping[str, Device]) -> bool:
    """Whether the VLAN has to be made."""
    if not _FIRST <= vlan.tag <= _LAST:
        raise errors.InvalidConfiguration(f"{vlan.tag} is no VLAN tag.")
    if vlan.parent not in present:
        raise errors.InvalidConfiguration(
            f"The interface {vlan.parent[:40] or '(none)'} for VLAN {vlan.tag} does not exist on this host "
            "(vlan_interface, or the network's bridge_interface).",
            vlan=vlan.tag,
        )
    found = present.get(vlan.name)
    if found and (found.kind, found.vlan, found.parent) != ("vlan", vlan.tag, vlan.parent):
        raise errors.InvalidConfiguration(
            f"The device {vlan.name} exists and is not VLAN {vlan.tag} of {vlan.parent}.", vlan=vlan.tag
        )
    return found is None


def _made(vlan: Vlan, present: Mapping[str, Device], alias: str) -> Iterator[str]:
    if not present[vlan.parent].up:
        yield f"link set dev {vlan.parent} up"
    yield f"link add link {vlan.parent} name {vlan.name} type vlan id {vlan.tag}"
    yield f"link set dev {vlan.name} alias {alias}"
