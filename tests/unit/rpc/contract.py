# SPDX-License-Identifier: Apache-2.0
"""What every transport must do, as one suite: inherited for the memory and for RabbitMQ."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from nova import errors
from nova.context import RequestContext
from nova.rpc.client import client_for
from nova.rpc.codec import CONTENT_TYPE
from nova.rpc.interface import Interface, call, cast, fanout
from nova.rpc.server import Server, acknowledge
from nova.rpc.transport import Address, Message, Transport
from nova.secret import Secret

CONTEXT = RequestContext(user_id="u1", project_id="p1", roles=("member",))


class Backend(Protocol):
    """A broker that a test has for itself."""

    max_message_bytes: int

    def connect(self) -> Transport:
        """A transport as one process has it."""
        ...

    def put(self, queue: str, body: bytes, content_type: str) -> None:
        """Put any bytes into a queue."""
        ...

    def waiting(self, queue: str) -> list[bytes]:
        """Take everything out of a queue."""
        ...

    def lose_connection(self, transport: Transport) -> None:
        """What happens when the process of *transport* is killed."""
        ...


class Colour(enum.Enum):
    RED = "red"


@dataclasses.dataclass(frozen=True, slots=True)
class Parcel:
    name: str
    colour: Colour
    at: datetime.datetime
    password: Secret | None = None
    tags: dict[str, str] = dataclasses.field(default_factory=dict)
    parts: tuple[str, ...] = ()


class Post(Interface):
    """The interface under test."""

    topic = "post"
    version = "1.2"

    @call(timeout_s=10)
    def echo(self, context: RequestContext, *, parcel: Parcel, note: str = "none") -> tuple[Parcel, str]: ...

    @call(timeout_s=10)
    def who(self, context: RequestContext) -> str: ...

    @call(timeout_s=10)
    def double(self, context: RequestContext, number: int) -> int: ...

    @call(timeout_s=0.3)
    def slow(self, context: RequestContext) -> None: ...

    @call(timeout_s=10)
    def patient(self, context: RequestContext) -> str: ...

    @call(timeout_s=10)
    def fail(self, context: RequestContext, *, kind: str) -> None: ...

    @call(timeout_s=10)
    def wrong_result(self, context: RequestContext) -> int: ...

    @cast
    def note(self, context: RequestContext, *, text: str) -> None: ...

    @cast
    def hold(self, context: RequestContext, *, text: str, early: bool) -> None: ...

    @fanout
    def shout(self, context: RequestContext, *, text: str) -> None: ...


class PostOffice:
    """An implementation that writes down what it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seen: list[str] = []
        self.may_go_on = threading.Event()

    def echo(self, context: RequestContext, *, parcel: Parcel, note: str) -> tuple[Parcel, str]:
        assert context == CONTEXT
        return parcel, note

    def who(self, context: RequestContext) -> str:
        return self.name

    def double(self, context: RequestContext, number: int) -> int:
        self.seen.append(str(number))
        return number * 2

    def slow(self, context: RequestContext) -> None:
        self.may_go_on.wait(10)

    def patient(self, context: RequestContext) -> str:
        self.seen.append("patient")
        self.may_go_on.wait(10)
        return self.name

    def fail(self, context: RequestContext, *, kind: str) -> None:
        if kind in errors.KINDS:
            raise errors.KINDS[kind]("It is so.", detail="a path", resource="server", id="7")
        raise ZeroDivisionError(kind)

    def wrong_result(self, context: RequestContext) -> int:
        return "text"  # type: ignore[return-value]

    def note(self, context: RequestContext, *, text: str) -> None:
        self.seen.append(text)

    def hold(self, context: RequestContext, *, text: str, early: bool) -> None:
        if early:
            acknowledge()
        self.seen.append(text)
        self.may_go_on.wait(10)

    def shout(self, context: RequestContext, *, text: str) -> None:
        self.seen.append(text)


def wait_for(condition: Callable[[], Any], timeout_s: float = 15.0) -> None:
    """Wait until *condition* is true."""
    until = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.005)


def request(method: str, args: Any, **fields: Any) -> bytes:
    """A message as another program might make it."""
    envelope = {"id": "m-1", "method": method, "version": "1.2", "context": {"request_id": "req-1"}, "args": args}
    return json.dumps(envelope | fields).encode()


