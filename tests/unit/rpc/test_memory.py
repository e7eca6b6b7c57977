# SPDX-License-Identifier: Apache-2.0
"""The transport in memory keeps the contract of all transports."""

from __future__ import annotations

import pytest

from nova.rpc.memory import MemoryBroker, MemoryConsumer, MemoryTransport, StoredMessage
from nova.rpc.settings import TransportSettings
from nova.rpc.transport import Address, Transport
from tests.unit.rpc.contract import TransportContract


class MemoryBackend:
    max_message_bytes = 200_000

    def __init__(self) -> None:
        self.broker = MemoryBroker()

    def connect(self) -> Transport:
        return MemoryTransport(TransportSettings(max_message_bytes=self.max_message_bytes), self.broker)

    def put(self, queue: str, body: bytes, content_type: str) -> None:
        self.broker.put(Address(queue), StoredMessage("m-1", body, content_type))

    def waiting(self, queue: str) -> list[bytes]:
        return self.broker.drain(queue)

    def lose_connection(self, transport: Transport) -> None:
        assert isinstance(transport, MemoryTransport)
        consumers: list[MemoryConsumer] = transport.consumers
        transport.close()
        for consumer in consumers:
            consumer.close()


class TestMemoryTransport(TransportContract):
    @pytest.fixture
    def backend(self) -> MemoryBackend:
        return MemoryBackend()
