# SPDX-License-Identifier: Apache-2.0
"""The EC2 dialect, its signatures, and the object store for bundled images."""

from oslo_config import cfg

from nova.conf.spelling import formerly

DEFAULT = [
    cfg.StrOpt(
        "ec2_host",
        default="$my_ip",
        deprecated_opts=formerly("ec2_api", "cc_host"),
        help="Address of the EC2 API in answers and credential files. A whole URL is taken apart.",
    ),
    cfg.StrOpt(
        "ec2_dmz_host",
        default="$my_ip",
        help="Address of the EC2 API as servers see it.",
    ),
    cfg.PortOpt("ec2_port", default=8773, help="Port of the EC2 API in answers and credential files."),
    cfg.StrOpt("ec2_scheme", default="http", choices=["http", "https"], help="Scheme of that URL."),
    cfg.StrOpt("ec2_path", default="/services/Cloud", help="Path of that URL."),
    cfg.StrOpt(
        "ec2_url",
        help="The whole URL; its parts stand for those of ec2_scheme, ec2_host, ec2_port and ec2_path that are not "
        "set.",
    ),
    cfg.BoolOpt(
        "ec2_private_dns_show_ip",
        default=False,
        help="Show a server's fixed address as its private DNS name, where no DNS knows the host name.",
    ),
    cfg.BoolOpt(
        "ec2_strict_validation",
        default=True,
        help="Refuse ids that do not have the EC2 form before they are looked up.",
    ),
    cfg.IntOpt(
        "ec2_timestamp_expiry",
        default=300,
        min=1,
        help="Seconds by which the time in a signed request may differ from ours. Short, because a captured "
        "request can be sent again until then.",
    ),
    cfg.ListOpt(
        "ec2_signature_versions",
        default=["2", "4"],
        help="Signature versions that are believed. Versions 0 and 1 leave parts of a request unsigned: adding "
        "them lets whoever listens change requests.",
    ),
    cfg.StrOpt(
        "keystone_ec2_url",
        default="http://localhost:5000/v3/ec2tokens",
        help="Where Keystone checks EC2 signatures. The default is right only if Keystone runs on this host.",
    ),
    cfg.ListOpt("region_list", default=[], help="name=host pairs that DescribeRegions answers with."),
    cfg.IntOpt(
        "lockout_attempts", default=5, min=1, help="Failed signatures of a key and source before it is locked out."
    ),
    cfg.IntOpt("lockout_minutes", default=15, min=1, help="Minutes that a lock-out lasts."),
    cfg.IntOpt("lockout_window", default=15, min=1, help="Minutes within which failures are counted together."),
    cfg.StrOpt("s3_host", default="$my_ip", help="Address of the object store with bundled images."),
    cfg.StrOpt("s3_dmz", default="$my_ip", help="Address of the object store in credential files."),
    cfg.PortOpt("s3_port", default=3333, help="Port of the object store."),
    cfg.StrOpt("s3_listen", default="0.0.0.0", help="Address on which the object store listens."),
    cfg.PortOpt("s3_listen_port", default=3333, help="Port on which the object store listens."),
    cfg.StrOpt(
        "s3_access_key",
        default="notchecked",
        deprecated_opts=formerly("aws_access_key_id"),
        help="Access key for fetching bundles where the user's own is not known.",
    ),
    cfg.StrOpt(
        "s3_secret_key",
        default="notchecked",
        secret=True,
        deprecated_opts=formerly("aws_secret_access_key"),
        help="Secret key that belongs to s3_access_key.",
    ),
    cfg.BoolOpt("s3_use_ssl", default=False, help="Fetch bundles over TLS."),
    cfg.BoolOpt("s3_affix_tenant", default=False, help="Send access keys as key:project."),
    cfg.StrOpt(
        "image_decryption_dir",
        default="$state_path/decryption",
        help="Work space for bundles that are being put together. Private to the daemon: older clouds used /tmp.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT}
