# SPDX-License-Identifier: Apache-2.0
"""Which of the words that older files may hold for drivers are there.

A daemon that would do something else than its file says does not start; where another implementation does the same
work, it says so in the log.
"""

from __future__ import annotations

import logging
from typing import Any

from nova import errors

LOG = logging.getLogger(__name__)

PRESENT = {
    "compute_driver": ("libvirt", "fake"),
    "firewall_driver": ("iptables", "noop"),
    "network_api_class": ("nova",),
    "security_group_api": ("nova",),
    "volume_driver": ("lvm", "file"),
    "volume_api_class": ("nova",),
    "auth_driver": ("db",),
    "libvirt.virt_type": ("kvm", "qemu", "lxc", "auto"),
}
"""What a daemon needs to be one of these."""


def require(conf: Any, *options: str) -> None:
    """Raise InvalidConfiguration, naming what is there, unless each of *options* has a value that is."""
    for option in options:
        group, _, name = option.rpartition(".")
        value = conf[group][name] if group else conf[name]
        if value not in PRESENT[option]:
            there = " and ".join(PRESENT[option])
            are = "are" if len(PRESENT[option]) > 1 else "is"
            shown = f"[{group}] {name}" if group else name
            raise errors.InvalidConfiguration(f"{shown} = {value!r} is not there; {there} {are}.")


def say_scheduler(conf: Any) -> None:
    """Log that hosts are chosen by filters and weights where another way is wished for."""
    if conf.scheduler.driver != "filter":
        LOG.warning("[scheduler] driver = %r: hosts are chosen by filters and weights.", conf.scheduler.driver)
