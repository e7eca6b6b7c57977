# SPDX-License-Identifier: Apache-2.0
"""Turns a process into one that runs on green threads.  The first import of every daemon, before anything else:

from nova.cmd.green import make_green

make_green()
"""

from __future__ import annotations

import gc
import os
import warnings

from nova.cmd.lazy import load_when_used


def make_green() -> None:
    """Replace the blocking parts of the standard library.  Must come before other modules are imported.

    The garbage collector rests until the services are built: what is imported and built stays anyway.
    """
    gc.disable()
    # Its own resolver would ignore nsswitch.conf, and costs memory and start-up time.
    os.environ.setdefault("EVENTLET_NO_GREENDNS", "yes")
    with warnings.catch_warnings():
        # eventlet announces its own end of maintenance each time it is imported.
        warnings.simplefilter("ignore")
        import eventlet
    # psycopg2 is made green by psycogreen, and only where PostgreSQL is used: its library is large.
    eventlet.monkey_patch(psycopg=False)
    load_when_used()


def make_postgresql_green() -> None:
    """Let the PostgreSQL driver yield while it waits.  Before the first connection."""
    from psycogreen.eventlet import patch_psycopg

    patch_psycopg()


def forget_parent() -> None:
    """In a process that was just forked: leave the parent's green threads and its poller behind."""
    from eventlet import hubs

    hubs.use_hub()
