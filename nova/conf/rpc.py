# SPDX-License-Identifier: Apache-2.0
"""Messages between the daemons: the broker's address, patience, queues."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

_KOMBU = ("nova.rpc.impl_kombu", "nova.openstack.common.rpc.impl_kombu", "nova.rpc.impl_carrot", "kombu")
_FAKE = ("nova.rpc.impl_fake", "nova.openstack.common.rpc.impl_fake", "fake_rabbit", "memory")
_QPID = ("nova.rpc.impl_qpid", "nova.openstack.common.rpc.impl_qpid")
_ZMQ = ("nova.rpc.impl_zmq", "nova.openstack.common.rpc.impl_zmq")

DEFAULT = [
    cfg.StrOpt(
        "transport_url",
        sample_default="amqp://guest:guest@localhost:5672//",
        help="Address of the broker: amqp://user:password@host:port/vhost (also written rabbit:// or amqps:// for "
        "TLS; more hosts of a cluster after commas), or memory:// for all daemons in one process. Without a "
        "value it is put together from the rabbit_ options, whose defaults are those of a fresh RabbitMQ.",
    ),
    cfg.Opt(
        "rpc_backend",
        type=Named({"rabbit": _KOMBU, "fake": _FAKE, "qpid": _QPID, "zmq": _ZMQ}),
        default="rabbit",
        help="Older word for the kind of transport: rabbit, or fake for memory://. The others are not supported.",
    ),
    cfg.BoolOpt("fake_rabbit", default=False, help="Older word for transport_url = memory://."),
    cfg.StrOpt(
        "control_exchange",
        default="nova",
        help="Exchange that the daemons talk through. Two clouds on one broker need two names or two virtual hosts.",
    ),
    cfg.IntOpt(
        "rpc_response_timeout",
        default=60,
        min=1,
        help="Seconds that a caller waits for an answer, where the operation has no limit of its own.",
    ),
    cfg.IntOpt(
        "rpc_thread_pool_size",
        default=64,
        min=1,
        deprecated_opts=formerly("executor_thread_pool_size"),
        help="Messages that a daemon works on at a time. Bounds memory and database connections.",
    ),
    cfg.IntOpt("rpc_conn_pool_size", default=30, min=1, help="Connections to the broker that a process opens at most."),
    cfg.IntOpt(
        "rpc_max_message_bytes",
        default=8 * 1024 * 1024,
        min=65536,
        help="Largest message in bytes that is read. Larger ones are dropped and logged.",
    ),
    *[
        cfg.StrOpt(
            f"{name}_topic", default=default, help=f"Queue name of {what}. Changed only for two clouds on one broker."
        )
        for name, default, what in (
            ("compute", "compute", "nova-compute"),
            ("network", "network", "nova-network"),
            ("scheduler", "scheduler", "nova-scheduler"),
            ("volume", "volume", "nova-volume"),
            ("console", "console", "nova-console"),
            ("consoleauth", "consoleauth", "nova-consoleauth"),
            ("cert", "cert", "nova-cert"),
        )
    ],
]

RABBIT = [
    cfg.StrOpt(
        "rabbit_host",
        default="localhost",
        deprecated_opts=formerly("rabbit_host"),
        help="Host of the broker, if transport_url is not set.",
    ),
    cfg.PortOpt("rabbit_port", default=5672, deprecated_opts=formerly("rabbit_port"), help="Port of the broker."),
    cfg.ListOpt(
        "rabbit_hosts",
        default=[],
        deprecated_opts=formerly("rabbit_hosts"),
        help="host:port of each broker of a cluster. Empty means rabbit_host alone.",
    ),
    cfg.StrOpt(
        "rabbit_userid", default="guest", deprecated_opts=formerly("rabbit_userid"), help="User name at the broker."
    ),
    cfg.StrOpt(
        "rabbit_password",
        default="guest",
        secret=True,
        deprecated_opts=formerly("rabbit_password"),
        help="Password at the broker.",
    ),
    cfg.StrOpt(
        "rabbit_virtual_host",
        default="/",
        deprecated_opts=formerly("rabbit_virtual_host"),
        help="Virtual host at the broker.",
    ),
    cfg.BoolOpt(
        "rabbit_use_ssl",
        default=False,
        deprecated_opts=formerly("oslo_messaging_rabbit/ssl", "rabbit_use_ssl"),
        help="Speak TLS with the broker, and verify its certificate and host name; there is no falling back.",
    ),
    cfg.StrOpt(
        "kombu_ssl_ca_certs",
        default="",
        deprecated_opts=formerly("oslo_messaging_rabbit/ssl_ca_file", "kombu_ssl_ca_certs"),
        help="Certificates (PEM) that the broker's must be signed by. Empty means those of the system.",
    ),
    cfg.StrOpt(
        "kombu_ssl_certfile",
        default="",
        deprecated_opts=formerly("oslo_messaging_rabbit/ssl_cert_file", "kombu_ssl_certfile"),
        help="Our certificate (PEM) for a broker that asks for one.",
    ),
    cfg.StrOpt(
        "kombu_ssl_keyfile",
        default="",
        deprecated_opts=formerly("oslo_messaging_rabbit/ssl_key_file", "kombu_ssl_keyfile"),
        help="Private key (PEM) of that certificate.",
    ),
    cfg.StrOpt(
        "kombu_ssl_version",
        default="",
        deprecated_opts=formerly("kombu_ssl_version"),
        help="Accepted for older files: TLS 1.2 or newer is always used.",
    ),
    cfg.IntOpt(
        "rabbit_retry_interval",
        default=1,
        min=0,
        deprecated_opts=formerly("rabbit_retry_interval"),
        help="Seconds before the first attempt to reconnect.",
    ),
    cfg.IntOpt(
        "rabbit_retry_backoff",
        default=2,
        min=0,
        deprecated_opts=formerly("rabbit_retry_backoff"),
        help="Seconds that each further pause is longer, up to 30.",
    ),
    cfg.IntOpt(
        "rabbit_max_retries",
        default=0,
        min=0,
        deprecated_opts=formerly("rabbit_max_retries"),
        help="Attempts before a daemon gives up; 0 is never, which is right for a daemon that must survive its broker.",
    ),
    cfg.BoolOpt(
        "rabbit_ha_queues",
        default=False,
        deprecated_opts=formerly("rabbit_ha_queues"),
        help="Ask for queues on every broker of a cluster (quorum queues).",
    ),
    cfg.BoolOpt(
        "amqp_durable_queues",
        default=True,
        deprecated_opts=formerly("amqp_durable_queues", "rabbit_durable_queues"),
        help="Whether queues and waiting messages survive a restart of the broker.",
    ),
    cfg.IntOpt(
        "heartbeat_timeout_threshold",
        default=60,
        min=0,
        help="Seconds after which a silent connection to the broker counts as lost; 0 is never.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT, "oslo_messaging_rabbit": RABBIT}
