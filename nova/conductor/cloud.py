# SPDX-License-Identifier: Apache-2.0
"""What nova-conductor works with, made once by the program: the database, the other daemons, its settings."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext
from nova.db.engine import Database
from nova.db.transaction import Transaction
from nova.errors import NovaError
from nova.interfaces.compute import Compute
from nova.interfaces.conductor import Conductor
from nova.interfaces.network import NetworkService
from nova.interfaces.scheduler import Scheduler
from nova.interfaces.volume import VolumeService
from nova.secret import Secret
from nova.workflow.background import Background, in_thread
from nova.workflow.steps import no_pause

LOG = logging.getLogger(__name__)


def no_token(_user_id: str, _project_id: str) -> Secret | None:
    """Where somebody else keeps the users, nobody here can speak for one of them."""
    return None


def keep_image(_context: RequestContext, image_id: str) -> None:
    """Where there is no image service."""
    LOG.warning("The image %s cannot be deleted: no image service is known here.", image_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The collaborators."""

    db: Database
    conductor: Conductor
    """Any conductor, perhaps this one"""
    scheduler: Scheduler
    compute: Compute
    network: NetworkService
    volume: VolumeService
    settings: ConductorSettings = field(default_factory=ConductorSettings)
    token_of: Callable[[str, str], Secret | None] = no_token
    """A new token of a user in a project, by their ids, for builds that go on without the user's request"""
    delete_image: Callable[[RequestContext, str], None] = keep_image
    """Delete an image that belongs to the user and project of the context; NotFound when it is gone"""
    background: Background = in_thread
    pause_before_step: Callable[[str], None] = no_pause
    """Fault tests stop the daemon here, and kill it"""

    def silence_s(self, *, grace_s: float = 0.0) -> float:
        """Who was not heard of for longer counts as down; right after an outage nobody could be heard."""
        down_time_s = self.settings.down_time_s
        return down_time_s + grace_s + self.db.outage.lasted_s(within_s=down_time_s + grace_s)


def quietly(what: str, send: Callable[[], object]) -> None:
    """Do *send*; when it fails now, say so in the log: recovery, or the receiver's own look, makes up for it."""
    try:
        send()
    except NovaError as exc:
        LOG.warning("Not done now, will be made up for: %s (%s)", what, exc)


def later(cloud: Cloud, tx: Transaction, what: str, send: Callable[[], object]) -> None:
    """After the commit, and without anybody waiting for it, do *send* quietly."""
    tx.after_commit(lambda: cloud.background(lambda: quietly(what, send)))


def afterwards(tx: Transaction, what: str, send: Callable[[], object]) -> None:
    """After the commit, do *send* (a cast) quietly."""
    tx.after_commit(lambda: quietly(what, send))
