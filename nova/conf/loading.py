# SPDX-License-Identifier: Apache-2.0
"""Reading the configuration of one program: which files, the command line, what this host says of itself.

The command line is stronger than files, a later file than an earlier one, all of them than defaults.
"""

from __future__ import annotations

import logging
import os
import socket
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from oslo_config import cfg

from nova import conf as options
from nova import errors
from nova.conf import commandline, entries
from nova.conf.declared import Catalogue
from nova.conf.resolving import Notice, resolve

SEARCH = ("~/.nova", "~", "/etc/nova", "/etc")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A program's configuration, and what reading it brought to light."""

    conf: cfg.ConfigOpts
    files: tuple[Path, ...]
    rest: tuple[str, ...]
    """Words of the command line from the first one that is no option."""
    notices: tuple[Notice, ...]
    help_wanted: bool = False
    version_wanted: bool = False


def load(argv: Sequence[str], *, prog: str, search: Sequence[str] = SEARCH) -> Loaded:
    """Read files and command line for *prog*.

    :param argv: the words after the program's name
    :param search: directories for nova.conf and <prog>.conf, when the command line names no file
    :raises errors.InvalidConfiguration: with one sentence that names place, option and what is expected
    """
    catalogue = Catalogue(options.list_opts())
    asked = commandline.parse(argv, catalogue)
    files = _files(asked, prog, search)
    layers = [entries.read(path) for path in files]
    resolved = resolve([*layers, asked.entries], catalogue, host_defaults())
    conf = new_conf(prog)
    for (group, dest), value in resolved.values.items():
        conf.set_override(dest, value, group=None if group == "DEFAULT" else group)
    exposed = [path for path in files if str(path) in resolved.files_with_secrets and _readable_by_all(path)]
    warnings = [
        Notice(logging.WARNING, f"{path} holds passwords and can be read by everybody; set its mode to 0640.")
        for path in exposed
    ]
    return Loaded(
        conf,
        tuple(files),
        tuple(asked.rest),
        (*resolved.notices, *warnings),
        help_wanted=asked.help,
        version_wanted=asked.version,
    )


def new_conf(prog: str = "nova") -> cfg.ConfigOpts:
    """Every option at its default, with what this host says of itself."""
    conf = cfg.ConfigOpts()
    options.register_all(conf)
    conf([], project="nova", prog=prog, default_config_files=[], default_config_dirs=[])
    for name, value in host_defaults().items():
        conf.set_default(name, value.replace("$", "$$"))
    return conf


def host_defaults() -> dict[str, str]:
    """Defaults that differ from host to host."""
    base = Path(__file__).resolve().parents[2]
    beside_python = Path(sys.executable).parent
    programs = beside_python if (beside_python / "nova-dhcpbridge").exists() else base / "bin"
    return {
        "my_ip": outgoing_address(),
        "host": socket.gethostname(),
        "pybasedir": str(base),
        "bindir": str(programs),
        "state_path": "/var/lib/nova" if os.access("/var/lib/nova", os.W_OK) else str(base / "state"),
    }


def outgoing_address() -> str:
    """The address that a packet to the internet would leave from; none is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("8.8.8.8", 53))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _files(asked: commandline.CommandLine, prog: str, search: Sequence[str]) -> list[Path]:
    if asked.files or asked.directories:
        found = [Path(name).expanduser() for name in asked.files]
    else:
        found = _searched(prog, search)
    for name in asked.directories:
        directory = Path(name).expanduser()
        if not directory.is_dir():
            raise errors.InvalidConfiguration(f"The configuration directory {directory} is not there.")
        found.extend(sorted(directory.glob("*.conf")))
    return found


def _searched(prog: str, search: Sequence[str]) -> list[Path]:
    found = []
    for name in dict.fromkeys(("nova", prog.removesuffix(".py"))):
        places = [Path(place).expanduser() / f"{name}.conf" for place in search]
        found.extend([path for path in places if path.is_file()][:1])
    return found


def _readable_by_all(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IROTH)
