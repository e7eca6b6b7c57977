# SPDX-License-Identifier: Apache-2.0
"""What may be asked of nova-scheduler."""

from __future__ import annotations

from nova.context import RequestContext
from nova.domain.request_spec import HostClaim, RequestSpec
from nova.rpc.interface import Interface, call


class Scheduler(Interface):
    """Chooses hosts and claims room on them."""

    topic = "scheduler"
    version = "1.0"

    @call(timeout_s=60)
    def select_hosts(self, context: RequestContext, *, spec: RequestSpec) -> list[HostClaim]:
        """A claimed host for each instance of *spec* for which one was found; instances without one are left out.

        Claiming again for an instance that has a claim replaces it.  Raises NoCapacity, with the reason that each
        filter gave, when not a single one was found.
        """
        ...

    @call(timeout_s=60)
    def refusal(self, context: RequestContext, *, spec: RequestSpec, host: str) -> str:
        """Why the instance of *spec*, which is on *host* already, may not be there as *spec* says; empty if it may.

        Asked are the filters that judge what it is; room, which it has, and the state of the host are not looked at.
        """
        ...

    @call(timeout_s=60)
    def select_volume_host(self, context: RequestContext, *, size_gb: int, availability_zone: str) -> str:
        """A nova-volume host with room for *size_gb*; NoCapacity when there is none."""
        ...
