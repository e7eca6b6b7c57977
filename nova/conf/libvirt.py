# SPDX-License-Identifier: Apache-2.0
"""How guests are defined, moved and filled through libvirt."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

FIREWALLS = {
    "iptables": (
        "nova.virt.libvirt.firewall.IptablesFirewallDriver",
        "nova.virt.libvirt_conn.IptablesFirewallDriver",
        "nova.virt.firewall.IptablesFirewallDriver",
        "libvirt.firewall.IptablesFirewallDriver",
    ),
    "nwfilter": ("nova.virt.libvirt.firewall.NWFilterFirewall", "nova.virt.libvirt_conn.NWFilterFirewall"),
    "noop": ("nova.virt.firewall.NoopFirewallDriver", "nova.virt.libvirt.firewall.NoopFirewallDriver"),
}

DEFAULT = [
    cfg.Opt(
        "firewall_driver",
        type=Named(FIREWALLS, plugins=True),
        default="iptables",
        help="What enforces security groups. 'noop' is for networks that do it themselves.",
    ),
    cfg.BoolOpt(
        "allow_same_net_traffic",
        default=True,
        deprecated_opts=formerly("allow_project_net_traffic"),
        help="Let servers of one network talk to each other without a rule.",
    ),
    cfg.BoolOpt(
        "defer_iptables_apply",
        default=False,
        help="Write the rules of all servers of the host in one pass at start.",
    ),
    cfg.StrOpt("libvirt_xml_template", help="Accepted for older files: domains are built element by element."),
]

GUESTS = [
    cfg.StrOpt(
        "virt_type",
        default="kvm",
        choices=["kvm", "qemu", "lxc", "uml", "xen", "auto"],
        deprecated_opts=formerly("libvirt_type"),
        help="Kind of guests. 'auto' is kvm where /dev/kvm works and qemu elsewhere. The default fails on a host "
        "without hardware support, which is better than being slow in silence.",
    ),
    cfg.StrOpt(
        "connection_uri",
        default="",
        deprecated_opts=formerly("libvirt_uri"),
        help="URI of libvirtd. Empty follows virt_type: qemu:///system, lxc:///, xen:///.",
    ),
    cfg.StrOpt(
        "cpu_mode",
        choices=["host-model", "host-passthrough", "custom", "none"],
        deprecated_opts=formerly("libvirt_cpu_mode"),
        help="Processor that guests see. Without a value host-model for kvm and none elsewhere.",
    ),
    cfg.StrOpt("cpu_model", deprecated_opts=formerly("libvirt_cpu_model"), help="Its name for cpu_mode = custom."),
    cfg.StrOpt(
        "disk_prefix",
        deprecated_opts=formerly("libvirt_disk_prefix"),
        help="Beginning of device names. Without a value by bus: vd, hd, sd.",
    ),
    cfg.BoolOpt(
        "use_virtio_for_bridges",
        default=True,
        deprecated_opts=formerly("libvirt_use_virtio_for_bridges"),
        help="Give guests the fast network card, which all but very old guests know.",
    ),
    cfg.BoolOpt("use_usb_tablet", default=True, deprecated_opts=formerly("use_usb_tablet"), help="Exact mouse in VNC."),
    cfg.IntOpt(
        "wait_soft_reboot_seconds",
        default=120,
        min=0,
        deprecated_opts=formerly("libvirt_wait_soft_reboot_seconds"),
        help="Seconds that a guest has for a soft reboot before it becomes a hard one.",
    ),
    cfg.ListOpt(
        "disk_cachemodes", default=[], deprecated_opts=formerly("disk_cachemodes"), help="type=mode pairs of caches."
    ),
    cfg.StrOpt(
        "vif_driver",
        deprecated_opts=formerly("libvirt_vif_driver"),
        help="Accepted for older files: how a card is plugged follows from its network.",
    ),
    cfg.StrOpt(
        "ovs_bridge", default="br-int", deprecated_opts=formerly("libvirt_ovs_bridge"), help="Accepted for older files."
    ),
    cfg.BoolOpt(
        "nonblocking", default=True, deprecated_opts=formerly("libvirt_nonblocking"), help="Accepted for older files."
    ),
    cfg.IntOpt(
        "call_timeout_s",
        default=120,
        min=1,
        help="Seconds that one call to libvirtd may take before the operation fails.",
    ),
    cfg.IntOpt("call_threads", default=8, min=1, help="Native threads that wait for libvirtd."),
]

INJECTION = [
    cfg.BoolOpt(
        "inject_password",
        default=False,
        deprecated_opts=formerly("libvirt_inject_password"),
        help="Write the administrator's password into the guest's files before it starts.",
    ),
    cfg.BoolOpt(
        "inject_key",
        default=True,
        deprecated_opts=formerly("libvirt_inject_key"),
        help="Write the key pair's public key into the guest's files. Guests that ask the metadata service need "
        "neither.",
    ),
    cfg.IntOpt(
        "inject_partition",
        default=-2,
        min=-2,
        deprecated_opts=formerly("libvirt_inject_partition"),
        help="Partition that files go to: -2 is none (files that are given with a server then come on a configuration "
        "drive), -1 the one that holds a system, 0 the disk without partitions. ext2, ext3 and ext4 only. Guest file "
        "systems are never mounted on the host, whatever the value.",
    ),
]

STORAGE = [
    cfg.StrOpt(
        "images_type",
        default="default",
        choices=["default", "raw", "qcow2", "lvm"],
        deprecated_opts=formerly("libvirt_images_type"),
        help="How disks are kept; default follows use_cow_images.",
    ),
    cfg.StrOpt(
        "images_volume_group",
        deprecated_opts=formerly("libvirt_images_volume_group"),
        help="LVM volume group for images_type = lvm.",
    ),
    cfg.BoolOpt(
        "sparse_logical_volumes",
        default=False,
        deprecated_opts=formerly("libvirt_sparse_logical_volumes"),
        help="Make those volumes thin.",
    ),
    cfg.IntOpt(
        "lvm_snapshot_size",
        default=1000,
        min=1,
        deprecated_opts=formerly("libvirt_lvm_snapshot_size"),
        help="MB that an LVM snapshot may grow to.",
    ),
    cfg.StrOpt(
        "snapshots_directory",
        default="$instances_path/snapshots",
        deprecated_opts=formerly("libvirt_snapshots_directory"),
        help="Accepted for older files: copies for images are made in the directory of their server.",
    ),
    cfg.BoolOpt(
        "snapshot_compression",
        default=False,
        deprecated_opts=formerly("libvirt_snapshot_compression"),
        help="Compress snapshots: smaller, and much slower to make.",
    ),
    cfg.StrOpt(
        "snapshot_image_format",
        choices=["raw", "qcow2"],
        deprecated_opts=formerly("snapshot_image_format"),
        help="Format of the images made of servers. Without a value that of the disk: qcow2, or raw without "
        "use_cow_images.",
    ),
    cfg.StrOpt(
        "qemu_group",
        default="",
        help="Group of the host that QEMU is in where it is not root (libvirt-qemu on Debian): it may read the files "
        "of servers. Empty where QEMU runs as the user of nova-compute.",
    ),
    cfg.StrOpt(
        "rescue_image_id",
        deprecated_opts=formerly("rescue_image_id"),
        help="Image for rescue, read by nova-api. Without a value the server's own.",
    ),
    cfg.StrOpt("rescue_kernel_id", deprecated_opts=formerly("rescue_kernel_id"), help="Kernel for rescue."),
    cfg.StrOpt("rescue_ramdisk_id", deprecated_opts=formerly("rescue_ramdisk_id"), help="Ramdisk for rescue."),
    cfg.ListOpt(
        "volume_drivers",
        default=[],
        deprecated_opts=formerly("libvirt_volume_drivers"),
        help="Accepted for older files.",
    ),
    cfg.StrOpt(
        "iscsi_initiator",
        default="auto",
        choices=["auto", "open-iscsi", "qemu"],
        help="Who speaks iSCSI for a guest's volumes: the host's open-iscsi, which needs its daemon and kernel "
        "modules, or QEMU itself, which needs nothing. 'auto' is QEMU.",
    ),
    cfg.IntOpt(
        "num_iscsi_scan_tries",
        default=3,
        min=1,
        deprecated_opts=formerly("num_iscsi_scan_tries"),
        help="Looks for a new device, each a second longer, before an attachment fails.",
    ),
    cfg.BoolOpt(
        "iscsi_use_multipath",
        default=False,
        deprecated_opts=formerly("libvirt_iscsi_use_multipath"),
        help="Use every portal of a target.",
    ),
]

MIGRATION = [
    cfg.StrOpt(
        "live_migration_uri",
        default="qemu+tcp://%s/system",
        deprecated_opts=formerly("live_migration_uri"),
        help="URI of libvirtd on the host that a guest moves to; %s is its name.",
    ),
    cfg.StrOpt(
        "live_migration_flag",
        default="VIR_MIGRATE_UNDEFINE_SOURCE, VIR_MIGRATE_PEER2PEER",
        deprecated_opts=formerly("live_migration_flag"),
        help="Flags of libvirt for a move on shared storage.",
    ),
    cfg.StrOpt(
        "block_migration_flag",
        default="VIR_MIGRATE_UNDEFINE_SOURCE, VIR_MIGRATE_PEER2PEER, VIR_MIGRATE_NON_SHARED_INC",
        deprecated_opts=formerly("block_migration_flag"),
        help="Flags of libvirt for a move that copies disks.",
    ),
    cfg.IntOpt(
        "live_migration_bandwidth",
        default=0,
        min=0,
        deprecated_opts=formerly("live_migration_bandwidth"),
        help="Mbit/s that a move may use; 0 is the hypervisor's own limit.",
    ),
    cfg.IntOpt(
        "live_migration_completion_timeout",
        default=800,
        min=0,
        help="Seconds that a live migration may take before it is called off, or forced; 0 is as long as it wants.",
    ),
    cfg.StrOpt(
        "live_migration_timeout_action",
        default="abort",
        choices=["abort", "force_complete"],
        help="What happens then: 'abort' lets the guest stay where it is, 'force_complete' lets it wait for its end.",
    ),
    cfg.StrOpt(
        "live_migration_inbound_addr",
        help="Address at which this host takes guests from others. Without a value my_ip.",
    ),
    cfg.BoolOpt(
        "live_migration_with_native_tls",
        default=False,
        help="Let guests' memory and disks cross the network over TLS, with the certificates of libvirt and QEMU; "
        "without them no guest moves. Off, they cross it in clear: use a network of the hosts' own.",
    ),
    cfg.IntOpt(
        "live_migration_retry_count",
        default=30,
        min=1,
        deprecated_opts=formerly("live_migration_retry_count"),
        help="Seconds that the filter rules have to appear on the other host before a move begins.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT, "libvirt": GUESTS + INJECTION + STORAGE + MIGRATION}
