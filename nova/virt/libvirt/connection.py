# SPDX-License-Identifier: Apache-2.0
"""The connection to libvirtd, opened when it is needed and again after libvirtd was restarted.

Runs in nova-compute.  Every call into libvirt blocks in C, so all of them go through the ``run_blocking`` that was
passed in, a whole function at a time.  Such a function runs in a native thread, so it takes no lock of ours (one that
green and native threads share is never handed over); and it may run twice, when the connection breaks under it:
everything the driver does may be repeated.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import libvirt

from nova import errors

LOG = logging.getLogger(__name__)

T = TypeVar("T")

GONE = (libvirt.VIR_ERR_NO_DOMAIN,)


class RunBlocking(Protocol):
    """Runs a function that blocks in C so that nobody else waits."""

    def __call__(self, function: Callable[[], T], /) -> T:
        """What *function* returns or raises."""
        ...


def run_directly(function: Callable[[], T], /) -> T:
    """The ``run_blocking`` of a program without an event loop."""
    return function()


class Connection:
    """One connection to one libvirtd."""

    def __init__(self, uri: str, run_blocking: RunBlocking = run_directly) -> None:
        self._uri = uri
        self._run_blocking = run_blocking
        self._handle: Any = None
        self._lock = threading.Lock()

    @property
    def uri(self) -> str:
        """Where libvirtd is."""
        return self._uri

    def call(self, what: str, function: Callable[[Any], T]) -> T:
        """Run ``function(handle)`` away from the event loop.

        :param what: what is being done, for the error's sentence: ``start the server``
        :raises errors.Unavailable: libvirtd does not answer
        :raises errors.HypervisorError: libvirt refused; its words are in the detail, its code in the data
        """
        for last_try in (False, True):
            handle = self._open()
            try:
                return self._run_blocking(lambda handle=handle: function(handle))  # type: ignore[misc]
            except libvirt.libvirtError as exc:
                if self._run_blocking(lambda handle=handle: _is_alive(handle)):  # type: ignore[misc]
                    raise _refused(what, exc) from exc
                LOG.warning("The connection to %s broke: %s", self._uri, exc)
                self._drop(handle)
                if last_try:
                    raise self._unavailable(exc) from exc
        raise errors.InternalError(detail="unreachable")

    def find(self, uuid: str, what: str, function: Callable[[Any], T]) -> T | None:
        """``call`` with the domain *uuid* instead of the connection; None when libvirt does not know the domain."""

        def with_domain(handle: Any) -> T | None:
            try:
                return function(handle.lookupByUUIDString(uuid))
            except libvirt.libvirtError as exc:
                if exc.get_error_code() in GONE:
                    return None
                raise

        return self.call(what, with_domain)

    def close(self) -> None:
        """Let go of the connection; the next call opens a new one."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._run_blocking(lambda: _close(handle))

    def _open(self) -> Any:
        with self._lock:
            if self._handle is None:
                try:
                    self._handle = self._run_blocking(lambda: opened(self._uri))
                except libvirt.libvirtError as exc:
                    raise self._unavailable(exc) from exc
                LOG.info("Connected to %s", self._uri)
            return self._handle

    def _drop(self, handle: Any) -> None:
        with self._lock:
            if self._handle is handle:
                self._handle = None
        self._run_blocking(lambda: _close(handle))

    def _unavailable(self, exc: libvirt.libvirtError) -> errors.Unavailable:
        return errors.Unavailable(
            f"The hypervisor at {self._uri} does not answer; is libvirtd running?", detail=str(exc), uri=self._uri
        )


def opened(uri: str) -> Any:
    """A new connection; blocks."""
    libvirt.registerErrorHandler(_ignore_error, None)
    return libvirt.open(uri)


def _refused(what: str, exc: libvirt.libvirtError) -> errors.HypervisorError:
    return errors.HypervisorError(f"The hypervisor could not {what}.", detail=str(exc), code=exc.get_error_code())


def _is_alive(handle: Any) -> bool:
    try:
        return bool(handle.isAlive())
    except libvirt.libvirtError:
        return False


def _close(handle: Any) -> None:
    try:
        handle.close()
    except libvirt.libvirtError as exc:
        LOG.debug("A broken connection was not closed cleanly: %s", exc)


def _ignore_error(context: object, error: object) -> None:
    """libvirt would print each error to standard error; they are raised anyway."""
