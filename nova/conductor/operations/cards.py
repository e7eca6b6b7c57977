# SPDX-License-Identifier: Apache-2.0
"""The end of a card that was taken out of a server, or could not be plugged in.  Runs in nova-conductor."""

from __future__ import annotations

from nova.conductor.cloud import Cloud, afterwards
from nova.conductor.filters import refresh_neighbours
from nova.context import RequestContext
from nova.db import address_releases
from nova.db.transaction import Transaction
from nova.domain.instance import Operation


def give_back_card(cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation) -> None:
    """Take the operation's card with its addresses from the server; nothing when that was done before.

    Where no network daemon hears of it, the addresses are free when their time is over.
    """
    uuid = operation.instance_uuid
    released = tuple(address_releases.release_card(tx, uuid, str(operation.arguments.get("vif_uuid", ""))))
    refresh_neighbours(cloud, tx, context, instance_uuid=uuid)
    afterwards(
        tx,
        f"cards of {uuid}",
        lambda: cloud.network.cards_changed(context, instance_uuid=uuid, released=released),
    )
