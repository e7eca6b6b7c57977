# SPDX-License-Identifier: Apache-2.0
"""A process's way to RabbitMQ: one connection, made when it is first needed and again whenever it breaks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from nova.errors import TooLarge, Unavailable
from nova.rpc.amqp.connection import CONNECTION_ERRORS
from nova.rpc.amqp.consumer import AmqpConsumer
from nova.rpc.amqp.session import Session, SessionLost
from nova.rpc.calls import Calls
from nova.rpc.settings import Broker, TransportSettings
from nova.rpc.transport import Address, Delivery, Message

LOG = logging.getLogger(__name__)

STABLE_S = 10.0
"""A connection that lived longer is made again at once when it breaks."""
CLOSE_TIMEOUT_S = 5.0


class AmqpTransport:
    """See Transport."""

    def __init__(self, settings: TransportSettings) -> None:
        self.calls = Calls()
        self.reply_address = f"reply_{self.calls.new_id()}"
        self._settings = settings
        self.session: Session | None = None
        """The connection that there is now."""
        self._consumers: list[AmqpConsumer] = []
        self._changed = threading.Condition()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0
        self._note: Callable[[], None] = lambda: None

    def watch(self, note: Callable[[], None]) -> None:
        """See Transport."""
        self._note = note

    def publish(self, message: Message, *, within_s: float) -> None:
        """See Transport."""
        if len(message.body) > self._settings.max_message_bytes:
            raise TooLarge(f"A message of {len(message.body)} bytes is too large to be sent.")
        session = self.session
        if session is not None:
            try:
                session.publish(message, time.monotonic() + within_s)
                return
            except SessionLost:
                LOG.debug("Message %s is sent again after its session was lost.", message.id)
        self._with_session(within_s, lambda session, until: session.publish(message, until))

    def reply(self, reply_to: str, body: bytes, *, within_s: float) -> None:
        """Send a reply whose own session was lost."""
        try:
            self._with_session(within_s, lambda session, until: session.write(session.reply_frames(reply_to, body)))
        except Unavailable as exc:
            LOG.warning("A reply was dropped: %s", exc)

    def _with_session(self, within_s: float, send: Callable[[Session, float], None]) -> None:
        until = time.monotonic() + within_s
        while True:
            session = self.session or self._wait_for_session(until, within_s)
            try:
                send(session, until)
                return
            except SessionLost as exc:
                LOG.debug("Sending again after the session was lost: %s", exc)
                if self.session is session:
                    self._wait_for_end(session, until)

    def _wait_for_session(self, until: float, within_s: float) -> Session:
        self._start()
        with self._changed:
            while self.session is None:
                left = until - time.monotonic()
                if left <= 0 or self._closed.is_set():
                    raise Unavailable(
                        "The message broker does not answer.",
                        detail=f"no connection to {self._shown_brokers()} in {within_s:g} s",
                    )
                self._changed.wait(left)
            return self.session

    def _wait_for_end(self, session: Session, until: float) -> None:
        """Let the reading thread notice that *session* is lost, or the queue be declared again when it is not."""
        session.ended.wait(max(0.0, min(0.1, until - time.monotonic())))

    def _shown_brokers(self) -> str:
        return ", ".join(str(broker) for broker in self._settings.brokers)

    def consume(self, addresses: list[Address], deliver: Callable[[Delivery], None], *, prefetch: int) -> AmqpConsumer:
        """See Transport.  Returns once the broker knows, or when it has not answered in the publish time-out."""
        consumer = AmqpConsumer(self, addresses, deliver, prefetch=prefetch)
        with self._changed:
            self._consumers.append(consumer)
            session = self.session
        self._start()
        if session is not None:
            try:
                session.run_soon(lambda: consumer.attach(session))
            except SessionLost:
                LOG.debug("The consumer is attached with the next session.")
        consumer.attached.wait(self._settings.publish_timeout_s)
        return consumer

    def forget(self, consumer: AmqpConsumer) -> None:
        """Do not attach *consumer* again."""
        with self._changed:
            if consumer in self._consumers:
                self._consumers.remove(consumer)

    def close(self) -> None:
        """See Transport."""
        self._closed.set()
        session, thread = self.session, self._thread
        if session is not None:
            session.delete_queue(self.reply_address)
            session.break_off()
        if thread is not None and thread is not threading.current_thread():
            thread.join(CLOSE_TIMEOUT_S)

    # The thread that connects and reads

    def _start(self) -> None:
        with self._changed:
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="amqp", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        first = True
        while not self._closed.is_set():
            session = self._connect()
            if session is None:
                continue
            LOG.info("%s to AMQP server on %s", "Connected" if first else "Reconnected", session.broker)
            if not first or self._failures:
                self._note()
            if not first:
                self.calls.send_again()
            first = False
            self._read(session)

    def _connect(self) -> Session | None:
        """The next session, with everything subscribed; None after a failure and its pause."""
        brokers = self._settings.brokers
        broker = brokers[self._failures % len(brokers)]
        session = None
        try:
            session = Session(self._settings, broker)
            session.take_replies(self.reply_address, self.calls.deliver)
            with self._changed:
                for consumer in self._consumers:
                    consumer.attach(session)
                self.session = session
                self._changed.notify_all()
            return session
        except Exception as exc:  # noqa: BLE001 - whatever it is, the daemon must get its connection back
            _note_defect(exc)
            if session is not None:
                session.end()
            self._pause(broker, exc)
            return None

    def _pause(self, broker: Broker, error: BaseException) -> None:
        settings = self._settings
        self._failures += 1
        self._note()
        if settings.max_retries and self._failures >= settings.max_retries:
            LOG.critical(
                "AMQP server on %s is unreachable: %s. Giving up after %d attempts.", broker, error, self._failures
            )
            self._closed.set()
            with self._changed:
                self._changed.notify_all()
            return
        pause_s = settings.retry_interval_s + settings.retry_backoff_s * (self._failures - 1)
        pause_s = min(pause_s, settings.retry_interval_max_s)
        LOG.error("AMQP server on %s is unreachable: %s. Trying again in %g seconds.", broker, error, pause_s)
        self._closed.wait(pause_s)

    def _read(self, session: Session) -> None:
        reason: BaseException | None = None
        try:
            session.read()
        except Exception as exc:  # noqa: BLE001 - as above
            _note_defect(exc)
            reason = exc
        finally:
            with self._changed:
                self.session = None
            session.end()
        if self._closed.is_set():
            return
        self._note()
        if time.monotonic() - session.began_at > STABLE_S:
            self._failures = 0
            LOG.error("The connection to AMQP server on %s broke: %s. Connecting again.", session.broker, reason)
        else:
            self._pause(session.broker, reason or SessionLost())


def _note_defect(error: Exception) -> None:
    if not isinstance(error, (*CONNECTION_ERRORS, SessionLost)):
        LOG.error("The AMQP connection is given up because of a defect", exc_info=error)
