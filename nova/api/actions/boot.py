# SPDX-License-Identifier: Apache-2.0
"""Boot: record new servers and let nova-conductor build them.  Runs in nova-api.

Images are looked up first, in the caller's rights; everything else happens in one transaction, so a refused request
leaves nothing behind and no quota is held for it.  After the commit the servers exist (BUILD, scheduling): when no
broker takes the message, their operations stay ``requested`` and nova-conductor's recovery builds them.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Sequence

import msgspec

from nova.api.actions import (
    boot_names,
    boot_networks,
    boot_placement,
    boot_quota,
    boot_sources,
    boot_volumes,
    server_groups,
)
from nova.api.actions.after_commit import tell
from nova.api.actions.boot_request import BootRequest
from nova.api.actions.boot_sources import Sources
from nova.api.actions.servers import scope_of
from nova.api.cloud import Cloud
from nova.api.policies.compute import PREFIX
from nova.context import RequestContext
from nova.db import (
    aggregates,
    block_devices,
    flavors,
    instances,
    key_pairs,
    operations,
    security_groups,
)
from nova.db.engine import Transaction
from nova.domain import guest_hardware
from nova.domain.blank_disks import check_blank_disks
from nova.domain.block_device import BlockDevice
from nova.domain.flavor import Flavor
from nova.domain.image import Image
from nova.domain.instance import Instance, KeyPair
from nova.domain.made_from import image_properties
from nova.domain.names import new_reservation_id
from nova.domain.orders import BuildRequest
from nova.domain.security_group import SecurityGroup
from nova.domain.states import TaskState, VmState
from nova.domain.transitions import Action
from nova.errors import InvalidInput, NotFound
from nova.secret import Secret

RULE = PREFIX + "servers:create"
ROOT_DEVICE = "/dev/vda"
_DEVICE = re.compile(r"/dev/[a-z0-9]{1,32}")
_PASSWORD_CHARACTERS = string.ascii_letters + string.digits


def boot(cloud: Cloud, context: RequestContext, request: BootRequest) -> tuple[list[Instance], Secret]:
    """The new servers, in the order of their launch index, and their administrator's password.

    Raises InvalidInput for anything that is not there or does not fit, QuotaExceeded, Forbidden.
    """
    _authorize(cloud, context, request)
    boot_placement.check_hints(request.hints)
    boot_volumes.check(request)
    sources = boot_sources.sources_of(cloud, context, request)
    password = request.admin_password or new_password(cloud.settings.password_length)
    made = cloud.db.run(lambda tx: _record(cloud, tx, context, request, sources=sources, password=password))
    return made, password


def new_password(length: int) -> Secret:
    """A random password."""
    return Secret("".join(secrets.choice(_PASSWORD_CHARACTERS) for _ in range(length)))


def _authorize(cloud: Cloud, context: RequestContext, request: BootRequest) -> None:
    cloud.policy.authorize(context, RULE)
    if request.networks:
        cloud.policy.authorize(context, f"{RULE}:attach_network")
    if any(device.destination_type == "volume" for device in request.block_devices):
        cloud.policy.authorize(context, f"{RULE}:attach_volume")
    if boot_placement.parse(request.availability_zone).forced:
        cloud.policy.authorize(context, f"{RULE}:forced_host")


def _record(
    cloud: Cloud, tx: Transaction, context: RequestContext, request: BootRequest, *, sources: Sources, password: Secret
) -> list[Instance]:
    """Check everything against the database, then write it."""
    flavor = _flavor(cloud, tx, context, request, sources)
    pair = _key_pair(tx, context, request.key_name)
    groups = _groups(tx, context, request.security_groups)
    placement = boot_placement.parse(request.availability_zone or cloud.settings.default_schedule_zone)
    _check_zone(tx, placement.zone)
    shared = cloud.settings.network_manager != "vlan"
    boot_networks.check(tx, request.networks, project_id=context.project_id, shared=shared, count=request.max_count)
    count = boot_quota.claim(cloud, tx, context, request, flavor=flavor)
    first = _first_instance(context, request, flavor=flavor, sources=sources, pair=pair, zone=placement.zone)
    template = cloud.settings.multi_instance_name_template
    named = boot_names.copies(first, count, template=template, describe=request.description is None)
    made = instances.insert(tx, named)
    boot_names.check_unique(tx, made, scope=cloud.settings.unique_name_scope)
    _record_children(tx, request, made, groups, sources)
    server_groups.join(cloud, tx, context, request.hints, made)
    build = BuildRequest(
        image=sources.image,
        kernel=sources.kernel,
        ramdisk=sources.ramdisk,
        networks=request.networks,
        injected_files=request.files,
        hints=request.hints,
        force_host=placement.host,
        force_node=placement.node,
    )
    _open(cloud, tx, context, made, build, password)
    return made


def _open(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    made: Sequence[Instance],
    build: BuildRequest,
    password: Secret,
) -> None:
    """Journal the builds, and ask for them after the commit."""
    names = tuple(instance.uuid for instance in made)
    operations.open(tx, Action.CREATE, instance_uuids=names, context=context, arguments=msgspec.to_builtins(build))
    tell(
        tx,
        f"build {', '.join(names)}",
        lambda: cloud.conductor.build_instances(context, instance_uuids=names, admin_password=password),
    )


def _flavor(cloud: Cloud, tx: Transaction, context: RequestContext, request: BootRequest, sources: Sources) -> Flavor:
    try:
        flavor = flavors.get_by_flavor_id(tx, request.flavor_id, project_id=scope_of(context))
    except NotFound as error:
        raise InvalidInput(f"Flavor {request.flavor_id[:64]} could not be found.", field="flavorRef") from error
    if flavor.disabled:
        raise InvalidInput(f"Flavor {flavor.flavor_id} is disabled.", field="flavorRef")
    if sources.image is not None:
        boot_sources.check_fits(sources.image, flavor)
        if flavor.root_gb == 0:
            cloud.policy.authorize(context, f"{RULE}:zero_disk_flavor")
    check_blank_disks(flavor, request.block_devices)
    guest_hardware.choose(flavor, sources.image.properties if sources.image else {})
    return flavor


def _key_pair(tx: Transaction, context: RequestContext, name: str) -> KeyPair | None:
    if not name:
        return None
    try:
        return key_pairs.get(tx, context.user_id, name)
    except NotFound as error:
        raise InvalidInput(f"Key pair {name[:64]} could not be found.", field="key_name") from error


def _groups(tx: Transaction, context: RequestContext, names: Sequence[str]) -> list[SecurityGroup]:
    """The groups by name, each once; the group ``default`` is made where it is missing."""
    wanted = dict.fromkeys(names or (security_groups.DEFAULT,))
    found = []
    for name in wanted:
        if name == security_groups.DEFAULT:
            found.append(security_groups.ensure_default(tx, project_id=context.project_id, user_id=context.user_id))
            continue
        try:
            found.append(security_groups.get_by_name(tx, context.project_id, name))
        except NotFound as error:
            raise InvalidInput(f"Security group {name[:64]} could not be found.", field="security_groups") from error
    return found


def _check_zone(tx: Transaction, zone: str) -> None:
    if zone and zone not in set(aggregates.zones_of_hosts(tx).values()):
        raise InvalidInput("The requested availability zone is not available.", field="availability_zone")


def _first_instance(
    context: RequestContext,
    request: BootRequest,
    *,
    flavor: Flavor,
    sources: Sources,
    pair: KeyPair | None,
    zone: str,
) -> Instance:
    """What all servers of the request have in common."""
    image = sources.image
    return Instance(
        id=0,
        uuid="",
        user_id=context.user_id,
        project_id=context.project_id,
        display_name=request.name,
        display_description=request.description or "",
        hostname="",
        flavor=flavor,
        vm_state=VmState.BUILDING,
        task_state=TaskState.SCHEDULING,
        image_ref=image.id if image else "",
        kernel_id=sources.kernel.id if sources.kernel else "",
        ramdisk_id=sources.ramdisk.id if sources.ramdisk else "",
        availability_zone=zone,
        key_name=pair.name if pair else "",
        key_data=pair.public_key if pair else "",
        user_data=request.user_data,
        config_drive="True" if request.config_drive or _image_needs_drive(sources) else "",
        reservation_id=new_reservation_id(),
        root_device_name=_root_device(sources),
        access_ip_v4=request.access_ip_v4,
        access_ip_v6=request.access_ip_v6,
        auto_disk_config=disk_config(request.auto_disk_config, sources.image),
        metadata=dict(request.metadata),
        system_metadata=image_properties(image) if image else {},
    )


def _image_needs_drive(sources: Sources) -> bool:
    return sources.image is not None and sources.image.properties.get("img_config_drive", "").lower() == "mandatory"


def _root_device(sources: Sources) -> str:
    named = sources.image.properties.get("root_device_name", "") if sources.image else ""
    return named if _DEVICE.fullmatch(named) else ROOT_DEVICE


def disk_config(asked: bool | None, image: Image | None) -> bool:
    """Whether the disk of a server made from *image* is resized by itself; InvalidInput when the image forbids it."""
    wanted = image.properties.get("auto_disk_config", "").lower() if image else ""
    if asked is None:
        return wanted in ("true", "1", "yes")
    if asked and wanted == "disabled":
        raise InvalidInput("The image does not allow its disk to be resized.", field="OS-DCF:diskConfig")
    return asked


def _record_children(
    tx: Transaction,
    request: BootRequest,
    made: Sequence[Instance],
    groups: Sequence[SecurityGroup],
    sources: Sources,
) -> None:
    """Disks and groups of the new servers."""
    devices: list[BlockDevice] = []
    for instance in made:
        if sources.image:
            devices.append(_root_disk(instance, sources.image.id))
        devices += boot_volumes.take(tx, instance, request.block_devices)
    block_devices.add_all(tx, devices)
    for instance in made:
        security_groups.add_member(tx, instance.uuid, [group.id for group in groups])


def _root_disk(instance: Instance, image_id: str) -> BlockDevice:
    return BlockDevice(
        instance_uuid=instance.uuid,
        source_type="image",
        destination_type="local",
        boot_index=0,
        device_name=instance.root_device_name,
        image_id=image_id,
        delete_on_termination=True,
        attached=True,
    )
