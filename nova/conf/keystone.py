# SPDX-License-Identifier: Apache-2.0
"""A real Keystone: how tokens are checked, and who we are there."""

from oslo_config import cfg

from nova.conf.spelling import formerly

AUTHTOKEN = [
    cfg.StrOpt(
        "www_authenticate_uri",
        deprecated_opts=formerly("keystone_authtoken/auth_uri"),
        help="URL that callers without a token are told to go to.",
    ),
    cfg.StrOpt(
        "auth_url",
        deprecated_opts=formerly("keystone_authtoken/identity_uri"),
        help="URL at which tokens are checked. Without a value it is put together from auth_protocol, auth_host "
        "and auth_port.",
    ),
    cfg.StrOpt("auth_host", default="127.0.0.1", help="Older part of auth_url."),
    cfg.PortOpt("auth_port", default=35357, help="Older part of auth_url."),
    cfg.StrOpt("auth_protocol", default="http", choices=["http", "https"], help="Older part of auth_url."),
    cfg.StrOpt(
        "auth_type",
        default="password",
        deprecated_opts=formerly("keystone_authtoken/auth_plugin"),
        help="How we prove who we are there.",
    ),
    cfg.StrOpt("auth_version", default="v3", help="Version of the protocol."),
    cfg.StrOpt("username", deprecated_opts=formerly("keystone_authtoken/admin_user"), help="Our service user."),
    cfg.StrOpt(
        "password",
        secret=True,
        deprecated_opts=formerly("keystone_authtoken/admin_password"),
        help="Its password.",
    ),
    cfg.StrOpt(
        "project_name",
        default="service",
        deprecated_opts=formerly("keystone_authtoken/admin_tenant_name"),
        help="Its project.",
    ),
    cfg.StrOpt("admin_token", secret=True, help="A token of Keystone's own in place of a user."),
    cfg.StrOpt("project_domain_id", default="default", help="Domain of that project."),
    cfg.StrOpt("project_domain_name", help="The same by name."),
    cfg.StrOpt("user_domain_id", default="default", help="Domain of that user."),
    cfg.StrOpt("user_domain_name", help="The same by name."),
    cfg.StrOpt("region_name", help="Our region."),
    cfg.StrOpt("signing_dir", help="Accepted for older files: signed tokens are gone."),
    cfg.ListOpt(
        "memcached_servers",
        default=[],
        deprecated_opts=formerly("keystone_authtoken/memcache_servers"),
        help="host:port of memcached servers that checked tokens are kept in.",
    ),
    cfg.IntOpt(
        "token_cache_time",
        default=300,
        min=-1,
        help="Seconds that a good token is believed without asking again. A failure of Keystone is never kept as "
        "'bad token'.",
    ),
    cfg.IntOpt("http_connect_timeout", default=10, min=1, help="Seconds that one question may take."),
    cfg.IntOpt("http_request_max_retries", default=3, min=0, help="Further attempts."),
    cfg.BoolOpt("delay_auth_decision", default=False, help="Let the application decide about callers without a token."),
    cfg.BoolOpt(
        "insecure",
        default=False,
        help="Do not verify its certificate. Only for tests: whoever stands between can be anybody here.",
    ),
    cfg.StrOpt("cafile", help="Certificates (PEM) that its own must be signed by."),
    cfg.StrOpt("certfile", help="Our certificate (PEM)."),
    cfg.StrOpt("keyfile", help="Private key (PEM) of that certificate."),
]

OPTIONS = {"keystone_authtoken": AUTHTOKEN}
