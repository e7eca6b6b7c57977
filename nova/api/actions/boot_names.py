# SPDX-License-Identifier: Apache-2.0
"""The names of new servers."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Sequence
from dataclasses import replace

from nova.db import instances
from nova.db.engine import Transaction
from nova.db.instances import InstanceQuery
from nova.domain.instance import Instance
from nova.domain.names import hostname_for
from nova.errors import Conflict

MAX_NAME = 255


def copies(first: Instance, count: int, *, template: str, describe: bool) -> list[Instance]:
    """One server for each launch index, with a uuid and names of its own.

    :param template: how several servers are called; keys ``name``, ``uuid`` and ``count``
    :param describe: whether the name is the description too
    """
    chosen = template if count > 1 else "%(name)s"
    return [_named(first, index, template=chosen, describe=describe) for index in range(count)]


def _named(first: Instance, index: int, *, template: str, describe: bool) -> Instance:
    uuid = str(uuids.uuid4())
    values = {"name": first.display_name or f"Server {uuid}", "uuid": uuid, "count": index + 1}
    name = (template % values)[:MAX_NAME]
    return replace(
        first,
        uuid=uuid,
        display_name=name,
        display_description=name if describe else first.display_description,
        hostname=hostname_for(name, fallback=f"server-{uuid}"),
        launch_index=index,
    )


def check_unique(tx: Transaction, made: Sequence[Instance], *, scope: str) -> None:
    """Refuse host names that another server has, in the *scope* (``project``, ``global``; empty: not at all)."""
    if not scope:
        return
    project = made[0].project_id if scope == "project" else None
    names = [instance.hostname for instance in made]
    twins = instances.find(tx, InstanceQuery(project_id=project, equal={"hostname": names}, limit=len(made) + 1))
    if len(twins) > len(made) or len(set(names)) < len(names):
        raise Conflict(f"A server with the host name {names[0]} exists already.", resource="server")
