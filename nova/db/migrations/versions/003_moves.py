# SPDX-License-Identifier: Apache-2.0
"""Moves between hosts: their table, the leg that an operation is at, and room held on both sides."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "003"
down_revision = "002"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG_TEXT = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
CLAIM_KEY = "uq_instance_claims_instance_uuid"


def upgrade() -> None:
    """Make the table, and room for the rest."""
    op.create_table(
        "migrations",
        sa.Column("created_at", MOMENT, nullable=True),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("deleted_at", MOMENT, nullable=True),
        sa.Column("deleted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("instance_uuid", sa.String(length=36), nullable=False),
        sa.Column("migration_type", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("source_compute", sa.String(length=255), nullable=True),
        sa.Column("source_node", sa.String(length=255), nullable=True),
        sa.Column("dest_compute", sa.String(length=255), nullable=True),
        sa.Column("dest_node", sa.String(length=255), nullable=True),
        sa.Column("dest_host", sa.String(length=255), nullable=True),
        sa.Column("old_instance_type_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("new_instance_type_id", sa.Integer(), server_default="0", nullable=False),
        sa.Column("old_flavor", LONG_TEXT, nullable=False),
        sa.Column("new_flavor", LONG_TEXT, nullable=False),
        sa.Column("old_vm_state", sa.String(length=32), nullable=False),
        sa.Column("shared_storage", sa.Boolean(), nullable=True),
        sa.Column("block_migration", sa.Boolean(), nullable=True),
        sa.Column("hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in (
                *("memory_total", "memory_processed", "memory_remaining"),
                *("disk_total", "disk_processed", "disk_remaining"),
            )
        ),
        sa.ForeignKeyConstraint(["instance_uuid"], ["instances.uuid"], name=op.f("fk_migrations_instance_uuid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migrations")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin",
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
    )
    for columns in (("instance_uuid", "status"), ("source_compute", "status"), ("status", "updated_at")):
        op.create_index(f"ix_migrations_{'_'.join(columns)}", "migrations", list(columns), unique=False)
    with op.batch_alter_table("instance_actions") as batch:
        batch.add_column(sa.Column("phase", sa.String(length=16), nullable=True))
    with op.batch_alter_table("instance_claims") as batch:
        batch.add_column(sa.Column("held_for", sa.String(length=8), server_default="home", nullable=False))
        batch.drop_constraint(op.f(CLAIM_KEY), type_="unique")
        batch.create_unique_constraint(op.f(f"{CLAIM_KEY}_held_for"), ["instance_uuid", "held_for"])


def downgrade() -> None:
    """Drop them; what is held for moves that go on is given up."""
    op.execute("DELETE FROM instance_claims WHERE held_for <> 'home'")
    with op.batch_alter_table("instance_claims") as batch:
        batch.drop_constraint(op.f(f"{CLAIM_KEY}_held_for"), type_="unique")
        batch.create_unique_constraint(op.f(CLAIM_KEY), ["instance_uuid"])
        batch.drop_column("held_for")
    with op.batch_alter_table("instance_actions") as batch:
        batch.drop_column("phase")
    op.drop_table("migrations")
