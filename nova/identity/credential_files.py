# SPDX-License-Identifier: Apache-2.0
"""Texts that people source in a shell to be somebody: exports of one user's keys, and novarc for a project.

Names and keys come from users: each value is quoted for the shell, so nothing in it is executed.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from nova.domain.identity import Project, User


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUrls:
    """Where the services are, as people outside reach them."""

    ec2: str
    s3: str
    compute: str


def exports(user: User) -> str:
    """The two lines that give euca2ools a user's keys."""
    secret = user.secret_key.reveal() if user.secret_key else ""
    return f"export EC2_ACCESS_KEY={shlex.quote(user.access_key)}\nexport EC2_SECRET_KEY={shlex.quote(secret)}"


def novarc(user: User, project: Project, *, urls: PublicUrls, access: str = "") -> str:
    """The file to source for working in a project.

    :param access: what stands for the user in signatures; the access key where it is empty
    """
    name = access or user.access_key
    secret = user.secret_key.reveal() if user.secret_key else ""
    values = (
        ("EC2_ACCESS_KEY", f"{name}:{project.name}"),
        ("EC2_SECRET_KEY", secret),
        ("EC2_URL", urls.ec2),
        ("S3_URL", urls.s3),
        ("EC2_USER_ID", "42"),
        ("NOVA_API_KEY", name),
        ("NOVA_USERNAME", user.name),
        ("NOVA_PROJECT_ID", project.name),
        ("NOVA_URL", urls.compute),
        ("NOVA_VERSION", "1.1"),
    )
    lines = [f"export {key}={shlex.quote(value)}" for key, value in values]
    return "\n".join((_HEAD, *lines, _FILES)) + "\n"


_HEAD = """\
NOVARC=$(readlink -f "${BASH_SOURCE:-${0}}" 2>/dev/null) || NOVARC=$(pwd)/novarc
NOVA_KEY_DIR=${NOVARC%/*}"""

_FILES = """\
export EC2_PRIVATE_KEY="${NOVA_KEY_DIR}/pk.pem"
export EC2_CERT="${NOVA_KEY_DIR}/cert.pem"
export NOVA_CERT="${NOVA_KEY_DIR}/cacert.pem"
export EUCALYPTUS_CERT="${NOVA_CERT}"
alias ec2-bundle-image='ec2-bundle-image --cert "${EC2_CERT}" --privatekey "${EC2_PRIVATE_KEY}" --user 42 \
--ec2cert "${NOVA_CERT}"'
alias ec2-upload-bundle='ec2-upload-bundle -a "${EC2_ACCESS_KEY}" -s "${EC2_SECRET_KEY}" --url "${S3_URL}" \
--ec2cert "${NOVA_CERT}"'"""
