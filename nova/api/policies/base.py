# SPDX-License-Identifier: Apache-2.0
"""The building blocks of all other rules: administrators, readers and those who act in their project.

The classic roles keep their meaning: sysadmin runs servers, netadmin runs networks, developer and itsec look on,
cloudadmin does everything.  A member of a project with none of the roles that these rules know may act.
"""

from __future__ import annotations

from nova.api.policies.rule import Rule

ADMIN = "rule:admin_api"
READER = "rule:project_reader"
SERVER_USER = "rule:project_server_user"
NETWORK_USER = "rule:project_network_user"
ANYONE = "@"

RULES = (
    Rule("admin_api", "is_admin:True", "Administrators of the cloud."),
    Rule("default", "rule:admin_api", "Whatever names no rule of its own."),
    Rule("admin_or_owner", "rule:project_reader", "The older word for everybody of the project."),
    Rule("project_reader", "rule:admin_api or project_id:%(project_id)s", "Everybody of the project."),
    Rule("acting_member", "role:member or role:Member or role:_member_ or role:projectmanager", "Who may do all."),
    Rule("looks_on", "role:reader or role:developer or role:itsec", "Roles that only look."),
    Rule(
        "project_server_user",
        "rule:admin_api or (project_id:%(project_id)s and (rule:acting_member or role:sysadmin or "
        "not (rule:looks_on or role:netadmin)))",
        "Those who run the servers and volumes of their project.",
    ),
    Rule(
        "project_network_user",
        "rule:admin_api or (project_id:%(project_id)s and (rule:acting_member or role:netadmin or "
        "not (rule:looks_on or role:sysadmin)))",
        "Those who run the addresses and security groups of their project.",
    ),
)
