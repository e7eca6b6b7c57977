# SPDX-License-Identifier: Apache-2.0
"""The files a person sources to use the cloud, and the names and passwords in them."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from tools.quickstart.client import endpoint

DEMO_USER = "demo"
DEMO_PROJECT = "demo"

_RC = """\
# Source this file, then use the openstack, nova and aws clients.
export OS_AUTH_URL={identity}/v3
export OS_IDENTITY_API_VERSION=3
export OS_USERNAME={user}
export OS_PASSWORD={password}
export OS_PROJECT_NAME={project}
export OS_USER_DOMAIN_ID=default
export OS_PROJECT_DOMAIN_ID=default
export OS_REGION_NAME=RegionOne
"""

_EC2 = """\
export EC2_URL={ec2}/services/Cloud
export EC2_ACCESS_KEY={access}
export EC2_SECRET_KEY={secret}
export AWS_ACCESS_KEY_ID={access}
export AWS_SECRET_ACCESS_KEY={secret}
export AWS_DEFAULT_REGION=nova
export AWS_ENDPOINT_URL_EC2={ec2}/services/Cloud
"""


def write_private(path: Path, text: str) -> None:
    """A file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    path.chmod(0o600)


def make_passwords(path: Path) -> dict[str, str]:
    """The passwords of this cloud's users, made up at the first call."""
    if path.exists():
        return dict(json.loads(path.read_text()))
    made = {user: secrets.token_urlsafe(12) for user in ("admin", DEMO_USER)}
    write_private(path, json.dumps(made) + "\n")
    return made


def write_rc(path: Path, *, user: str, project: str, password: str, ec2: tuple[str, str] | None) -> None:
    """The credentials file of one user; *ec2* is an access key and its secret."""
    text = _RC.format(identity=endpoint("identity"), user=user, password=password, project=project)
    if ec2 is not None:
        text += _EC2.format(ec2=endpoint("ec2"), access=ec2[0], secret=ec2[1])
    write_private(path, text)
