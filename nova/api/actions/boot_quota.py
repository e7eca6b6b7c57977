# SPDX-License-Identifier: Apache-2.0
"""What a new server takes of its project's quota, and the limits on what it may bring along."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from nova.api.actions.boot_request import BootRequest
from nova.api.cloud import Cloud
from nova.context import RequestContext
from nova.db import quotas
from nova.db.engine import Transaction
from nova.db.quota_limits import limits_and_usage
from nova.domain.flavor import Flavor
from nova.domain.instance import InjectedFile
from nova.domain.quota import UNLIMITED, Usage
from nova.errors import InvalidInput, QuotaExceeded

MOST_AT_ONCE = 1000
"""Servers of one request, whatever the quota says."""


def claim(cloud: Cloud, tx: Transaction, context: RequestContext, request: BootRequest, *, flavor: Flavor) -> int:
    """Claim for as many servers as there is room for between min_count and max_count; returns how many.

    Raises QuotaExceeded when there is not even room for min_count.
    """
    if request.max_count > MOST_AT_ONCE:
        raise InvalidInput(
            f"max_count is too large: at most {MOST_AT_ONCE} servers can be asked for at once.", field="max_count"
        )
    defaults = cloud.settings.default_quotas
    state = limits_and_usage(tx, context.project_id, user_id=context.user_id, defaults=defaults)
    usages = quotas.usages_of(state, defaults=defaults)
    check_amounts(request, usages)
    each = flavor.amounts
    room = min(_room(usages[resource], amount) for resource, amount in each.items())
    count = max(request.min_count, min(request.max_count, room))
    amounts = {resource: amount * count for resource, amount in each.items()}
    quotas.claim_within(tx, state, amounts, project_id=context.project_id, user_id=context.user_id)
    return count


def _room(usage: Usage, each: int) -> int:
    if usage.limit == UNLIMITED or each == 0:
        return MOST_AT_ONCE
    return max(0, usage.limit - usage.in_use) // each


def check_amounts(request: BootRequest, usages: Mapping[str, Usage]) -> None:
    """Refuse too many items of metadata or files, or files that are too long."""
    _at_most(usages, "metadata_items", len(request.metadata))
    _at_most(usages, "injected_files", len(request.files))
    for file in request.files:
        _at_most(usages, "injected_file_path_bytes", len(file.path.encode()))
        _at_most(usages, "injected_file_content_bytes", decoded_length(file))


def _at_most(usages: Mapping[str, Usage], resource: str, amount: int) -> None:
    usage = usages.get(resource)
    if usage is not None and usage.limit != UNLIMITED and amount > usage.limit:
        raise QuotaExceeded(
            f"Quota exceeded for {resource}: {amount} are too many, the limit is {usage.limit}.",
            resource=resource,
            limit=usage.limit,
            in_use=0,
            requested=amount,
        )


def decoded_length(file: InjectedFile) -> int:
    """How many bytes the file has; InvalidInput when its contents are not base64."""
    try:
        return len(base64.b64decode("".join(file.contents.split()), validate=True))
    except (binascii.Error, ValueError):
        raise InvalidInput(f"The contents of the file {file.path[:64]} are not base64.", field="personality") from None
