# SPDX-License-Identifier: Apache-2.0
"""nova-manage fixed: fixed addresses that are known, and keeping some from servers.

An address that nobody ever used has no row and is in no list.
"""

from __future__ import annotations

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator
from nova.db import addresses

ROW = "{:<18}\t{:<15}\t{:<15}\t{}"


def list_addresses(operator: Operator, *, host: str) -> None:
    """One line for each address: its network, its server's host name, and that server's host."""
    found = operator.db.run(lambda tx: addresses.holders(tx, host=host or None), write=False)
    if not found:
        operator.say("No fixed IP found.")
        return
    operator.say(ROW.format("network", "IP address", "hostname", "host"))
    for one in found:
        if one.instance_uuid and not one.hostname:
            operator.say(f"WARNING: fixed ip {one.address} allocated to missing instance")
        operator.say(ROW.format(one.cidr, one.address, one.hostname or "None", one.host or "None"))


def get(operator: Operator, *, address: str) -> None:
    """One line for an address, used or not."""
    operator.say(ROW.format("network", "IP address", "hostname", "host"))
    one = operator.db.run(lambda tx: addresses.holder(tx, address), write=False)
    operator.say(ROW.format(one.cidr, one.address, one.hostname or "None", one.host or "None"))


def reserve(operator: Operator, *, address: str) -> None:
    """Keep an address from being given to servers."""
    _set(operator, address, reserved=True)


def unreserve(operator: Operator, *, address: str) -> None:
    """Let an address be given to servers again."""
    _set(operator, address, reserved=False)


def _set(operator: Operator, address: str, *, reserved: bool) -> None:
    try:
        operator.db.run(lambda tx: addresses.set_reserved(tx, address, reserved=reserved))
    except (errors.NotFound, errors.InvalidInput) as exc:
        raise type(exc)(exc.message, exit_code=2) from exc


_ADDRESS = (Argument("address", "the address", required=True),)

CATEGORY = Category(
    "fixed",
    "Fixed addresses.",
    (
        Action("list", list_addresses, "List addresses.", (Argument("host", "only servers on this host", default=""),)),
        Action("get", get, "Show whose an address is.", (Argument("address", "the address", required=True),)),
        Action("reserve", reserve, "Keep an address from servers.", _ADDRESS),
        Action("unreserve", unreserve, "Let servers have an address again.", _ADDRESS),
    ),
)
