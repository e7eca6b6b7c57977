# SPDX-License-Identifier: Apache-2.0
"""One row for each action of the dialect, and what its handler is given."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nova.api.cloud import Cloud
from nova.api.ec2.documents import Value
from nova.api.ec2.parameters import Parameter
from nova.api.routing import Tx
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.errors import InternalError
from nova.secret import Secret

Handler = Callable[["Ec2Request"], Mapping[str, Value]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ec2Action:
    """``DescribeInstances`` and how it is served."""

    name: str
    handler: Handler
    policy: str
    """The rule of the compute or volume API that is asked first; the operation itself asks again, for its target"""
    parameters: tuple[Parameter, ...] = ()
    tx: Tx = Tx.READ


@dataclass(slots=True, kw_only=True)
class Ec2Request:
    """One call, its caller known and allowed, its parameters converted."""

    cloud: Cloud
    context: RequestContext
    values: Mapping[str, Any] = field(default_factory=dict)
    transaction: Transaction | None = None
    new_token: Callable[[], Secret] | None = None
    """Makes a token for the caller; None where nobody asks for tokens"""
    names: dict[str, str] = field(default_factory=dict)
    """EC2 ids by our own, so that a refusal speaks of what the caller knows"""

    @property
    def tx(self) -> Transaction:
        """The transaction that was opened for this handler."""
        if self.transaction is None:
            raise InternalError(detail="the action has transaction mode none, but its handler uses request.tx")
        return self.transaction

    def text(self, name: str) -> str:
        """A parameter that is text; empty when it is not there."""
        return str(self.values.get(name, ""))

    def many(self, name: str) -> list[Any]:
        """A parameter that is a list; empty when it is not there."""
        return list(self.values.get(name, ()))

    def with_token(self) -> Ec2Request:
        """The same request with a token, for work that others go on with in the caller's name."""
        if self.new_token is None:
            return self
        return dataclasses.replace(self, context=dataclasses.replace(self.context, auth_token=self.new_token()))

    def inside(self, tx: Transaction) -> Ec2Request:
        """The same request in a transaction that its handler opened."""
        return dataclasses.replace(self, transaction=tx)
