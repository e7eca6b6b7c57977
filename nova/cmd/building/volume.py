# SPDX-License-Identifier: Apache-2.0
"""nova-volume from its options."""

from __future__ import annotations

import functools
from pathlib import Path

from nova.cmd.building.choices import require
from nova.cmd.building.parts import Parts
from nova.cmd.daemon import Service
from nova.context import admin_context
from nova.interfaces.volume import VolumeService
from nova.volume.drivers.base import VolumeDriver
from nova.volume.drivers.file import FileDriver
from nova.volume.drivers.lvm import Clear, LvmDriver
from nova.volume.service import VolumeHost
from nova.volume.targets.sending import sender
from nova.volume.targets.tgt import TgtTarget
from nova.volume.workplace import VolumeSettings, Workplace
from nova.workflow.periodic import PeriodicTask


def build(parts: Parts) -> list[Service]:
    """The daemon."""
    conf = parts.conf
    settings = VolumeSettings(
        host=parts.host,
        portal=f"{conf.iscsi_ip_address}:{conf.iscsi_port}",
        iqn_prefix=conf.iscsi_target_prefix,
    )
    target = TgtTarget(sender(conf.iscsi_control_port, parts.commands))
    host = VolumeHost(Workplace(db=parts.db, driver=_driver(parts), target=target, settings=settings))
    task = PeriodicTask(
        "capacity and exports",
        conf.volume_stats_interval,
        lambda: host.look_after(admin_context("volumes of this host")),
        at_start=True,
    )
    start_up = functools.partial(host.start_up, admin_context("volumes of this host are looked after at start"))
    return [parts.daemon("nova-volume", VolumeService, host, tasks=[task], prepare=start_up)]


def _driver(parts: Parts) -> VolumeDriver:
    conf = parts.conf
    require(conf, "volume_driver")
    if conf.volume_driver == "file":
        return FileDriver(Path(conf.volumes_dir))
    return LvmDriver(parts.commands, group=conf.volume_group, clear=Clear(conf.volume_clear))
