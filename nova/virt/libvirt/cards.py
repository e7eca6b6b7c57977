# SPDX-License-Identifier: Apache-2.0
"""The network cards of running guests.  Runs in nova-compute."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

import libvirt

from nova import errors
from nova.system import xml
from nova.virt.driver import Guest
from nova.virt.libvirt.connection import Connection

LOG = logging.getLogger(__name__)

POLL_S = 0.1
ASK_AGAIN_S = 5.0
"""A guest that boots misses the request; it is asked again."""
LINK_DOWN_S = 2.0
"""Kernels tell of a link that is lost at most once a second."""


def replug(connection: Connection, guest: Guest) -> None:
    """Take the link of each card away and give it back; the domain's own document says what cards there are."""
    uuid = guest.instance.uuid
    if connection.find(uuid, "unplug the server's cards", lambda domain: _set_links(domain, "down")):
        time.sleep(LINK_DOWN_S)
        connection.find(uuid, "plug the server's cards in", lambda domain: _set_links(domain, "up"))


def _set_links(domain: Any, state: str) -> bool:
    """Whether there is a card."""
    if not domain.isActive():
        return False
    cards = xml.parse(domain.XMLDesc(0), what="domain's XML").findall("devices/interface")
    for card in cards:
        _set_link(card, state)
        domain.updateDeviceFlags(xml.serialize(card), libvirt.VIR_DOMAIN_AFFECT_LIVE)
    return bool(cards)


def _set_link(card: Any, state: str) -> None:
    link = card.find("link")
    if link is None:
        link = xml.child(card, "link")
    link.set("state", state)


def set_cards(connection: Connection, uuid: str, wanted: Mapping[str, str], *, timeout_s: float) -> None:
    """Plug in the cards of *wanted* (documents by MAC address) that a running guest lacks, and take all others out.

    :raises errors.HypervisorError: the guest still has one of the others after *timeout_s*
    """
    if connection.find(uuid, "plug in the network card", lambda domain: _plug_in(domain, wanted)) is None:
        raise errors.NotFound.of("server", uuid)
    deadline = time.monotonic() + timeout_s
    while connection.find(uuid, "take out the network card", lambda domain: _ask_for(domain, wanted)):
        asked_again_at = min(deadline, time.monotonic() + ASK_AGAIN_S)
        while time.monotonic() < asked_again_at:
            if not connection.find(uuid, "look at the network cards", lambda domain: _surplus(domain, wanted)):
                return
            time.sleep(POLL_S)
        if time.monotonic() >= deadline:
            raise errors.HypervisorError(
                "The server did not release the network card; try again.", detail=f"after {timeout_s:g} s"
            )


def _plug_in(domain: Any, wanted: Mapping[str, str]) -> bool:
    if domain.isActive():
        present = {_mac_of(card) for card in _cards(domain)}
        for document in (document for mac, document in wanted.items() if mac not in present):
            domain.attachDeviceFlags(document, libvirt.VIR_DOMAIN_AFFECT_LIVE)
    return True


def _surplus(domain: Any, wanted: Mapping[str, str]) -> list[Any]:
    return [card for card in _cards(domain) if _mac_of(card) not in wanted] if domain.isActive() else []


def _ask_for(domain: Any, wanted: Mapping[str, str]) -> bool:
    """Ask the guest for the cards that it is to lose; whether there are any."""
    surplus = _surplus(domain, wanted)
    for card in surplus:
        try:
            domain.detachDeviceFlags(xml.serialize(card), libvirt.VIR_DOMAIN_AFFECT_LIVE)
        except libvirt.libvirtError as exc:
            # It was asked already and thinks about it, or has just gone.
            LOG.debug("Domain %s was asked for a network card: %s", domain.UUIDString(), exc)
    return bool(surplus)


def _cards(domain: Any) -> list[Any]:
    return list(xml.parse(domain.XMLDesc(0), what="domain's XML").findall("devices/interface"))


def _mac_of(card: Any) -> str:
    mac = card.find("mac")
    return "" if mac is None else str(mac.get("address", ""))
