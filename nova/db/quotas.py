# SPDX-License-Identifier: Apache-2.0
"""What projects and users have in use.  A claim is one guarded UPDATE in the transaction that makes the rows it is for.

Usage is counted for the project (``user_id`` empty) and for each of its users, so that a user's own limit, set later,
is exact.  What a user has outside any project (key pairs) is counted under an empty project.  Limits are in
:mod:`nova.db.quota_limits`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, bindparam, case, or_, select, update

from nova import errors
from nova.db.models.base import table_of
from nova.db.models.quota import QuotaUsageRow
from nova.db.quota_limits import QuotaState, limits_and_usage
from nova.db.transaction import Transaction
from nova.db.upserts import insert_missing
from nova.domain.quota import UNLIMITED, Usage

USAGES = table_of(QuotaUsageRow)
C = USAGES.c

Counter = Callable[[Transaction, str], Mapping[str, Mapping[str, int]]]
"""Counts what the users of a project really have: user → resource → amount."""


def claim(
    tx: Transaction, amounts: Mapping[str, int], *, project_id: str, user_id: str, defaults: Mapping[str, int]
) -> None:
    """Take *amounts* (resource → how much) out of the limits of project and user, all or nothing.

    Raises QuotaExceeded, with ``resource``, ``limit``, ``in_use`` and ``requested`` of the first that does not fit; the
    transaction cannot be committed after that.  *defaults* hold where no row sets a limit.
    """
    if any(amount > 0 for amount in amounts.values()):
        state = limits_and_usage(tx, project_id, user_id=user_id, defaults=defaults)
        claim_within(tx, state, amounts, project_id=project_id, user_id=user_id)


def claim_within(
    tx: Transaction, state: QuotaState, amounts: Mapping[str, int], *, project_id: str, user_id: str
) -> None:
    """The same where this transaction has read limits and usage of the project and its user already."""
    wanted = {resource: amount for resource, amount in amounts.items() if amount > 0}
    if not wanted:
        return
    limits = {(user, resource): state.limit(resource, user=bool(user)) for user in {"", user_id} for resource in wanted}
    _claim(tx, wanted, project_id=project_id, limits=limits, before=state.in_use)


def claim_one(tx: Transaction, resource: str, *, project_id: str, user_id: str, limit: int) -> None:
    """Take one of *resource* for one counter only, up to *limit* (-1: any number); raises QuotaExceeded."""
    present = tx.execute(select(C.in_use).where(*_counters(project_id, {user_id}, {resource}))).scalar()
    before = {} if present is None else {(user_id, resource): present}
    _claim(tx, {resource: 1}, project_id=project_id, limits={(user_id, resource): limit}, before=before)


def release(tx: Transaction, amounts: Mapping[str, int], *, project_id: str, user_id: str) -> None:
    """Give *amounts* back, in the transaction in which the things are really gone; never below nothing."""
    wanted = {resource: amount for resource, amount in amounts.items() if amount > 0}
    if not wanted:
        return
    less = _amount(wanted)
    values = {"in_use": case((C.in_use > less, C.in_use - less), else_=0), "updated_at": tx.now}
    tx.execute(update(USAGES).where(*_counters(project_id, {"", user_id}, wanted)).values(values))


def usages(tx: Transaction, project_id: str, *, user_id: str = "", defaults: Mapping[str, int]) -> dict[str, Usage]:
    """Limit and use of every resource of a project, or of one user in it."""
    return usages_of(limits_and_usage(tx, project_id, user_id=user_id, defaults=defaults), user_id, defaults=defaults)


def usages_of(state: QuotaState, user_id: str = "", *, defaults: Mapping[str, int]) -> dict[str, Usage]:
    """The same from what was read already."""
    resources = {*defaults, *(resource for user, resource in state.in_use if user == user_id)}
    return {
        resource: Usage(
            resource=resource,
            limit=state.limit(resource, user=bool(user_id)),
            in_use=state.in_use.get((user_id, resource), 0),
        )
        for resource in sorted(resources)
    }


def recount(
    tx: Transaction, project_id: str, *, resources: Collection[str], counter: Counter
) -> dict[tuple[str, str], tuple[int, int]]:
    """Set the use of *resources* to what *counter* finds; returns {(user, resource): (before, now)} of the wrong ones.

    The project's counters are locked before anything is counted, so a claim cannot fall in between.
    """
    locked = select(C.id, C.user_id, C.resource, C.in_use).where(C.project_id == project_id, C.resource.in_(resources))
    rows = {(row.user_id, row.resource): row for row in tx.execute(locked.order_by(C.id).with_for_update())}
    real = _totals(counter(tx, project_id), resources)
    missing = {key for key, amount in real.items() if amount and key not in rows}
    insert_missing(tx, USAGES, [_new_row(tx, project_id, key, real[key]) for key in sorted(missing)])
    wrong = {key: (row.in_use, real.get(key, 0)) for key, row in rows.items() if row.in_use != real.get(key, 0)}
    for key, (_, amount) in wrong.items():
        tx.execute(update(USAGES).where(C.id == rows[key].id).values(in_use=amount, updated_at=tx.now))
    return wrong | {key: (0, real[key]) for key in missing}


def projects(tx: Transaction) -> list[str]:
    """All projects that have counters."""
    return list(tx.execute(select(C.project_id).distinct().where(C.project_id != "").order_by(C.project_id)).scalars())


def _claim(
    tx: Transaction,
    wanted: Mapping[str, int],
    *,
    project_id: str,
    limits: Mapping[tuple[str, str], int],
    before: Mapping[tuple[str, str], int],
) -> None:
    missing = sorted(limits.keys() - before.keys())
    insert_missing(tx, USAGES, [_new_row(tx, project_id, key, 0) for key in missing])
    users = sorted({user for user, _ in limits})
    keys = tuple(sorted((users.index(user), resource) for user, resource in limits))
    values: dict[str, Any] = {"project": project_id, "now": tx.now}
    values |= {f"user_{number}": user for number, user in enumerate(users)}
    values |= {f"amount_{resource}": amount for resource, amount in wanted.items()}
    values |= {f"limit_{number}_{resource}": limits[users[number], resource] for number, resource in keys}
    if tx.execute(_claiming(keys), values).rowcount == len(limits):
        return
    tx.doom("a quota was passed")
    passed = [key for key, limit in limits.items() if limit >= 0 and before.get(key, 0) + wanted[key[1]] > limit]
    if passed:
        order = list(wanted)
        user, resource = min(passed, key=lambda key: (order.index(key[1]), key[0]))
        raise _refusal(resource, limits[user, resource], before.get((user, resource), 0), wanted[resource])
    # Another request took the room since the counters were read: the one with the least room now is what it took.
    rows = tx.execute(select(C.user_id, C.resource, C.in_use).where(*_counters(project_id, users, wanted)))
    now = {(row.user_id, row.resource): row.in_use for row in rows}
    user, resource = min(limits, key=lambda key: (_room(limits[key], now.get(key, 0)), key))
    raise _refusal(resource, limits[user, resource], now.get((user, resource), 0), wanted[resource])


@functools.lru_cache(maxsize=64)
def _claiming(keys: tuple[tuple[int, str], ...]) -> Update:
    """The UPDATE that adds the amounts to these counters, (number of a user, resource), where they fit the limits."""
    users = [bindparam(f"user_{number}", type_=C.user_id.type) for number in sorted({number for number, _ in keys})]
    resources = sorted({resource for _, resource in keys})
    amounts = {resource: bindparam(f"amount_{resource}", type_=C.in_use.type) for resource in resources}
    fits = []
    for number, resource in keys:
        limit = bindparam(f"limit_{number}_{resource}", type_=C.in_use.type)
        fits.append(
            and_(C.user_id == users[number], C.resource == resource)
            & or_(limit < 0, C.in_use + amounts[resource] <= limit)
        )
    more = case(*((C.resource == resource, amount) for resource, amount in amounts.items()), else_=0)
    return (
        update(USAGES)
        .where(C.project_id == bindparam("project"), C.user_id.in_(users), C.resource.in_(resources), or_(*fits))
        .values(in_use=C.in_use + more, updated_at=bindparam("now"))
    )


def _room(limit: int, in_use: int) -> float:
    return float("inf") if limit == UNLIMITED else limit - in_use


def _refusal(resource: str, limit: int, in_use: int, requested: int) -> errors.QuotaExceeded:
    return errors.QuotaExceeded(
        f"Quota exceeded for {resource}: Requested {requested}, but already used {in_use} of {limit} {resource}",
        resource=resource,
        limit=limit,
        in_use=in_use,
        requested=requested,
    )


def _amount(wanted: Mapping[str, int]) -> ColumnElement[int]:
    return case(*((C.resource == resource, amount) for resource, amount in sorted(wanted.items())), else_=0)


def _counters(project_id: str, users: Collection[str], resources: Collection[str]) -> list[ColumnElement[bool]]:
    return [C.project_id == project_id, C.user_id.in_(sorted(users)), C.resource.in_(sorted(resources))]


def _new_row(tx: Transaction, project_id: str, key: tuple[str, str], in_use: int) -> dict[str, Any]:
    user, resource = key
    times = {"created_at": tx.now, "updated_at": tx.now}
    return {"project_id": project_id, "user_id": user, "resource": resource, "in_use": in_use, **times}


def _totals(counted: Mapping[str, Mapping[str, int]], resources: Collection[str]) -> dict[tuple[str, str], int]:
    totals: dict[tuple[str, str], int] = {}
    for user, amounts in counted.items():
        for resource in resources:
            amount = amounts.get(resource, 0)
            totals["", resource] = totals.get(("", resource), 0) + amount
            if user:
                totals[user, resource] = amount
    return totals
