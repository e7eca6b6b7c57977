# SPDX-License-Identifier: Apache-2.0
"""nova-dhcpbridge: dnsmasq calls it for each lease (``add``, ``old``, ``del``), and for all when it starts (``init``).

It lives for milliseconds and imports little.  What it is told comes from guests: it is checked, and no part of it
becomes a command.  When the database is away the lease stands all the same: dnsmasq goes on, and nova-network frees the
address later by its time-out.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from nova import errors
from nova.db.lease_events import LeaseBook

CONNECTION_FILE = "dhcpbridge.conf"
_OWN_FILE = re.compile(
    r"# Written by nova-network at its start\.\n"
    r"\[DEFAULT\]\ndhcp_lease_time = (\d{1,10})\n\[database\]\nconnection = (\S+)\n"
)
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}")
_NETWORKS = re.compile(r"[0-9]{1,10}(,[0-9]{1,10}){0,4095}")
_NAME = re.compile(r"[A-Za-z0-9-]{1,63}")
_TRIES = 3
_PAUSE_S = 1.0
_LIMIT_S = 25
_FILE_BYTES = 8192
_SILENT = frozenset({"old", "arp-add", "arp-del", "arp-old", "tftp", "relay-snoop"})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the lease program needs of the configuration."""

    url: str
    lease_time_s: int


def write_own_file(directory: Path, settings: Settings) -> Path:
    """Spare the lease program the reading of the whole configuration: a file that this user alone may read."""
    from nova.system.files import write_if_changed

    path = directory / CONNECTION_FILE
    text = f"[DEFAULT]\ndhcp_lease_time = {settings.lease_time_s}\n[database]\nconnection = {settings.url}\n"
    write_if_changed(path, f"# Written by nova-network at its start.\n{text}", mode=0o600)
    return path


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Do one action; the exit code is 0 unless the call itself or the record failed."""
    words = list(sys.argv[1:] if argv is None else argv)
    environment = os.environ if environ is None else environ
    while words and words[0].startswith("--"):
        words.pop(0)
    action = words[0] if words else ""
    if action in _SILENT:
        return 0
    signal.signal(signal.SIGALRM, _too_slow)
    signal.alarm(_LIMIT_S)
    try:
        if action == "init":
            return _init(environment)
        if action in ("add", "del") and len(words) >= 3:
            return _record(action, words[1].lower(), words[2], environment)
    except errors.NovaError as exc:
        print(f"nova-dhcpbridge: {action}: {exc}", file=sys.stderr)
        return 1
    finally:
        signal.alarm(0)
    print("nova-dhcpbridge: expected add|old|del MAC ADDRESS [NAME], or init", file=sys.stderr)
    return 1


def _init(environ: Mapping[str, str]) -> int:
    """Print the leases that hold.  Without a database none: dnsmasq is authoritative and takes its guests' word."""
    networks = environ.get("NETWORK_ID", "")
    if not _NETWORKS.fullmatch(networks):
        print("nova-dhcpbridge: init: NETWORK_ID is not set", file=sys.stderr)
        return 1
    settings = _settings(environ)
    try:
        book = LeaseBook(settings.url)
        leases = book.current([int(number) for number in networks.split(",")])
        book.close()
    except errors.Unavailable as exc:
        print(f"nova-dhcpbridge: init: {exc}; starting without leases", file=sys.stderr)
        return 0
    until = int(time.time()) + settings.lease_time_s
    for lease in leases:
        name = lease.hostname if _NAME.fullmatch(lease.hostname) else "*"
        print(f"{until} {lease.mac_address} {lease.address} {name} *")
    return 0


def _record(action: str, mac: str, address: str, environ: Mapping[str, str]) -> int:
    if not _MAC.fullmatch(mac) or not _ADDRESS.fullmatch(address):
        print(f"nova-dhcpbridge: {action}: not a card's MAC and IPv4 address", file=sys.stderr)
        return 0
    for attempt in range(1, _TRIES + 1):
        try:
            book = LeaseBook(_settings(environ).url)
            done = (book.started if action == "add" else book.ended)(mac_address=mac, address=address)
            book.close()
            break
        except errors.Unavailable:
            if attempt == _TRIES:
                raise
            time.sleep(_PAUSE_S)
    if not done:
        print(f"nova-dhcpbridge: {action}: {address} is not an address of {mac}", file=sys.stderr)
    return 0


def _settings(environ: Mapping[str, str]) -> Settings:
    """From nova-network's own file where it can be trusted; otherwise the whole configuration is read."""
    files = _config_files(environ)
    for name in files:
        if Path(name).name == CONNECTION_FILE and (found := _own_file(Path(name))):
            return found
    from nova.cmd.configuration import database_settings
    from nova.conf.loading import load

    options = [f"--config-file={name}" for name in files if Path(name).name != CONNECTION_FILE]
    conf = load(options, prog="nova-dhcpbridge").conf
    return Settings(database_settings(conf).url, int(conf.dhcp_lease_time))


def _own_file(path: Path) -> Settings | None:
    """What the file says; nothing where it is missing or foreign: root does not follow what another user may write."""
    try:
        with path.open(encoding="utf-8") as stream:
            foreign = os.fstat(stream.fileno()).st_uid not in (0, os.geteuid())
            match = None if foreign else _OWN_FILE.fullmatch(stream.read(_FILE_BYTES))
    except (OSError, UnicodeDecodeError):
        return None
    return Settings(match.group(2), int(match.group(1))) if match else None


def _config_files(environ: Mapping[str, str]) -> list[str]:
    """``CONFIG_FILE`` or ``FLAGFILE``: paths with commas between them, or a JSON list of paths."""
    given = environ.get("CONFIG_FILE") or environ.get("FLAGFILE") or ""
    if not given.startswith("["):
        return [name for name in given.split(",") if name]
    try:
        return [str(name) for name in json.loads(given)]
    except ValueError:
        raise errors.InvalidConfiguration("CONFIG_FILE is not a JSON list of paths.") from None


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise errors.Timeout("The database took too long.")


if __name__ == "__main__":
    sys.exit(main())
