# SPDX-License-Identifier: Apache-2.0
"""nova-compute from its options.  It gets no database: not here, not by any of its collaborators.

The libraries of a driver that is not chosen are not loaded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from nova.cmd.building.choices import require
from nova.cmd.building.images import image_reader, remote_images
from nova.cmd.building.parts import Parts
from nova.cmd.daemon import Service
from nova.compute.daemon import ComputeDaemon
from nova.compute.host import Host
from nova.compute.settings import ComputeSettings
from nova.domain.blank_disks import FILE_SYSTEMS
from nova.errors import InvalidConfiguration
from nova.image.protocol import ImageService
from nova.interfaces.compute import Compute
from nova.interfaces.conductor import Conductor
from nova.interfaces.volume import VolumeService
from nova.rpc.blocking import run_blocking
from nova.system.bridge import Bridges
from nova.virt.bridges import ALIAS, GuestBridges
from nova.virt.driver import Driver, Filters
from nova.virt.fake import FakeDriver, FakeSettings
from nova.virt.fake_memory import GuestMemory
from nova.virt.filters.linux import FilterSettings, LinuxFilters
from nova.virt.filters.noop import NoFilters

ANYWHERE, NO_INJECTION = -1, -2
"""Of the option inject_partition"""
NEVER_S = 10.0 * 365 * 86400
BUILD_TIMEOUT_S = 1800.0
"""Of a whole build on this host, where the options say nothing."""


def build(parts: Parts, images: ImageService | None = None) -> list[Service]:
    """The daemon; *images* where the image service is in the same process, else it is asked over HTTP."""
    conf = parts.conf
    require(conf, "compute_driver", "firewall_driver", "libvirt.virt_type")
    filters = make_filters(parts)
    host = Host(
        driver=_driver(parts),
        filters=filters,
        conductor=parts.client(Conductor),
        volume=parts.client(VolumeService),
        peers=parts.client(Compute),
        images=image_reader(parts),
        image_service=images or remote_images(parts),
        settings=_settings(parts),
    )
    daemon = ComputeDaemon(
        host,
        journal_dir=Path(conf.instances_path) / "journal",
        pause_before_step=parts.pause_before_step("compute"),
    )

    def start() -> None:
        if isinstance(filters, LinuxFilters):
            filters.check()
        daemon.start()

    served = parts.daemon(
        "nova-compute",
        Compute,
        daemon.service,
        tasks=daemon.periodic_tasks(),
        heartbeat=daemon.heartbeat,
        prepare=start,
    )
    return [served, _Orders(daemon)]


class _Orders:
    """The orders in hand, as something that is stopped with the process."""

    name = "orders of nova-compute"

    def __init__(self, daemon: ComputeDaemon) -> None:
        self._daemon = daemon

    def start(self) -> None:
        """They begin with the daemon."""

    def stop(self, grace_s: float) -> None:
        """Let them finish; the journal keeps the others."""
        self._daemon.stop(grace_s)


def _settings(parts: Parts) -> ComputeSettings:
    conf = parts.conf
    return ComputeSettings(
        host=parts.host,
        resume_guests=conf.resume_guests_state_on_host_boot,
        build_timeout_s=conf.instance_build_timeout or BUILD_TIMEOUT_S,
        shutdown_timeout_s=conf.shutdown_timeout,
        soft_reboot_timeout_s=_soft_reboot_timeout_s(conf),
        injects_files=conf.libvirt.inject_partition != NO_INJECTION or _injects_always(conf.libvirt),
        force_config_drive=conf.force_config_drive,
        config_drive_skipped_versions=frozenset(conf.config_drive_skip_versions.split()),
        max_concurrent_builds=conf.max_concurrent_builds,
        move_timeout_s=conf.libvirt.live_migration_completion_timeout,
        move_timeout_forces=conf.libvirt.live_migration_timeout_action == "force_complete",
        resources_interval_s=conf.update_resources_interval,
        power_state_interval_s=conf.sync_power_state_interval,
        unfinished_interval_s=conf.conductor.recovery_interval_s,
        image_cache_interval_s=conf.image_cache_manager_interval,
        removes_unused_images=conf.remove_unused_base_images,
        image_unused_s=conf.remove_unused_original_minimum_age_seconds,
        leftovers_interval_s=conf.running_deleted_instance_poll_interval or NEVER_S,
        deleted_guest_action=conf.running_deleted_instance_action,
        deleted_guest_grace_s=conf.running_deleted_instance_timeout,
        unknown_guest_action=conf.unknown_guest_action,
    )


def _soft_reboot_timeout_s(conf: Any) -> float:
    """Two options say it; the shorter time wins, and 0 of ``reboot_timeout`` is none."""
    wait_s: float = conf.libvirt.wait_soft_reboot_seconds
    return min(wait_s, conf.reboot_timeout or wait_s)


def _words(text: str) -> tuple[str, ...]:
    """The words of a list that is separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _driver(parts: Parts) -> Driver:
    conf = parts.conf
    if conf.compute_driver == "fake":
        memory = GuestMemory(Path(conf.instances_path) / "fake-guests")
        return FakeDriver(FakeSettings(host=parts.host, host_ip=conf.my_ip), memory)
    return _libvirt_driver(parts)


