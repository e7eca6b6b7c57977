# SPDX-License-Identifier: Apache-2.0
"""Older names of options, and the class paths that older files use as values."""

import pytest

from nova.conf import list_opts
from nova.conf.declared import Catalogue
from nova.conf.loading import load

CATALOGUE = Catalogue(list_opts())

OLD = {
    "sql_connection": "database/connection",
    "sql_idle_timeout": "database/idle_timeout",
    "sql_max_retries": "database/max_retries",
    "sqlalchemy_pool_timeout": "database/pool_timeout",
    "db_backend": "database/backend",
    "logfile": "log_file",
    "logdir": "log_dir",
    "notification_driver": "oslo_messaging_notifications/driver",
    "rabbit_host": "oslo_messaging_rabbit/rabbit_host",
    "rabbit_durable_queues": "oslo_messaging_rabbit/amqp_durable_queues",
    "lock_path": "oslo_concurrency/lock_path",
    "libvirt_type": "libvirt/virt_type",
    "libvirt_uri": "libvirt/connection_uri",
    "libvirt_use_virtio_for_bridges": "libvirt/use_virtio_for_bridges",
    "live_migration_uri": "libvirt/live_migration_uri",
    "rescue_image_id": "libvirt/rescue_image_id",
    "connection_type": "compute_driver",
    "glance_api_servers": "glance/api_servers",
    "glance_api_insecure": "glance/insecure",
    "cinder_catalog_info": "cinder/catalog_info",
    "cinder_api_insecure": "cinder/insecure",
    "vnc_enabled": "vnc/enabled",
    "vnc_console_proxy_url": "vnc/novncproxy_base_url",
    "vncserver_host": "vnc/vncserver_listen",
    "default_instance_type": "default_flavor",
    "ca_file": "crypto/ca_file",
    "vpn_instance_type": "cloudpipe/vpn_flavor",
    "quota_max_injected_files": "quota/injected_files",
    "quota_max_injected_file_path_bytes": "quota/injected_file_path_length",
    "quota_instances": "quota/instances",
    "osapi_listen_port": "osapi_compute_listen_port",
    "node_availability_zone": "default_availability_zone",
    "allow_project_net_traffic": "allow_same_net_traffic",
    "scheduler_default_filters": "filter_scheduler/enabled_filters",
    "compute_scheduler_driver": "scheduler/driver",
    "auth_token_ttl": "identity/token_ttl_s",
    "image_service": "image/store",
}


@pytest.mark.parametrize(("old", "place"), OLD.items(), ids=OLD)
def test_an_older_name_is_the_newer_option(old: str, place: str) -> None:
    found = CATALOGUE.find("DEFAULT", old)
    assert found is not None
    group, _, name = place.rpartition("/")
    assert (found.declared.group, found.declared.option.dest) == (group or "DEFAULT", name)


def test_keystone_middleware_names_of_all_ages_are_one_option() -> None:
    for name in ("auth_uri", "admin_user", "admin_password", "admin_tenant_name", "auth_plugin"):
        found = CATALOGUE.find("keystone_authtoken", name)
        assert found is not None
        assert found.age > 0


def test_no_two_options_claim_the_same_older_name() -> None:
    claims: dict[tuple[str, str], str] = {}
    for declared in CATALOGUE.options:
        for old in declared.option.deprecated_opts:
            place = (str(old.group), str(old.name))
            owner = claims.setdefault(place, declared.title)
            assert owner == declared.title, f"{place} belongs to {owner} and to {declared.title}"
            assert place != (declared.group, declared.option.name), f"{declared.title} is its own older name"


@pytest.mark.parametrize(
    ("option", "value", "short"),
    [
        ("network_manager", "nova.network.manager.FlatDHCPManager", "flat_dhcp"),
        ("network_manager", "nova.network.manager.FlatManager", "flat"),
        ("network_manager", "nova.network.manager.VlanManager", "vlan"),
        ("connection_type", "libvirt", "libvirt"),
        ("connection_type", "xenapi", "xenapi"),
        ("compute_driver", "libvirt.LibvirtDriver", "libvirt"),
        ("compute_driver", "nova.virt.fake.FakeDriver", "fake"),
        ("compute_driver", "acme.drivers.Cloud", "acme.drivers.Cloud"),
        ("firewall_driver", "nova.virt.libvirt.firewall.IptablesFirewallDriver", "iptables"),
        ("firewall_driver", "nova.virt.libvirt_conn.IptablesFirewallDriver", "iptables"),
        ("firewall_driver", "nova.virt.firewall.NoopFirewallDriver", "noop"),
        ("volume_driver", "nova.volume.driver.ISCSIDriver", "lvm"),
        ("volume_api_class", "nova.volume.cinder.API", "cinder"),
        ("image_service", "nova.image.glance.GlanceImageService", "glance"),
        ("image_service", "nova.image.local.LocalImageService", "local"),
        ("rpc_backend", "nova.rpc.impl_kombu", "rabbit"),
        ("rpc_backend", "nova.openstack.common.rpc.impl_kombu", "rabbit"),
        ("auth_strategy", "noauth2", "noauth"),
        ("auth_strategy", "deprecated", "builtin"),
        ("auth_driver", "nova.auth.ldapdriver.LdapDriver", "ldap"),
        ("scheduler_driver", "nova.scheduler.filter_scheduler.FilterScheduler", "filter"),
        ("ipv6_backend", "account_identifier", "account_identifier"),
        ("iscsi_helper", "ietadm", "tgtadm"),
    ],
)
def test_an_older_class_path_means_a_short_name(option: str, value: str, short: str) -> None:
    conf = load([f"--{option}={value}"], prog="nova-api", search=[]).conf
    found = CATALOGUE.find("DEFAULT", option)
    assert found is not None
    place = conf if found.declared.group == "DEFAULT" else conf[found.declared.group]
    assert place[found.declared.option.dest] == short


def test_notification_drivers_may_be_given_several_times_by_class_path() -> None:
    argv = ["--notification_driver=nova.notifier.rabbit_notifier", "--notification_driver=log"]
    conf = load(argv, prog="nova-compute", search=[]).conf
    assert conf.oslo_messaging_notifications.driver == ["messaging", "log"]
