# SPDX-License-Identifier: Apache-2.0
"""Collaborators that several programs build from their options in the same way."""

from __future__ import annotations

import dataclasses
from typing import Any

from nova.cmd.configuration import database_settings, transport_settings
from nova.db.engine import Database
from nova.rpc.connecting import connect
from nova.rpc.transport import Transport


def open_database(conf: Any, *, max_retries: int | None = None) -> Database:
    """The database, once it answers; Unavailable when it does not in the time that the options give."""
    settings = database_settings(conf)
    if max_retries is not None:
        settings = dataclasses.replace(settings, max_retries=max_retries, retry_interval_s=1)
    database = Database(settings)
    database.connect()
    return database


def open_transport(conf: Any) -> Transport:
    """The way to the other daemons."""
    return connect(transport_settings(conf))
