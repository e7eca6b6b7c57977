# SPDX-License-Identifier: Apache-2.0
"""A process with all daemons that serves the EC2 API on loopback: ``serve_ec2.py DIRECTORY``.

Prints the port, and for alice and bob access key (with project) and secret key, once it listens.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
from pathlib import Path
from typing import Any, cast
from wsgiref.simple_server import make_server

sys.path.insert(0, str(Path(__file__).parents[3]))

from paste.deploy import loadapp

from nova.api.cloud import deploying
from nova.domain.image import Image
from nova.identity.bootstrap import bootstrap
from nova.identity.builtin import BuiltinIdentity
from tests.functional.cloud import USERS, cheap_hasher
from tests.functional.volume_cloud import PASTE, VolumeCloud
from tests.functional.workflow_cloud import IMAGE, Images
from tests.integration.clients.serve_volumes import Quiet, Threaded


class ListedImages(Images):
    """The one image, also in lists."""

    def find(self, *_args: object, **_options: object) -> tuple[Image, ...]:
        return (IMAGE,)


def main(directory: Path) -> None:
    """Serve until the process is ended."""
    cloud = VolumeCloud(directory)
    cloud.add_scheduler()
    cloud.add_network()
    cloud.add_storage()
    cloud.add_host("a")
    users = {user.name: user for user in bootstrap(cloud.db, hasher=cheap_hasher(), wanted=USERS)}
    api = dataclasses.replace(
        cloud.api,
        identity=BuiltinIdentity(cloud.db, hasher=cheap_hasher()),
        images=cast(Any, ListedImages()),
        settings=dataclasses.replace(cloud.api.settings, auth_strategy="builtin", default_flavor="small"),
    )
    with deploying(api):
        app = loadapp(f"config:{PASTE}", name="ec2")
    httpd = make_server("127.0.0.1", 0, app, server_class=Threaded, handler_class=Quiet)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    words = [str(httpd.server_port)]
    for name in ("alice", "bob"):
        user = users[name]
        words += [f"{user.access_key}:{user.default_project_id}", user.secret_key.reveal() if user.secret_key else ""]
    sys.stdout.write(f"{' '.join(words)}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
