# SPDX-License-Identifier: Apache-2.0
"""RPC through RabbitMQ against the same echo on bare py-amqp, in one run; a part of ``python -m bench``.

The broker is our own.  Clients and servers are processes of their own, as in a cloud.  Rounds of
both sides alternate, so that whatever else the machine does falls on both; the median round counts.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Row
from bench.timing import cpu_s

TEXT = "x" * 100
ROUNDS = 5
CALLS = 1500
CALLERS = 16
MAX_RATIO = 1.2
UPSTREAM_CALLS_S = 1150
UPSTREAM_MANY_CALLS_S = 2000


def floor_server(url: str) -> None:
    """Echo with nothing but py-amqp."""
    channel = _floor_channel(url)
    import amqp

    def on_message(message: amqp.Message) -> None:
        reply = amqp.Message(message.body, correlation_id=message.properties["correlation_id"])
        channel.basic_publish(reply, routing_key=message.properties["reply_to"])
        channel.basic_ack(message.delivery_tag)

    channel.queue_declare("bench_floor", auto_delete=True)
    channel.basic_consume("bench_floor", callback=on_message)
    print("ready", flush=True)
    while True:
        channel.connection.drain_events()


def floor_client(url: str) -> None:
    """Time the bare echo each time a line arrives."""
    import amqp

    channel = _floor_channel(url)
    queue = channel.queue_declare(exclusive=True).queue
    received: list[amqp.Message] = []
    channel.basic_consume(queue, callback=received.append, no_ack=True)
    body = f'{{"text": "{TEXT}"}}'
    for _ in _turns():
        began = time.perf_counter()
        for number in range(CALLS):
            request = amqp.Message(body, correlation_id=str(number), reply_to=queue)
            channel.basic_publish(request, routing_key="bench_floor")
            while not received:
                channel.connection.drain_events()
            received.clear()
        print((time.perf_counter() - began) / CALLS, flush=True)


def _floor_channel(url: str):  # type: ignore[no-untyped-def]
    import amqp

    from nova.rpc.settings import from_url

    broker = from_url(url).brokers[0]
    connection = amqp.Connection(str(broker), broker.user, broker.password.reveal(), virtual_host=broker.virtual_host)
    connection.connect()
    return connection.channel()


def server(url: str) -> None:
    """Echo as our daemons do."""
    transport, _, _ = _green(url)
    from bench.rpc_echo import Echo, Echoing
    from nova.rpc.server import Server

    serving = Server(transport, host="bench")
    serving.serve(Echo, Echoing())
    serving.start()
    print("ready", flush=True)
    time.sleep(3600)


def client(url: str) -> None:
    """Time our echo, with one caller or with many, each time a line arrives."""
    _, echo, context = _green(url)
    import threading

    def work(calls: int) -> None:
        for _ in range(calls):
            echo.echo(context, text=TEXT)

    for callers in _turns():
        threads = [threading.Thread(target=work, args=(CALLS * 2 // callers,)) for _ in range(callers)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print((time.perf_counter() - began) / (CALLS * 2 // callers * callers), flush=True)


def _green(url: str):  # type: ignore[no-untyped-def]
    import warnings

    warnings.simplefilter("ignore")
    import eventlet

    eventlet.monkey_patch()
    from bench.rpc_echo import Echo
    from nova.context import admin_context
    from nova.rpc.client import client_for
    from nova.rpc.connecting import connect
    from nova.rpc.settings import from_url

    transport = connect(from_url(url, control_exchange="bench"))
    return transport, client_for(Echo, transport), admin_context("benchmark")


def _turns():  # type: ignore[no-untyped-def]
    print("ready", flush=True)
    for line in sys.stdin:
        yield int(line)


class Part:
    """One of the processes."""

    def __init__(self, role: str, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.rpc", role, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n", role
        self.pid = self._process.pid

    def turn(self, number: int) -> float:
        """Seconds for each call."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        """Stop the process."""
        self._process.kill()
        self._process.communicate()


def rows() -> list[Row]:
    """Latency of one caller against the floor, and the rates of one and of many."""
    from tests.integration.rabbitmq import RabbitMQ

    with tempfile.TemporaryDirectory(prefix="nova-bench-") as directory:
        broker = RabbitMQ(Path(directory))
        try:
            broker.start()
            return measure(broker.url)
        finally:
            broker.kill()


def measure(url: str) -> list[Row]:
    """The same, on the broker at *url*."""
    parts = [Part(role, url) for role in ("floor_server", "server", "floor_client", "client")]
    floor_serving, serving, floor, ours = parts
    try:
        floor.turn(1), ours.turn(1), ours.turn(CALLERS)
        rounds = [(floor.turn(1), ours.turn(1), ours.turn(CALLERS)) for _ in range(ROUNDS)]
        bare_ms, ours_ms = _cpu_ms(floor, floor_serving, calls=CALLS), _cpu_ms(ours, serving, calls=CALLS * 2)
    finally:
        for part in parts:
            part.end()
    bare, one, many = (statistics.median(column) for column in zip(*rounds, strict=True))
    what = "RPC call through RabbitMQ, one caller (floor: the same echo on bare py-amqp)"
    return [
        Row(what=what, ours=one * 1e6, floor=bare * 1e6, unit="us", at_most_ratio=MAX_RATIO),
        Row(
            what="CPU for each RPC call, caller and server (floor: the same echo on bare py-amqp)",
            ours=ours_ms * 1000,
            floor=bare_ms * 1000,
            unit="us",
        ),
        Row(what="RPC calls a second, one caller", ours=1 / one, unit="/s", at_least=2 * UPSTREAM_CALLS_S),
        Row(
            what=f"RPC calls a second, {CALLERS} callers", ours=1 / many, unit="/s", at_least=2 * UPSTREAM_MANY_CALLS_S
        ),
    ]


def _cpu_ms(caller: Part, server: Part, *, calls: int) -> float:
    """Processor time of both for each call of one more round with one caller."""
    pids = (caller.pid, server.pid)
    before = cpu_s(pids)
    caller.turn(1)
    return (cpu_s(pids) - before) / calls * 1000


def main() -> None:
    """Be one of the processes."""
    roles = {role.__name__: role for role in (floor_server, floor_client, server, client)}
    roles[sys.argv[1]](sys.argv[2])


if __name__ == "__main__":
    main()
