# SPDX-License-Identifier: Apache-2.0
"""The choice of a transport by its URL; only the one that was chosen is loaded."""

from __future__ import annotations

from nova.errors import InvalidConfiguration
from nova.rpc.settings import TransportSettings
from nova.rpc.transport import Transport


def connect(settings: TransportSettings) -> Transport:
    """The transport that the URL in *settings* names.  Does not wait for the broker."""
    if settings.scheme == "memory":
        from nova.rpc.memory import MemoryTransport

        return MemoryTransport(settings)
    if settings.scheme in ("amqp", "rabbit"):
        from nova.rpc.amqp.transport import AmqpTransport

        return AmqpTransport(settings)
    raise InvalidConfiguration(f"transport_url: {settings.scheme}:// is not amqp://, rabbit:// or memory://.")
