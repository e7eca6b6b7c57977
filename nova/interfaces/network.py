# SPDX-License-Identifier: Apache-2.0
"""What may be asked of nova-network."""

from __future__ import annotations

from nova.context import RequestContext
from nova.domain.network import Nic, ReleasedAddress, RequestedNetwork
from nova.rpc.interface import Interface, call, cast, fanout


class NetworkService(Interface):
    """Addresses and the wiring of the network host."""

    topic = "network"
    version = "1.2"

    @call(timeout_s=60)
    def allocate(
        self,
        context: RequestContext,
        *,
        instance_uuid: str,
        hostname: str,
        host: str,
        requested: tuple[RequestedNetwork, ...],
    ) -> list[Nic]:
        """Network cards with addresses for an instance, on the requested networks or on those its project has.

        The DHCP server knows the addresses when this returns.  Asking again gives the same cards.  Raises NoCapacity
        ("No more fixed addresses") or QuotaExceeded, with nothing kept.
        """

    @call(timeout_s=60)
    def release(self, context: RequestContext, *, instance_uuid: str) -> None:
        """Give the instance's cards and addresses back; nothing happens when it has none."""

    @call(timeout_s=30)
    def serve(
        self, context: RequestContext, *, network_ids: tuple[int, ...], released: tuple[ReleasedAddress, ...]
    ) -> None:
        """Said by a network host that gave out or took back addresses to the host that serves their networks.

        Its DHCP servers know the present addresses when this returns, and have ended the leases of *released*.
        """

    @fanout
    def refresh(self, context: RequestContext) -> None:
        """To all: networks were created, changed or deleted: look again at what this host has to serve."""

    @cast
    def refresh_floating_ips(self, context: RequestContext) -> None:
        """Floating addresses were pointed to or taken from what this host serves: look again at which it forwards."""

    @cast
    def cards_changed(
        self, context: RequestContext, *, instance_uuid: str, released: tuple[ReleasedAddress, ...]
    ) -> None:
        """An instance was given cards or addresses, or gave *released* back: DHCP servers and translation follow."""

    @call(timeout_s=60)
    def move(self, context: RequestContext, *, instance_uuid: str, host: str) -> None:
        """An instance has gone to another host, which serves it when this returns where each host serves its own.

        Its guest need not notice: it keeps its addresses.  Asking again changes nothing.
        """
