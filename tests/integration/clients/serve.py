# SPDX-License-Identifier: Apache-2.0
"""A process that serves the identity and image APIs on loopback, for client programs: ``serve.py DIRECTORY``.

Prints the two ports once it listens.
"""

from __future__ import annotations

import eventlet

eventlet.monkey_patch()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import eventlet.wsgi  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[3]))

from nova.identity.catalog import Endpoint  # noqa: E402
from tests.functional.cloud import SmallCloud, new_database  # noqa: E402


def main(directory: Path) -> None:
    """Serve until the process is ended."""
    identity, image = (eventlet.listen(("127.0.0.1", 0)) for _ in range(2))
    at = [f"http://127.0.0.1:{sock.getsockname()[1]}" for sock in (identity, image)]
    endpoints = (
        Endpoint(type="identity", name="keystone", public_url=f"{at[0]}/v3"),
        Endpoint(type="image", name="glance", public_url=at[1]),
        Endpoint(type="compute", name="nova", public_url="http://127.0.0.1:1/v2.1/$(tenant_id)s"),
    )
    db = new_database(f"sqlite:///{directory / 'nova.sqlite'}")
    cloud = SmallCloud(db=db, store=directory / "store", endpoints=endpoints)
    quiet = (directory / "access.log").open("w")
    eventlet.spawn(eventlet.wsgi.server, identity, cloud.identity_api, log=quiet, socket_timeout=30)
    sys.stdout.write(f"{' '.join(at)}\n")
    sys.stdout.flush()
    eventlet.wsgi.server(image, cloud.image_api, log=quiet, socket_timeout=30)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
