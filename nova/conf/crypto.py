# SPDX-License-Identifier: Apache-2.0
"""Certificates that nova-cert signs, and cloudpipe VPNs."""

from oslo_config import cfg

from nova.conf.spelling import formerly

_SUBJECT = "/C=US/ST=California/O=OpenStack/OU=NovaDev/CN="

CRYPTO = [
    cfg.StrOpt(
        "ca_file", default="cacert.pem", deprecated_opts=formerly("ca_file"), help="Root certificate, below ca_path."
    ),
    cfg.StrOpt(
        "key_file",
        default="private/cakey.pem",
        deprecated_opts=formerly("key_file"),
        help="Its private key, below ca_path.",
    ),
    cfg.StrOpt(
        "crl_file", default="crl.pem", deprecated_opts=formerly("crl_file"), help="Revocation list, below ca_path."
    ),
    cfg.StrOpt(
        "keys_path", default="$state_path/keys", deprecated_opts=formerly("keys_path"), help="Directory of made keys."
    ),
    cfg.StrOpt(
        "ca_path", default="$state_path/CA", deprecated_opts=formerly("ca_path"), help="Directory of the authority."
    ),
    cfg.BoolOpt(
        "use_project_ca",
        default=False,
        deprecated_opts=formerly("use_project_ca"),
        help="An authority for each project, below the root.",
    ),
    cfg.StrOpt(
        "user_cert_subject",
        default=f"{_SUBJECT}%.16s-%.16s-%s",
        deprecated_opts=formerly("user_cert_subject"),
        help="Subject of a user's certificate, from project, user and time.",
    ),
    cfg.StrOpt(
        "project_cert_subject",
        default=f"{_SUBJECT}project-ca-%.16s-%s",
        deprecated_opts=formerly("project_cert_subject"),
        help="Subject of a project's, from project and time.",
    ),
    cfg.StrOpt(
        "vpn_cert_subject",
        default=f"{_SUBJECT}project-vpn-%.16s-%s",
        deprecated_opts=formerly("vpn_cert_subject"),
        help="Subject of a VPN's, from project and time.",
    ),
]

CLOUDPIPE = [
    cfg.StrOpt(
        "vpn_image_id", default="0", deprecated_opts=formerly("vpn_image_id"), help="Image of a project's VPN server."
    ),
    cfg.StrOpt(
        "vpn_flavor", default="m1.tiny", deprecated_opts=formerly("vpn_flavor", "vpn_instance_type"), help="Its flavor."
    ),
    cfg.StrOpt(
        "vpn_key_suffix",
        default="-vpn",
        deprecated_opts=formerly("vpn_key_suffix"),
        help="End of the names of its key pair and security group.",
    ),
    cfg.StrOpt(
        "boot_script_template",
        default="",
        deprecated_opts=formerly("boot_script_template"),
        help="File with the form of its boot script. Empty uses the one inside.",
    ),
    cfg.StrOpt(
        "dmz_net", default="10.0.0.0", deprecated_opts=formerly("dmz_net"), help="Network that VPN clients reach."
    ),
    cfg.StrOpt("dmz_mask", default="255.255.255.0", deprecated_opts=formerly("dmz_mask"), help="Mask of that network."),
]

OPTIONS = {"crypto": CRYPTO, "cloudpipe": CLOUDPIPE}
