# SPDX-License-Identifier: Apache-2.0
"""Images: the neighbour Glance, or our own store."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

GLANCE = [
    cfg.ListOpt(
        "api_servers",
        default=[],
        deprecated_opts=formerly("glance_api_servers"),
        help="Its servers as host, host:port or URL, tried one after another in random order. Empty means the one "
        "that host, port and protocol name.",
    ),
    cfg.StrOpt("host", default="$my_ip", deprecated_opts=formerly("glance_host"), help="Its host."),
    cfg.PortOpt("port", default=9292, deprecated_opts=formerly("glance_port"), help="Its port."),
    cfg.StrOpt(
        "protocol",
        default="http",
        choices=["http", "https"],
        deprecated_opts=formerly("glance_protocol"),
        help="Its protocol.",
    ),
    cfg.IntOpt(
        "num_retries",
        default=3,
        min=0,
        deprecated_opts=formerly("glance_num_retries"),
        help="Further attempts, each at the next server.",
    ),
    cfg.IntOpt("http_timeout_s", default=30, min=1, help="Seconds without a byte after which an attempt has failed."),
    cfg.BoolOpt(
        "insecure",
        default=False,
        deprecated_opts=formerly("glance/api_insecure", "glance_api_insecure"),
        help="Do not verify its certificate. Only for tests: whoever stands between can read tokens and change images.",
    ),
    cfg.StrOpt(
        "cafile",
        deprecated_opts=formerly("glance/ca_certificates_file", "glance_ca_certificates_file"),
        help="Certificates (PEM) that its own must be signed by.",
    ),
    cfg.ListOpt(
        "allowed_direct_url_schemes",
        default=[],
        deprecated_opts=formerly("allowed_direct_url_schemes"),
        help="Schemes (file) by which an image may be read past Glance. Only below directories that are configured.",
    ),
]

IMAGE = [
    cfg.Opt(
        "store",
        type=Named(
            {
                "local": ("nova.image.local.LocalImageService", "nova.image.s3.S3ImageService"),
                "glance": ("nova.image.glance.GlanceImageService", "nova.image.local.GlanceImageService"),
            }
        ),
        deprecated_opts=formerly("image_service"),
        help="Where images are: in the built-in service, whose files lie on this host or a shared file system "
        "(local), or in Glance. Without a value it is glance where auth_strategy is keystone or [glance] api_servers "
        "is set, otherwise local.",
    ),
    cfg.StrOpt(
        "image_store_path",
        default="$state_path/images",
        deprecated_opts=formerly("image/store_path"),
        help="Directory of the built-in service's files.",
    ),
    cfg.IntOpt(
        "image_size_cap",
        default=1024**4,
        min=1,
        deprecated_opts=formerly("image/size_cap", "image_size_cap"),
        help="Largest image in bytes that the built-in service takes.",
    ),
    cfg.IntOpt(
        "project_quota_bytes",
        default=0,
        min=0,
        help="Bytes of images that a project may keep in the built-in service; 0 is no limit.",
    ),
    cfg.IntOpt("max_properties", default=128, min=1, help="Properties that an image may have."),
    cfg.IntOpt(
        "max_metadata_bytes", default=65536, min=1024, help="Largest body in bytes of a request about metadata."
    ),
    cfg.ListOpt(
        "disk_formats",
        default=["raw", "qcow2", "ami", "aki", "ari", "vmdk", "iso"],
        help="Formats that are accepted. Every further one is a further parser for hostile files.",
    ),
    cfg.ListOpt(
        "container_formats", default=["bare", "ovf", "ami", "aki", "ari"], help="Containers that are accepted."
    ),
]

OPTIONS = {"glance": GLANCE, "image": IMAGE}
