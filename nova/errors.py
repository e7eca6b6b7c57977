# SPDX-License-Identifier: Apache-2.0
"""The closed set of error kinds that every part raises and that travel between daemons.

An error carries *kind* (its class), a sentence that a user may read, data that names the object, and a detail for the
log that no user sees.  ``nova.api.faults`` maps kinds to HTTP; ``nova.rpc`` carries kind and data by name, and nothing
else.  A subclass exists only where somebody catches it.
"""

from __future__ import annotations

from typing import Any, ClassVar


class NovaError(Exception):
    """The root of all errors of ours.

    :param message: a sentence for the user: what failed, and what to do if there is something to do
    :param detail: for the log only: paths, commands, hosts, causes
    :param data: plain values that name the object (``resource="server", id="…"``)
    """

    default_message: ClassVar[str] = "The operation failed."

    def __init__(self, message: str = "", *, detail: str = "", **data: Any) -> None:
        self.message = message or self.default_message
        self.detail = detail
        self.data = data
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message


class NotFound(NovaError):
    """The object does not exist, or the caller may not know that it does."""

    default_message = "The resource could not be found."

    @classmethod
    def of(cls, resource: str, key: object) -> NotFound:
        """The usual sentence, for a *resource* (a word) that *key* names."""
        return cls(f"{resource.capitalize()} {key} could not be found.", resource=resource, id=str(key))


class AlreadyExists(NovaError):
    """An object with that name or address is there already."""

    default_message = "The resource exists already."


class InvalidInput(NovaError):
    """The caller sent something wrong; ``data["field"]`` names the place where it is known."""

    default_message = "The request is not valid."


class InvalidState(NovaError):
    """The object is not in a state that allows this."""

    default_message = "The resource is not in a state that allows this."


class Conflict(NovaError):
    """The request is right by itself, but does not fit what is there (in use, ambiguous)."""

    default_message = "The request conflicts with the present state of the resource."


class Unauthenticated(NovaError):
    """Nobody proved who is asking."""

    default_message = "The request you have made requires authentication."


class Forbidden(NovaError):
    """The caller is known and may not do this."""

    default_message = "Policy doesn't allow this operation to be performed."


class QuotaExceeded(Forbidden):
    """A limit of the project or user would be passed."""

    default_message = "Quota exceeded."


class TooLarge(NovaError):
    """More bytes or items than are accepted."""

    default_message = "Request is too large."


class RateLimited(NovaError):
    """Too many requests; ``data["retry_after_s"]`` says when to come again."""

    default_message = "Too many requests."


class NoCapacity(NovaError):
    """No host, address, port or space is left for it."""

    default_message = "No valid host was found."


class Unavailable(NovaError):
    """A daemon, broker, database or neighbour does not answer; trying again later may help."""

    default_message = "The service is not available now."


class Timeout(Unavailable):
    """No answer in the time that was given."""

    default_message = "The operation took too long."


class HypervisorError(NovaError):
    """The hypervisor or a tool below it refused."""

    default_message = "The hypervisor could not do this."


class InvalidImage(HypervisorError):
    """The bytes of an image are not what may be booted (backing file, wrong format, too big)."""

    default_message = "The image is not acceptable."


class NotSupported(NovaError):
    """This driver, or this cloud as it is configured, cannot do it."""

    default_message = "The operation is not supported here."


class InvalidConfiguration(NovaError):
    """An option, a configuration file or a policy file is wrong; the daemon does not start."""

    default_message = "The configuration is not valid."


class InternalError(NovaError):
    """A defect of ours; the detail stays in the log."""

    default_message = "An unexpected error happened."


def _kinds(root: type[NovaError]) -> dict[str, type[NovaError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found.update(_kinds(child))
    return found


KINDS: dict[str, type[NovaError]] = _kinds(NovaError)
"""Every kind by its class name: the only classes that a message from another daemon can become."""
