# SPDX-License-Identifier: Apache-2.0
"""A program for the tests of nova.cmd: a green process with a small application, driven by its arguments.

    python -m tests.unit.cmd.served [--workers N] [--pidfile FILE] [--daemonize] [--grace S] [--told-to-end-at-birth]

Its first line on stdout is the port; then come its log lines.
"""

from nova.cmd.green import make_green

make_green()

import argparse  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

from nova.cmd.launcher import ProcessSettings, process, run  # noqa: E402
from nova.cmd.sockets import inherited, listen  # noqa: E402
from nova.cmd.workers import Workers  # noqa: E402
from nova.cmd.wsgi import TlsFiles, WsgiServer, WsgiSettings  # noqa: E402
from nova.errors import InvalidConfiguration  # noqa: E402

LIMITS = WsgiSettings(max_connections=50, header_timeout_s=0.5, keep_alive_s=0.6, io_timeout_s=2.0)


def say(word: str) -> None:
    """Print a line in one piece: several processes share the stream, and ``print`` may write its end separately."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers with its process id, or does what the path says."""
    path = environ["PATH_INFO"]
    if path == "/slow":
        say("slow")
        time.sleep(0.5)
    if path == "/fail":
        raise ValueError("inner text")
    body = environ["wsgi.input"].read() if path == "/echo" else str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Roles", environ.get("HTTP_X_ROLES", "none"))])
    return [body]


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--pidfile", default="")
    parser.add_argument("--daemonize", action="store_true")
    parser.add_argument("--grace", type=float, default=5.0)
    parser.add_argument("--told-to-end-at-birth", action="store_true")
    parser.add_argument("--tls", default="")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(message)s")
    settings = ProcessSettings(name="nova-served", daemonize=options.daemonize, pidfile=options.pidfile)
    try:
        listener = listen("echo", "127.0.0.1", options.port, given=inherited())
        say(str(listener.getsockname()[1]))
        with process(settings):
            serve(listener, options)
    except InvalidConfiguration as exc:
        print(exc.message, file=sys.stderr)
        return 1
    return 0


def signal_first_child() -> None:
    """Send SIGTERM to the first child before it runs a line of its own."""
    born: list[bool] = []

    def in_child() -> None:
        if not born:
            os.kill(os.getpid(), signal.SIGTERM)

    os.register_at_fork(after_in_child=in_child, after_in_parent=lambda: born.append(True))


def serve(listener: Any, options: argparse.Namespace) -> None:
    """Serve here, or in workers."""

    def here() -> None:
        tls = TlsFiles(cert_file=options.tls) if options.tls else None
        server = WsgiServer("echo", app, listener, settings=LIMITS, tls=tls)
        run([server], grace_s=options.grace, reload=reload)

    def reload() -> None:
        say("reloaded")

    if options.told_to_end_at_birth:
        signal_first_child()
    if options.workers:
        Workers("echo", count=options.workers, serve=here).run(grace_s=options.grace, reload=reload)
    else:
        here()


if __name__ == "__main__":
    sys.exit(main())
