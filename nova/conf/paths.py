# SPDX-License-Identifier: Apache-2.0
"""Who this host is, and where its daemons keep files."""

from oslo_config import cfg

from nova.conf.spelling import formerly

DEFAULT = [
    cfg.StrOpt(
        "my_ip",
        default="127.0.0.1",
        sample_default="<address of the interface with the default route>",
        help="Address of this host. Many other defaults are made from it. The default is the address that a packet "
        "to the internet would leave from, which no packet is sent to find out.",
    ),
    cfg.StrOpt(
        "host",
        default="localhost",
        sample_default="<host name>",
        help="Name of this node, unique in the cloud: part of queue names, of the services table and of each server's "
        "record. It needs no meaning in DNS. The default is the host name of the machine; after servers exist here, "
        "changing it loses them.",
    ),
    cfg.StrOpt(
        "pybasedir",
        default="/usr/lib/python3/dist-packages",
        sample_default="<directory that holds the nova package>",
        help="Directory that holds the installed package, for use as $pybasedir in other values.",
    ),
    cfg.StrOpt(
        "bindir",
        default="/usr/bin",
        sample_default="<directory of the programs>",
        help="Directory of the programs, for use as $bindir in other values.",
    ),
    cfg.StrOpt(
        "state_path",
        default="/var/lib/nova",
        help="Directory under which everything is kept that must survive a restart. The default is /var/lib/nova where "
        "that exists and can be written, otherwise $pybasedir/state, so that a checkout works without root.",
    ),
    cfg.StrOpt(
        "instances_path",
        default="$state_path/instances",
        help="Directory with one directory for each server and the cache of base images. Put it on a file system "
        "that all compute hosts share if servers are to be moved while they run without copying disks.",
    ),
    cfg.StrOpt(
        "networks_path",
        default="$state_path/networks",
        help="Directory for the files of dnsmasq and radvd.",
    ),
    cfg.StrOpt(
        "buckets_path",
        default="$state_path/buckets",
        help="Directory in which the object store keeps uploaded bundles.",
    ),
    cfg.StrOpt(
        "tempdir",
        deprecated_opts=formerly("config_drive_tempdir"),
        help="Directory for temporary files, which get random names and private modes there. Without a value the "
        "system's own is used; set it where /tmp is small.",
    ),
    cfg.StrOpt(
        "pidfile",
        help="File that a daemon writes its process id to, for init systems that want one. Without a value none is "
        "written.",
    ),
]

OSLO_CONCURRENCY = [
    cfg.StrOpt(
        "lock_path",
        default="$state_path/lock",
        deprecated_opts=formerly("lock_path"),
        help="Directory of lock files, shared by all daemons of this host and made when it is missing.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT, "oslo_concurrency": OSLO_CONCURRENCY}
