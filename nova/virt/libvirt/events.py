# SPDX-License-Identifier: Apache-2.0
"""libvirt's own word on guests that start, stop, pause or vanish: over a connection of its own.

Runs in nova-compute.  libvirt delivers events only while its event loop runs, so one call runs it in a native thread
until something happened.  The loop is one for the process and must be there before the connection is opened.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import libvirt

from nova import errors
from nova.virt.libvirt.connection import RunBlocking, opened

LOG = logging.getLogger(__name__)

UNINTERESTING = frozenset({libvirt.VIR_DOMAIN_EVENT_DEFINED})
"""A new definition changes nothing that a guest does."""


class GuestEvents:
    """The events of one libvirtd."""

    def __init__(self, uri: str, run_blocking: RunBlocking) -> None:
        self._uri = uri
        self._run_blocking = run_blocking
        self._handle: Any = None
        self._changed: deque[str] = deque()

    def wait(self, *, timeout_s: float) -> frozenset[str] | None:
        """See :class:`nova.virt.driver.Events`."""
        return self._run_blocking(lambda: self._wait(timeout_s))

    def _wait(self, timeout_s: float) -> frozenset[str] | None:
        if self._handle is None:
            self._open()
            return None
        self._run_loop(timeout_s)
        if not self._alive():
            self._drop()
            raise errors.Unavailable(f"The hypervisor at {self._uri} ended the connection for events.", uri=self._uri)
        changed = frozenset(self._changed)
        self._changed.clear()
        return changed

    def _open(self) -> None:
        libvirt.virEventRegisterDefaultImpl()
        try:
            handle = opened(self._uri)
            handle.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._note, None)
        except libvirt.libvirtError as exc:
            raise errors.Unavailable(
                f"The hypervisor at {self._uri} does not answer; is libvirtd running?", detail=str(exc), uri=self._uri
            ) from exc
        self._handle = handle
        self._changed.clear()

    def _note(self, _connection: Any, domain: Any, event: int, _detail: int, _opaque: Any) -> None:
        if event not in UNINTERESTING:
            self._changed.append(domain.UUIDString())

    def _run_loop(self, timeout_s: float) -> None:
        over: list[bool] = []
        timer = libvirt.virEventAddTimeout(int(timeout_s * 1000), lambda _timer, _opaque: over.append(True), None)
        try:
            while not self._changed and not over and self._alive():
                libvirt.virEventRunDefaultImpl()
        finally:
            libvirt.virEventRemoveTimeout(timer)

    def _alive(self) -> bool:
        try:
            return bool(self._handle.isAlive())
        except libvirt.libvirtError:
            return False

    def _drop(self) -> None:
        handle, self._handle = self._handle, None
        try:
            handle.close()
        except libvirt.libvirtError as exc:
            LOG.debug("A broken connection was not closed cleanly: %s", exc)
