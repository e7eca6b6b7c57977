# SPDX-License-Identifier: Apache-2.0
"""Consoles of servers in the browser: VNC, SPICE, the proxy, tokens."""

from oslo_config import cfg

from nova.conf.spelling import formerly

VNC = [
    cfg.BoolOpt("enabled", default=True, deprecated_opts=formerly("vnc_enabled"), help="Give guests a VNC console."),
    cfg.StrOpt("keymap", default="en-us", deprecated_opts=formerly("vnc_keymap"), help="Keyboard of that console."),
    cfg.StrOpt(
        "vncserver_listen",
        default="127.0.0.1",
        deprecated_opts=formerly("vnc/server_listen", "vncserver_listen", "vncserver_host"),
        help="Address on which guests' consoles listen. They ask for no password, so only the proxy may reach it.",
    ),
    cfg.StrOpt(
        "vncserver_proxyclient_address",
        default="127.0.0.1",
        deprecated_opts=formerly("vnc/server_proxyclient_address", "vncserver_proxyclient_address"),
        help="Address of this host at which the proxy reaches them.",
    ),
    cfg.StrOpt(
        "novncproxy_base_url",
        default="http://127.0.0.1:6080/vnc_auto.html",
        deprecated_opts=formerly("novncproxy_base_url", "vnc_console_proxy_url", "vncproxy_url"),
        help="URL of the proxy that users are given, with ?token= added.",
    ),
    cfg.StrOpt(
        "novncproxy_host",
        default="0.0.0.0",
        deprecated_opts=formerly("novncproxy_host", "vncproxy_host"),
        help="Address on which the proxy listens.",
    ),
    cfg.PortOpt(
        "novncproxy_port",
        default=6080,
        deprecated_opts=formerly("novncproxy_port", "vncproxy_port"),
        help="Port on which the proxy listens.",
    ),
    cfg.StrOpt(
        "xvpvncproxy_base_url",
        default="http://127.0.0.1:6081/console",
        deprecated_opts=formerly("xvpvncproxy_base_url"),
        help="URL of the older Java proxy.",
    ),
    cfg.StrOpt(
        "xvpvncproxy_host", default="0.0.0.0", deprecated_opts=formerly("xvpvncproxy_host"), help="Its address."
    ),
    cfg.PortOpt("xvpvncproxy_port", default=6081, deprecated_opts=formerly("xvpvncproxy_port"), help="Its port."),
]

SPICE = [
    cfg.BoolOpt("enabled", default=False, help="Give guests a SPICE console."),
    cfg.BoolOpt("agent_enabled", default=True, help="Let the agent in the guest talk to it."),
    cfg.StrOpt(
        "html5proxy_base_url", default="http://127.0.0.1:6080/spice_auto.html", help="URL that users are given."
    ),
    cfg.StrOpt(
        "html5proxy_host", default="0.0.0.0", deprecated_opts=formerly("spicehtml5proxy_host"), help="Its address."
    ),
    cfg.PortOpt("html5proxy_port", default=6082, deprecated_opts=formerly("spicehtml5proxy_port"), help="Its port."),
    cfg.StrOpt("server_listen", default="127.0.0.1", help="Address on which guests' consoles listen."),
    cfg.StrOpt("server_proxyclient_address", default="127.0.0.1", help="Address at which the proxy reaches them."),
    cfg.StrOpt("keymap", default="en-us", help="Keyboard."),
]

DEFAULT = [
    cfg.IntOpt(
        "console_token_ttl",
        default=600,
        min=1,
        deprecated_opts=formerly("consoleauth/token_ttl", "vnc_token_ttl", "ajax_console_idle_timeout"),
        help="Seconds in which a console's URL may be opened.",
    ),
    cfg.StrOpt(
        "web", default="/usr/share/novnc", deprecated_opts=formerly("vncproxy_wwwroot"), help="Directory of noVNC."
    ),
    cfg.StrOpt("cert", default="self.pem", help="Certificate (PEM) of the proxies."),
    cfg.StrOpt("key", help="Private key (PEM) of that certificate, if it is not in the same file."),
    cfg.BoolOpt("ssl_only", default=False, help="Refuse connections to the proxies without TLS."),
    cfg.BoolOpt("source_is_ipv6", default=False, help="Listen on IPv6."),
    cfg.StrOpt("console_host", default="$host", help="Name of the host that consoles are on, for nova-console."),
    cfg.StrOpt("console_public_hostname", default="$host", help="Name of it that users see."),
    cfg.StrOpt("ajax_console_proxy_url", default="http://127.0.0.1:8000", help="URL of the older text console."),
    cfg.PortOpt("ajax_console_proxy_port", default=8000, help="Its port."),
    cfg.IntOpt(
        "console_log_max_bytes",
        default=102400,
        min=1024,
        help="Bytes of the end of a console's log that a request reads. A guest may write without end.",
    ),
]

OPTIONS = {"DEFAULT": DEFAULT, "vnc": VNC, "spice": SPICE}
