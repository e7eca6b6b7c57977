# SPDX-License-Identifier: Apache-2.0
"""nova-volume, and a Cinder in its place."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

DRIVERS = {
    "lvm": ("nova.volume.driver.ISCSIDriver", "nova.volume.iscsi.ISCSIDriver", "nova.volume.driver.VolumeDriver"),
    "file": (),
    "fake": ("nova.volume.driver.FakeISCSIDriver", "nova.volume.driver.LoggingVolumeDriver"),
    "aoe": ("nova.volume.driver.AOEDriver",),
    "rbd": ("nova.volume.driver.RBDDriver",),
    "sheepdog": ("nova.volume.driver.SheepdogDriver",),
}

DEFAULT = [
    cfg.Opt(
        "volume_api_class",
        type=Named(
            {"nova": ("nova.volume.api.API", "nova.volume.API"), "cinder": ("nova.volume.cinder.API",)},
        ),
        default="nova",
        help="Who owns volumes: our own nova-volume, or a Cinder that is there.",
    ),
    cfg.Opt(
        "volume_driver",
        type=Named(DRIVERS, plugins=True),
        default="lvm",
        help="How nova-volume keeps volumes: lvm in a volume group, file as raw files in volumes_dir. The others are "
        "known from older files and not supported.",
    ),
    cfg.StrOpt("volume_group", default="nova-volumes", help="LVM volume group that volumes are made in."),
    cfg.StrOpt(
        "volume_name_template",
        default="volume-%s",
        help="Name of a logical volume, from the volume's id (%s) or number (%08x).",
    ),
    cfg.BoolOpt(
        "volume_thin", default=False, help="Make thin logical volumes in a pool, so that snapshots cost no room."
    ),
    cfg.IntOpt(
        "volume_clear_mb_s",
        default=0,
        min=0,
        help="MB/s at which deleted volumes are overwritten; 0 is as fast as possible.",
    ),
    cfg.StrOpt(
        "volume_clear",
        default="zero",
        choices=["zero", "shred"],
        help="How a deleted volume is made unreadable before its room is given to others: with zeros, or with random "
        "bytes. It can not be switched off.",
    ),
    cfg.StrOpt("volumes_dir", default="$state_path/volumes", help="Directory of the target files for tgt."),
    cfg.Opt(
        "iscsi_helper",
        type=Named({"tgtadm": ("ietadm", "tgt"), "lioadm": ("rtstool", "targetcli"), "fake": ()}),
        default="tgtadm",
        help="Program that exports volumes. ietadm is read as tgtadm, because its kernel module is gone.",
    ),
    cfg.StrOpt("iscsi_target_prefix", default="iqn.2010-10.org.openstack:", help="Beginning of target names."),
    cfg.StrOpt("iscsi_ip_address", default="$my_ip", help="Address on which volumes are offered."),
    cfg.PortOpt("iscsi_port", default=3260, help="Port on which volumes are offered."),
    cfg.IntOpt(
        "iscsi_control_port",
        default=0,
        min=0,
        max=32767,
        help="Number of the tgtd that exports the volumes, as in its option --control-port; it ends the name of its "
        "socket, /var/run/tgtd/socket.0. Another number lets a second tgtd serve other things on the same host.",
    ),
    cfg.StrOpt(
        "iscsi_ip_prefix",
        default="$my_ip",
        help="Which of several offered addresses a compute host takes: the first that begins with this text.",
    ),
    cfg.IntOpt("iscsi_num_targets", default=100, min=1, help="Accepted for older files."),
    cfg.IntOpt(
        "num_shell_tries", default=3, min=1, help="Attempts of commands that may fail because something is busy."
    ),
    cfg.BoolOpt("use_local_volumes", default=True, help="Accepted for older files."),
    cfg.IntOpt("volume_stats_interval", default=60, min=1, help="Seconds between reports of free room."),
]

CINDER = [
    cfg.StrOpt(
        "catalog_info",
        default="volumev3::publicURL",
        deprecated_opts=formerly("cinder_catalog_info"),
        help="Its entry in the catalogue, as type:name:interface.",
    ),
    cfg.StrOpt(
        "endpoint_template",
        deprecated_opts=formerly("cinder_endpoint_template"),
        help="Its URL in place of the catalogue's, with %(project_id)s.",
    ),
    cfg.StrOpt("os_region_name", deprecated_opts=formerly("os_region_name"), help="Its region in the catalogue."),
    cfg.IntOpt(
        "http_retries",
        default=3,
        min=0,
        deprecated_opts=formerly("cinder_http_retries"),
        help="Further attempts when it does not answer.",
    ),
    cfg.IntOpt("http_timeout_s", default=30, min=1, help="Seconds that one attempt may take."),
    cfg.BoolOpt(
        "insecure",
        default=False,
        deprecated_opts=formerly("cinder/api_insecure", "cinder_api_insecure"),
        help="Do not verify its certificate. Only for tests: whoever stands between can read tokens.",
    ),
    cfg.StrOpt(
        "cafile",
        deprecated_opts=formerly("cinder/ca_certificates_file", "cinder_ca_certificates_file"),
        help="Certificates (PEM) that its own must be signed by.",
    ),
    cfg.BoolOpt(
        "cross_az_attach",
        default=True,
        deprecated_opts=formerly("cinder_cross_az_attach"),
        help="Let servers use volumes of another zone.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT, "cinder": CINDER}