def _libvirt_driver(parts: Parts) -> Driver:
    from nova.virt.images.config_drive import ConfigDriveSettings
    from nova.virt.images.injection import InjectionSettings
    from nova.virt.libvirt.driver import LibvirtDriver
    from nova.virt.libvirt.settings import LibvirtSettings

    conf = parts.conf
    choice = conf.libvirt
    virt_type = _virt_type(choice.virt_type)
    settings = LibvirtSettings(
        host=parts.host,
        host_ip=conf.my_ip,
        instances_path=Path(conf.instances_path),
        uri=choice.connection_uri or ("lxc:///system" if virt_type == "lxc" else "qemu:///system"),
        virt_type=virt_type,
        qemu_group=choice.qemu_group,
        cpu_mode=_cpu_mode(choice, virt_type),
        cpu_model=choice.cpu_model or "",
        nic_model="virtio" if choice.use_virtio_for_bridges else "rtl8139",
        use_usb_tablet=choice.use_usb_tablet and conf.vnc.enabled,
        ephemeral_format=_ephemeral_format(conf.default_ephemeral_format or "ext4"),
        injection=InjectionSettings(
            partition=ANYWHERE if _injects_always(choice) else choice.inject_partition,
            inject_key=choice.inject_key,
            inject_password=choice.inject_password,
        ),
        config_drive=ConfigDriveSettings(
            format=conf.config_drive_format,
            iso_program=conf.mkisofs_cmd,
            temporary_directory=Path(conf.tempdir) if conf.tempdir else None,
        ),
        use_cow_images=conf.use_cow_images,
        snapshot_format=choice.snapshot_image_format or "",
        snapshot_compression=choice.snapshot_compression,
        vnc_enabled=conf.vnc.enabled,
        vnc_listen=conf.vnc.vncserver_listen,
        vnc_keymap=conf.vnc.keymap,
        volume_initiator="host" if choice.iscsi_initiator == "open-iscsi" else "qemu",
        move_uri=choice.live_migration_uri,
        move_address=choice.live_migration_inbound_addr or "",
        move_mbit_s=choice.live_migration_bandwidth,
        move_flags=_words(choice.live_migration_flag),
        move_flags_copying=_words(choice.block_migration_flag),
        move_tls=choice.live_migration_with_native_tls,
        reserved_disk_bytes=conf.reserved_host_disk_mb << 20,
        extra_image_formats=frozenset(conf.extra_image_formats),
        max_image_bytes=conf.max_image_virtual_size_gb << 30,
    )
    bridges = GuestBridges(
        Bridges(parts.commands, alias=ALIAS),
        flat_interface=conf.flat_interface or "",
        vlan_interface=conf.vlan_interface or "",
    )
    return LibvirtDriver(settings, runner=parts.commands, run_blocking=run_blocking, prepare_bridges=bridges.ensure)


def _injects_always(choice: Any) -> bool:
    """A container has no drive to find its files on, so they are written into it unless the operator says where."""
    return bool(choice.virt_type == "lxc" and choice.inject_partition == NO_INJECTION)


def _cpu_mode(choice: Any, virt_type: str) -> str:
    mode: str = choice.cpu_mode or ("host-model" if virt_type == "kvm" else "none")
    if (mode == "custom") != bool(choice.cpu_model):
        raise InvalidConfiguration("The options cpu_mode = custom and cpu_model of [libvirt] belong together.")
    return mode


def _ephemeral_format(wanted: str) -> str:
    if wanted not in FILE_SYSTEMS:
        raise InvalidConfiguration(f"The option default_ephemeral_format is one of {', '.join(FILE_SYSTEMS)}.")
    return wanted


def _virt_type(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    return "kvm" if os.access("/dev/kvm", os.R_OK | os.W_OK) else "qemu"


def make_filters(parts: Parts) -> Filters:
    """The packet filters of the host's guests."""
    conf = parts.conf
    if conf.firewall_driver == "noop" or conf.compute_driver == "fake":
        return NoFilters()
    settings = FilterSettings(
        lock_path=parts.lock_path / "iptables.lock", allow_same_net_traffic=conf.allow_same_net_traffic
    )
    return LinuxFilters(settings, runner=parts.commands)
