# SPDX-License-Identifier: Apache-2.0
"""nova-conductor from its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova.cmd.building.images import local_images, remote_images
from nova.cmd.building.parts import Parts
from nova.cmd.configuration import image_store
from nova.cmd.daemon import Service
from nova.conductor.cloud import Cloud, no_token
from nova.conductor.service import ConductorService
from nova.conductor.settings import ConductorSettings
from nova.context import RequestContext, admin_context
from nova.identity.builtin import BuiltinIdentity, IdentitySettings
from nova.identity.passwords import PasswordHasher
from nova.interfaces.compute import Compute
from nova.interfaces.conductor import Conductor
from nova.interfaces.network import NetworkService
from nova.interfaces.scheduler import Scheduler
from nova.interfaces.volume import VolumeService
from nova.rpc.blocking import run_blocking
from nova.secret import Secret

BUILD_TIMEOUT_S = 3600.0
"""Of a whole build on one host, as this side sees it, where the options say nothing."""


def build(parts: Parts) -> list[Service]:
    """The daemon."""
    conf = parts.conf
    grace_s = conf.conductor.recovery_grace_s
    settings = ConductorSettings(
        max_attempts=conf.scheduler.max_attempts,
        down_time_s=conf.service_down_time,
        recovery_interval_s=conf.conductor.recovery_interval_s,
        reclaim_interval_s=conf.reclaim_instance_interval,
        confirm_window_s=conf.resize_confirm_window,
        shelved_offload_s=conf.shelved_offload_time,
        requested_grace_s=min(ConductorSettings().requested_grace_s, grace_s),
        host_grace_s=grace_s,
        takeover_grace_s=grace_s,
        dhcp_domain=conf.dhcp_domain,
        build_timeout_s=_build_timeout_s(conf),
    )
    cloud = Cloud(
        db=parts.db,
        conductor=parts.client(Conductor),
        scheduler=parts.client(Scheduler),
        compute=parts.client(Compute),
        network=parts.client(NetworkService),
        volume=parts.client(VolumeService),
        settings=settings,
        token_of=_token_of(parts, ttl_s=settings.build_timeout_s),
        delete_image=_delete_image(parts),
        pause_before_step=parts.pause_before_step("conductor"),
    )
    service = ConductorService(cloud)
    return [parts.daemon("nova-conductor", Conductor, service, tasks=service.periodic_tasks())]


def _token_of(parts: Parts, *, ttl_s: float) -> Callable[[str, str], Secret | None]:
    """Tokens that hold as long as one build may take, where our own database has the users."""
    conf = parts.conf
    if conf.auth_strategy != "builtin":
        return no_token
    settings = IdentitySettings(token_ttl_s=min(ttl_s, conf.identity.token_ttl_s))
    identity = BuiltinIdentity(parts.db, hasher=PasswordHasher(run_blocking=run_blocking), settings=settings)
    return identity.token_for_owner


def _delete_image(parts: Parts) -> Callable[[RequestContext, str], None]:
    """By our own right where the images are ours, else by the user's."""
    if image_store(parts.conf) == "glance":
        return remote_images(parts).delete
    images = local_images(parts)
    rights = admin_context("an image that nobody will finish is deleted")
    return lambda _context, image_id: images.delete(rights, image_id)


def _build_timeout_s(conf: Any) -> float:
    """More than a host takes before it gives up by itself: it must undo what it did, and say so."""
    if not conf.instance_build_timeout:
        return BUILD_TIMEOUT_S
    return float(conf.instance_build_timeout + conf.conductor.recovery_grace_s)
