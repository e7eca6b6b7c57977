# SPDX-License-Identifier: Apache-2.0
"""The first server: booted, watched and logged in to, all through the public API and SSH."""

from __future__ import annotations

import subprocess

from tools.quickstart import processes
from tools.quickstart.client import Client, Json
from tools.quickstart.layout import Layout
from tools.quickstart.progress import StepFailed

SERVER = "first-server"
VOLUME = "first-volume"
WORDS = "written by the guest"


def boot(client: Client, *, image_id: str, key_name: str) -> str:
    """Boot the server unless it is there, and start one that was stopped; its id."""
    for server in client.compute("GET", f"/servers/detail?name=^{SERVER}$")["servers"]:
        if server["status"] == "SHUTOFF":
            client.compute("POST", f"/servers/{server['id']}/action", {"os-start": None})
        return str(server["id"])
    body = {"server": {"name": SERVER, "imageRef": image_id, "flavorRef": "1", "key_name": key_name}}
    return str(client.compute("POST", "/servers", body)["server"]["id"])


def wait_active(client: Client, server_id: str, *, layout: Layout) -> Json:
    """The server's view once it is ACTIVE."""

    def active() -> Json | None:
        server: Json = client.compute("GET", f"/servers/{server_id}")["server"]
        if server["status"] == "ERROR":
            why = server.get("fault", {}).get("message", "no reason given")
            raise StepFailed(f"the server went to ERROR: {why}", log=layout.logs / "nova-all.log")
        return server if server["status"] == "ACTIVE" else None

    answer: Json = processes.wait_until(
        active, what="the server becoming ACTIVE", timeout_s=120, log=layout.logs / "nova-all.log"
    )
    return answer


def wait_console(client: Client, server_id: str, *, layout: Layout) -> str:
    """The console log once the guest says that it is ready."""

    def ready() -> str | None:
        text = str(client.compute("POST", f"/servers/{server_id}/action", {"os-getConsoleOutput": {}})["output"])
        return text if "ready" in text else None

    answer: str = processes.wait_until(
        ready, what="the guest's word that it is ready", timeout_s=120, log=layout.logs / "nova-all.log", pause_s=0.5
    )
    return answer


def address_of(server: Json) -> str:
    """Its first fixed IPv4 address."""
    for cards in server["addresses"].values():
        for card in cards:
            if card["version"] == 4:
                return str(card["addr"])
    raise StepFailed("the server has no address")


def ssh_command(layout: Layout, address: str) -> list[str]:
    """How to log in to it."""
    options = ["-i", str(layout.key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    return layout.in_namespace(["ssh", *options, "-o", "LogLevel=ERROR", f"root@{address}"])


def over_ssh(layout: Layout, address: str, command: str, *, timeout_s: float = 60) -> str:
    """What *command* prints in the guest; tried again while the guest's SSH server is coming up."""

    def attempt() -> str | None:
        argv = [*ssh_command(layout, address), "-o", "ConnectTimeout=5", "-o", "BatchMode=yes", command]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        with layout.log.open("a") as log:
            log.write(f"$ {' '.join(argv)}\n{done.stdout}{done.stderr}")
        return done.stdout.strip() or "\n" if done.returncode == 0 else None

    answer: str = processes.wait_until(attempt, what=f"{command!r} over SSH", timeout_s=timeout_s, log=layout.log)
    return answer.strip()


def volume(client: Client) -> str:
    """A volume of 1 GB that is available or in use; its id."""
    found = [entry for entry in client.volume("GET", "/volumes/detail")["volumes"] if entry["name"] == VOLUME]
    if not found:
        found = [client.volume("POST", "/volumes", {"volume": {"size": 1, "name": VOLUME}})["volume"]]
    return str(found[0]["id"])


def wait_volume(client: Client, volume_id: str, status: str, *, layout: Layout) -> None:
    """Wait until the volume has *status*, or is attached already."""

    def there() -> bool:
        now = client.volume("GET", f"/volumes/{volume_id}")["volume"]["status"]
        if now.startswith("error"):
            raise StepFailed(f"the volume went to {now}", log=layout.logs / "nova-all.log")
        return now in {status, "in-use"}

    processes.wait_until(there, what=f"the volume becoming {status}", timeout_s=60, log=layout.logs / "nova-all.log")


def attach(client: Client, server_id: str, volume_id: str, *, layout: Layout) -> str:
    """Attach the volume unless it is attached; the device's name."""
    path = f"/servers/{server_id}/os-volume_attachments"
    attached = client.compute("GET", path)["volumeAttachments"]
    if not any(entry["volumeId"] == volume_id for entry in attached):
        wait_volume(client, volume_id, "available", layout=layout)
        client.compute("POST", path, {"volumeAttachment": {"volumeId": volume_id}})
    processes.wait_until(
        lambda: client.volume("GET", f"/volumes/{volume_id}")["volume"]["status"] == "in-use",
        what="the volume being attached",
        timeout_s=60,
        log=layout.logs / "nova-all.log",
    )
    return str(client.compute("GET", f"{path}/{volume_id}")["volumeAttachment"]["device"])


def write_and_read(layout: Layout, address: str, device: str) -> None:
    """Let the guest write to the volume and read it back past its cache."""
    command = (
        f"for i in 1 2 3 4 5 6 7 8 9; do [ -b {device} ] && break; sleep 1; done; "
        f"echo '{WORDS}' | dd of={device} bs=512 conv=sync 2>/dev/null && sync && "
        f"echo 3 > /proc/sys/vm/drop_caches && dd if={device} bs=512 count=1 2>/dev/null | head -n 1"
    )
    words = over_ssh(layout, address, command)
    if words.splitlines()[:1] != [WORDS]:
        raise StepFailed(f"the guest read {words[:60]!r} from {device}, not what it had written", log=layout.log)
