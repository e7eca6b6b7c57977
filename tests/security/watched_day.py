# SPDX-License-Identifier: Apache-2.0
"""A program of the tests: all daemons in one process do a day's work for a user whose every name is an attack, while
Python itself reports each file that is opened and each program that is started.  Prints what it saw as JSON."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.functional.volume_cloud import VolumeCloud

HOSTILE = "$(touch PWN);`id`|{{7*7}}${x} %s ]]> '\"--"
SERVER = {
    "name": HOSTILE,
    "flavorRef": "small",
    "imageRef": "22222222-2222-4222-8222-222222222222",
    "metadata": {"k": HOSTILE},
}
ACTIONS: tuple[dict[str, Any], ...] = (
    {"reboot": {"type": "HARD"}},
    {"rescue": {}},
    {"unrescue": None},
    {"os-stop": None},
    {"os-start": None},
)


class Watch:
    """What Python's audit events say while it is on."""

    def __init__(self) -> None:
        self.on = False
        self.opened: set[str] = set()
        self.started: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open" and isinstance(arguments[0], (str, bytes, Path)):
            self.opened.add(str(arguments[0]))
        if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "pty.spawn", "os.fork"):
            self.started.append(f"{event} {arguments[:2]}")


def work(cloud: VolumeCloud) -> list[int]:
    """The day: a key, a group, a volume, and the life of a server."""
    statuses = []

    def ask(method: str, path: str, body: Any = None) -> Any:
        answer = cloud.call(method, f"/v2.1{path}", body)
        statuses.append(answer.status_int)
        return answer.json if answer.body else None

    ask("POST", "/os-keypairs", {"keypair": {"name": "k $(id);x"}})
    ask("POST", "/os-security-groups", {"security_group": {"name": HOSTILE, "description": HOSTILE}})
    ask("POST", "/os-volumes", {"volume": {"size": 1, "display_name": HOSTILE, "metadata": {"k": HOSTILE}}})
    server = ask("POST", "/servers", {"server": SERVER})["server"]["id"]
    cloud.settled(server)
    for action in ACTIONS:
        ask("POST", f"/servers/{server}/action", action)
        cloud.settled(server)
    ask("PUT", f"/servers/{server}", {"server": {"name": HOSTILE[::-1]}})
    shown = ask("GET", f"/servers/{server}")["server"]
    if shown["name"] != HOSTILE[::-1] or shown["metadata"]["k"] != HOSTILE:
        statuses.append(0)
    ask("DELETE", f"/servers/{server}")
    cloud.settled(server)
    return statuses


def main() -> None:
    """What the day was like, as JSON."""
    watch = Watch()
    with tempfile.TemporaryDirectory() as directory:
        cloud = VolumeCloud(Path(directory))
        cloud.add_scheduler()
        cloud.add_network()
        cloud.add_storage()
        cloud.add_host("h1")
        watch.on = True
        statuses = work(cloud)
        watch.on = False
        cloud.close()
        written = [str(path.relative_to(directory)) for path in Path(directory).rglob("*")]
    outside = sorted(name for name in watch.opened if not name.startswith(directory))
    json.dump(
        {"statuses": statuses, "started": watch.started, "outside": outside, "written": written, "home": directory},
        sys.stdout,
    )


if __name__ == "__main__":
    main()
