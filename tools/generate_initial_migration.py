# SPDX-License-Identifier: Apache-2.0
"""Write nova/db/migrations/versions/001_initial.py anew from the models.

Only for the time before the first release: afterwards every change of a table is a revision of its own, which alembic's
autogenerate can draft and a person must read.  Run: ``.venv/bin/python tools/generate_initial_migration.py``
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import DowngradeOps, DropTableOp, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from nova.db.migration import SCRIPTS
from nova.db.models import Base
from nova.db.models.base import LongText, Moment, Real

TARGET = SCRIPTS / "versions" / "001_initial.py"
HEADER = '''# SPDX-License-Identifier: Apache-2.0
"""All tables of the first version.  Written by tools/generate_initial_migration.py."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
REAL = sa.Float(53).with_variant(mysql.DOUBLE(), "mysql", "mariadb")


def upgrade() -> None:
    """Make all tables."""
    {upgrade}


def downgrade() -> None:
    """Drop all tables."""
    {downgrade}
'''
NAMES = {repr(Moment): "MOMENT", repr(LongText): "LONG_TEXT", repr(Real): "REAL"}
"""Types with variants are written once, at the top."""


def main() -> None:
    """Compare an empty database with the models, write what is missing, and lay it out."""
    with create_engine("sqlite://").connect() as connection:
        context = MigrationContext.configure(connection, opts={"target_metadata": Base.metadata})
        script = produce_migrations(context, Base.metadata)
        if script.upgrade_ops is None or script.downgrade_ops is None:
            sys.exit("There is nothing to write.")
        # Indexes go with their tables; MariaDB refuses to drop one alone that a foreign key needs.
        drops = DowngradeOps([step for step in script.downgrade_ops.ops if isinstance(step, DropTableOp)])
        TARGET.write_text(HEADER.format(upgrade=code(script.upgrade_ops, context), downgrade=code(drops, context)))
    ruff = Path(sys.executable).with_name("ruff")
    subprocess.run([ruff, "format", "--quiet", TARGET], check=True)
    subprocess.run([ruff, "check", "--fix", "--quiet", TARGET], check=True)
    print(TARGET)


def code(operations: UpgradeOps | DowngradeOps, context: MigrationContext) -> str:
    """The Python text of *operations*."""
    text = render_python_code(operations, migration_context=context, render_item=type_name)
    for number, word in (("0", "false"), ("1", "true")):
        text = text.replace(
            f"sa.Boolean(), server_default=sa.text('{number}')", f"sa.Boolean(), server_default=sa.{word}()"
        )
    return "\n".join(line for line in text.splitlines() if not line.strip().startswith("# ###")).strip()


def type_name(kind: str, item: Any, _context: object) -> str | Literal[False]:
    """The name of a type that stands at the top; everything else alembic writes itself."""
    return NAMES.get(repr(item), False) if kind == "type" else False


if __name__ == "__main__":
    main()
