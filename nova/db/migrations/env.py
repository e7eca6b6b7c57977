# SPDX-License-Identifier: Apache-2.0
"""Run by alembic inside :func:`nova.db.migration.sync`, on the connection that it is given."""

from alembic import context

from nova.db.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
