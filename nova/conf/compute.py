# SPDX-License-Identifier: Apache-2.0
"""Servers on a compute host: driver, time limits, what is kept back, disks."""

from oslo_config import cfg, types

from nova.conf.spelling import Named, formerly

DRIVERS = {
    "libvirt": (
        "libvirt.LibvirtDriver",
        "nova.virt.libvirt.LibvirtDriver",
        "nova.virt.libvirt.driver.LibvirtDriver",
        "nova.virt.libvirt.connection.get_connection",
        "nova.virt.connection.get_connection",
    ),
    "fake": ("fake.FakeDriver", "nova.virt.fake.FakeDriver"),
    "xenapi": ("xenapi.XenAPIDriver", "nova.virt.xenapi.XenAPIDriver", "nova.virt.xenapi.driver.XenAPIDriver"),
    "vmwareapi": (
        "vmwareapi.VMwareESXDriver",
        "nova.virt.vmwareapi.VMwareESXDriver",
        "vmwareapi.VMwareVCDriver",
        "nova.virt.vmwareapi.VMwareVCDriver",
    ),
    "hyperv": ("hyperv.HyperVDriver", "nova.virt.hyperv.HyperVDriver", "nova.virt.hyperv.driver.HyperVDriver"),
    "baremetal": ("baremetal.BareMetalDriver", "nova.virt.baremetal.driver.BareMetalDriver"),
}

DEFAULT = [
    cfg.Opt(
        "compute_driver",
        type=Named(DRIVERS, plugins=True),
        default="libvirt",
        deprecated_opts=formerly("connection_type"),
        help="What runs the servers: libvirt (KVM, QEMU, LXC), or fake, which keeps them in memory for tests. The "
        "other names are known from older files and not supported.",
    ),
    cfg.StrOpt(
        "instance_name_template",
        default="instance-%08x",
        help="Name of a server at the hypervisor and of its directory, from its number, or with keys such as "
        "%(uuid)s. It must be the same on all hosts, for ever.",
    ),
    cfg.StrOpt("snapshot_name_template", default="snapshot-%s", help="Name of a volume's snapshot, from its id."),
    cfg.StrOpt(
        "default_flavor",
        default="m1.small",
        deprecated_opts=formerly("default_instance_type"),
        help="Flavor of a server whose creator names none (EC2).",
    ),
    cfg.StrOpt("default_image", help="Accepted for older files."),
    cfg.StrOpt("null_kernel", default="nokernel", help="Kernel id that means 'this image is a whole disk'."),
    cfg.IntOpt("password_length", default=12, min=8, help="Length of passwords that are made here."),
    cfg.StrOpt("default_access_ip_network_name", help="Network whose addresses become a server's access addresses."),
]

LIMITS = [
    cfg.IntOpt(
        "instance_build_timeout",
        default=0,
        min=0,
        deprecated_opts=formerly("build_timeout"),
        help="Seconds that one host may take over the whole of a build, fetching the image included, before it gives "
        "up and the next host is tried, or the server goes to ERROR; 0 means 1800.",
    ),
    cfg.IntOpt(
        "reboot_timeout", default=0, min=0, help="Seconds after which a stuck soft reboot becomes a hard one; 0 is off."
    ),
    cfg.IntOpt(
        "rescue_timeout", default=0, min=0, help="Seconds after which a rescued server is given back; 0 is off."
    ),
    cfg.IntOpt(
        "resize_confirm_window", default=0, min=0, help="Seconds after which a resize is confirmed by itself; 0 is off."
    ),
    cfg.IntOpt(
        "shutdown_timeout",
        default=60,
        min=0,
        help="Seconds that a guest has to shut down before its power is cut.",
    ),
    cfg.IntOpt(
        "reclaim_instance_interval",
        default=0,
        min=0,
        help="Seconds that a deleted server can be restored; 0 deletes at once.",
    ),
    cfg.IntOpt(
        "shelved_offload_time",
        default=0,
        min=-1,
        help="Seconds after which a shelved server leaves its host; 0 is at once, -1 never.",
    ),
    cfg.BoolOpt(
        "allow_resize_to_same_host",
        default=False,
        help="Let a resize end on the host it began on. Needed where there is only one.",
    ),
    cfg.BoolOpt(
        "resume_guests_state_on_host_boot",
        default=False,
        deprecated_opts=formerly("start_guests_on_host_boot"),
        help="Start the servers again that ran when the host went down.",
    ),
    cfg.IntOpt("reserved_host_memory_mb", default=512, min=0, help="MB of memory that stay with the host itself."),
    cfg.IntOpt("reserved_host_disk_mb", default=0, min=0, help="MB of disk that stay with the host itself."),
    cfg.IntOpt(
        "max_concurrent_builds",
        default=10,
        min=0,
        help="Servers that a host builds at a time, so that many boots do not make all of them slow; 0 is no limit.",
    ),
    cfg.StrOpt(
        "running_deleted_instance_action",
        default="reap",
        choices=["noop", "log", "shutdown", "reap"],
        help="What to do with a guest whose server is deleted: nothing, say so, stop it, or remove it. It uses "
        "what has been given back, so it is removed.",
    ),
    cfg.IntOpt(
        "running_deleted_instance_poll_interval",
        default=1800,
        min=0,
        help="Seconds between looks for such guests; 0 looks only when nova-compute starts.",
    ),
    cfg.StrOpt(
        "unknown_guest_action",
        default="log",
        choices=["noop", "log", "shutdown", "reap"],
        help="What to do with a guest made by nova-compute whose server the database does not know at all. It may be "
        "older than a database that was restored, or archived, so that nothing is touched by default.",
    ),
    cfg.IntOpt(
        "running_deleted_instance_timeout", default=0, min=0, help="Seconds after deletion before they are treated so."
    ),
]

