# SPDX-License-Identifier: Apache-2.0
"""What an action of nova-manage works with: options, database and broker, each made when first used."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, TextIO

from nova.context import RequestContext, admin_context

if TYPE_CHECKING:
    from nova.conf.loading import Loaded
    from nova.db.engine import Database
    from nova.rpc.transport import Transport


class Operator:
    """The person at the shell, who has all rights."""

    def __init__(self, loaded: Loaded, *, out: TextIO | None = None) -> None:
        self.loaded = loaded
        self.conf: Any = loaded.conf
        self.out = out or sys.stdout

    def say(self, line: str = "") -> None:
        """Print one line."""
        print(line, file=self.out)

    @functools.cached_property
    def context(self) -> RequestContext:
        """Rights for everything."""
        return admin_context("nova-manage is run by the operator on the host")

    @functools.cached_property
    def database(self) -> Database:
        """The database, whatever tables it has; it is not waited for long."""
        from nova.cmd.wiring import open_database

        return open_database(self.conf, max_retries=1)

    @functools.cached_property
    def db(self) -> Database:
        """The database with this program's tables; InvalidConfiguration, with what to run, where it has others."""
        from nova.db.schema import require_newest

        require_newest(self.database)
        return self.database

    @functools.cached_property
    def transport(self) -> Transport:
        """The broker."""
        from nova.cmd.wiring import open_transport

        return open_transport(self.conf)
