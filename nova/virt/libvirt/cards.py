# SPDX-License-Identifier: Apache-2.0
"""The network cards of running guests.  Runs in nova-compute."""

from __future__ import annotations

from typing import Any

import libvirt

from nova.system import xml
from nova.virt.driver import Guest
from nova.virt.libvirt.connection import Connection


def replug(connection: Connection, guest: Guest) -> None:
    """Take the link of each card away and give it back; the domain's own document says what cards there are."""
    connection.find(guest.instance.uuid, "plug the server's cards in again", _replug)


def _replug(domain: Any) -> bool:
    if not domain.isActive():
        return False
    cards = xml.parse(domain.XMLDesc(0), what="domain's XML").findall("devices/interface")
    for state in ("down", "up"):
        for card in cards:
            _set_link(card, state)
            domain.updateDeviceFlags(xml.serialize(card), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    return True


def _set_link(card: Any, state: str) -> None:
    link = card.find("link")
    if link is None:
        link = xml.child(card, "link")
    link.set("state", state)
