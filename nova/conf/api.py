# SPDX-License-Identifier: Apache-2.0
"""The HTTP endpoints: which are open, where they listen, how they are protected, what the OpenStack dialect shows."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

APIS = {
    "osapi_compute": (8774, "the OpenStack compute API", ("osapi_listen",), ("osapi_listen_port",)),
    "ec2": (8773, "the EC2 API", (), ()),
    "metadata": (8775, "the metadata service for servers", (), ()),
    "osapi_volume": (8776, "the OpenStack volume API", (), ()),
    "identity": (5000, "the built-in identity service", (), ()),
    "image": (9292, "the built-in image service", (), ()),
}
"""API name → its usual port, what it is, older names of the address and of the port option."""


def _listener(name: str, port: int, what: str, old_listen: tuple[str, ...], old_port: tuple[str, ...]) -> list[cfg.Opt]:
    return [
        cfg.StrOpt(
            f"{name}_listen",
            default="0.0.0.0",
            deprecated_opts=formerly(*old_listen),
            help=f"Address on which {what} listens. The default is every address of the host.",
        ),
        cfg.PortOpt(
            f"{name}_listen_port",
            default=port,
            deprecated_opts=formerly(*old_port),
            help=f"Port on which {what} listens. The default is the one clients expect.",
        ),
        cfg.IntOpt(
            f"{name}_workers",
            min=1,
            help=f"Processes that serve {what}. Without a value it is one, inside the daemon itself.",
        ),
    ]


LISTENERS = [option for name, row in APIS.items() for option in _listener(name, *row)]

ACCESS = [
    cfg.ListOpt(
        "enabled_apis",
        item_type=Named({name: ("osapi",) if name == "osapi_compute" else () for name in APIS}),
        default=list(APIS),
        help=f"Endpoints that nova-api opens: {', '.join(APIS)}. The default is a cloud without neighbours; "
        "leave identity and image out where Keystone and Glance run. 'osapi' is the older word for osapi_compute.",
    ),
    cfg.ListOpt("enabled_ssl_apis", default=[], help="Those of enabled_apis that speak TLS (1.2 or newer) themselves."),
    cfg.StrOpt("ssl_cert_file", help="Certificate chain (PEM) of the endpoints in enabled_ssl_apis."),
    cfg.StrOpt("ssl_key_file", help="Private key (PEM) of that certificate."),
    cfg.StrOpt(
        "ssl_ca_file", help="Certificates (PEM) that client certificates must be signed by; with it one is required."
    ),
    cfg.StrOpt(
        "api_paste_config",
        default="api-paste.ini",
        help="File with the pipelines. A relative name is looked for beside the configuration files, then in "
        "/etc/nova.",
    ),
    cfg.Opt(
        "auth_strategy",
        type=Named({"builtin": ("deprecated",), "keystone": (), "noauth": ("noauth2",)}),
        default="builtin",
        help="Who says who a caller is: the users in our own database (builtin), Keystone, or nobody (noauth, for "
        "tests: everybody is administrator). The default needs no neighbour.",
    ),
    cfg.BoolOpt(
        "use_deprecated_auth",
        help="Older word for auth_strategy: true means builtin where auth_strategy is not set.",
    ),
    cfg.BoolOpt(
        "api_rate_limit",
        default=False,
        help="Count each user's requests and answer 'too many' above the limits of api-paste.ini. Off, because the "
        "counts are per process and a proxy in front does it better.",
    ),
    cfg.BoolOpt(
        "use_forwarded_for",
        default=False,
        help="Take a caller's address from X-Forwarded-For, but only in requests from trusted_proxies. Off, "
        "because anybody can send that header.",
    ),
    cfg.ListOpt(
        "trusted_proxies", default=[], help="Addresses or networks of the proxies that use_forwarded_for believes."
    ),
    cfg.StrOpt(
        "policy_file",
        default="policy.json",
        deprecated_opts=formerly("oslo_policy/policy_file"),
        help="File with changes to the policy rules, JSON or YAML, looked for like api_paste_config. It may be "
        "absent: the built-in rules hold then.",
    ),
    cfg.StrOpt(
        "policy_default_rule",
        default="default",
        deprecated_opts=formerly("oslo_policy/policy_default_rule"),
        help="Rule that is checked where a policy file names no other.",
    ),
    cfg.BoolOpt(
        "allow_admin_api",
        default=True,
        help="Whether administrators see the operations that are only for them. Older clouds had it off.",
    ),
]

SERVER = [
    cfg.IntOpt(
        "api_threads",
        default=1000,
        min=1,
        help="Requests that one API process works on at a time; others wait in the kernel's queue.",
    ),
    cfg.IntOpt("backlog", default=128, min=1, help="Connections that the kernel holds before one is accepted."),
    cfg.IntOpt("tcp_keepidle", default=600, min=1, help="Seconds after which an idle connection is probed."),
    cfg.IntOpt(
        "client_socket_timeout",
        default=900,
        min=1,
        help="Seconds without a byte after which a client's connection is closed, so that slow clients hold no "
        "resource for ever.",
    ),
    cfg.IntOpt(
        "max_header_line",
        default=16384,
        min=1024,
        help="Longest header line in bytes. Large enough for tokens with a whole catalogue inside.",
    ),
    cfg.StrOpt(
        "wsgi_log_format",
        default='%(client_ip)s "%(request_line)s" status: %(status_code)s len: %(body_length)s '
        "time: %(wall_seconds).7f",
        help="One line of the access log. Tokens in paths and queries are cut out before.",
    ),
    cfg.IntOpt(
        "osapi_max_request_body_size",
        default=114688,
        min=1024,
        deprecated_opts=formerly("oslo_middleware/max_request_body_size"),
        help="Largest request body in bytes; more gets 413. The default holds the largest boot request with all "
        "its files.",
    ),
    cfg.IntOpt(
        "metadata_max_request_body_size", default=4096, min=0, help="Largest body in bytes of a request from a server."
    ),
]

DIALECT = [
    cfg.IntOpt(
        "osapi_max_limit",
        default=1000,
        min=1,
        help="Most items on one page of a list. Bounds the memory of a request.",
    ),
    cfg.StrOpt(
        "osapi_compute_link_prefix",
        help="Beginning of the URLs in answers of the compute API, where a proxy has another address.",
    ),
    cfg.StrOpt("osapi_glance_link_prefix", help="Beginning of the URLs of images in answers."),
    cfg.StrOpt(
        "osapi_host",
        default="$my_ip",
        help="Address of the compute API in credential files that 'nova-manage project zipfile' writes. A whole "
        "URL is taken apart.",
    ),
    cfg.PortOpt("osapi_port", default=8774, help="Port of the compute API in credential files."),
    cfg.StrOpt("osapi_scheme", default="http", choices=["http", "https"], help="Scheme of that URL."),
    cfg.StrOpt("osapi_path", default="/v1.1/", help="Path of that URL."),
    cfg.ListOpt(
        "osapi_hide_server_address_states",
        default=["building"],
        help="States in which a server's addresses are hidden from whom the policy says, since they may still change.",
    ),
    cfg.StrOpt(
        "osapi_compute_unique_server_name_scope",
        default="",
        choices=["", "project", "global"],
        ignore_case=True,
        help="Refuse a host name that is taken in the project or anywhere. Empty allows equal names.",
    ),
    cfg.BoolOpt("allow_instance_snapshots", default=True, help="Whether users may make images of their servers."),
    cfg.BoolOpt(
        "enable_instance_password",
        default=True,
        help="Whether answers show the administrator's password of a new server. Off where no image takes one.",
    ),
    cfg.ListOpt(
        "non_inheritable_image_properties",
        default=["cache_in_nova", "bittorrent"],
        help="Properties of an image that its snapshots do not get.",
    ),
    cfg.StrOpt(
        "multi_instance_display_name_template",
        default="%(name)s-%(uuid)s",
        help="Names of servers made by one request; keys name, uuid and count.",
    ),
    cfg.MultiStrOpt(
        "osapi_compute_extension",
        default=["standard"],
        help="Accepted for older files: every extension is always loaded.",
    ),
    cfg.ListOpt("osapi_compute_ext_list", default=[], help="Accepted for older files, without effect."),
    cfg.StrOpt("fping_path", default="/usr/sbin/fping", help="Program that the os-fping extension runs."),
    cfg.BoolOpt("enable_network_quota", default=False, help="Whether networks made by users count against a quota."),
    cfg.IntOpt(
        "instance_list_max_tags", default=50, min=1, help="Most tags in one filter; bounds the work of a statement."
    ),
]

OPTIONS = {"DEFAULT": LISTENERS + ACCESS + SERVER + DIALECT}
