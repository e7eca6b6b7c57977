# SPDX-License-Identifier: Apache-2.0
"""The common end of every daemon's program: read the options, be the process they describe, run its services."""

from __future__ import annotations

import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from nova import errors
from nova.cmd import configuration, launcher
from nova.cmd.building.parts import Parts
from nova.cmd.daemon import Service
from nova.cmd.green import make_postgresql_green
from nova.conf.loading import Loaded
from nova.telemetry.output import set_up

Build = Callable[[Parts], list[Service]]


def run_daemon(name: str, build: Build) -> None:
    """Be the daemon *name*, until a signal ends it; a daemon that cannot start says why in one line and ends with 1."""
    loaded = configuration.start(name)
    try:
        with launcher.process(process_settings(name, loaded)):
            serve(loaded, build)
    except errors.NovaError as error:
        configuration.give_up(name, error)
    end_process()


def end_process() -> NoReturn:
    """End now that all is stopped and written: a native thread that hangs in a C library would keep the process."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def serve(loaded: Loaded, build: Build) -> None:
    """Build the services of this process and run them."""
    services = built(loaded, build)
    launcher.run(services, grace_s=loaded.conf.graceful_shutdown_timeout, reload=lambda: reload(loaded))


def built(loaded: Loaded, build: Build) -> list[Service]:
    """The services; the garbage collector begins its work now, and does not look at what was made to build them.

    What is garbage by now stays too: there is less than a megabyte of it, and to look for it takes a tenth of a second.
    """
    if loaded.conf.database.connection.startswith("postgres"):
        make_postgresql_green()
    services = build(Parts(loaded))
    gc.freeze()
    gc.enable()
    return services


def process_settings(name: str, loaded: Loaded) -> launcher.ProcessSettings:
    """How the process lives; only a command line may send it to the background, since files of old clouds do too."""
    return launcher.ProcessSettings(
        name=name,
        daemonize=wants_background(sys.argv[1:]),
        pidfile=loaded.conf.pidfile or "",
        grace_s=loaded.conf.graceful_shutdown_timeout,
    )


def wants_background(argv: Sequence[str]) -> bool:
    """Whether the last word on the matter is ``--daemonize``."""
    wanted = False
    for word in argv:
        if word in ("--daemonize", "--daemonize=true", "--daemonize=T", "--daemonize=1"):
            wanted = True
        elif word == "--nodaemon":
            wanted = False
    return wanted


def reload(loaded: Loaded) -> None:
    """Read the files anew: how to log takes effect now; InvalidConfiguration leaves all as it was."""
    from nova.conf.loading import load

    name = loaded.conf.prog
    anew = load(sys.argv[1:], prog=name)
    set_up(configuration.log_settings(anew.conf, name))
    configuration.say_notices(anew)
