# SPDX-License-Identifier: Apache-2.0
"""``nova-rootwrap CONFIG COMMAND…``: runs a command as root if a filter allows it, started by sudo.

Exit code 99: not allowed; 98: called wrongly; 97: the configuration is bad; 96: allowed, but not installed.  Otherwise
the command takes this process's place.  ``nova-rootwrap-daemon CONFIG`` does the same for many commands, over a socket
that only its starter can open.
"""

from __future__ import annotations

import logging
import os
import pwd
import sys
from collections.abc import Sequence
from typing import NoReturn

from oslo_rootwrap.wrapper import setup_syslog

from nova import errors
from nova.masking import mask_argv
from nova.system.rootwrap import BAD_CONFIGURATION, NO_COMMAND, UNAUTHORIZED, Gate, Permitted

LOG = logging.getLogger(__name__)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run one command."""
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) < 2:
        _refuse("a configuration file and a command are needed", NO_COMMAND)
    gate = _gate(words[0])
    _log_to(gate)
    try:
        permitted = gate.permit(words[1:])
    except errors.HypervisorError as exc:
        LOG.error("refused: %s", mask_argv(words[1:]))
        _refuse(f"{exc.message} {mask_argv(words[1:])}", int(exc.data.get("code", UNAUTHORIZED)))
    LOG.info("runs as %s: %s", permitted.user, mask_argv(permitted.argv))
    _become(permitted)


def main_daemon(argv: Sequence[str] | None = None) -> None:
    """Run commands for the process that started this one, until it ends."""
    words = list(sys.argv[1:] if argv is None else argv)
    if len(words) != 1:
        _refuse("a configuration file is needed, and nothing else", NO_COMMAND)
    gate = _gate(words[0])
    from oslo_rootwrap.daemon import daemon_start  # the single command does not wait for this import

    _log_to(gate)
    daemon_start(gate.config, gate.filters)


def _gate(path: str) -> Gate:
    try:
        return Gate(path)
    except errors.InvalidConfiguration as exc:
        _refuse(exc.message, BAD_CONFIGURATION)


def _log_to(gate: Gate) -> None:
    """What is logged goes to syslog or nowhere: stderr is the command's, and the daemon closes it."""
    logging.getLogger().addHandler(logging.NullHandler())
    if gate.config.use_syslog:
        setup_syslog("nova-rootwrap", gate.config.syslog_log_facility, gate.config.syslog_log_level)


def _become(permitted: Permitted) -> NoReturn:
    if permitted.user != "root":
        entry = pwd.getpwnam(permitted.user)
        os.initgroups(permitted.user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)
    os.execve(permitted.argv[0], permitted.argv, permitted.env or dict(os.environ))  # noqa: S606 - this is the gate


def _refuse(why: str, code: int) -> NoReturn:
    print(f"nova-rootwrap: {why}", file=sys.stderr)
    sys.exit(code)
