# SPDX-License-Identifier: Apache-2.0
"""What the exchanges and queues of a cloud are called on the broker, and what they are declared with."""

from __future__ import annotations

from typing import Any

from nova.rpc.settings import TransportSettings
from nova.rpc.transport import POISONED, POISONED_MAX_BYTES, POISONED_MAX_MESSAGES, Address

DEFAULT_EXCHANGE = "nova"
REPLY_QUEUE_KEPT_S = 600
"""How long the broker keeps the replies of a process that lost its connection."""


class Names:
    """The names of one cloud.  Clouds with other control exchanges on the same broker have other queues too."""

    def __init__(self, settings: TransportSettings) -> None:
        self._settings = settings
        self.exchange = settings.control_exchange
        self._prefix = "" if self.exchange == DEFAULT_EXCHANGE else f"{self.exchange}."

    def queue(self, address: Address) -> str:
        """The queue of *address*."""
        name = self._name(address)
        return f"{name}.{address.host}" if address.host else name

    def _name(self, address: Address) -> str:
        return self._prefix + self._settings.topics.get(address.topic, address.topic)

    def fanout_exchange(self, address: Address) -> str:
        """The exchange that copies a message to every server of the topic."""
        return f"{self._name(address)}_fanout"

    def route(self, address: Address) -> tuple[str, str]:
        """The exchange and the routing key that lead to *address*."""
        if address.fanout:
            return self.fanout_exchange(address), ""
        return self.exchange, self.queue(address)

    def declare(self, channel: Any, address: Address, *, nowait: bool) -> None:
        """Make sure that what is sent to *address* is kept, or for a fanout that its exchange is there."""
        if address.fanout:
            channel.exchange_declare(
                self.fanout_exchange(address), "fanout", durable=False, auto_delete=False, nowait=nowait
            )
            return
        queue = self.queue(address)
        channel.queue_declare(
            queue,
            durable=self._settings.durable_queues or self._settings.ha_queues,
            auto_delete=False,
            arguments={"x-queue-type": "quorum"} if self._settings.ha_queues else None,
            nowait=nowait,
        )
        channel.queue_bind(queue, self.exchange, queue, nowait=nowait)


def declare_poisoned(channel: Any, queue: str) -> str:
    """Make the bounded queue for what *queue*'s consumers could not read, and name it."""
    name = queue + POISONED
    limits = {"x-max-length": POISONED_MAX_MESSAGES, "x-max-length-bytes": POISONED_MAX_MESSAGES * POISONED_MAX_BYTES}
    channel.queue_declare(name, durable=True, auto_delete=False, arguments=limits, nowait=True)
    return name
