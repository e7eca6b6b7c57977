# SPDX-License-Identifier: Apache-2.0
"""nova-network: addresses, bridges, VLANs, DHCP, NAT."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

MANAGERS = {
    "flat": ("nova.network.manager.FlatManager", "FlatManager"),
    "flat_dhcp": ("nova.network.manager.FlatDHCPManager", "FlatDHCPManager"),
    "vlan": ("nova.network.manager.VlanManager", "VlanManager"),
}

_NEUTRON = ("nova.network.neutronv2.api.API", "nova.network.quantumv2.api.API", "quantum")

KIND = [
    cfg.Opt(
        "network_manager",
        type=Named(MANAGERS),
        default="vlan",
        help="How networks are made: one bridge and addresses written into guests (flat), one bridge with DHCP "
        "(flat_dhcp), or a VLAN for each project. The default keeps projects apart.",
    ),
    cfg.Opt(
        "network_api_class",
        type=Named({"nova": ("nova.network.api.API",), "neutron": _NEUTRON}),
        default="nova",
        help="Who owns networks. Only our own is supported; the other name is known from older files.",
    ),
    cfg.Opt(
        "security_group_api",
        type=Named({"nova": (), "neutron": ("quantum",)}),
        default="nova",
        help="Who owns security groups; likewise.",
    ),
    cfg.StrOpt("network_driver", help="Accepted for older files."),
    cfg.StrOpt("linuxnet_interface_driver", help="Accepted for older files: bridges of Linux are used."),
    cfg.StrOpt("l3_lib", help="Accepted for older files."),
    cfg.StrOpt("security_group_handler", help="Accepted for older files."),
    cfg.StrOpt(
        "network_host", help="Host that takes new networks in flat modes. Without a value any network host does."
    ),
    cfg.BoolOpt(
        "multi_host",
        default=False,
        help="New networks are served by each compute host for its own servers, in place of one network host for all.",
    ),
]

RANGES = [
    cfg.StrOpt(
        "fixed_range",
        default="10.0.0.0/8",
        help="Addresses of all servers; NAT rules are made from it, so every network must lie within it.",
    ),
    cfg.StrOpt("fixed_range_v6", default="fd00::/48", help="IPv6 addresses of all servers."),
    cfg.StrOpt(
        "floating_range",
        default="4.4.4.0/24",
        help="Addresses that 'nova-manage floating create' makes when it is given none.",
    ),
    cfg.IntOpt("num_networks", default=1, min=1, help="Networks that 'nova-manage network create' makes."),
    cfg.IntOpt("network_size", default=256, min=1, help="Addresses in each of them."),
    cfg.StrOpt("gateway", help="Gateway of new networks. Without a value their first address."),
    cfg.StrOpt("gateway_v6", help="IPv6 gateway of new networks."),
    cfg.BoolOpt("use_ipv6", default=False, help="Give servers IPv6 addresses too, with radvd on each bridge."),
    cfg.Opt(
        "ipv6_backend",
        type=Named({"rfc2462": ("nova.ipv6.rfc2462",), "account_identifier": ("nova.ipv6.account_identifier",)}),
        default="rfc2462",
        help="How IPv6 addresses are made: from the MAC address, or from the project's name.",
    ),
    cfg.StrOpt("default_floating_pool", default="nova", help="Pool for floating addresses when none is named."),
    cfg.BoolOpt("auto_assign_floating_ip", default=False, help="Give each new server a floating address."),
    cfg.IntOpt("create_unique_mac_address_attempts", default=5, min=1, help="Attempts to find a free MAC address."),
    cfg.IntOpt(
        "fixed_ip_disassociate_timeout",
        default=600,
        min=0,
        help="Seconds that an address rests after its server is gone, while an old lease may still be in use.",
    ),
    cfg.IntOpt("cnt_vpn_clients", default=0, min=0, help="Addresses of each network that are kept for VPN clients."),
    cfg.StrOpt("vpn_ip", default="$my_ip", help="Public address of cloudpipe VPNs."),
    cfg.PortOpt("vpn_start", default=1000, help="First port of cloudpipe VPNs."),
]

DEVICES = [
    cfg.StrOpt(
        "flat_network_bridge", help="Bridge of flat networks; required for them unless each network names its own."
    ),
    cfg.StrOpt(
        "flat_interface", help="Interface that is put into that bridge. If it has an address, the address moves along."
    ),
    cfg.BoolOpt("flat_injected", default=False, help="Write the network's settings into guests (Debian's form)."),
    cfg.IntOpt("vlan_start", default=100, min=1, max=4094, help="First VLAN tag."),
    cfg.StrOpt("vlan_interface", help="Interface below the VLANs; required by the VLAN manager."),
    cfg.StrOpt("public_interface", default="eth0", help="Interface that carries floating addresses."),
    cfg.StrOpt(
        "routing_source_ip",
        default="$my_ip",
        help="Address that servers without a floating one appear under; it must be one of the network host.",
    ),
    cfg.IntOpt(
        "network_device_mtu", min=68, help="MTU of bridges and guests' interfaces. Without a value the kernel's."
    ),
    cfg.ListOpt("dmz_cidr", default=[], help="Networks that servers reach under their own addresses."),
    cfg.MultiStrOpt(
        "force_snat_range", default=[], help="Networks that servers reach under routing_source_ip even so."
    ),
    cfg.MultiStrOpt(
        "forward_bridge_interface",
        default=["all"],
        help="Interfaces between which bridges may forward; 'all', or 'none'.",
    ),
    cfg.StrOpt("iptables_top_regex", default="", help="Rules of others that stay before ours. A linear pattern."),
    cfg.StrOpt("iptables_bottom_regex", default="", help="Rules of others that stay after ours."),
    cfg.StrOpt("input_chain", default="INPUT", help="Accepted for older files."),
    cfg.BoolOpt(
        "send_arp_for_ha", default=True, help="Tell the neighbours when a floating address moves to this host."
    ),
    cfg.IntOpt("send_arp_for_ha_count", default=3, min=1, help="How often they are told."),
    cfg.BoolOpt(
        "use_single_default_gateway", default=False, help="Give servers in several networks one default route."
    ),
    cfg.BoolOpt("share_dhcp_address", default=False, help="One DHCP address per network on all hosts of multi_host."),
    cfg.BoolOpt(
        "teardown_unused_network_gateway", default=False, help="Remove a bridge's gateway when its last server goes."
    ),
    cfg.StrOpt("linuxnet_ovs_integration_bridge", default="br-int", help="Accepted for older files."),
]

DHCP = [
    cfg.StrOpt("dhcpbridge", default="$bindir/nova-dhcpbridge", help="Program that dnsmasq calls for each lease."),
    cfg.MultiStrOpt(
        "dhcpbridge_flagfile",
        default=["/etc/nova/nova.conf"],
        help="Configuration files that this program reads.",
    ),
    cfg.IntOpt(
        "dhcp_lease_time",
        default=86400,
        min=120,
        help="Seconds that a lease holds. Addresses are given back at once when a server goes, so that short "
        "leases would only make traffic.",
    ),
    cfg.StrOpt("dhcp_domain", default="novalocal", help="Domain of servers' host names."),
    cfg.MultiStrOpt("dns_server", default=[], help="Name servers for dnsmasq in place of the host's own."),
    cfg.BoolOpt("use_network_dns_servers", default=False, help="Use the name servers of each network too."),
    cfg.StrOpt("flat_network_dns", default="8.8.4.4", help="First name server of new networks."),
    cfg.StrOpt("dnsmasq_config_file", default="", help="A further file of settings for dnsmasq."),
    cfg.BoolOpt(
        "force_dhcp_release", default=True, help="Take the lease back when an address is freed (dhcp_release)."
    ),
    cfg.BoolOpt("update_dhcp_on_disassociate", default=True, help="Accepted for older files."),
    cfg.BoolOpt("update_dns_entries", default=False, help="Tell the other network hosts when names change."),
    cfg.IntOpt(
        "dns_update_periodic_interval", default=-1, min=-1, help="Seconds between updates of names; -1 is never."
    ),
    cfg.StrOpt(
        "floating_ip_dns_manager",
        default="nova.network.noop_dns_driver.NoopDNSDriver",
        help="Driver for names of floating addresses.",
    ),
    cfg.StrOpt(
        "instance_dns_manager",
        default="nova.network.noop_dns_driver.NoopDNSDriver",
        help="Driver for names of servers.",
    ),
    cfg.StrOpt("instance_dns_domain", default="", help="Domain of those names."),
]

QUOTAS_OLD = [
    cfg.BoolOpt(
        "use_neutron_default_nets",
        default=False,
        deprecated_opts=formerly("use_quantum_default_nets"),
        help="Accepted for older files.",
    ),
    cfg.StrOpt(
        "neutron_default_tenant_id",
        default="default",
        deprecated_opts=formerly("quantum_default_tenant_id"),
        help="Accepted for older files.",
    ),
]

OPTIONS = {"DEFAULT": KIND + RANGES + DEVICES + DHCP + QUOTAS_OLD}
