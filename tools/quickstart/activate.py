# SPDX-License-Identifier: Apache-2.0
"""Open the APIs' sockets here, then become another program (perhaps in another network namespace) that inherits them.

Usage: ``python -m tools.quickstart.activate name=address:port … -- program argument …``.  The sockets are handed over
by the socket activation protocol of systemd (sd_listen_fds(3)): file descriptors from 3 on, named in LISTEN_FDNAMES.
"""

from __future__ import annotations

import os
import socket
import sys

FIRST_FD = 3


def listen(address: str, port: int) -> socket.socket:
    """A listening TCP socket."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((address, port))
    except OSError as error:
        sys.exit(f"activate: {address}:{port}: {error.strerror}; stop the program that listens there")
    sock.listen(512)
    return sock


def main() -> None:
    """Become the program."""
    split = sys.argv.index("--")
    wanted, argv = sys.argv[1:split], sys.argv[split + 1 :]
    names = [entry.split("=", 1)[0] for entry in wanted]
    places = [entry.split("=", 1)[1].rsplit(":", 1) for entry in wanted]
    sockets = [listen(address, int(port)) for address, port in places]
    spare = [os.dup(sock.fileno()) for sock in sockets]  # out of the way of the final numbers
    high = [os.dup2(fd, 64 + number, inheritable=False) for number, fd in enumerate(spare)]
    for number, fd in enumerate(high):
        os.dup2(fd, FIRST_FD + number, inheritable=True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
    os.execvp(argv[0], argv)  # noqa: S606


if __name__ == "__main__":
    main()
