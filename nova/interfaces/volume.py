# SPDX-License-Identifier: Apache-2.0
"""What may be asked of nova-volume: of the one on the volume's host."""

from __future__ import annotations

from nova.context import RequestContext
from nova.domain.block_device import Connector, VolumeConnection
from nova.rpc.interface import Interface, call, cast


class VolumeService(Interface):
    """Block volumes of one host."""

    topic = "volume"
    version = "1.0"

    @cast
    def create(self, context: RequestContext, *, volume_id: str) -> None:
        """Make the recorded volume (status creating); it becomes available, or error with the reason."""
        ...

    @cast
    def delete(self, context: RequestContext, *, volume_id: str) -> None:
        """Wipe and remove the recorded volume (status deleting)."""
        ...

    @call(timeout_s=60)
    def connect(self, context: RequestContext, *, volume_id: str, connector: Connector) -> VolumeConnection:
        """Export the volume to one host and say how to reach it; asking again gives the same."""
        ...

    @call(timeout_s=60)
    def disconnect(self, context: RequestContext, *, volume_id: str, connector: Connector) -> None:
        """Withdraw the export to that host; nothing happens when there is none."""
        ...
