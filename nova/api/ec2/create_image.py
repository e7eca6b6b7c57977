# SPDX-License-Identifier: Apache-2.0
"""CreateImage: an image of a server's own disk, as it is at one moment.  The server is not rebooted for it."""

from __future__ import annotations

from collections.abc import Mapping

from nova.api.actions import create_image as actions
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.documents import Value
from nova.api.ec2.identifiers import image_prefix, instance_of, numbers_of_images
from nova.api.ec2.parameters import Flag, Text
from nova.api.routing import Tx
from nova.domain.names import ec2_id

DESCRIPTION = "description"


def create(request: Ec2Request) -> Mapping[str, Value]:
    """CreateImage"""
    instance = request.cloud.db.run(lambda tx: instance_of(request.inside(tx), request.text("InstanceId")), write=False)
    actions.check(request.cloud, request.context, instance.uuid)
    request = request.with_token()  # the host uploads in the caller's name
    description = request.text("Description")
    image = actions.create_image(
        request.cloud,
        request.context,
        instance.uuid,
        name=request.text("Name"),
        metadata={DESCRIPTION: description} if description else None,
    )
    number = numbers_of_images(request.cloud, [image.id])[image.id]
    return {"imageId": ec2_id(image_prefix(image), number)}


ACTIONS = (
    Ec2Action(
        name="CreateImage",
        handler=create,
        policy=actions.RULE,
        parameters=(
            Text("InstanceId", required=True),
            Text("Name", required=True, most=255),
            Text("Description", most=255),
            Flag("NoReboot"),
        ),
        tx=Tx.NONE,
    ),
)
