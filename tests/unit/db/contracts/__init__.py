# SPDX-License-Identifier: Apache-2.0
"""What the repositories promise, as suites without a database: unit tests inherit them on SQLite, integration tests on
MariaDB and PostgreSQL.  Each suite uses a fixture ``db``: an empty, migrated Database."""
