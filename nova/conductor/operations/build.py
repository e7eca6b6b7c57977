# SPDX-License-Identifier: Apache-2.0
"""Build: give recorded instances a host and addresses, and have the host make them.  Runs in nova-conductor.

    take up (nobody else has it) → scheduler claims room → nova-network gives addresses → hand over to the host

The host's report ends it (:mod:`nova.conductor.operations.finish`).  A build that fails here leaves the server in ERROR
with the reason, and nothing claimed.  One that meets a broker or database that is away is put back, and recovery offers
it again.  When the server is deleted meanwhile, the guarded steps notice, and what was claimed is released.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import dataclass

from nova.conductor.cloud import Cloud, afterwards
from nova.conductor.filters import refresh_neighbours
from nova.conductor.operations.release import release_addresses
from nova.context import RequestContext
from nova.db import compute_nodes, faults, handover, instances, operations, volumes
from nova.db.orders import order_for
from nova.db.transaction import Transaction
from nova.domain.instance import Fault, Instance, Operation
from nova.domain.orders import BuildRequest, Order
from nova.domain.request_spec import HostClaim, RequestSpec
from nova.domain.states import OperationState, TaskState
from nova.domain.transitions import Action
from nova.errors import NovaError, Timeout, Unavailable
from nova.interfaces.compute import give_order
from nova.secret import Secret

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Build:
    """One instance being built, and the operation that this conductor has in hand for it."""

    instance: Instance
    operation: Operation
    request: BuildRequest


def build_instances(
    cloud: Cloud, context: RequestContext, *, instance_uuids: tuple[str, ...], admin_password: Secret | None
) -> None:
    """Build those of the instances whose operation nobody has taken up."""
    cloud.pause_before_step("take_up")
    builds = cloud.db.run(lambda tx: _take_up(tx, instance_uuids))
    claims = _claims(cloud, context, builds)
    for build in builds:
        claim = claims.get(build.instance.uuid)
        if claim is not None:
            _place(cloud, context, build, claim=claim, admin_password=admin_password)


def _take_up(tx: Transaction, instance_uuids: tuple[str, ...]) -> list[Build]:
    known = instances.get_many(tx, instance_uuids)
    return [
        Build(
            known[operation.instance_uuid],
            dataclasses.replace(operation, state=OperationState.RUNNING),
            BuildRequest.of(operation),
        )
        for operation in operations.requested(tx, Action.CREATE, instance_uuids=instance_uuids)
        if operation.instance_uuid in known and handover.take_up(tx, operation)
    ]


def _claims(cloud: Cloud, context: RequestContext, builds: list[Build]) -> dict[str, HostClaim]:
    """A claimed host for each build for which there is one; the others have been ended."""
    left, claims = list(builds), {}
    while left:
        cloud.pause_before_step("select_hosts")
        try:
            found = cloud.scheduler.select_hosts(context, spec=spec_of(left))
        except NovaError as error:
            for build in left:
                give_up(cloud, context, build, error=error)
            break
        claims.update({claim.instance_uuid: claim for claim in found})
        # Asking again for those that got none brings the reason.
        left = [build for build in left if build.instance.uuid not in claims] if found else []
    return claims


def spec_of(builds: list[Build]) -> RequestSpec:
    """What the scheduler has to know of builds that are alike."""
    first, request = builds[0].instance, builds[0].request
    properties = {
        key.removeprefix("image_"): value for key, value in first.system_metadata.items() if key.startswith("image_")
    }
    return RequestSpec(
        instance_uuids=tuple(build.instance.uuid for build in builds),
        project_id=first.project_id,
        flavor=first.flavor,
        image_id=first.image_ref,
        image_properties=properties,
        availability_zone=first.availability_zone,
        force_host=request.force_host,
        force_node=request.force_node,
        ignore_hosts=request.ignore_hosts,
        hints=request.hints,
    )


def _place(
    cloud: Cloud, context: RequestContext, build: Build, *, claim: HostClaim, admin_password: Secret | None
) -> None:
    instance = build.instance
    if not cloud.db.run(lambda tx: _networking(tx, instance.uuid)):
        _abandon(cloud, context, build)
        return
    cloud.pause_before_step("allocate")
    try:
        cloud.network.allocate(
            dataclasses.replace(context, project_id=instance.project_id, user_id=instance.user_id),
            instance_uuid=instance.uuid,
            hostname=instance.hostname,
            host=claim.host,
            requested=build.request.networks,
        )
    except NovaError as error:
        give_up(cloud, context, build, error=error)
        return
    cloud.pause_before_step("hand_over")
    if not cloud.db.run(lambda tx: _hand_over(cloud, tx, context, build, claim=claim, admin_password=admin_password)):
        _abandon(cloud, context, build)


def _networking(tx: Transaction, uuid: str) -> bool:
    return instances.progress(tx, uuid, TaskState.NETWORKING, expected=(TaskState.SCHEDULING, TaskState.NETWORKING))


def _hand_over(
    cloud: Cloud,
    tx: Transaction,
    context: RequestContext,
    build: Build,
    *,
    claim: HostClaim,
    admin_password: Secret | None,
) -> bool:
    """Write down that the host has it, then tell the host; False when the build is not ours, or not wanted, now."""
    if not handover.hand_over(tx, build.operation, host=claim.host):
        return False
    if not instances.assign_host(tx, build.instance.uuid, host=claim.host, node=claim.node):
        return False
    placed = dataclasses.replace(build.instance, host=claim.host, node=claim.node, task_state=TaskState.NETWORKING)
    order = order_for(tx, build.operation, placed, admin_password=admin_password)
    refresh_neighbours(cloud, tx, context, instance_uuid=placed.uuid)
    afterwards(tx, f"build {placed.uuid}", lambda: _order(cloud, context, order, host=claim.host))
    return True


def _order(cloud: Cloud, context: RequestContext, order: Order, *, host: str) -> None:
    cloud.pause_before_step("order")
    give_order(cloud.compute.on(host), context, order)


def give_up(cloud: Cloud, context: RequestContext, build: Build, *, error: NovaError) -> None:
    """End a build that failed here; one that may succeed when the broker or the database is back is put back."""
    LOG.warning("Server %s cannot be built: %s", build.instance.uuid, error)
    passing = isinstance(error, Unavailable) and not isinstance(error, Timeout)
    if passing and build.operation.attempt < cloud.settings.max_takeovers:
        cloud.db.run(lambda tx: put_back(tx, build.operation))
        return
    fault = Fault(code=500, message=_sentence(error, failures=build.request.failures), details=str(error))
    cloud.db.run(lambda tx: _fail_ours(cloud, tx, context, build, fault=fault))


def _fail_ours(cloud: Cloud, tx: Transaction, context: RequestContext, build: Build, *, fault: Fault) -> None:
    if handover.holds(tx, build.operation):
        fail(cloud, tx, context, build.operation, fault=fault)


def _sentence(error: NovaError, *, failures: tuple[str, ...]) -> str:
    silent = error.data.get("topic") if isinstance(error, Timeout) else None
    message = f"nova-{silent} did not answer in time." if silent else error.message
    return message if not failures else f"{message} It failed before with: {failures[-1]}"


def put_back(tx: Transaction, operation: Operation) -> None:
    """Let nobody have the build any more, unless whoever had it has gone on with it; its room is given back."""
    if handover.put_back(tx, operation):
        compute_nodes.release(tx, operation.instance_uuid)
        instances.progress(tx, operation.instance_uuid, TaskState.SCHEDULING, expected=(TaskState.NETWORKING,))


def fail(cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation, *, fault: Fault) -> None:
    """The server goes to ERROR with *fault*, unless it is being deleted; nothing stays claimed for it."""
    if operations.finish(tx, operation.id, ok=False, message=fault.message):
        end_in_error(cloud, tx, context, operation.instance_uuid, fault=fault)


def end_in_error(cloud: Cloud, tx: Transaction, context: RequestContext, uuid: str, *, fault: Fault) -> None:
    """What a failed build leaves: a server in ERROR with *fault*, on no host, with no room, address or volume held."""
    compute_nodes.release(tx, uuid)
    volumes.release_all(tx, uuid)
    instances.assign_host(tx, uuid, host="", node="")
    instances.finish(tx, uuid, Action.CREATE, ok=False)
    faults.add(tx, uuid, fault)
    release_addresses(cloud, tx, context, instance_uuid=uuid)


def _abandon(cloud: Cloud, context: RequestContext, build: Build) -> None:
    """The server is being deleted, or another conductor builds it: release what we claimed for it, if it is not his."""
    uuid = build.instance.uuid
    LOG.info("The build of server %s is not continued here.", uuid)

    def release(tx: Transaction) -> None:
        current = operations.get(tx, build.operation.id)
        if current.state is OperationState.RUNNING and current.attempt == build.operation.attempt:
            operations.finish(tx, current.id, ok=False, message="The server was deleted while it was built.")
        elif current.state is not OperationState.FAILED:
            return
        compute_nodes.release(tx, uuid)
        release_addresses(cloud, tx, context, instance_uuid=uuid)

    cloud.db.run(release)
