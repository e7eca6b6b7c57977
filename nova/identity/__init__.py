# SPDX-License-Identifier: Apache-2.0
"""Identity of our own: users, projects, roles, tokens, signing keys.  Runs in nova-api; nova-manage administers it."""

from nova.identity.caller import Caller, context_of
from nova.identity.protocol import Identity, PasswordProof, Scope, SigningKey

__all__ = ["Caller", "Identity", "PasswordProof", "Scope", "SigningKey", "context_of"]
