# SPDX-License-Identifier: Apache-2.0
"""The DHCP server of one bridge: which cards it must know, and the cheapest way to tell it.

A reload (HUP) makes dnsmasq call the lease program once for every lease it holds, so it is kept for records that must
go.  A new card is written to a file of its own in a directory that dnsmasq watches; a record of a card that is gone
harms nobody until its address is needed for another, or until :meth:`DhcpServer.tidy` comes by.  Several changes at
once become one.  The hosts file always holds everything, so a dnsmasq that is started from it needs nothing else.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from nova import errors
from nova.domain.network import DhcpHost, ReleasedAddress
from nova.network.linux.dnsmasq import Dnsmasq, host_line
from nova.network.settings import DhcpSettings
from nova.network.topology import GuestBridge
from nova.system.commands import CommandRunner
from nova.system.files import ensure_directory, write_atomically, write_if_changed

LOG = logging.getLogger(__name__)

_READABLE = 0o644
_SEARCHABLE = 0o755


class DhcpServer:
    """Hosts by MAC address, as wanted and as dnsmasq knows them.  Safe to use from several threads."""

    def __init__(self, runner: CommandRunner, settings: DhcpSettings, bridge: GuestBridge) -> None:
        self.bridge = bridge
        self._runner = runner
        self._settings = settings
        self._process = Dnsmasq(runner, settings, bridge)
        self._wanted: dict[str, DhcpHost] = {}
        self._known: dict[str, DhcpHost] | None = None
        """None while nobody can say what the running dnsmasq has read"""
        self._mutex = threading.Lock()
        self._turn = threading.Lock()
        self._asked = self._done = 0
        self._numbers = itertools.count(1)

    def replace(self, hosts: Iterable[DhcpHost]) -> None:
        """Know exactly these cards; dnsmasq runs and knows them when this returns."""
        with self._mutex:
            self._wanted = {host.mac_address: host for host in hosts}
            self._asked += 1
        self._tell()

    def add(self, hosts: Iterable[DhcpHost]) -> None:
        """Know these cards too; dnsmasq does when this returns."""
        with self._mutex:
            self._wanted.update((host.mac_address, host) for host in hosts)
            self._asked += 1
        self._tell()

    def remove(self, mac_addresses: Collection[str]) -> None:
        """Know these cards no longer."""
        with self._mutex:
            for mac in mac_addresses:
                self._wanted.pop(mac, None)
            self._asked += 1
        self._tell()

    def end_leases(self, released: Iterable[ReleasedAddress]) -> None:
        """Tell dnsmasq that the guests with these addresses are gone; it then calls the lease program for each."""
        for one in released if self._settings.force_release else ():
            if one.mac_address:
                words = ["dhcp_release", self.bridge.name, one.address, one.mac_address]
                self._runner.run(words, as_root=True, ok_codes=(0, 1))

    def tidy(self) -> None:
        """Start dnsmasq if it is not there, and let it forget the cards that are gone."""
        with self._turn:
            with self._mutex:
                wanted = dict(self._wanted)
            stale = self._known is None or bool(self._known.keys() - wanted.keys())
            self._apply(wanted, reload=stale)

    def stop(self) -> None:
        """End dnsmasq and remove its files."""
        with self._turn:
            self._process.stop()
            self._drop_added()
            if self._process.added.is_dir():
                self._process.added.rmdir()
            for path in (self._process.hosts_file, self._process.pid_file):
                path.unlink(missing_ok=True)

    def _tell(self) -> None:
        """Make what was asked up to now known; whoever waited meanwhile finds it done for him."""
        with self._mutex:
            ticket = self._asked
        with self._turn:
            if self._done >= ticket:
                return
            with self._mutex:
                wanted, asked = dict(self._wanted), self._asked
            self._apply(wanted, reload=False)
            self._done = asked

    def _apply(self, wanted: dict[str, DhcpHost], *, reload: bool) -> None:
        lines = self._lines(wanted)
        ensure_directory(self._process.added, mode=_SEARCHABLE)
        write_if_changed(self._process.hosts_file, "".join(lines.values()), mode=_READABLE)
        pid = self._process.running()
        new = {mac: host for mac, host in wanted.items() if self._known is None or self._known.get(mac) != host}
        if pid is None:
            self._drop_added()
            _warn_of_closed_directories(self._process.added)
            self._process.start()
            self._known = wanted
        elif reload or self._known is None or _clash(new, self._known):
            self._drop_added()
            self._process.reload(pid)
            self._known = wanted
        elif new:
            text = "".join(lines[mac] for mac in new if mac in lines)
            write_atomically(self._process.added / f"{next(self._numbers)}", text, mode=_READABLE)
            self._known = self._known | new

    def _lines(self, wanted: Mapping[str, DhcpHost]) -> dict[str, str]:
        """One line for each card; a card that cannot be written does not keep the others from their addresses."""
        lines = {}
        for mac, host in wanted.items():
            single = self._settings.single_default_gateway
            try:
                lines[mac] = host_line(host, domain=self._settings.domain, single_gateway=single) + "\n"
            except errors.InvalidInput as exc:
                LOG.error("A network card on %s gets no address by DHCP: %s", self.bridge.name, exc)
        return lines

    def _drop_added(self) -> None:
        if self._process.added.is_dir():
            for path in self._process.added.iterdir():
                path.unlink(missing_ok=True)


def _clash(new: Mapping[str, DhcpHost], known: Mapping[str, DhcpHost]) -> bool:
    """Whether a new record contradicts one that dnsmasq has: the same card or the same address."""
    taken = {host.address for host in known.values()}
    return any(mac in known or host.address in taken for mac, host in new.items())


def _warn_of_closed_directories(path: Path) -> None:
    for directory in (path, *path.parents):
        if not directory.stat().st_mode & 0o001:
            LOG.error("dnsmasq cannot read its files: %s is closed to its user. Allow search (chmod o+x).", directory)
