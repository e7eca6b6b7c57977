# SPDX-License-Identifier: Apache-2.0
"""What every daemon has: heartbeats, periodic work, zones, the way to root."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

DEFAULT = [
    cfg.IntOpt(
        "report_interval",
        default=10,
        min=1,
        help="Seconds between heartbeats of a daemon. Ten keeps a dead host out of scheduling within "
        "service_down_time at one small statement per daemon.",
    ),
    cfg.IntOpt(
        "service_down_time",
        default=60,
        min=2,
        help="Seconds without a heartbeat after which a daemon counts as down (XXX). Several times "
        "report_interval, so that one lost heartbeat does no harm.",
    ),
    cfg.BoolOpt(
        "enable_new_services",
        default=True,
        help="Whether a host that reports for the first time may take work at once. Turn it off to look at new "
        "hosts before 'nova-manage service enable'.",
    ),
    cfg.IntOpt(
        "periodic_interval",
        default=60,
        min=1,
        help="Seconds between turns of periodic work that has no interval of its own.",
    ),
    cfg.BoolOpt(
        "periodic_enable", default=True, help="Whether periodic work is done at all; off is for debugging only."
    ),
    cfg.IntOpt(
        "periodic_fuzzy_delay",
        default=60,
        min=0,
        help="The first turn of periodic work comes after a random number of seconds up to this, so that hosts "
        "that start together do not all ask at once.",
    ),
    cfg.StrOpt(
        "default_availability_zone",
        default="nova",
        deprecated_opts=formerly("node_availability_zone", "storage_availability_zone"),
        help="Zone of a compute host that no aggregate puts into another.",
    ),
    cfg.StrOpt(
        "internal_service_availability_zone",
        default="internal",
        help="Zone shown for daemons that run no servers.",
    ),
    cfg.StrOpt(
        "default_schedule_zone",
        help="Zone for servers whose creator names none. Without a value any zone will do.",
    ),
    cfg.Opt(
        "servicegroup_driver",
        type=Named({"db": ("nova.servicegroup.drivers.db.DbDriver",)}),
        default="db",
        help="Where heartbeats are kept. The database is the one that needs nothing more.",
    ),
    cfg.ListOpt(
        "memcached_servers",
        default=[],
        help="host:port of each memcached that daemons share counters and tokens through. Empty keeps them in each "
        "process, which is right for one API process.",
    ),
    cfg.StrOpt(
        "rootwrap_config",
        default="/etc/nova/rootwrap.conf",
        help="File that names the filters for commands run as root.",
    ),
    cfg.StrOpt(
        "root_helper",
        help="Words to put before a command that needs root, in place of 'sudo nova-rootwrap <rootwrap_config>'. "
        "Without a value a daemon that is root matches the filters itself, and another keeps one "
        "nova-rootwrap-daemon open.",
    ),
    cfg.IntOpt(
        "command_timeout",
        default=60,
        min=1,
        help="Seconds after which a command that a daemon runs on its host is killed, where the work has no limit "
        "of its own.",
    ),
    cfg.IntOpt(
        "graceful_shutdown_timeout",
        default=60,
        min=0,
        help="Seconds that a daemon told to stop gives its running work. What is not finished then is resumed or "
        "undone after the next start.",
    ),
    cfg.BoolOpt(
        "fake_network",
        default=False,
        help="Do everything about networks except touching devices and rules of this host. For tests.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT}
