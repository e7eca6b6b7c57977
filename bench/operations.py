# SPDX-License-Identifier: Apache-2.0
"""What is done to a server that exists, against bare libvirt; a part of ``python -m bench``.

Two guests of the same definition run side by side, one of them without us.  Each operation is done to both in turns,
and each time a guest has booted as far as its login prompt before it is asked to power off.  How many statements and
messages an operation takes is counted on hosts with the fake driver, and nobody looks meanwhile.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.api_alone import Caller
from bench.bare_guest import FILLED_MIB, BareGuest, Console, fill
from bench.cloud import BenchCloud, Counted, boot, is_active
from bench.table import Row
from bench.timing import poll, seconds
from tests.integration.production import COMPUTE

TURNS = 2
MOST = 2.0
COUNTED_SERVERS = 10
SETTLED_S = 8.0
"""After which an operation on the fake hypervisor has ended, without anybody asking"""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One operation: how it is asked for, the status that ends it, and the same without us."""

    name: str
    body: dict[str, Any]
    ends: str
    bare: Callable[[BareGuest], None]
    floor: str
    asks_guest: bool = False
    """Whether the guest itself must do something, and so must have booted"""


STOP = Measured(
    name="stop",
    body={"os-stop": None},
    ends="SHUTOFF",
    bare=BareGuest.stop,
    floor="shutdown of a domain",
    asks_guest=True,
)
SNAPSHOT = Measured(
    name=f"snapshot of a stopped server with {FILLED_MIB} MiB of its own",
    body={"createImage": {"name": "bench"}},
    ends="SHUTOFF",
    bare=BareGuest.convert,
    floor="qemu-img convert",
)
START = Measured(name="start", body={"os-start": None}, ends="ACTIVE", bare=BareGuest.start, floor="start of a domain")
SOFT = Measured(
    name="reboot, soft",
    body={"reboot": {"type": "SOFT"}},
    ends="ACTIVE",
    bare=BareGuest.reboot,
    floor="shutdown and start of a domain",
    asks_guest=True,
)
HARD = Measured(
    name="reboot, hard",
    body={"reboot": {"type": "HARD"}},
    ends="ACTIVE",
    bare=BareGuest.reset,
    floor="destruction and start of a domain",
)
TURN = (STOP, SNAPSHOT, START, SOFT, HARD)
"""In an order in which each finds its server as it wants it"""


def rows() -> list[Row]:
    """Times on real guests, then counts on the fake hypervisor."""
    return [*_timed(), *_counted()]


def _timed() -> Iterator[Row]:
    with BenchCloud(driver="libvirt") as cloud:
        caller = cloud.caller()
        server = boot(caller, cloud.with_image(), "bench")
        poll(lambda: is_active(caller, server))
        bare = BareGuest(cloud, server)
        try:
            directory = cloud.files.state(COMPUTE) / "instances" / server
            times = [_turn(caller, server, bare, directory) for _ in range(TURNS)]
        finally:
            bare.close()
        _delete(caller, server)
    for number, what in enumerate(TURN):
        ours_s, floor_s = (statistics.median(turn[number][side] for turn in times) for side in (0, 1))
        yield Row(
            what=f"{what.name} (floor: {what.floor} with bare libvirt)",
            ours=ours_s * 1000,
            floor=floor_s * 1000,
            unit="ms",
            at_most_ratio=MOST,
        )


def _turn(caller: Caller, server: str, bare: BareGuest, directory: Path) -> list[tuple[float, float]]:
    """Seconds of each operation, ours and bare."""
    console = Console(directory / "console.log")
    times = []
    for what in TURN:
        if what.asks_guest:
            poll(lambda: console.booted() and bare.has_booted(), timeout_s=300)
        if what is SNAPSHOT:
            fill(directory / "root")
            fill(bare.disk)
        console.mark()
        ours_s = seconds(lambda what=what: _do(caller, server, what))
        times.append((ours_s, seconds(lambda what=what: what.bare(bare))))
    return times


def _do(caller: Caller, server: str, what: Measured) -> None:
    """Ask for it and wait for its end."""
    caller.call("POST", f"/servers/{server}/action", what.body)
    poll(lambda: _rests(caller, server, what.ends))
    if what is SNAPSHOT:
        poll(lambda: not _images_in_work(caller))


def _rests(caller: Caller, server: str, status: str) -> bool:
    found = json.loads(caller.get(f"/servers/{server}"))["server"]
    return found["status"] == status and found["OS-EXT-STS:task_state"] is None


def _images_in_work(caller: Caller) -> bool:
    return any(image["status"] != "ACTIVE" for image in json.loads(caller.get("/images/detail"))["images"])


def _delete(caller: Caller, *servers: str) -> None:
    for server in servers:
        caller.call("DELETE", f"/servers/{server}")
    poll(lambda: not json.loads(caller.get("/servers"))["servers"])


def _counted() -> Iterator[Row]:
    with BenchCloud(driver="fake") as cloud:
        caller, image_id = cloud.caller(), cloud.with_image()
        servers = [boot(caller, image_id, f"bench-{number}") for number in range(COUNTED_SERVERS)]
        poll(lambda: all(is_active(caller, server) for server in servers))
        idle = cloud.idle()
        for what in TURN:
            spent = _spent(cloud, caller, servers, what, idle)
            yield Row(what=f"SQL statements for each {what.name}", ours=spent.statements, unit="")
            yield Row(what=f"messages for each {what.name}", ours=spent.messages, unit="")
        _delete(caller, *servers)


def _spent(cloud: BenchCloud, caller: Caller, servers: list[str], what: Measured, idle: Counted) -> Counted:
    """What one operation on one server costs."""
    before, began_at = cloud.counted(), time.monotonic()
    for server in servers:
        caller.call("POST", f"/servers/{server}/action", what.body)
    time.sleep(SETTLED_S)
    spent = cloud.counted().since(before).since(idle.times(time.monotonic() - began_at))
    if not all(_rests(caller, server, what.ends) for server in servers):
        raise RuntimeError(f"{what.name} has not ended after {SETTLED_S:g} s")
    return spent.per(len(servers))
