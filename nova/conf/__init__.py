# SPDX-License-Identifier: Apache-2.0
"""Every option of every daemon, declared once: what it does, in which unit, and why its default is what it is.

One module for each area holds ``OPTIONS``, a table from group to options.  ``nova.conf.loading`` reads files and
command lines into them; only ``nova.cmd`` looks at the values.
"""

from __future__ import annotations

from types import ModuleType

from oslo_config import cfg

from nova.conf import (
    api,
    compute,
    conductor,
    console,
    crypto,
    database,
    ec2,
    glance,
    identity,
    image_cache,
    keystone,
    libvirt,
    logs,
    metadata,
    network,
    notifications,
    paths,
    quota,
    rpc,
    scheduler,
    service,
    volume,
    workarounds,
)

MODULES: tuple[ModuleType, ...] = (
    paths,
    service,
    logs,
    api,
    ec2,
    metadata,
    identity,
    keystone,
    database,
    rpc,
    conductor,
    scheduler,
    compute,
    libvirt,
    image_cache,
    network,
    volume,
    glance,
    quota,
    notifications,
    console,
    crypto,
    workarounds,
)
"""The areas in the order in which the sample file shows them."""


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Every group with its options, in the order of the sample file; [DEFAULT] comes once for each area."""
    return [(group, list(options)) for module in MODULES for group, options in module.OPTIONS.items()]


def register_all(conf: cfg.ConfigOpts) -> None:
    """Declare every option on *conf*."""
    for group, options in list_opts():
        conf.register_opts(options, group=None if group == "DEFAULT" else group)
