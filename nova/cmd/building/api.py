# SPDX-License-Identifier: Apache-2.0
"""nova-api from its options: one web server for each endpoint, over one Cloud."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paste.deploy import loadapp

from nova import errors
from nova.api.cloud import ApiSettings, Cloud, deploying
from nova.api.ec2.settings import Ec2Settings
from nova.api.policy import Policy
from nova.cmd import sockets
from nova.cmd.building.choices import require
from nova.cmd.building.images import image_service
from nova.cmd.building.parts import Parts
from nova.cmd.building.upkeep import upkeep
from nova.cmd.configuration import image_store, paste_file, policy_file
from nova.cmd.daemon import Service
from nova.cmd.quotas import quota_defaults
from nova.cmd.wsgi import TlsFiles, WsgiServer, WsgiSettings
from nova.conf import urls
from nova.identity.builtin import BuiltinIdentity, IdentitySettings
from nova.identity.caller import RoleRules
from nova.identity.catalog import Endpoint, default_endpoints
from nova.identity.lockout import LockoutSettings
from nova.identity.passwords import PasswordHasher
from nova.interfaces.compute import Compute
from nova.interfaces.conductor import Conductor
from nova.interfaces.network import NetworkService
from nova.interfaces.scheduler import Scheduler
from nova.interfaces.volume import VolumeService
from nova.rpc.blocking import run_blocking


def open_sockets(parts: Parts, apis: Sequence[str]) -> dict[str, socket.socket]:
    """The listening socket of each endpoint: inherited, or bound now; before worker processes are forked."""
    conf = parts.conf
    given = sockets.inherited()
    return {api: sockets.listen(api, conf[f"{api}_listen"], conf[f"{api}_listen_port"], given=given) for api in apis}


def build(parts: Parts, listening: Mapping[str, socket.socket]) -> list[Service]:
    """The web servers, and their upkeep."""
    require(parts.conf, "network_api_class", "security_group_api", "volume_api_class")
    identity = _identity(parts)
    cloud = make_cloud(parts, identity)
    paste = paste_file(parts.loaded)
    services: list[Service] = []
    with deploying(cloud):
        for api, listener in listening.items():
            services.append(
                WsgiServer(api, _application(paste, api), listener, settings=_limits(parts), tls=_tls(parts, api))
            )
    return [*services, *upkeep(parts, listening, identity)]


def _application(paste: Path, api: str) -> Any:
    """The pipeline of one endpoint.

    :raises errors.InvalidConfiguration: the file does not say how it is made
    """
    try:
        return loadapp(f"config:{paste}", name=api)
    except LookupError as error:
        why = str(error.args[0]).partition(" found in config")[0]
        raise errors.InvalidConfiguration(f"{paste} cannot make {api}: {why}.") from error


def make_cloud(parts: Parts, identity: BuiltinIdentity) -> Cloud:
    """The collaborators of every endpoint."""
    policy_path = policy_file(parts.loaded)
    return Cloud(
        db=parts.db,
        conductor=parts.client(Conductor),
        compute=parts.client(Compute),
        network=parts.client(NetworkService),
        volume=parts.client(VolumeService),
        scheduler=parts.client(Scheduler),
        images=image_service(parts),
        identity=identity,
        policy=Policy(str(policy_path) if policy_path else "", default_rule=parts.conf.policy_default_rule),
        settings=_settings(parts),
    )


def _identity(parts: Parts) -> BuiltinIdentity:
    conf, group = parts.conf, parts.conf.identity
    if conf.auth_strategy == "builtin":
        require(conf, "auth_driver")
    settings = IdentitySettings(
        token_ttl_s=group.token_ttl_s,
        roles=RoleRules(global_roles=tuple(conf.global_roles), superuser_roles=tuple(conf.superuser_roles)),
        lockout=LockoutSettings(
            attempts=group.lockout_failures,
            window_s=group.lockout_window_s,
            lock_s=group.lockout_s,
            max_entries=group.lockout_table_size,
        ),
    )
    hasher = PasswordHasher(rounds=group.password_hash_rounds, run_blocking=run_blocking)
    return BuiltinIdentity(parts.db, hasher=hasher, settings=settings)


def _settings(parts: Parts) -> ApiSettings:
    conf = parts.conf
    return ApiSettings(
        auth_strategy=conf.auth_strategy,
        max_limit=conf.osapi_max_limit,
        max_body_bytes=conf.osapi_max_request_body_size,
        metadata_max_body_bytes=conf.metadata_max_request_body_size,
        metadata_cache_s=conf.metadata_cache_expiration,
        dhcp_domain=conf.dhcp_domain,
        ec2=_ec2(conf),
        compute_link_prefix=conf.osapi_compute_link_prefix or "",
        glance_link_prefix=conf.osapi_glance_link_prefix or "",
        image_endpoint=urls.glance_servers(conf)[0],
        trusted_proxies=tuple(conf.trusted_proxies) if conf.use_forwarded_for else (),
        rate_limits=conf.api_rate_limit,
        allow_instance_snapshots=conf.allow_instance_snapshots,
        non_inheritable_image_properties=tuple(conf.non_inheritable_image_properties),
        enable_instance_password=conf.enable_instance_password,
        password_length=conf.password_length,
        rescue_image_id=conf.libvirt.rescue_image_id or "",
        rescue_kernel_id=conf.libvirt.rescue_kernel_id or "",
        rescue_ramdisk_id=conf.libvirt.rescue_ramdisk_id or "",
        hide_address_states=tuple(conf.osapi_hide_server_address_states),
        unique_name_scope=conf.osapi_compute_unique_server_name_scope,
        default_schedule_zone=conf.default_schedule_zone or "",
        default_availability_zone=conf.default_availability_zone,
        internal_service_zone=conf.internal_service_availability_zone,
        default_flavor=conf.default_flavor,
        reclaim_instance_interval_s=conf.reclaim_instance_interval,
        allow_resize_to_same_host=conf.allow_resize_to_same_host,
        service_down_time_s=conf.service_down_time,
        default_quotas=quota_defaults(conf),
        console_max_bytes=conf.console_log_max_bytes,
        network_manager=conf.network_manager.replace("_", ""),
        default_floating_pool=conf.default_floating_pool,
        public_interface=conf.public_interface,
        flat_network_bridge=conf.flat_network_bridge or "",
        vlan_start=conf.vlan_start,
        network_quota=conf.quota.networks if conf.enable_network_quota else -1,
        use_ipv6=conf.use_ipv6,
        endpoints=_endpoints(conf),
        image_size_cap=conf.image.image_size_cap,
    )


def _ec2(conf: Any) -> Ec2Settings:
    return Ec2Settings(
        url=urls.ec2_endpoint(conf).url,
        regions=tuple(conf.region_list),
        timestamp_expiry_s=conf.ec2_timestamp_expiry,
        signature_versions=tuple(conf.ec2_signature_versions),
        private_dns_show_ip=conf.ec2_private_dns_show_ip,
        own_images=image_store(conf) == "local",
        lockout=LockoutSettings(
            attempts=conf.lockout_attempts,
            window_s=conf.lockout_window * 60.0,
            lock_s=conf.lockout_minutes * 60.0,
            max_entries=conf.identity.lockout_table_size,
        ),
    )


def _endpoints(conf: Any) -> tuple[Endpoint, ...]:
    return default_endpoints(conf.identity.public_host, scheme=conf.identity.public_scheme, region=conf.identity.region)


def _limits(parts: Parts) -> WsgiSettings:
    conf = parts.conf
    return WsgiSettings(max_connections=conf.api_threads, max_header_line=conf.max_header_line)


def _tls(parts: Parts, api: str) -> TlsFiles | None:
    conf = parts.conf
    if api not in conf.enabled_ssl_apis:
        return None
    return TlsFiles(cert_file=conf.ssl_cert_file, key_file=conf.ssl_key_file or "", ca_file=conf.ssl_ca_file or "")
