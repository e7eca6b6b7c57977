# SPDX-License-Identifier: Apache-2.0
"""What the driver is told by the configuration, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nova.virt.images.config_drive import ConfigDriveSettings
from nova.virt.images.injection import InjectionSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LibvirtSettings:
    """Everything that an operator can choose; the defaults are the options' defaults."""

    host: str
    """This host's name in the cloud"""
    host_ip: str = "127.0.0.1"
    instances_path: Path
    uri: str = "qemu:///system"
    virt_type: str = "kvm"
    """kvm or qemu"""
    cpu_mode: str = "none"
    """none (the hypervisor's default), host-model, host-passthrough, custom"""
    cpu_model: str = ""
    """Its name, for custom"""
    machine: str = ""
    """QEMU machine type; empty is the default of libvirt"""
    use_cow_images: bool = True
    """Root disks are overlays on a cached base; otherwise full copies"""
    snapshot_format: str = ""
    """Of copies of root disks: raw or qcow2; empty: that of the disk itself"""
    snapshot_compression: bool = False
    disk_cache: str = ""
    """QEMU's cache mode for local disks; empty: none where the file system has O_DIRECT, else writethrough"""
    vnc_enabled: bool = True
    vnc_listen: str = "127.0.0.1"
    vnc_keymap: str = "en-us"
    use_usb_tablet: bool = False
    nic_model: str = "virtio"
    """Where the image does not choose"""
    volume_initiator: str = "qemu"
    """Who speaks iSCSI: ``qemu`` for each guest itself, ``host`` for the kernel through open-iscsi"""
    ephemeral_format: str = "ext4"
    """File system of ephemeral disks for which nobody chose one"""
    config_drive: ConfigDriveSettings = field(default_factory=ConfigDriveSettings)
    injection: InjectionSettings = field(default_factory=InjectionSettings)
    qemu_group: str = ""
    """The group that QEMU runs in, when it does not run as root: it may enter the instances' directories"""
    reserved_disk_bytes: int = 0
    max_image_bytes: int = 0
    extra_image_formats: frozenset[str] = frozenset()
    """Formats of images that are taken beside the usual ones"""
    detach_timeout_s: float = 60.0
    move_uri: str = "qemu+tcp://%s/system"
    """libvirtd on the host that a guest moves to; ``%s`` is its address"""
    move_address: str = ""
    """Where this host takes guests; empty is ``host_ip``"""
    move_mbit_s: int = 0
    """What a live migration may use of the network; 0 is the hypervisor's own limit"""
    move_flags: tuple[str, ...] = ()
    move_flags_copying: tuple[str, ...] = ()
    move_tls: bool = False
    """Guests' memory and disks cross the network over TLS, or not at all"""
