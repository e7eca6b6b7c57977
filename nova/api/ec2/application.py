# SPDX-License-Identifier: Apache-2.0
"""From an authenticated call to its action and back: the same steps, in the same order, for every action.

Whatever is wrong is raised; the faults filter around turns it into EC2's error document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nova.api.cloud import Cloud
from nova.api.dispatch import CONTEXT, REQUEST_ID, Environ, StartResponse
from nova.api.ec2.action import Ec2Action, Ec2Request
from nova.api.ec2.authentication import CALL, TOKEN
from nova.api.ec2.documents import Value, answer_document
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.parameters import DRY_RUN, tree_of, values_of
from nova.api.ec2.reading import Ec2Call
from nova.api.routing import Tx
from nova.context import RequestContext
from nova.db.engine import Transaction
from nova.errors import InvalidConfiguration, NovaError

CONTROL = frozenset(
    {"Action", "Version", "AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp", "Expires"}
    | {"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"}
)
"""Parameters of every call, which no action sees."""
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ACTION = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)


class Ec2Application:
    """The dialect over one cloud."""

    def __init__(self, cloud: Cloud, actions: Iterable[Ec2Action]) -> None:
        self._cloud = cloud
        self._actions = {action.name: action for action in actions}
        for action in self._actions.values():
            if not cloud.policy.knows(action.policy):
                raise InvalidConfiguration(f"The action {action.name} has no registered policy rule.")

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        call: Ec2Call = environ[CALL]
        context: RequestContext = environ[CONTEXT]
        action, version = self._action(call)
        self._cloud.policy.authorize(context, action.policy)
        values = _values(call, action)
        request = Ec2Request(cloud=self._cloud, context=context, values=values, new_token=environ.get(TOKEN))
        content = answer_document(action.name, version, self._run(action, request), request_id=environ[REQUEST_ID])
        start_response("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(content)))])
        return [content]

    def _action(self, call: Ec2Call) -> tuple[Ec2Action, str]:
        name, version = call.parameters.get("Action", ""), call.parameters.get("Version", "")
        if not name or not version:
            raise Ec2Refusal("MissingParameter", "The request must contain the parameters Action and Version.")
        if not _VERSION.fullmatch(version):
            raise Ec2Refusal("InvalidParameterValue", "Version is a date such as 2016-11-15.")
        if name not in self._actions:
            shown = name if _ACTION.fullmatch(name) else "named"
            raise Ec2Refusal("InvalidAction", f"The action {shown} is not served by this cloud.")
        return self._actions[name], version

    def _run(self, action: Ec2Action, request: Ec2Request) -> Mapping[str, Value]:
        try:
            if action.tx is Tx.NONE:
                return action.handler(request)
            return self._cloud.db.run(lambda tx: _in_transaction(action, request, tx), write=action.tx is Tx.WRITE)
        except NovaError as error:
            for ours, theirs in request.names.items():
                error.message = error.message.replace(ours, theirs)
            raise


def _in_transaction(action: Ec2Action, request: Ec2Request, tx: Transaction) -> Mapping[str, Value]:
    inner = request.inside(tx)
    return action.handler(inner)


def _values(call: Ec2Call, action: Ec2Action) -> dict[str, Any]:
    given = {name: value for name, value in call.parameters.items() if name not in CONTROL}
    values = values_of(tree_of(given), (*action.parameters, DRY_RUN))
    if values.pop("DryRun", False):
        raise Ec2Refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412)
    return values
