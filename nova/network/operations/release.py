# SPDX-License-Identifier: Apache-2.0
"""Release: take an instance's addresses back.  Runs in nova-network.

First the addresses are marked as given back, then the DHCP servers forget the cards and end the leases, and only then
may others have the addresses.  A kill in between leaves them marked: the next start of nova-network, or the time-out,
ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nova.db import address_releases
from nova.db.engine import Database
from nova.domain.network import ReleasedAddress


def release(
    database: Database, instance_uuid: str, *, end_leases: Callable[[Sequence[ReleasedAddress]], None]
) -> list[ReleasedAddress]:
    """Release all of the instance's addresses; which they were.

    :param end_leases: makes the DHCP servers forget them
    """
    released = database.run(lambda tx: address_releases.release(tx, instance_uuid))
    if released:
        end_leases(released)
        database.run(lambda tx: address_releases.forget(tx, instance_uuid))
    return released
