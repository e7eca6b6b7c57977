# SPDX-License-Identifier: Apache-2.0
"""Notifications for billing and monitoring: what is sent, how, to which topics."""

from oslo_config import cfg

from nova.conf.spelling import Named, formerly

_PLACES = ("nova.openstack.common.notifier", "nova.notifier")


def _modules(*names: str) -> tuple[str, ...]:
    return tuple(word for name in names for word in (name, *(f"{place}.{name}" for place in _PLACES)))


DRIVERS = {
    "messaging": ("rpc", "messagingv2", *_modules("rpc_notifier", "rabbit_notifier", "rpc_notifier2")),
    "log": _modules("log_notifier"),
    "noop": _modules("no_op_notifier", "list_notifier"),
    "test": _modules("test_notifier"),
}

NOTIFICATIONS = [
    cfg.MultiOpt(
        "driver",
        item_type=Named(DRIVERS),
        deprecated_opts=formerly("notification_driver", "list_notifier_drivers"),
        help="Where notifications go: messaging (queues of the broker), log, noop; may be given several times. The "
        "default is nowhere, since unread queues grow.",
    ),
    cfg.ListOpt(
        "topics",
        default=["notifications"],
        deprecated_opts=formerly("notification_topics", "notification_topic"),
        help="Queues for 'messaging', each with the priority added: notifications.info.",
    ),
    cfg.StrOpt("transport_url", help="Broker for notifications, where it is another than the daemons'."),
]

DEFAULT = [
    cfg.StrOpt("default_notification_level", default="INFO", help="Priority where none is given."),
    cfg.StrOpt("default_publisher_id", default="$host", help="Publisher where none is given."),
    cfg.StrOpt(
        "notify_on_state_change",
        choices=["vm_state", "vm_and_task_state"],
        deprecated_opts=formerly("notifications/notify_on_state_change"),
        help="Send 'compute.instance.update' when a server's state changes, or also when its task does.",
    ),
    cfg.BoolOpt("notify_on_any_change", default=False, help="Send it at every change of a server."),
    cfg.BoolOpt("notify_api_faults", default=False, help="Send 'api.fault' for each 500 answer."),
]

OPTIONS = {"DEFAULT": DEFAULT, "oslo_messaging_notifications": NOTIFICATIONS}
