# SPDX-License-Identifier: Apache-2.0
"""RPC through a real RabbitMQ: the contract of all transports, and what only a broker of its own can do to us."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator

import amqp
import pytest

from nova import errors
from nova.rpc.amqp.transport import AmqpTransport
from nova.rpc.client import client_for
from nova.rpc.codec import CONTENT_TYPE
from nova.rpc.connecting import connect
from nova.rpc.settings import TransportSettings, from_url
from nova.rpc.transport import Transport
from tests.integration.rabbitmq import RabbitMQ, free_port, rabbitmq, rabbitmq_node
from tests.unit.rpc.contract import CONTEXT, Post, Processes, TransportContract, request, wait_for

__all__ = ["rabbitmq", "rabbitmq_node"]


class RabbitMQBackend:
    """A cloud of its own on the shared broker: its control exchange sets its queues apart."""

    max_message_bytes = 200_000

    def __init__(self, node: RabbitMQ, **settings: object) -> None:
        self._node = node
        self._exchange = f"t{uuid.uuid4().hex[:12]}"
        values = {"max_message_bytes": self.max_message_bytes, "retry_interval_s": 0.2, "retry_backoff_s": 0.1}
        self.settings: TransportSettings = from_url(node.url, control_exchange=self._exchange, **(values | settings))

    def connect(self) -> Transport:
        return connect(self.settings)

    def channel(self) -> amqp.Channel:
        connection = amqp.Connection(f"127.0.0.1:{self._node.port}")
        connection.connect()
        return connection.channel()

    def put(self, queue: str, body: bytes, content_type: str) -> None:
        channel = self.channel()
        name = f"{self._exchange}.{queue}"
        channel.queue_declare(name, durable=True, auto_delete=False)
        channel.basic_publish(amqp.Message(body, content_type=content_type, message_id="m-1"), routing_key=name)
        channel.connection.close()

    def waiting(self, queue: str) -> list[bytes]:
        channel = self.channel()
        bodies = []
        try:
            while (message := channel.basic_get(f"{self._exchange}.{queue}", no_ack=True)) is not None:
                bodies.append(message.body or b"")
        except amqp.NotFound:
            pass
        channel.connection.close()
        return bodies

    def lose_connection(self, transport: Transport) -> None:
        transport.close()


class TestRabbitMQTransport(TransportContract):
    @pytest.fixture
    def backend(self, rabbitmq: RabbitMQ) -> RabbitMQBackend:
        return RabbitMQBackend(rabbitmq)


@pytest.fixture
def backend(rabbitmq: RabbitMQ) -> RabbitMQBackend:
    return RabbitMQBackend(rabbitmq)


@pytest.fixture
def processes(backend: RabbitMQBackend) -> Iterator[Processes]:
    started = Processes(backend)
    yield started
    started.stop()


def test_calls_and_casts_survive_a_broker_that_is_restarted(
    rabbitmq: RabbitMQ, processes: Processes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    office = processes.serve("h1")
    client = processes.client()
    assert client.double(CONTEXT, 1) == 2
    rabbitmq.kill()
    results: list[int] = []

    def work() -> None:
        for number in range(10, 13):
            client.note(CONTEXT, text=f"note {number}")
            results.append(client.double(CONTEXT, number))

    caller = threading.Thread(target=work)
    caller.start()
    wait_for(lambda: "Trying again in" in caplog.text)
    rabbitmq.start()
    caller.join(60)
    assert results == [20, 22, 24]
    wait_for(lambda: {"note 10", "note 11", "note 12"} <= set(office.seen))
    assert f"AMQP server on 127.0.0.1:{rabbitmq.port} is unreachable" in caplog.text
    assert "guest:guest" not in caplog.text


def test_a_cast_that_was_taken_survives_a_broker_that_is_killed(rabbitmq: RabbitMQ, processes: Processes) -> None:
    processes.client().note(CONTEXT, text="durable")
    rabbitmq.kill()
    rabbitmq.start()
    office = processes.serve("h1")
    wait_for(lambda: office.seen == ["durable"])


def test_a_call_in_hand_when_the_connection_breaks_is_answered_and_worked_on_once(processes: Processes) -> None:
    transport = processes.transport()
    office = processes.serve("h1", transport=transport)
    results: list[str] = []
    caller = threading.Thread(target=lambda: results.append(processes.client().patient(CONTEXT)))
    caller.start()
    wait_for(lambda: office.seen == ["patient"])
    assert isinstance(transport, AmqpTransport)
    break_connection(transport)
    assert processes.client().double(CONTEXT, 2) == 4
    office.may_go_on.set()
    caller.join(15)
    assert results == ["h1"]
    assert office.seen == ["patient", "2"]


def test_a_call_that_waits_when_the_callers_connection_breaks_is_answered(processes: Processes) -> None:
    office = processes.serve("h1")
    transport = processes.transport()
    results: list[str] = []
    caller = threading.Thread(target=lambda: results.append(client_for(Post, transport).patient(CONTEXT)))
    caller.start()
    wait_for(lambda: office.seen == ["patient"])
    assert isinstance(transport, AmqpTransport)
    break_connection(transport)
    office.may_go_on.set()
    caller.join(15)
    assert results == ["h1"]
    assert office.seen == ["patient"]


def break_connection(transport: AmqpTransport) -> None:
    """What a cut cable does; returns when the transport is connected again."""
    session = transport.session
    assert session is not None
    session.break_off()
    wait_for(lambda: transport.session not in (None, session))


def test_a_broker_that_is_away_makes_the_sender_fail_in_bounded_time(caplog: pytest.LogCaptureFixture) -> None:
    settings = from_url(f"amqp://user:pa55word@127.0.0.1:{free_port()}/", retry_interval_s=0.1, retry_backoff_s=0.2)
    transport = connect(settings)
    noticed: list[float] = []
    transport.watch(lambda: noticed.append(time.monotonic()))
    client = client_for(Post, transport, publish_timeout_s=1.0)
    began = time.monotonic()
    with pytest.raises(errors.Unavailable):
        client.note(CONTEXT, text="x")
    with pytest.raises(errors.Unavailable):
        client.double(CONTEXT, 1)
    assert time.monotonic() - began < 4
    transport.close()
    assert "Trying again in 0.1 seconds" in caplog.text
    assert "Trying again in 0.3 seconds" in caplog.text
    assert "pa55word" not in caplog.text + repr(settings)
    assert len(noticed) >= 2


def test_a_wrong_password_is_said_and_not_shown(rabbitmq: RabbitMQ, caplog: pytest.LogCaptureFixture) -> None:
    transport = connect(from_url(f"amqp://guest:wr0ng@127.0.0.1:{rabbitmq.port}/", retry_interval_s=0.1))
    with pytest.raises(errors.Unavailable):
        client_for(Post, transport, publish_timeout_s=1.0).note(CONTEXT, text="x")
    transport.close()
    assert "ACCESS_REFUSED" in caplog.text
    assert "wr0ng" not in caplog.text


def test_the_next_node_is_tried_when_one_does_not_answer(rabbitmq: RabbitMQ) -> None:
    url = f"amqp://guest:guest@127.0.0.1:{free_port()},guest:guest@127.0.0.1:{rabbitmq.port}/"
    transport = connect(from_url(url, retry_interval_s=0.05))
    client_for(Post, transport).on("nobody").note(CONTEXT, text="x")
    transport.close()


def test_a_hundred_megabytes_hurt_nobody(processes: Processes, backend: RabbitMQBackend) -> None:
    processes.serve("h1")
    backend.put("post", b"[" + b"1," * 50_000_000, CONTENT_TYPE)
    kept: list[bytes] = []
    wait_for(lambda: kept.extend(backend.waiting("post.poisoned")) or kept, 60)
    assert [len(each) for each in kept] == [65536]
    assert processes.client().double(CONTEXT, 2) == 4


def test_two_clouds_with_other_control_exchanges_do_not_mix(rabbitmq: RabbitMQ) -> None:
    one, two = Processes(RabbitMQBackend(rabbitmq)), Processes(RabbitMQBackend(rabbitmq))
    try:
        first, second = one.serve("h1"), two.serve("h1")
        one.client().shout(CONTEXT, text="one")
        for number in range(6):
            one.client().note(CONTEXT, text=str(number))
        wait_for(lambda: len(first.seen) == 7)
        assert second.seen == []
    finally:
        one.stop()
        two.stop()


def test_quorum_queues_serve_as_well(rabbitmq: RabbitMQ) -> None:
    processes = Processes(RabbitMQBackend(rabbitmq, ha_queues=True))
    try:
        processes.serve("h1")
        assert processes.client().double(CONTEXT, 2) == 4
    finally:
        processes.stop()


def test_a_cast_to_a_queue_that_an_operator_deleted_is_not_lost(processes: Processes, backend: RabbitMQBackend) -> None:
    client = processes.client()
    client.note(CONTEXT, text="first")
    channel = backend.channel()
    channel.queue_delete(f"{backend.settings.control_exchange}.post")
    channel.connection.close()
    client.note(CONTEXT, text="second")
    office = processes.serve("h1")
    wait_for(lambda: office.seen == ["second"])


def test_a_closed_transport_leaves_no_queue_of_its_own(processes: Processes, backend: RabbitMQBackend) -> None:
    processes.serve("h1")
    transport = processes.transport()
    client_for(Post, transport).double(CONTEXT, 1)
    transport.close()
    channel = backend.channel()
    with pytest.raises(amqp.NotFound):
        channel.queue_declare(transport.reply_address, passive=True)
    channel.connection.close()


def test_an_unknown_method_from_another_program_is_set_aside_with_the_reason(
    processes: Processes, backend: RabbitMQBackend
) -> None:
    processes.serve("h1")
    backend.put("post", request("post.nothing", {}), CONTENT_TYPE)
    channel = backend.channel()
    found: list[amqp.Message] = []

    def look() -> bool:
        try:
            message = channel.basic_get(f"{backend.settings.control_exchange}.post.poisoned", no_ack=True)
        except amqp.NotFound:
            return False
        if message is not None:
            found.append(message)
        return bool(found)

    wait_for(look)
    channel.connection.close()
    assert "post.nothing" in found[0].headers["reason"]


def test_a_broker_short_of_memory_makes_senders_fail_in_bounded_time_and_then_goes_on(
    rabbitmq: RabbitMQ, processes: Processes
) -> None:
    office = processes.serve("h1")
    client = client_for(Post, processes.transport(), publish_timeout_s=1.0)
    client.note(CONTEXT, text="before")
    rabbitmq.ctl("set_vm_memory_high_watermark", "0.0001")
    try:
        for _ in range(3):
            began = time.monotonic()
            with pytest.raises(errors.Unavailable):
                client.note(CONTEXT, text="during")
            assert time.monotonic() - began < 3
    finally:
        rabbitmq.ctl("set_vm_memory_high_watermark", "0.4")
    processes.client().note(CONTEXT, text="after")
    wait_for(lambda: "after" in office.seen)
    assert office.seen[0] == "before"
