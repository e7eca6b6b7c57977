# SPDX-License-Identifier: Apache-2.0
"""A program of the tests: asks every API for what must be refused, and prints the statuses.  Run also with -O."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from nova.api.routing import PUBLIC
from tests.functional.osapi.test_hostile import sample
from tests.security.doors import Doors

ABSENT = "00000000-0000-4000-8000-000000000000"
NAMES = ("compute latest", "compute v2", "volume v3", "identity", "image")


def main() -> None:
    """The statuses by what was asked, as JSON."""
    found: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as directory:
        doors = Doors(Path(directory))
        for name in NAMES:
            door = doors.all[name]
            member = "eve:melons" if name.startswith(("compute", "volume")) else doors.small.token("alice")
            for route in door.table.routes:
                if route.policy == PUBLIC or not route.covers(door.table.version):
                    continue
                path = door.path(route, dict.fromkeys(("id", "user_id", "project_id", "image_id", "key"), ABSENT))
                body = json.dumps(sample(route.bodies[-1][1])).encode() if route.bodies else None
                found[f"{name} {route.name}"] = [
                    door.send(route.method, path, body, token="").status,
                    door.send(route.method, path, body, token=member).status,
                    door.send(route.method, path, b'{"a": NaN}', token=member).status,
                    door.send(route.method, path, b'{"unknown": 1}', token=member).status,
                ]
        doors.close()
    json.dump(found, sys.stdout, sort_keys=True)


if __name__ == "__main__":
    main()
