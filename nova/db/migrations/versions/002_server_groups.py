# SPDX-License-Identifier: Apache-2.0
"""Server groups and their members."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "002"
down_revision = "001"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "server_groups",
        sa.Column("created_at", MOMENT, nullable=True),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("project_id", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("policy", sa.String(length=32), nullable=False),
        sa.Column("turns", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server_groups")),
        sa.UniqueConstraint("uuid", name=op.f("uq_server_groups_uuid")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin",
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
    )
    op.create_table(
        "server_group_members",
        sa.Column("created_at", MOMENT, nullable=True),
        sa.Column("updated_at", MOMENT, nullable=True),
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("instance_uuid", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["server_groups.id"], name=op.f("fk_server_group_members_group_id_server_groups")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server_group_members")),
        sa.UniqueConstraint("instance_uuid", name=op.f("uq_server_group_members_instance_uuid")),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_nopad_bin",
        mysql_engine="InnoDB",
        mysql_row_format="DYNAMIC",
    )
    op.create_index(op.f("ix_server_group_members_group_id"), "server_group_members", ["group_id"])


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("server_group_members")
    op.drop_table("server_groups")