PERIODIC = [
    cfg.IntOpt(
        "sync_power_state_interval",
        default=600,
        min=-1,
        help="Seconds between comparisons of each server's power state with the hypervisor's; -1 is never. Events "
        "of the hypervisor usually come first.",
    ),
    cfg.IntOpt(
        "heal_instance_info_cache_interval",
        default=60,
        min=-1,
        help="Seconds between repairs of one server's stored network information; -1 is never.",
    ),
    cfg.IntOpt(
        "update_resources_interval", default=60, min=1, help="Seconds between reports of a host's free resources."
    ),
    cfg.IntOpt("host_state_interval", default=120, min=-1, help="Accepted for older files."),
    cfg.IntOpt("bandwidth_poll_interval", default=600, min=-1, help="Seconds between readings of the guests' traffic."),
    cfg.IntOpt(
        "volume_usage_poll_interval", default=0, min=0, help="Seconds between readings of volume traffic; 0 is off."
    ),
    cfg.BoolOpt(
        "instance_usage_audit",
        default=False,
        help="Send an 'exists' notification for each server once per period, for billing.",
    ),
    cfg.StrOpt(
        "instance_usage_audit_period",
        default="month",
        help="That period: hour, day, month or year, with an offset such as month@15.",
    ),
]

DISKS = [
    cfg.BoolOpt(
        "use_cow_images",
        default=True,
        help="Make root disks as overlays on a cached base image; off copies the whole image for each server.",
    ),
    cfg.BoolOpt(
        "force_raw_images",
        default=True,
        help="Accepted for older files: base images are always converted to raw, which is faster to read and safer.",
    ),
    cfg.ListOpt(
        "extra_image_formats",
        item_type=types.String(choices=["vhd", "vdi"]),
        default=[],
        help="Formats of images that are taken beside raw, qcow2, vmdk, iso and the three parts: vhd, vdi. Read by "
        "nova-compute and by the built-in image service. Not by default, since each is one more parser that "
        "strangers' files reach.",
    ),
    cfg.StrOpt(
        "preallocate_images",
        default="none",
        choices=["none", "space"],
        help="With 'space' the room of a disk is taken when it is made, so that it can not run out later.",
    ),
    cfg.StrOpt(
        "default_ephemeral_format",
        help="File system of ephemeral disks for which the server's owner chose none: ext2, ext3 or ext4. Without a "
        "value ext4.",
    ),
    cfg.MultiStrOpt("virt_mkfs", default=[], help="os_type=command that makes file systems. Accepted for older files."),
    cfg.IntOpt("timeout_nbd", default=10, min=1, help="Accepted for older files: guest disks are never mounted."),
    cfg.IntOpt(
        "max_image_virtual_size_gb",
        default=1024,
        min=1,
        help="Largest disk in GB that an image may unfold to where the flavor sets no limit. Protects the host's disk.",
    ),
    cfg.IntOpt(
        "image_tool_memory_mb",
        default=1024,
        min=128,
        help="MB of address space that qemu-img may use on an image; a crafted one would take all.",
    ),
    cfg.IntOpt(
        "image_tool_cpu_s", default=300, min=1, help="Seconds of processor time that qemu-img may use on an image."
    ),
    cfg.StrOpt(
        "injected_network_template",
        default="",
        help="File with the form of the interfaces file for guests. Empty uses the one inside.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT + LIMITS + PERIODIC + DISKS}
