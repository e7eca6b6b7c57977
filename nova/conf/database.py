# SPDX-License-Identifier: Apache-2.0
"""The database that all daemons but nova-compute share."""

from oslo_config import cfg

from nova.conf.spelling import formerly


def _old(name: str, *more: str) -> list[cfg.DeprecatedOpt]:
    return formerly(f"database/sql_{name}", f"sql/{name}", f"sql_{name}", *more)


DATABASE = [
    cfg.StrOpt(
        "connection",
        default="sqlite:///$state_path/$sqlite_db",
        deprecated_opts=_old("connection"),
        help="URL of the database. 'mysql://' is read as mysql+pymysql and 'postgresql://' as postgresql+psycopg2. "
        "The default is a file, enough for one host. Do not give it to nova-compute: that daemon asks "
        "nova-conductor.",
    ),
    cfg.IntOpt(
        "idle_timeout",
        default=3600,
        min=1,
        deprecated_opts=formerly("database/connection_recycle_time", "database/sql_idle_timeout", "sql_idle_timeout"),
        help="Seconds after which a connection is replaced. Below the eight hours after which MySQL closes idle ones.",
    ),
    cfg.IntOpt(
        "min_pool_size", default=1, min=0, deprecated_opts=_old("min_pool_size"), help="Accepted for older files."
    ),
    cfg.IntOpt(
        "max_pool_size",
        default=10,
        min=1,
        deprecated_opts=_old("max_pool_size"),
        help="Connections that a process keeps open.",
    ),
    cfg.IntOpt(
        "max_overflow",
        default=20,
        min=0,
        deprecated_opts=_old("max_overflow"),
        help="Connections above max_pool_size that a process opens under load and closes again.",
    ),
    cfg.IntOpt(
        "pool_timeout",
        default=30,
        min=1,
        deprecated_opts=formerly("database/sqlalchemy_pool_timeout", "sqlalchemy_pool_timeout", "sql_pool_timeout"),
        help="Seconds that work waits for a connection before it is answered 'not available now'.",
    ),
    cfg.IntOpt(
        "max_retries",
        default=10,
        min=-1,
        deprecated_opts=_old("max_retries"),
        help="Attempts to reach the database at start before the daemon gives up; -1 is for ever. At run time a daemon "
        "never gives up.",
    ),
    cfg.IntOpt(
        "retry_interval",
        default=10,
        min=1,
        deprecated_opts=_old("retry_interval"),
        help="Seconds between those attempts.",
    ),
    cfg.IntOpt(
        "connection_debug",
        default=0,
        min=0,
        max=100,
        deprecated_opts=_old("connection_debug"),
        help="From 50 each statement is logged, at 100 with its result.",
    ),
    cfg.BoolOpt(
        "connection_trace",
        default=False,
        deprecated_opts=_old("connection_trace"),
        help="Add the name of the function that asked as a comment to each statement.",
    ),
    cfg.StrOpt(
        "backend", default="sqlalchemy", deprecated_opts=formerly("db_backend"), help="Accepted for older files."
    ),
    cfg.BoolOpt(
        "use_tpool", default=False, deprecated_opts=formerly("dbapi_use_tpool"), help="Accepted for older files."
    ),
]

DEFAULT = [
    cfg.StrOpt("sqlite_db", default="nova.sqlite", help="Name of the file in the default database URL."),
    cfg.BoolOpt(
        "sqlite_synchronous",
        default=True,
        help="Whether SQLite waits for the disk at each commit. Off is faster and loses the last second at a power "
        "cut.",
    ),
    cfg.StrOpt("db_driver", default="nova.db", help="Accepted for older files."),
]

OPTIONS = {"DEFAULT": DEFAULT, "database": DATABASE}
