# SPDX-License-Identifier: Apache-2.0
"""The nova.conf of the quickstart cloud."""

from __future__ import annotations

import re

from tools.quickstart.credentials import write_private
from tools.quickstart.layout import APIS, BRIDGE, FIXED_RANGE, Layout

_ROOTWRAP = """\
# Written by ./quickstart.
[DEFAULT]
filters_path = {filters}
exec_dirs = /sbin,/usr/sbin,/bin,/usr/bin
state_path = {state}
config_path = {etc}
use_syslog = False
syslog_log_facility = syslog
syslog_log_level = ERROR
"""
_INSTALLED_BRIDGE = "/usr/(local/)?bin/nova-dhcpbridge"

_TEXT = """\
# Written by ./quickstart; ./quickstart down removes it.
[DEFAULT]
state_path = {state}
log_dir = {state}/log
instances_path = {state}/instances
networks_path = {networks}
host = {host}
my_ip = 127.0.0.1
transport_url = memory://
auth_strategy = builtin
enabled_apis = osapi_compute,ec2,metadata,osapi_volume,identity,image
{listens}
metadata_listen = 0.0.0.0
api_paste_config = {checkout}/etc/nova/api-paste.ini
rootwrap_config = {rootwrap}
compute_driver = libvirt
resume_guests_state_on_host_boot = true
allow_resize_to_same_host = true
network_manager = nova.network.manager.FlatDHCPManager
flat_network_bridge = {bridge}
fixed_range = {fixed_range}
metadata_host = 169.254.169.254
public_interface = lo
dhcpbridge_flagfile = {config}
dhcpbridge = {dhcpbridge}
force_dhcp_release = true
volume_driver = file
volumes_dir = {state}/volumes
iscsi_ip_address = 127.0.0.1
iscsi_helper = tgtadm
iscsi_control_port = {control_port}
osapi_compute_link_prefix = http://{address}:8774

[oslo_concurrency]
lock_path = {state}/lock

[database]
connection = sqlite:///{state}/nova.sqlite

[image]
store = local

[identity]
public_host = {address}

[libvirt]
virt_type = {virt_type}
cpu_mode = none
connection_uri = {uri}
"""


def write(layout: Layout, *, virt_type: str, uri: str) -> None:
    """Write the file."""
    listens = "\n".join(f"{api}_listen = {layout.address}" for api in APIS)
    text = _TEXT.format(
        state=layout.state,
        address=layout.address,
        networks=layout.networks,
        checkout=layout.checkout,
        host=layout.name,
        listens=listens,
        bridge=BRIDGE,
        fixed_range=FIXED_RANGE,
        config=layout.config,
        rootwrap=layout.rootwrap,
        control_port=layout.tgt_control_port,
        dhcpbridge=layout.program("nova-dhcpbridge"),
        virt_type=virt_type,
        uri=uri,
    )
    write_private(layout.config, text)
    _write_rootwrap(layout)


def _write_rootwrap(layout: Layout) -> None:
    """The project's own filters, for the paths of this checkout."""
    filters = layout.rootwrap.parent / "rootwrap.d"
    filters.mkdir(mode=0o750, exist_ok=True)
    bridge = re.escape(layout.program("nova-dhcpbridge"))
    for source in sorted((layout.checkout / "etc" / "nova" / "rootwrap.d").glob("*.filters")):
        text = source.read_text().replace(_INSTALLED_BRIDGE, bridge)
        write_private(filters / source.name, text.replace("$state_path/networks", re.escape(str(layout.networks))))
    text = _ROOTWRAP.format(filters=filters, state=layout.state, etc=layout.config.parent)
    write_private(layout.rootwrap, text)