class TransportContract:
    """The suite; a subclass has a fixture ``backend``."""

    @pytest.fixture
    def processes(self, backend: Backend) -> Iterator[Processes]:
        started = Processes(backend)
        yield started
        started.stop()

    def test_values_cross_as_their_annotations_say(self, processes: Processes) -> None:
        processes.serve("h1")
        parcel = Parcel(
            "a", Colour.RED, datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), Secret("s3"), {"k": "v"}, ("x", "y")
        )
        assert processes.client().echo(CONTEXT, parcel=parcel) == (parcel, "none")
        assert processes.client().echo(CONTEXT, parcel=parcel, note="ü\n") == (parcel, "ü\n")

    def test_a_positional_argument_arrives_by_its_name(self, processes: Processes) -> None:
        processes.serve("h1")
        assert processes.client().double(CONTEXT, 21) == 42

    def test_wrong_arguments_are_refused_by_the_caller_side(self, processes: Processes) -> None:
        with pytest.raises(TypeError):
            processes.client().double(CONTEXT, 21, 22)  # type: ignore[call-arg]

    def test_a_cast_is_done_once_by_one_of_two_servers(self, processes: Processes) -> None:
        one, two = processes.serve("h1"), processes.serve("h2")
        for number in range(20):
            processes.client().note(CONTEXT, text=str(number))
        wait_for(lambda: len(one.seen) + len(two.seen) == 20)
        assert sorted(one.seen + two.seen, key=int) == [str(number) for number in range(20)]
        assert one.seen
        assert two.seen

    def test_a_fanout_reaches_every_server(self, processes: Processes) -> None:
        offices = [processes.serve(host) for host in ("h1", "h2", "h3")]
        processes.client().shout(CONTEXT, text="all")
        wait_for(lambda: all(office.seen == ["all"] for office in offices))

    def test_a_host_is_spoken_with_alone(self, processes: Processes) -> None:
        processes.serve("h1")
        processes.serve("h2")
        assert [processes.client().on(host).who(CONTEXT) for host in ("h2", "h1", "h2")] == ["h2", "h1", "h2"]

    def test_a_time_out_names_topic_host_and_method(self, processes: Processes) -> None:
        processes.serve("h1")
        with pytest.raises(errors.Timeout) as caught:
            processes.client().on("h1").slow(CONTEXT)
        assert caught.value.data == {"topic": "post", "host": "h1", "method": "slow"}

    def test_the_answer_of_a_caller_who_gave_up_harms_nobody(self, processes: Processes) -> None:
        office = processes.serve("h1")
        with pytest.raises(errors.Timeout):
            processes.client().slow(CONTEXT)
        office.may_go_on.set()
        assert processes.client().double(CONTEXT, 2) == 4

    @pytest.mark.parametrize("kind", ["NotFound", "NoCapacity", "QuotaExceeded", "Timeout"])
    def test_an_error_of_ours_arrives_as_itself(self, processes: Processes, kind: str) -> None:
        processes.serve("h1")
        with pytest.raises(errors.KINDS[kind]) as caught:
            processes.client().fail(CONTEXT, kind=kind)
        assert type(caught.value) is errors.KINDS[kind]
        assert caught.value.message == "It is so."
        assert caught.value.data == {"resource": "server", "id": "7"}
        assert "a path" in caught.value.detail
        assert "h1" in caught.value.detail

    def test_any_other_exception_arrives_as_internal_error_with_its_cause_for_the_log(
        self, processes: Processes
    ) -> None:
        processes.serve("h1")
        with pytest.raises(errors.InternalError) as caught:
            processes.client().fail(CONTEXT, kind="by zero")
        assert "zero" not in caught.value.message.lower()
        assert "ZeroDivisionError: by zero" in caught.value.detail

    def test_a_result_that_is_not_what_the_interface_says_is_an_internal_error(self, processes: Processes) -> None:
        processes.serve("h1")
        with pytest.raises(errors.InternalError):
            processes.client().wrong_result(CONTEXT)

    def test_many_callers_each_get_their_own_answer(self, processes: Processes) -> None:
        processes.serve("h1")
        client, wrong = processes.client(), []

        def work(start: int) -> None:
            wrong.extend(n for n in range(start, start + 25) if client.double(CONTEXT, n) != 2 * n)

        threads = [threading.Thread(target=work, args=(start * 100,)) for start in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []

    def test_a_cast_waits_for_a_server_that_was_never_there(self, processes: Processes) -> None:
        processes.client().on("new").note(CONTEXT, text="early")
        processes.client().note(CONTEXT, text="bird")
        office = processes.serve("new")
        wait_for(lambda: sorted(office.seen) == ["bird", "early"])

    def test_a_call_whose_caller_gave_up_is_not_worked_on(self, processes: Processes, backend: Backend) -> None:
        backend.put("post", request("post.double", {"number": 1}, reply_to="r", deadline=time.time() - 1), CONTENT_TYPE)
        office = processes.serve("h1")
        assert processes.client().double(CONTEXT, 5) == 10
        assert office.seen == ["5"]
        assert backend.waiting("post.poisoned") == []

    @pytest.mark.parametrize(
        ("body", "content_type"),
        [
            (pickle.dumps({"a": 1}), "application/x-python-serialize"),
            (pickle.dumps({"a": 1}), CONTENT_TYPE),
            (b"!!python/object/apply:os.system ['true']", "application/x-yaml"),
            (request("post.double", {"number": 1}), "application/x-yaml"),
            (b"", CONTENT_TYPE),
            (b"[" * 100_000, CONTENT_TYPE),
            (b"null", CONTENT_TYPE),
            (request("post.double", {"number": "1"}), CONTENT_TYPE),
            (request("post.double", {"number": 1, "more": 2}), CONTENT_TYPE),
            (request("post.double", {}), CONTENT_TYPE),
            (request("post.double", None), CONTENT_TYPE),
            (request("post.__init__", {"name": "x"}), CONTENT_TYPE),
            (request("post.seen", {}), CONTENT_TYPE),
            (request("post.double", {"number": 1}, version="2.0"), CONTENT_TYPE),
            (request("post.double", {"number": 1}, version="1.3"), CONTENT_TYPE),
            (request("post.double", {"number": 1}, version="x"), CONTENT_TYPE),
            (request("post.double", {"number": 1}, context={"is_admin": "yes"}), CONTENT_TYPE),
        ],
    )
    def test_poison_is_set_aside_once_and_the_next_message_is_served(
        self, processes: Processes, backend: Backend, caplog: pytest.LogCaptureFixture, body: bytes, content_type: str
    ) -> None:
        office = processes.serve("h1")
        backend.put("post", body, content_type)
        kept: list[bytes] = []
        wait_for(lambda: kept.extend(backend.waiting("post.poisoned")) or kept)
        assert kept == [body[:65536]]
        assert processes.client().double(CONTEXT, 5) == 10
        assert office.seen == ["5"]
        assert backend.waiting("post.poisoned") == []
        assert len([record for record in caplog.records if "is set aside" in record.getMessage()]) == 1

    def test_a_message_that_is_too_large_is_set_aside_by_its_head(self, processes: Processes, backend: Backend) -> None:
        processes.serve("h1")
        body = b'{"id": "' + b"x" * backend.max_message_bytes
        backend.put("post", body, CONTENT_TYPE)
        kept: list[bytes] = []
        wait_for(lambda: kept.extend(backend.waiting("post.poisoned")) or kept)
        assert kept == [body[:65536]]
        assert processes.client().double(CONTEXT, 5) == 10

    def test_a_message_that_is_too_large_is_not_sent(self, processes: Processes, backend: Backend) -> None:
        with pytest.raises(errors.TooLarge):
            processes.client().note(CONTEXT, text="x" * backend.max_message_bytes)

    def test_a_caller_of_a_refused_version_hears_it_at_once(self, processes: Processes) -> None:
        processes.serve("h1")

        class Newer(Post):
            version = "1.3"

        with pytest.raises(errors.NotSupported):
            client_for(Newer, processes.transport()).double(CONTEXT, 1)

    def test_a_caller_of_an_older_minor_version_is_served(self, processes: Processes) -> None:
        processes.serve("h1")

        class Older(Post):
            version = "1.0"

        assert client_for(Older, processes.transport()).double(CONTEXT, 1) == 2

    def test_a_message_that_comes_twice_is_worked_on_once(self, processes: Processes, backend: Backend) -> None:
        office = processes.serve("h1")
        for text in ("once", "once"):
            backend.put("post", request("post.note", {"text": text}), CONTENT_TYPE)
        assert processes.client().double(CONTEXT, 5) == 10
        wait_for(lambda: office.seen.count("once") == 1)
        assert office.seen.count("once") == 1

    def test_a_call_that_comes_twice_is_answered_twice(self, processes: Processes) -> None:
        office = processes.serve("h1")
        transport = processes.transport()
        body = request(
            "post.double", {"number": 4}, reply_to=transport.reply_address, deadline=time.time() + 9, id="twice"
        )
        for _ in range(2):
            waiter = transport.calls.open("twice")
            transport.publish(Message("twice", Address("post"), body, 9, confirmed=False), within_s=5)
            assert waiter.wait(5)
            assert waiter.reply is not None
        assert office.seen == ["4"]

    def test_what_a_dead_server_had_in_hand_is_done_by_another(self, processes: Processes, backend: Backend) -> None:
        transport = processes.transport()
        dead = processes.serve("h1", transport=transport)
        processes.client().hold(CONTEXT, text="work", early=False)
        wait_for(lambda: dead.seen == ["work"])
        alive = processes.serve("h2")
        backend.lose_connection(transport)
        wait_for(lambda: alive.seen == ["work"])
        dead.may_go_on.set()
        alive.may_go_on.set()

    def test_work_that_was_acknowledged_early_is_not_given_out_again(
        self, processes: Processes, backend: Backend
    ) -> None:
        transport = processes.transport()
        dead = processes.serve("h1", transport=transport)
        processes.client().on("h1").hold(CONTEXT, text="work", early=True)
        wait_for(lambda: dead.seen == ["work"])
        assert processes.client().on("h1").double(CONTEXT, 1) == 2
        backend.lose_connection(transport)
        dead.may_go_on.set()
        again = processes.serve("h1")
        assert processes.client().on("h1").double(CONTEXT, 5) == 10
        assert again.seen == ["5"]

    def test_stopping_waits_for_what_is_in_hand(self, processes: Processes, backend: Backend) -> None:
        office = processes.serve("h1")
        processes.client().hold(CONTEXT, text="work", early=False)
        wait_for(lambda: office.seen == ["work"])
        stopping = threading.Thread(target=processes.servers[0].stop, args=(10,))
        stopping.start()
        stopping.join(0.05)
        assert stopping.is_alive()
        office.may_go_on.set()
        stopping.join(10)
        assert not stopping.is_alive()
        assert backend.waiting("post") == []

    def test_stopping_hands_back_what_does_not_finish_in_time(self, processes: Processes) -> None:
        office = processes.serve("h1")
        processes.client().hold(CONTEXT, text="work", early=False)
        wait_for(lambda: office.seen == ["work"])
        other = processes.serve("h2")
        processes.servers[0].stop(0.05)
        wait_for(lambda: other.seen == ["work"])
        office.may_go_on.set()
        other.may_go_on.set()

    def test_no_more_than_its_threads_are_in_a_servers_hand(self, processes: Processes) -> None:
        office = processes.serve("h1", threads=2)
        for number in range(5):
            processes.client().hold(CONTEXT, text=str(number), early=True)
        wait_for(lambda: len(office.seen) == 2)
        office.may_go_on.set()
        wait_for(lambda: len(office.seen) == 5)


class Processes:
    """What stands for the daemons of a test."""

    def __init__(self, backend: Backend) -> None:
        self.servers: list[Server] = []
        self._backend = backend
        self._offices: list[PostOffice] = []
        self._transports: list[Transport] = []
        self._client: Post | None = None

    def transport(self) -> Transport:
        """The broker as a new process sees it."""
        transport = self._backend.connect()
        self._transports.append(transport)
        return transport

    def client(self) -> Post:
        """A client in a process of its own."""
        if self._client is None:
            self._client = client_for(Post, self.transport())
        return self._client

    def serve(self, host: str, *, transport: Transport | None = None, threads: int = 8) -> PostOffice:
        """Start a server on *host*."""
        office = PostOffice(host)
        server = Server(
            transport or self.transport(),
            host=host,
            threads=threads,
            max_message_bytes=self._backend.max_message_bytes,
        )
        server.serve(Post, office)
        server.start()
        self.servers.append(server)
        self._offices.append(office)
        return office

    def stop(self) -> None:
        """Stop everything."""
        for office in self._offices:
            office.may_go_on.set()
        for server in self.servers:
            server.stop(5)
        for transport in self._transports:
            transport.close()
