# SPDX-License-Identifier: Apache-2.0
"""Listening sockets: our own, or those that systemd (or another parent) opened for us (sd_listen_fds(3))."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping, MutableMapping

from nova.errors import InvalidConfiguration

FIRST_INHERITED = 3
BACKLOG = 1024


def inherited(environment: MutableMapping[str, str] | None = None) -> dict[str, socket.socket]:
    """The listening sockets that were handed to this process, by the names in LISTEN_FDNAMES.

    The variables are removed, so that no child takes the sockets for its own.  To be called before the process forks.
    """
    environment = os.environ if environment is None else environment
    pid = environment.pop("LISTEN_PID", "")
    count = environment.pop("LISTEN_FDS", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    if pid != str(os.getpid()) or not count.isdigit():
        return {}
    found = {}
    for number in range(int(count)):
        name = names[number] if number < len(names) else ""
        found[name] = _adopt(FIRST_INHERITED + number, name)
    return found


def _adopt(descriptor: int, name: str) -> socket.socket:
    try:
        adopted = socket.socket(fileno=descriptor)
        listening = adopted.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as exc:
        raise InvalidConfiguration(f"The inherited descriptor {descriptor} ({name}) is no socket.") from exc
    if not listening:
        raise InvalidConfiguration(f"The inherited socket {descriptor} ({name}) does not listen.")
    os.set_inheritable(descriptor, False)
    return _prepared(adopted)


def listen(name: str, host: str, port: int, *, given: Mapping[str, socket.socket] | None = None) -> socket.socket:
    """The listening socket of API *name*: the *given* (inherited) one of that name, or a new one on *host* and *port*.

    *host* is a name, an IPv4 or an IPv6 literal (brackets allowed).  InvalidConfiguration names the option to change.
    """
    if given and name in given:
        return given[name]
    host = host.removeprefix("[").removesuffix("]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as exc:
        raise InvalidConfiguration(f"{name}_listen: {host} is no address of this host: {exc.strerror}.") from exc
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as exc:
        listener.close()
        raise InvalidConfiguration(_why_not(name, host, port, exc)) from exc
    return _prepared(listener)


def _why_not(name: str, host: str, port: int, error: OSError) -> str:
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return f"{name}: {shown} is in use. Stop the program that listens there, or change {name}_listen_port."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{name}: this host has no address {host}. Change {name}_listen."
    if error.errno == errno.EACCES:
        return f"{name}: port {port} needs root. Change {name}_listen_port to one above 1023."
    return f"{name}: cannot listen on {shown}: {error.strerror}. Change {name}_listen or {name}_listen_port."


def _prepared(listener: socket.socket) -> socket.socket:
    """Accepted connections inherit TCP_NODELAY: without it, small answers on a kept connection wait 40 ms."""
    if listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
