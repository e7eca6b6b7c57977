# SPDX-License-Identifier: Apache-2.0
"""What nova-api does by itself from time to time: clears what broken uploads left, and tokens whose time is over.

Every process that serves the endpoint does it; side by side they do no harm.
"""

from __future__ import annotations

from collections.abc import Container

from nova.cmd.building.images import local_images
from nova.cmd.building.parts import Parts
from nova.cmd.configuration import image_store
from nova.cmd.daemon import Daemon
from nova.identity.builtin import BuiltinIdentity
from nova.workflow.periodic import PeriodicTask

SWEEP_S = 300.0
PURGE_S = 600.0


def upkeep(parts: Parts, apis: Container[str], identity: BuiltinIdentity) -> list[Daemon]:
    """The tasks that serving *apis* brings with it, as something that runs; nothing where there are none."""
    tasks = []
    if "image" in apis and image_store(parts.conf) == "local":
        tasks.append(_sweep(parts))
    if "identity" in apis:
        tasks.append(PeriodicTask("expired tokens", PURGE_S, lambda: _purge(identity)))
    if not tasks or not parts.conf.periodic_enable:
        return []
    return [Daemon("upkeep of nova-api", host=parts.host, periodic=tasks)]


def _sweep(parts: Parts) -> PeriodicTask:
    images = local_images(parts)

    def sweep() -> None:
        images.sweep()

    return PeriodicTask("image store", SWEEP_S, sweep, at_start=True)


def _purge(identity: BuiltinIdentity) -> None:
    identity.purge_expired()
