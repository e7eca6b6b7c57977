# SPDX-License-Identifier: Apache-2.0
"""Who signed a request: every version of the signature, checked over the keys of an identity store.

Whatever is wrong with a signature, the answer is the same, and the same work is done for a key that nobody has.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable
from typing import Protocol

from nova.api.ec2 import signature_query, signature_v4
from nova.api.ec2.faults import Ec2Refusal
from nova.api.ec2.reading import Ec2Call
from nova.api.ec2.settings import Ec2Settings
from nova.identity.protocol import SigningKey
from nova.secret import Secret, same_secret

LOG = logging.getLogger(__name__)

REFUSED = "AWS was not able to validate the provided access credentials."
MAX_ACCESS_KEY = 512
_NOBODY = Secret("no secret of anybody")


class Keys(Protocol):
    """What is needed of an identity store."""

    def signing_key(self, access: str) -> SigningKey | None:
        """The key for ``access`` or ``access:project``; None for every reason not to accept it."""
        ...


class Failures(Protocol):
    """What is needed of nova.identity.lockout.Lockout."""

    def is_locked(self, account: str, source: str) -> bool:
        """Whether *account* may not try from *source* now."""
        ...

    def failed(self, account: str, source: str) -> None:
        """Count one failure."""
        ...

    def succeeded(self, account: str, source: str) -> None:
        """Forget the failures of *account* from *source*."""
        ...


def refused() -> Ec2Refusal:
    """The one answer to everybody who did not prove who he is."""
    return Ec2Refusal("AuthFailure", REFUSED, status=403)


class Signer:
    """Finds the key that signed a call.

    :param failures: counts them by access key and source; None where who asks has counted already
    """

    def __init__(
        self, keys: Keys, settings: Ec2Settings, *, now: Callable[[], datetime.datetime], failures: Failures | None
    ) -> None:
        self._keys = keys
        self._settings = settings
        self._now = now
        self._failures = failures

    def of(self, call: Ec2Call) -> SigningKey:
        """The key; Ec2Refusal for a signature that is none, too old, or by a key that does not hold."""
        if signature_v4.QUERY_ALGORITHM in call.parameters or "authorization" in call.headers:
            return self._of_version_4(call)
        return self._of_older(call)

    def _of_version_4(self, call: Ec2Call) -> SigningKey:
        claim = signature_v4.claim_of(call)
        mixed = signature_query.SIGNATURE in call.parameters or signature_query.ACCESS_KEY in call.parameters
        if claim is None or mixed or "4" not in self._settings.signature_versions:
            raise refused()
        signature_v4.check_time(claim, self._now(), window_s=self._settings.timestamp_expiry_s)
        return self._proven(
            call,
            claim.access,
            claim.signature,
            lambda secret, host: signature_v4.expected(call, claim, secret, host=host),
        )

    def _of_older(self, call: Ec2Call) -> SigningKey:
        version = call.parameters.get("SignatureVersion", "")
        access = call.parameters.get(signature_query.ACCESS_KEY, "")
        signature = call.parameters.get(signature_query.SIGNATURE, "")
        known = version in ("0", "1", "2") and version in self._settings.signature_versions
        if not known or not access or len(access) > MAX_ACCESS_KEY or not signature:
            raise refused()
        signature_query.check_time(call, self._now(), window_s=self._settings.timestamp_expiry_s)
        return self._proven(
            call,
            access,
            signature,
            lambda secret, host: signature_query.expected(call, secret, version=version, host=host),
        )

    def _proven(self, call: Ec2Call, access: str, signature: str, expected: Callable[[Secret, str], str]) -> SigningKey:
        account = access.partition(":")[0]
        if self._failures is not None and self._failures.is_locked(account, call.source):
            raise refused()
        key = self._keys.signing_key(access)
        secret = key.secret if key else _NOBODY
        matches = [_same(expected(secret, host), signature) for host in _hosts(call.host)]
        if key is None or not any(matches):
            if self._failures is not None:
                self._failures.failed(account, call.source)
            LOG.warning("An EC2 signature was refused: key %.64r from %.64s.", access, call.source or "nowhere")
            raise refused()
        if self._failures is not None:
            self._failures.succeeded(account, call.source)
        return key


def _same(expected: str, given: str) -> bool:
    return bool(expected) and same_secret(expected, given.encode("utf-8", "surrogatepass"))


def _hosts(host: str) -> list[str]:
    """As it was sent, and without its port, which some old clients leave out of what they sign."""
    bare, colon, port = host.rpartition(":")
    return [host, bare] if colon and port.isdigit() else [host]
