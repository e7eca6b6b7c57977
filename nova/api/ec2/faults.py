# SPDX-License-Identifier: Apache-2.0
"""Errors in EC2's words: the codes that clients look at, and the document that they stand in."""

from __future__ import annotations

from nova.api.ec2.documents import error_document
from nova.api.faults import Fault
from nova.api.refusal import Refusal

CODE = "ec2_code"
UNKNOWN = "An unknown error has occurred. Please try your request again."

_BY_FIELD = {
    "imageRef": "InvalidAMIID.NotFound",
    "kernel_id": "InvalidAMIID.NotFound",
    "ramdisk_id": "InvalidAMIID.NotFound",
    "key_name": "InvalidKeyPair.NotFound",
    "public_key": "InvalidKeyPair.Format",
    "security_groups": "InvalidGroup.NotFound",
}
_BY_RESOURCE = {
    ("NotFound", "key_pair"): "InvalidKeyPair.NotFound",
    ("NotFound", "security group"): "InvalidGroup.NotFound",
    ("NotFound", "security group rule"): "InvalidPermission.NotFound",
    ("NotFound", "instance"): "InvalidInstanceID.NotFound",
    ("NotFound", "volume"): "InvalidVolume.NotFound",
    ("NotFound", "image"): "InvalidAMIID.NotFound",
    ("NotFound", "flavor"): "InvalidParameterValue",
    ("NotFound", "floating IP"): "InvalidAddress.NotFound",
    ("NoCapacity", "floating_ip"): "NoMoreFloatingIps",
    ("QuotaExceeded", "floating_ips"): "AddressLimitExceeded",
    ("Conflict", "floating_ip"): "InvalidAssociation.NotFound",
    ("AlreadyExists", "key_pair"): "InvalidKeyPair.Duplicate",
    ("QuotaExceeded", "security_group_rules"): "RulesPerSecurityGroupLimitExceeded",
    ("QuotaExceeded", "security_groups"): "SecurityGroupLimitExceeded",
}
_BY_KIND = {
    "NotFound": "InvalidParameterValue",
    "AlreadyExists": "InvalidParameterValue",
    "InvalidInput": "InvalidParameterValue",
    "InvalidState": "IncorrectInstanceState",
    "Conflict": "IncorrectState",
    "Unauthenticated": "AuthFailure",
    "Forbidden": "UnauthorizedOperation",
    "QuotaExceeded": "ResourceLimitExceeded",
    "TooLarge": "RequestTooLarge",
    "RateLimited": "RequestLimitExceeded",
    "NoCapacity": "InsufficientInstanceCapacity",
    "Unavailable": "Unavailable",
    "Timeout": "Unavailable",
    "NotSupported": "UnsupportedOperation",
    "Refusal": "InvalidRequest",
}


class Ec2Refusal(Refusal):
    """A refusal with a code of EC2's own."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(status, message, **{CODE: code})


def code_of(fault: Fault) -> str:
    """The word for *fault* that clients compare with."""
    data = fault.data
    named = data.get(CODE) or _BY_RESOURCE.get((fault.kind, str(data.get("resource", ""))))
    if not named and fault.kind == "InvalidInput":
        named = _BY_FIELD.get(str(data.get("field", "")))
    return str(named or _BY_KIND.get(fault.kind, "InternalError"))


def ec2_shape(fault: Fault) -> tuple[str, bytes]:
    """For the faults filter."""
    message = UNKNOWN if fault.unexpected else fault.message
    return "text/xml", error_document(code_of(fault), message, request_id=fault.request_id)
