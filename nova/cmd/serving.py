# SPDX-License-Identifier: Apache-2.0
"""nova-api as processes: the sockets are opened first, then worker processes serve them, or this process itself."""

from __future__ import annotations

import functools
from typing import Any

from nova import errors
from nova.cmd import configuration, launcher
from nova.cmd.building import api
from nova.cmd.building.parts import Parts
from nova.cmd.running import end_process, process_settings, reload, serve
from nova.cmd.workers import Workers


def serve_apis(name: str, only: tuple[str, ...]) -> None:
    """Serve the endpoints *only*, or those of ``enabled_apis`` where none is named, until a signal ends it."""
    loaded = configuration.start(name)
    apis = only or tuple(configuration.enabled_apis(loaded.conf))
    try:
        with launcher.process(process_settings(name, loaded)):
            listening = api.open_sockets(Parts(loaded), apis)
            run = functools.partial(serve, loaded, functools.partial(api.build, listening=listening))
            count = worker_count(loaded.conf, apis)
            if count < 1:
                run()
            else:
                workers = Workers(name, count=count, serve=run)
                workers.run(grace_s=loaded.conf.graceful_shutdown_timeout, reload=lambda: reload(loaded))
    except errors.NovaError as error:
        configuration.give_up(name, error)
    end_process()


def worker_count(conf: Any, apis: tuple[str, ...]) -> int:
    """How many worker processes: the most that one of the endpoints asks for; 0 is none, this process serves."""
    return max((conf[f"{api}_workers"] or 0 for api in apis), default=0)
