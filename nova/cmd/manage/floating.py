# SPDX-License-Identifier: Apache-2.0
"""nova-manage floating: the floating addresses of this cloud.

The first releases wanted a host name before the range: a word there that is no range is passed over.
"""

from __future__ import annotations

from nova import errors
from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.network import is_range
from nova.cmd.manage.operator import Operator
from nova.db import floating_ips
from nova.domain.floating_range import addresses_of


def create(operator: Operator, *, ip_range: str, pool: str, interface: str) -> None:
    """Add the addresses of a range to a pool."""
    if not is_range(ip_range) and is_range(pool):
        ip_range, pool, interface = pool, interface, ""
    conf = operator.conf
    wanted = addresses_of(ip_range or conf.floating_range)
    pool, interface = pool or conf.default_floating_pool, interface or conf.public_interface
    operator.db.run(lambda tx: floating_ips.create(tx, wanted, pool=pool, interface=interface))


def delete(operator: Operator, *, ip_range: str, second: str) -> None:
    """Take the addresses of a range away."""
    chosen = second if second and not is_range(ip_range) else ip_range
    wanted = addresses_of(chosen)
    if operator.db.run(lambda tx: floating_ips.remove(tx, wanted)) == 0:
        raise errors.NotFound.of("floating IP range", chosen)


def list_addresses(operator: Operator, *, host: str) -> None:
    """One line for each address: project, address, server, pool and interface."""
    found = operator.db.run(lambda tx: floating_ips.find_all(tx, host=host or None), write=False)
    if not found:
        operator.say("No floating IP addresses have been defined.")
    for one in found:
        cells = (one.project_id, one.address, one.instance_uuid, one.pool, one.interface)
        operator.say("\t".join(cell or "None" for cell in cells))


CATEGORY = Category(
    "floating",
    "Floating addresses.",
    (
        Action(
            "create",
            create,
            "Add addresses.",
            (
                Argument("ip_range", "range, by default floating_range", default=""),
                Argument("pool", "pool, by default default_floating_pool", default=""),
                Argument("interface", "interface that carries them, by default public_interface", default=""),
            ),
        ),
        Action(
            "delete",
            delete,
            "Remove addresses that nobody has.",
            (
                Argument("ip_range", "range", required=True),
                Argument("second", "range, when a host name came first", default=""),
            ),
            spellings=("destroy",),
        ),
        Action("list", list_addresses, "List addresses.", (Argument("host", "only those of this host", default=""),)),
    ),
)
