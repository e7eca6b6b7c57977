# SPDX-License-Identifier: Apache-2.0
"""Network devices of this host as ``ip -j`` shows them, and changes to them in one ``ip -batch``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nova.system.commands import CommandRunner


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address of a device, as ``10.0.0.1/24``, with its scope."""

    cidr: str
    scope: str = "global"
    broadcast: str = ""

    @property
    def is_v4(self) -> bool:
        """Whether it is an IPv4 address."""
        return ":" not in self.cidr


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One network device."""

    name: str
    kind: str = ""
    """``bridge``, ``vlan``, ``veth``, ``tun`` …; empty for hardware"""
    master: str = ""
    alias: str = ""
    mac_address: str = ""
    mtu: int = 0
    up: bool = False
    addresses: tuple[Address, ...] = ()
    parent: str = ""
    """What a VLAN goes over"""
    vlan: int | None = None
    """The tag of a VLAN"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of the main table."""

    destination: str
    device: str
    gateway: str = ""
    by_kernel: bool = False
    words: tuple[str, ...] = ()
    """What ``ip route`` needs after the device to make it again"""


def devices(runner: CommandRunner) -> dict[str, Device]:
    """All devices by name."""
    return {
        one.name: one for one in map(_device, json.loads(runner.run(["ip", "-j", "-d", "addr", "show"]).text or "[]"))
    }


def routes(runner: CommandRunner) -> list[Route]:
    """The IPv4 routes of the main table."""
    return [_route(entry) for entry in json.loads(runner.run(["ip", "-j", "route", "show"]).text or "[]")]


def change(runner: CommandRunner, lines: Iterable[str]) -> None:
    """Give ``ip`` several commands (without the word ``ip``) in one process; it stops at the first that fails.

    :raises errors.HypervisorError: one failed; those before it took effect
    """
    text = "".join(f"{line}\n" for line in lines)
    if text:
        runner.run(["ip", "-batch", "-"], stdin=text.encode(), as_root=True)


def _device(entry: Mapping[str, Any]) -> Device:
    kind = entry.get("linkinfo", {})
    return Device(
        name=entry["ifname"],
        kind=kind.get("info_kind", ""),
        master=entry.get("master", ""),
        alias=entry.get("ifalias", ""),
        mac_address=entry.get("address", ""),
        mtu=entry.get("mtu", 0),
        up="UP" in entry.get("flags", ()),
        addresses=tuple(_address(found) for found in entry.get("addr_info", ()) if "local" in found),
        parent=entry.get("link") or "",
        vlan=kind.get("info_data", {}).get("id") if kind.get("info_kind") == "vlan" else None,
    )


def _address(found: Mapping[str, Any]) -> Address:
    cidr = f"{found['local']}/{found['prefixlen']}"
    return Address(cidr=cidr, scope=found.get("scope", "global"), broadcast=found.get("broadcast", ""))


def _route(entry: Mapping[str, Any]) -> Route:
    words: Sequence[str] = [f"{name} {entry[key]}" for name, key in _ROUTE_WORDS if entry.get(key) is not None]
    return Route(
        destination=entry["dst"],
        device=entry.get("dev", ""),
        gateway=entry.get("gateway", ""),
        by_kernel=entry.get("protocol") == "kernel",
        words=tuple(words),
    )


_ROUTE_WORDS = (("proto", "protocol"), ("scope", "scope"), ("src", "prefsrc"), ("metric", "metric"))
