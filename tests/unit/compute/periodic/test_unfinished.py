# SPDX-License-Identifier: Apache-2.0
"""Orders that never came are carried out in the name of the server's owner."""

from __future__ import annotations

from typing import cast

from nova.compute.periodic.unfinished import accept_all
from nova.compute.runner import Runner
from nova.context import RequestContext
from nova.domain.orders import AnyOrder, Order, UnfinishedOrders, instance_order
from nova.domain.transitions import Action
from nova.secret import Secret
from tests.unit.compute.stand_ins import build, order


class Taken:
    """A runner that only remembers."""

    def __init__(self) -> None:
        self.contexts: dict[int, RequestContext] = {}

    def accept(self, context: RequestContext, order: Order) -> None:
        self.contexts[instance_order(order).operation_id] = context


def test_each_order_is_taken_up_with_its_own_token_and_the_owner_of_its_server() -> None:
    taken = Taken()
    orders = UnfinishedOrders(
        orders=tuple(map(AnyOrder.of, (build(3, 1), order(Action.START, 4, 2), build(5, 3)))),
        tokens={"3": Secret("three")},
    )
    accept_all(cast(Runner, taken), orders)
    tokens = {number: context.auth_token for number, context in taken.contexts.items()}
    assert tokens == {3: Secret("three"), 4: None, 5: None}
    assert list(tokens) == [3, 4, 5]
    assert {(context.user_id, context.project_id) for context in taken.contexts.values()} == {("u", "p")}
