# SPDX-License-Identifier: Apache-2.0
"""A process that serves the identity and image APIs on loopback, for client programs: ``serve.py DIRECTORY``.

Prints the two addresses once it listens.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from nova.cmd.green import make_green

make_green()

import threading  # noqa: E402

from nova.cmd.sockets import listen  # noqa: E402
from nova.cmd.wsgi import WsgiServer  # noqa: E402
from nova.identity.catalog import Endpoint  # noqa: E402
from tests.functional.cloud import SmallCloud, new_database  # noqa: E402


def main(directory: Path) -> None:
    """Serve until the process is ended."""
    identity, image = (listen(name, "127.0.0.1", 0) for name in ("identity", "image"))
    at = [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in (identity, image)]
    endpoints = (
        Endpoint(type="identity", name="keystone", public_url=f"{at[0]}/v3"),
        Endpoint(type="image", name="glance", public_url=at[1]),
        Endpoint(type="compute", name="nova", public_url="http://127.0.0.1:1/v2.1/$(tenant_id)s"),
    )
    db = new_database(f"sqlite:///{directory / 'nova.sqlite'}")
    cloud = SmallCloud(db=db, store=directory / "store", endpoints=endpoints)
    WsgiServer("identity", cloud.identity_api, identity).start()
    WsgiServer("image", cloud.image_api, image).start()
    sys.stdout.write(f"{' '.join(at)}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
