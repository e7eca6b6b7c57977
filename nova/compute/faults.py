# SPDX-License-Identifier: Apache-2.0
"""What the owner of a server may read about a failure on a compute host, and what only administrators see."""

from __future__ import annotations

import errno
import traceback

from nova.domain.instance import Fault
from nova.errors import Conflict, Forbidden, InvalidImage, InvalidInput, NotFound, NovaError
from nova.workflow.steps import Interrupted, Superseded

SAME_EVERYWHERE: tuple[type[NovaError], ...] = (InvalidImage, InvalidInput, NotFound, Forbidden, Conflict)
"""Kinds of failures that another host would meet as well."""


def fault_of(error: BaseException, *, host: str, step: str) -> Fault:
    """The fault for *error*, which step *step* raised on *host*."""
    where = f"On host {host}, in step {step}: " if step else f"On host {host}: "
    chain = "".join(traceback.format_exception(error))
    return Fault(code=500, message=_sentence(error), details=f"{where}{error}\n{chain}", host=host)


def may_succeed_elsewhere(error: BaseException) -> bool:
    """Whether a build that failed with *error* is worth another host."""
    return not isinstance(error, (*SAME_EVERYWHERE, Superseded, Interrupted))


def _sentence(error: BaseException) -> str:
    if isinstance(error, NovaError):
        return error.message
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "No space left on device."
    return NovaError.default_message
