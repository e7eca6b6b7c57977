# SPDX-License-Identifier: Apache-2.0
"""Images that an operation was to fill and did not: nobody will, so they are deleted.  Runs in nova-conductor.

A host that fails deletes its image itself; this is for hosts that died, and for operations that never began.
"""

from __future__ import annotations

import dataclasses
import logging

from nova.conductor.cloud import Cloud, later
from nova.context import RequestContext
from nova.db.orders import SNAPSHOT_ACTIONS
from nova.db.transaction import Transaction
from nova.domain.instance import Operation
from nova.domain.orders import SnapshotRequest
from nova.errors import NotFound

LOG = logging.getLogger(__name__)


def delete_unfinished_image(cloud: Cloud, tx: Transaction, context: RequestContext, operation: Operation) -> None:
    """After the commit, delete the image of *operation*, if it was one that writes an image."""
    image = SnapshotRequest.of(operation).image if operation.action in SNAPSHOT_ACTIONS else None
    if image is not None:
        user_id, project_id, image_id = operation.user_id, operation.project_id, image.id
        later(
            cloud,
            tx,
            f"delete the image {image_id}",
            lambda: delete_image(cloud, context, image_id, user_id=user_id, project_id=project_id),
        )


def delete_image(cloud: Cloud, context: RequestContext, image_id: str, *, user_id: str, project_id: str) -> None:
    """Delete an image that belongs to that user and project; one that is gone is gone."""
    token = cloud.token_of(user_id, project_id) or context.auth_token
    owner = dataclasses.replace(context, user_id=user_id, project_id=project_id, auth_token=token)
    try:
        cloud.delete_image(owner, image_id)
    except NotFound:
        LOG.debug("The image %s is gone already.", image_id)
