# SPDX-License-Identifier: Apache-2.0
"""The EC2 dialect in one process: its real pipeline over real users, a real database, daemons that only take notes."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from paste.deploy import loadapp
from webob import Request, Response

from nova.api.cloud import ApiSettings, deploying
from nova.api.ec2 import signature_query
from nova.api.ec2.reading import Ec2Call
from nova.db import services
from nova.domain.identity import User
from nova.identity.bootstrap import bootstrap
from nova.identity.builtin import BuiltinIdentity
from nova.secret import Secret
from nova.system import xml
from tests.functional.cloud import USERS, cheap_hasher
from tests.functional.compute_cloud import PASTE, ComputeCloud, Notes

HOST = "cloud.example.org:8773"
PATH = "/services/Cloud"
VERSION = "2016-11-15"
SOURCE = "198.51.100.7"


class Ec2Cloud(ComputeCloud):
    """``alice`` of apples, ``bob`` of pears, ``rita`` who may only read, ``root`` who administers."""

    def __init__(self, settings: ApiSettings | None = None, *, url: str = "sqlite://") -> None:
        super().__init__(settings, url=url)
        self.volume = Notes()
        identity = BuiltinIdentity(self.db, hasher=cheap_hasher())
        self.users: dict[str, User] = {u.name: u for u in bootstrap(self.db, hasher=cheap_hasher(), wanted=USERS)}
        self.cloud = dataclasses.replace(
            self.cloud,
            identity=identity,
            volume=cast(Any, self.volume),
            settings=dataclasses.replace(self.settings, auth_strategy="builtin"),
        )
        with self.db.transaction() as tx:
            services.heartbeat(tx, host="v1", binary="nova-volume", topic="volume")
        self.deploy()

    def deploy(self) -> None:
        """Make the application anew: another process, as far as it can tell."""
        with deploying(self.cloud):
            self.ec2 = loadapp(f"config:{PASTE}", name="ec2")

    def redeploy_compute(self) -> None:
        """Let the compute API, whose tokens are names, see the collaborators as they are now."""
        named = dataclasses.replace(self.cloud.settings, auth_strategy="noauth")
        with deploying(dataclasses.replace(self.cloud, settings=named)):
            self.app = loadapp(f"config:{PASTE}", name="osapi_compute")

    def who(self, user: str) -> str:
        """The token of ComputeCloud for a user of ours, so that both APIs see the same servers."""
        return f"{self.users[user].id}:{self.users[user].default_project_id}"

    def access(self, user: str = "alice") -> str:
        """The access key of a user, for his own project."""
        return f"{self.users[user].access_key}:{self.users[user].default_project_id}"

    def secret(self, user: str = "alice") -> Secret:
        """His secret key."""
        found = self.users[user].secret_key
        assert found is not None
        return found

    def signed(self, action: str, *, user: str = "alice", method: str = "GET", **given: str) -> dict[str, str]:
        """The parameters of a call with their signature of version 2; *given* has ``__`` for a dot."""
        parameters = {"Action": action, **plain(given)}
        parameters.setdefault("Version", VERSION)
        parameters.setdefault("SignatureVersion", "2")
        parameters.setdefault("SignatureMethod", "HmacSHA256")
        parameters.setdefault("AWSAccessKeyId", self.access(user))
        if "Expires" not in parameters:
            parameters.setdefault("Timestamp", stamp())
        version = parameters["SignatureVersion"]
        call = Ec2Call(method=method, path=PATH, headers={"host": HOST}, parameters=parameters, body_sha256="")
        parameters["Signature"] = signature_query.expected(call, self.secret(user), version=version, host=HOST)
        return parameters

    def send(
        self,
        parameters: Mapping[str, str],
        *,
        method: str = "GET",
        source: str = SOURCE,
        path: str = PATH,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request as it is."""
        encoded = urlencode(parameters)
        request = Request.blank(f"{path}?{encoded}" if method == "GET" and encoded else path, method=method)
        request.host = HOST
        request.remote_addr = source
        if method == "POST":
            request.body = encoded.encode()
            request.content_type = "application/x-www-form-urlencoded"
        request.headers.update(headers or {})
        return request.get_response(self.ec2)

    def ask(self, action: str, *, user: str = "alice", **given: str) -> Response:
        """One call, signed."""
        return self.send(self.signed(action, user=user, **given))

    def good(self, action: str, *, user: str = "alice", **given: str) -> Any:
        """The root of the answer to a call that must succeed."""
        answer = self.ask(action, user=user, **given)
        assert answer.status_int == 200, answer.text
        assert answer.content_type == "text/xml"
        return bare(answer.body)

    def code(self, action: str, *, user: str = "alice", status: int = 400, **given: str) -> str:
        """The code of the error of a call that must fail."""
        return code_of(self.ask(action, user=user, **given), status=status)


def plain(given: Mapping[str, str]) -> dict[str, str]:
    """``Filter__1__Name`` as ``Filter.1.Name``."""
    return {name.replace("__", "."): value for name, value in given.items()}


def stamp(seconds: float = 0) -> str:
    """Now, or some seconds later, as signatures write it."""
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def bare(body: bytes) -> Any:
    """The root of a document, its elements without their name space."""
    root = xml.parse(body)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return root


def texts(root: Any, path: str) -> list[str]:
    """What stands in all elements at *path*."""
    return [element.text or "" for element in root.findall(path)]


def code_of(answer: Response, *, status: int) -> str:
    """The code in an error document."""
    assert answer.status_int == status, (answer.status, answer.text)
    root = bare(answer.body)
    assert root.tag == "Response"
    assert root.findtext("RequestID").startswith("req-")
    return str(root.findtext("Errors/Error/Code"))


def v4_headers(
    access: str, secret: Secret, *, body: str, method: str = "POST", url: str = f"http://{HOST}{PATH}"
) -> dict[str, str]:
    """The headers that botocore would send with *body*."""
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Host": HOST}
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    SigV4Auth(Credentials(access, secret.reveal()), "ec2", "nova").add_auth(request)
    return dict(request.headers.items())
