# SPDX-License-Identifier: Apache-2.0
"""What an API process works with: its collaborators and the values of its options.  Made by nova.cmd, passed down."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from nova.api.ec2.settings import Ec2Settings
from nova.api.policy import Policy
from nova.db.engine import Database
from nova.domain.quota import DEFAULT_QUOTAS
from nova.identity.catalog import Endpoint
from nova.identity.protocol import Identity
from nova.image.protocol import ImageService
from nova.interfaces.compute import Compute
from nova.interfaces.conductor import Conductor
from nova.interfaces.network import NetworkService
from nova.interfaces.scheduler import Scheduler
from nova.interfaces.volume import VolumeService


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Values of the options that the HTTP endpoints obey; the option is named where it has another name."""

    auth_strategy: str = "builtin"
    """builtin, keystone or noauth: which pipeline of api-paste.ini is used"""
    max_limit: int = 1000
    """osapi_max_limit"""
    max_body_bytes: int = 114688
    """osapi_max_request_body_size"""
    metadata_max_body_bytes: int = 4096
    metadata_cache_s: float = 15.0
    """metadata_cache_expiration"""
    dhcp_domain: str = "novalocal"
    ec2: Ec2Settings = field(default_factory=Ec2Settings)
    compute_link_prefix: str = ""
    glance_link_prefix: str = ""
    image_endpoint: str = ""
    """Where images are, for ``alternate`` links and the Location of a snapshot: ``http://host:9292``"""
    trusted_proxies: tuple[str, ...] = ()
    """Networks whose X-Forwarded-For is believed; empty unless use_forwarded_for"""
    rate_limits: bool = False
    """api_rate_limit"""
    allow_instance_snapshots: bool = True
    non_inheritable_image_properties: tuple[str, ...] = ("cache_in_nova", "bittorrent")
    enable_instance_password: bool = True
    password_length: int = 12
    rescue_image_id: str = ""
    """What servers are rescued with whose users name no image; empty for each server's own image"""
    rescue_kernel_id: str = ""
    rescue_ramdisk_id: str = ""
    hide_address_states: tuple[str, ...] = ("building",)
    """osapi_hide_server_address_states"""
    unique_name_scope: str = ""
    """osapi_compute_unique_server_name_scope: empty, project or global"""
    multi_instance_name_template: str = "%(name)s-%(count)d"
    default_schedule_zone: str = ""
    default_availability_zone: str = "nova"
    internal_service_zone: str = "internal"
    default_flavor: str = "m1.small"
    max_local_block_devices: int = 3
    reclaim_instance_interval_s: int = 0
    allow_resize_to_same_host: bool = False
    service_down_time_s: float = 60.0
    default_quotas: dict[str, int] = field(default_factory=lambda: dict(DEFAULT_QUOTAS))
    console_max_bytes: int = 102400
    network_manager: str = "flat_dhcp"
    """flat, flat_dhcp or vlan"""
    default_floating_pool: str = "nova"
    public_interface: str = "eth0"
    flat_network_bridge: str = ""
    vlan_start: int = 100
    network_quota: int = -1
    """Networks that a project may make itself (quota_networks with enable_network_quota); -1 for any number"""
    use_ipv6: bool = False
    endpoints: tuple[Endpoint, ...] = ()
    """The service catalog of the built-in identity service"""
    image_size_cap: int = 1024**4
    """Bytes of the largest image that the built-in image service takes"""


def call_directly(function: Callable[..., Any], *args: Any) -> Any:
    """The ``run_blocking`` of a program without green threads."""
    return function(*args)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """The collaborators of an API process."""

    db: Database
    conductor: Conductor
    compute: Compute
    network: NetworkService
    volume: VolumeService
    scheduler: Scheduler
    images: ImageService
    identity: Identity
    policy: Policy
    settings: ApiSettings = field(default_factory=ApiSettings)
    run_blocking: Callable[..., Any] = call_directly
    """Runs a long call into C (making a key) without holding up other requests"""

    def silence_s(self) -> float:
        """A daemon of which nothing was heard for longer is shown as down; after an outage nobody could be heard."""
        down_time_s = self.settings.service_down_time_s
        return down_time_s + self.db.outage.lasted_s(within_s=down_time_s)


_DEPLOYED: contextvars.ContextVar[Cloud] = contextvars.ContextVar("nova.api.cloud")


@contextlib.contextmanager
def deploying(cloud: Cloud) -> Iterator[None]:
    """While PasteDeploy loads applications in this block, their factories are given *cloud*; nothing stays after it."""
    token = _DEPLOYED.set(cloud)
    try:
        yield
    finally:
        _DEPLOYED.reset(token)


def deployed() -> Cloud:
    """The cloud of the surrounding ``deploying`` block, for factories only."""
    return _DEPLOYED.get()
