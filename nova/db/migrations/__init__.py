# SPDX-License-Identifier: Apache-2.0
"""Alembic's script directory: one numbered module in ``versions`` for each version of the tables."""
