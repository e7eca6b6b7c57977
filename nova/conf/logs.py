# SPDX-License-Identifier: Apache-2.0
"""Where the daemons log, how much, and in which form."""

from oslo_config import cfg

from nova.conf.spelling import formerly

DEFAULT = [
    cfg.BoolOpt("debug", default=False, help="Log at DEBUG: every step, every command. Secrets are masked there too."),
    cfg.BoolOpt("verbose", default=True, help="Log at INFO; off means WARNING."),
    cfg.StrOpt(
        "log_dir",
        deprecated_opts=formerly("logdir"),
        help="Directory in which each program logs to <program>.log. Without it and log_file the log goes to stderr.",
    ),
    cfg.StrOpt("log_file", deprecated_opts=formerly("logfile"), help="Log file; a relative name is below log_dir."),
    cfg.StrOpt("logfile_mode", default="0644", help="Permissions (octal) of a new log file."),
    cfg.BoolOpt("use_stderr", default=True, help="Also log to stderr when no log file is set."),
    cfg.BoolOpt("use_syslog", default=False, help="Log to syslog instead of a file."),
    cfg.StrOpt("syslog_log_facility", default="LOG_USER", help="Facility for use_syslog."),
    cfg.BoolOpt("use_json", default=False, help="Write each log line as a JSON object, for log collectors."),
    cfg.StrOpt(
        "log_config_append",
        deprecated_opts=formerly("log_config"),
        help="File in the form of Python's logging.config that replaces all these options.",
    ),
    cfg.StrOpt("log_date_format", default="%Y-%m-%d %H:%M:%S", help="Form of %(asctime)s."),
    cfg.StrOpt("log_format", help="Accepted for older files: one form for all lines, in place of the two below."),
    cfg.ListOpt(
        "default_log_levels",
        default=[
            "amqp=WARN",
            "kombu=WARN",
            "amqplib=WARN",
            "sqlalchemy=WARN",
            "alembic=WARN",
            "boto=WARN",
            "suds=INFO",
            "keystone=INFO",
            "urllib3=WARN",
            "requests=WARN",
            "eventlet.wsgi.server=WARN",
        ],
        help="logger=LEVEL pairs. The default silences libraries that would drown ours at DEBUG.",
    ),
    cfg.StrOpt(
        "logging_context_format_string",
        default="%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s "
        "[%(request_id)s %(user)s %(tenant)s] %(instance)s%(message)s",
        help="Form of a line inside a request. Any of request_id, user, user_id, user_name, project, project_id, "
        "project_name, tenant, instance and remote_address may be used; one that is missing prints '-' or "
        "nothing.",
    ),
    cfg.StrOpt(
        "logging_default_format_string",
        default="%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s",
        help="Form of a line outside of any request.",
    ),
    cfg.StrOpt(
        "logging_debug_format_suffix",
        default="%(funcName)s %(pathname)s:%(lineno)d",
        help="What DEBUG lines have at their end.",
    ),
    cfg.StrOpt(
        "logging_exception_prefix",
        default="%(asctime)s.%(msecs)03d %(process)d TRACE %(name)s %(instance)s",
        help="What stands before each line of a traceback.",
    ),
    cfg.StrOpt("instance_format", default="[instance: %(uuid)s] ", help="Form of %(instance)s."),
    cfg.StrOpt(
        "instance_uuid_format", default="[instance: %(uuid)s] ", help="Form of %(instance)s where only its id is known."
    ),
    cfg.BoolOpt(
        "fatal_deprecations", default=False, help="Refuse older spellings of options instead of warning of them."
    ),
    cfg.BoolOpt("publish_errors", default=False, help="Send every ERROR line as a notification too."),
    cfg.PortOpt(
        "metrics_port", default=0, help="Port of the loopback address on which a daemon shows its metrics; 0 is off."
    ),
]

OPTIONS = {"DEFAULT": DEFAULT}
