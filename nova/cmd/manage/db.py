# SPDX-License-Identifier: Apache-2.0
"""nova-manage db: the database's schema."""

from __future__ import annotations

from nova.cmd.manage.frame import Action, Argument, Category
from nova.cmd.manage.operator import Operator


def sync(operator: Operator, *, version: int | None) -> None:
    """Bring the schema to a version, the newest where none is named."""
    from nova.db import migration

    migration.sync(operator.database, version)


def show_version(operator: Operator) -> None:
    """Print the version of the schema."""
    from nova.db import migration

    operator.say(str(migration.version(operator.database)))


CATEGORY = Category(
    "db",
    "The database's schema.",
    (
        Action(
            "sync",
            sync,
            "Create the schema or bring it to the newest version; harmless when it is there.",
            (Argument("version", "version to go to, up or down", convert=int),),
        ),
        Action("version", show_version, "Print the version of the schema."),
    ),
)
