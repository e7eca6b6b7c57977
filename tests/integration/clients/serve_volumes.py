# SPDX-License-Identifier: Apache-2.0
"""A process with all daemons that serves the compute and volume APIs on loopback: ``serve_volumes.py DIRECTORY``.

Nobody logs in: a token is ``user:project``.  Prints the two URLs, and the id of a server that runs, once it listens.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.functional.volume_cloud import VolumeCloud


class Quiet(WSGIRequestHandler):
    """Writes no access log."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


class Threaded(ThreadingMixIn, WSGIServer):
    """One thread for each connection."""

    daemon_threads = True


def main(directory: Path) -> None:
    """Serve until the process is ended."""
    cloud = VolumeCloud(directory)
    cloud.add_scheduler()
    cloud.add_network()
    cloud.add_storage()
    cloud.add_host("a")
    server = cloud.running()
    urls = []
    for name in ("osapi_compute", "osapi_volume"):
        httpd = make_server("127.0.0.1", 0, cloud.apps[name], server_class=Threaded, handler_class=Quiet)
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        urls.append(f"http://127.0.0.1:{httpd.server_port}")
    sys.stdout.write(f"{' '.join(urls)} {server}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
