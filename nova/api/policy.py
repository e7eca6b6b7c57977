# SPDX-License-Identifier: Apache-2.0
"""Who may do what: oslo.policy over the rules of nova.api.policies, changed by the operator's policy file.

The file is looked at again at most once a second, so that a change holds without a restart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from oslo_config import cfg
from oslo_policy import _checks, opts
from oslo_policy import policy as oslo_policy

from nova.api.policies import ALL_RULES
from nova.context import RequestContext
from nova.errors import Forbidden, InvalidConfiguration

if TYPE_CHECKING:
    from nova.api.routing import Route

LOG = logging.getLogger(__name__)

RELOAD_INTERVAL_S = 1.0
MAX_REMEMBERED = 4096
"""Decisions; they are forgotten with the next look at the files."""


class Policy:
    """The rules of this cloud.

    :param policy_file: absolute path; it may be absent
    :param policy_dirs: directories with more of them
    """

    def __init__(
        self,
        policy_file: str = "",
        *,
        policy_dirs: Iterable[str] = (),
        default_rule: str = "default",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._enforcer = _enforcer(policy_file, tuple(policy_dirs), default_rule)
        self._clock = clock
        self._has_files = bool(policy_file)
        self._look_again_at = clock() + RELOAD_INTERVAL_S
        self._decided: dict[Any, bool] = {}

    def authorize(self, context: RequestContext, rule: str, target: Mapping[str, str] | None = None) -> None:
        """Raise Forbidden unless *context* may do *rule* to *target* (by default: something of its own project)."""
        if not self.allows(context, rule, target):
            raise Forbidden(f"Policy doesn't allow {rule} to be performed.", rule=rule)

    def allows(self, context: RequestContext, rule: str, target: Mapping[str, str] | None = None) -> bool:
        """Whether *context* may do *rule*; a rule that nobody registered allows nothing."""
        if rule not in self._enforcer.registered_rules:
            return False
        self._reload()
        mine = {"project_id": context.project_id, "user_id": context.user_id}
        about = mine if target is None else target
        who = (context.is_admin, context.user_id, context.project_id, context.roles)
        key = (rule, who, tuple(sorted(about.items())))
        if key not in self._decided:
            if len(self._decided) >= MAX_REMEMBERED:
                self._decided.clear()
            self._decided[key] = bool(self._enforcer.enforce(rule, dict(about), _credentials(context)))
        return self._decided[key]

    def knows(self, rule: str) -> bool:
        """Whether *rule* is registered."""
        return rule in self._enforcer.registered_rules

    def unknown_rules(self) -> list[str]:
        """Names in the operator's files that no operation asks for: most likely misspelt."""
        return sorted(set(self._enforcer.file_rules) - set(self._enforcer.registered_rules))

    def _reload(self) -> None:
        now = self._clock()
        if now < self._look_again_at:
            return
        self._look_again_at = now + RELOAD_INTERVAL_S
        self._decided.clear()
        if not self._has_files:
            return
        self._enforcer.use_conf = True
        try:
            self._enforcer.load_rules()
        except (OSError, ValueError) as error:
            LOG.error("The policy file cannot be read; the rules from before stay in force: %s", error)
        finally:
            self._enforcer.use_conf = False


def _credentials(context: RequestContext) -> dict[str, Any]:
    return {
        "is_admin": context.is_admin,
        "user_id": context.user_id,
        "project_id": context.project_id,
        "tenant_id": context.project_id,
        "roles": list(context.roles),
    }


def _enforcer(policy_file: str, policy_dirs: tuple[str, ...], default_rule: str) -> oslo_policy.Enforcer:
    conf = cfg.ConfigOpts()
    opts._register(conf)
    conf([], project="nova", default_config_files=[], default_config_dirs=[])
    conf.set_override("policy_dirs", list(policy_dirs), group="oslo_policy")
    conf.set_override("policy_file", policy_file or "/nonexistent/policy.yaml", group="oslo_policy")
    # Rules that ask an HTTP server are plug-ins, with all of requests behind them; only an operator's file has such.
    _checks.extension_checks = None if policy_file or policy_dirs else {}
    enforcer = oslo_policy.Enforcer(conf, default_rule=default_rule)
    enforcer.register_defaults([oslo_policy.RuleDefault(rule.name, rule.check, rule.description) for rule in ALL_RULES])
    try:
        enforcer.load_rules()
    except (OSError, ValueError, cfg.ConfigFilesNotFoundError) as error:
        raise InvalidConfiguration(f"The policy file {policy_file} cannot be read.", detail=str(error)) from error
    enforcer.use_conf = False
    for name in sorted(set(enforcer.file_rules) - set(enforcer.registered_rules)):
        LOG.warning("The policy file has the rule %s, which no operation asks for.", name)
    return enforcer


def check_rules_of(routes: Iterable[Route], policy: Policy) -> None:
    """Refuse to start with a route whose policy rule nobody registered."""
    for route in routes:
        if route.policy != "public" and not policy.knows(route.policy):
            raise InvalidConfiguration(f"The route {route.name} has no registered policy rule ({route.policy!r}).")
