# SPDX-License-Identifier: Apache-2.0
"""The built-in users, projects and roles: tokens, passwords, lock-out, LDAP, credential files."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

IDENTITY = [
    cfg.IntOpt(
        "token_ttl_s",
        default=86400,
        min=60,
        deprecated_opts=formerly("auth_token_ttl"),
        help="Seconds that a token is good for. A day; users and roles are checked at each use all the same.",
    ),
    cfg.IntOpt(
        "password_hash_rounds",
        default=12,
        min=10,
        max=16,
        help="Cost of a password hash as a power of two. At 12 one takes about a quarter of a second, which slows "
        "whoever guesses.",
    ),
    cfg.IntOpt("password_max_length", default=72, min=16, max=72, help="Longest password in bytes; bcrypt uses 72."),
    cfg.IntOpt(
        "lockout_failures", default=5, min=1, help="Wrong passwords of a user and source before both are locked out."
    ),
    cfg.IntOpt("lockout_s", default=900, min=1, help="Seconds that such a lock-out lasts."),
    cfg.IntOpt("lockout_window_s", default=900, min=1, help="Seconds within which failures are counted together."),
    cfg.IntOpt(
        "lockout_table_size",
        default=10000,
        min=100,
        help="Users and sources that are counted at a time; bounds memory.",
    ),
    cfg.StrOpt("region", default="RegionOne", help="Name of the region in the catalogue."),
    cfg.StrOpt(
        "public_host",
        default="$my_ip",
        help="Host in the URLs of the catalogue, as clients reach it.",
    ),
    cfg.StrOpt("public_scheme", default="http", choices=["http", "https"], help="Scheme of those URLs."),
    cfg.StrOpt("service_user", default="nova", help="User that our daemons are at the built-in identity service."),
    cfg.StrOpt(
        "service_password", secret=True, help="Password of that user. Without a value one is made at 'db sync'."
    ),
    cfg.ListOpt("admin_roles", default=["admin", "cloudadmin"], help="Roles that make an administrator."),
    cfg.IntOpt("max_request_body_size", default=16384, min=1024, help="Largest body in bytes of a request."),
]

LEGACY = [
    cfg.Opt(
        "auth_driver",
        type=Named(
            {
                "db": ("nova.auth.dbdriver.DbDriver",),
                "ldap": ("nova.auth.ldapdriver.LdapDriver",),
                "fakeldap": ("nova.auth.ldapdriver.FakeLdapDriver", "nova.auth.fakeldap.FakeLdapDriver"),
            }
        ),
        default="db",
        help="Where the built-in users are: in our database, or in LDAP.",
    ),
    cfg.ListOpt(
        "allowed_roles",
        default=["cloudadmin", "itsec", "sysadmin", "netadmin", "developer"],
        help="Roles that may be given in a project.",
    ),
    cfg.ListOpt("global_roles", default=["cloudadmin", "itsec"], help="Roles that hold in all projects."),
    cfg.ListOpt("superuser_roles", default=["cloudadmin"], help="Roles that pass every check."),
    cfg.StrOpt("default_project", default="openstack", help="Accepted for older files."),
    cfg.StrOpt("credentials_template", default="", help="File with the form of novarc. Empty uses the one inside."),
    cfg.StrOpt(
        "vpn_client_template", default="", help="File with the form of nova-vpn.conf. Empty uses the one inside."
    ),
    cfg.StrOpt("credential_rc_file", default="%src", help="Name of that file in the zip; %s is the region."),
    cfg.StrOpt("credential_cert_file", default="cert.pem", help="Name of the certificate in the zip."),
    cfg.StrOpt("credential_key_file", default="pk.pem", help="Name of the private key in the zip."),
    cfg.StrOpt("credential_vpn_file", default="nova-vpn.conf", help="Name of the VPN's settings in the zip."),
]

_BASE = "dc=example,dc=com"

LDAP = [
    cfg.StrOpt(
        "ldap_url", default="ldap://localhost", help="URL of the LDAP server; ldaps:// verifies its certificate."
    ),
    cfg.StrOpt("ldap_user_dn", default=f"cn=Manager,{_BASE}", help="Name that we bind as."),
    cfg.StrOpt("ldap_password", default="changeme", secret=True, help="Password that we bind with."),
    cfg.StrOpt("ldap_user_id_attribute", default="uid", help="Attribute with a user's id."),
    cfg.StrOpt("ldap_user_name_attribute", default="cn", help="Attribute with a user's name."),
    cfg.StrOpt("ldap_user_unit", default="Users", help="Unit of new users."),
    cfg.StrOpt("ldap_user_subtree", default=f"ou=Users,{_BASE}", help="Where users are."),
    cfg.BoolOpt(
        "ldap_user_modify_only", default=False, help="Only change users that are there, never make or remove one."
    ),
    cfg.StrOpt("ldap_project_subtree", default=f"ou=Groups,{_BASE}", help="Where projects are."),
    cfg.StrOpt("role_project_subtree", default=f"ou=Groups,{_BASE}", help="Where roles are."),
    cfg.IntOpt("ldap_schema_version", default=2, help="Version of the schema: 1 for Bexar's, 2 for newer ones."),
    *[
        cfg.StrOpt(
            f"ldap_{role}", default=f"cn={group},ou=Groups,{_BASE}", help=f"Group of everybody with the role {role}."
        )
        for role, group in (
            ("cloudadmin", "cloudadmins"),
            ("itsec", "itsec"),
            ("sysadmin", "sysadmins"),
            ("netadmin", "netadmins"),
            ("developer", "developers"),
        )
    ],
]

OPTIONS = {"DEFAULT": LEGACY + LDAP, "identity": IDENTITY}
