# SPDX-License-Identifier: Apache-2.0
"""What older files look like: the flagfile dialect, its booleans, and keys that have no effect any more."""

from __future__ import annotations

import re
from dataclasses import dataclass

TRUE = frozenset({"true", "t", "yes", "y", "on", "1", "always"})
FALSE = frozenset({"false", "f", "no", "n", "off", "0"})

# One or two dashes, also as the en or em dash, or as "- -", that documents print.
_DASHES = re.compile(r"(?:-\s-|--?|[\u2013\u2014]{1,2}-?)\s*(?=[A-Za-z_])")
_NAME = re.compile(r"[A-Za-z_][\w-]*")

NO_EFFECT = {
    "daemonize": "daemons run in the foreground under the init system",
    "daemon": "daemons run in the foreground under the init system",
    "nodaemon": "daemons run in the foreground under the init system",
    "volumes_path": "target files are kept below volumes_dir",
    "nova_url": "clients find the API through the catalogue",
    "novnc_enabled": "[vnc] enabled decides",
    "flat_network_dhcp_start": "addresses are given from the network's first one on",
    "images_path": "[image] image_store_path names the place",
    "use_s3": "images come from the image service",
    "fake_subdomain": "nothing reads it",
    "xenapi_inject_image": "there is no XenServer driver",
    "xenapi_remap_vbd_dev": "there is no XenServer driver",
    "monkey_patch": "the daemons need no patching from outside",
    "backdoor_port": "there is no debug console",
    "fatal_exception_format_errors": "messages are checked by tests",
    "allowed_rpc_exception_modules": "errors travel by kind",
    "amqp_rpc_single_reply_queue": "there is always one reply queue for each process",
    "rpc_cast_timeout": "a message is confirmed by the broker",
    "compute_manager": "each daemon has one implementation",
    "console_manager": "each daemon has one implementation",
    "scheduler_manager": "each daemon has one implementation",
    "volume_manager": "each daemon has one implementation",
    "metadata_manager": "each daemon has one implementation",
    "cert_manager": "each daemon has one implementation",
    "consoleauth_manager": "each daemon has one implementation",
    "osapi_extensions_path": "every extension is always loaded",
    "disable_process_locking": "locks are always held",
    "run_external_periodic_tasks": "there are none",
    "ajaxterm_portrange": "there is no text console in the browser",
    "enable_zone_routing": "there are no zones of zones",
    "zone_name": "there are no zones of zones",
    "compute_api_class": "each operation has one implementation",
    "compute_stats_class": "each operation has one implementation",
    "ajax_console_proxy_topic": "there is no text console in the browser",
    "console_driver": "there is no XenServer driver",
    "noop_cost_fn_weight": "[filter_scheduler] has the multipliers of the weighers",
    "compute_fill_first_cost_fn_weight": "[filter_scheduler] ram_weight_multiplier decides",
    "least_cost_functions": "[filter_scheduler] weight_classes lists the weighers",
    "least_cost_scheduler_cost_functions": "[filter_scheduler] weight_classes lists the weighers",
    "default_host_filter": "[filter_scheduler] enabled_filters lists the filters",
    "max_networks": "the network daemon chooses by itself",
    "num_aoe_discover_tries": "there is no ATA-over-Ethernet driver",
    "xen_hvmloader_path": "there is no Xen driver",
    "vncproxy_topic": "the proxy is no part of the message bus",
}
"""Keys that were settings once, with what holds instead."""

FOREIGN_GROUPS = frozenset(
    {
        "neutron", "xenserver", "vmware", "hyperv", "baremetal", "trusted_computing", "zookeeper", "matchmaker_ring",
        "matchmaker_redis", "rpc_notifier2", "oslo_messaging_qpid", "oslo_messaging_zmq", "oslo_messaging_amqp",
        "api_database", "cells", "placement", "placement_database", "rdp", "serial_console", "ssl", "upgrade_levels",
        "service_user", "barbican", "key_manager", "keymgr", "ephemeral_storage_encryption", "mks", "pci", "guestfs",
        "cors", "privsep", "profiler", "remote_debug", "devices", "wsgi", "zvm", "ironic", "osapi_v3", "osapi_v21",
        "keystone", "oslo_middleware", "oslo_policy", "oslo_reports", "cache", "healthcheck", "composite", "app",
    }
)  # fmt: skip
"""Sections for parts that are not here; they are passed over with one word."""

FOREIGN_PREFIXES = (
    "xenapi_", "vmwareapi_", "hyperv_", "powervm_", "baremetal_", "qpid_", "rpc_zmq_", "matchmaker_", "quantum_",
    "neutron_", "service_quantum_", "service_neutron_", "melange_", "scality_", "san_", "rbd_", "vsa_", "console_xvp_",
    "console_vmrc_", "zone_", "nfs_", "glusterfs_", "aoe_", "stub_", "fake_",
)  # fmt: skip
"""Beginnings of keys for such parts."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: its plain name, and its value, or None for a bare one."""

    name: str
    value: str | None


def is_comment(line: str) -> bool:
    """Whether a flagfile's line is a comment."""
    return line.startswith(("#", "//", ";"))


def is_flagfile(text: str) -> bool:
    """Whether the first line that says something begins with a dash."""
    for line in text.splitlines():
        stripped = line.strip().lstrip("\ufeff")
        if stripped and not is_comment(stripped):
            return looks_like_flag(stripped)
    return False


def looks_like_flag(line: str) -> bool:
    """Whether a line begins with dashes and a name."""
    return _DASHES.match(line) is not None


def split_flag(line: str) -> Flag | None:
    """A line or a word of the command line as a flag; None when it is something else.

    ``--name=value``, ``-name value``, ``name = value`` and a bare ``--name`` are flags.
    """
    body, dashed = _DASHES.subn("", line.strip(), count=1)
    name = _NAME.match(body)
    if name is None:
        return None
    rest = body[name.end() :]
    if rest.lstrip().startswith("="):
        return Flag(plain_name(name.group()), unquoted(rest.lstrip()[1:]))
    if not dashed:
        return None
    if not rest:
        return Flag(plain_name(name.group()), None)
    return Flag(plain_name(name.group()), unquoted(rest)) if rest[0].isspace() else None


def plain_name(text: str) -> str:
    """A name as it is looked up: lower case, underscores."""
    return text.strip().lower().replace("-", "_")


def unquoted(text: str) -> str:
    """A value without blanks around it and without one matching pair of quotes."""
    value = text.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def boolean(text: str) -> bool | None:
    """The truth that a word of either dialect means, or None."""
    word = text.strip().lower()
    if word in TRUE:
        return True
    return False if word in FALSE else None
