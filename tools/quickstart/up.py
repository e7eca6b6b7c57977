# SPDX-License-Identifier: Apache-2.0
"""``./quickstart``: from a prepared checkout to a server that one is logged in to.  Each step may be run again."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

import requests

from tools import guest_image, kvm_probe, private_libvirt
from tools.quickstart import configuration, credentials, kernel_settings, namespace, processes, server
from tools.quickstart.client import Client, endpoint
from tools.quickstart.credentials import DEMO_PROJECT, DEMO_USER
from tools.quickstart.layout import APIS, BRIDGE, FIXED_RANGE, Layout, remember, remembered
from tools.quickstart.progress import Progress, StepFailed

IMAGE = "tiny-linux"
KEY_PAIR = "demo-key"
DONE_BEFORE = 2
"""Steps that the shell part has done: packages, virtual environment"""


class Up:
    """The steps, in order, and what they find out."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.progress = Progress(total=13, log=layout.log)
        self.progress.count = DONE_BEFORE
        self.virt_type = "qemu"
        self.uri = ""
        self.passwords: dict[str, str] = {}

    def run(self) -> None:
        """All steps."""
        if remembered(self.layout.checkout) is None:
            _check_room(self.layout)
        remember(self.layout)
        step = self.progress.step
        with step("Build a small bootable image"):
            built = self._build_image()
        with step("Ask with a real boot whether KVM works here (it may take 8 s)"):
            self.virt_type = kvm_probe.probe(built.kernel, cache=self.layout.state / "kvm-probe")
        print(f"        guests will run on {self.virt_type}")
        with step("Make the cloud's own network, hypervisor and iSCSI target"):
            self._make_ground()
        with step("Write the configuration, make the database and the administrator"):
            self._configure()
        with step("Start nova-all and wait for its APIs"):
            self._start_cloud()
        with step("Make the network, a project, a user and a key pair"):
            demo = self._make_demo()
        with step("Upload the image through the image API"):
            image_id = self._admin().upload_image(IMAGE, built.disk)
        with step("Boot a server through the compute API"):
            server_id = server.boot(demo, image_id=image_id, key_name=KEY_PAIR)
            view = server.wait_active(demo, server_id, layout=self.layout)
        with step("Wait for the guest's word on its console"):
            console = server.wait_console(demo, server_id, layout=self.layout)
        _show("console", console.splitlines()[-12:])
        address = server.address_of(view)
        with step(f"Log in over SSH to {address}"):
            uname = server.over_ssh(self.layout, address, "uname -a")
        _show("uname -a", [uname])
        with step("Create a volume, attach it, write to it in the guest and read it back"):
            volume_id = server.volume(demo)
            device = server.attach(demo, server_id, volume_id, layout=self.layout)
            server.write_and_read(self.layout, address, device)
        self._say_goodbye(address)

    def _build_image(self) -> guest_image.GuestImage:
        lines: list[str] = []
        try:
            return guest_image.build(self.layout.guest, cache=self.layout.state / "cache", say=lines.append)
        except guest_image.BuildError as error:
            advice = "see that the package registry is reachable (apt-get update), then run ./quickstart again"
            raise StepFailed(str(error), log=self.layout.log, advice=advice) from error
        finally:
            with self.layout.log.open("a") as log:
                log.writelines(f"{line}\n" for line in lines)

    def _make_ground(self) -> None:
        layout = self.layout
        if layout.namespace is None:
            kernel_settings.save(layout.kernel_settings)
        else:
            namespace.create(layout.namespace)
        try:
            self.uri = private_libvirt.start(layout.namespace, layout.libvirt)
        except private_libvirt.LibvirtError as error:
            raise StepFailed(str(error), log=layout.libvirt / "holder.log") from error
        port = str(layout.tgt_control_port)
        portal = "portal=127.0.0.1:3260"
        processes.start(
            layout.in_namespace(["tgtd", "-f", "-C", port, "--iscsi", portal]),
            pidfile=layout.run / "tgtd.pid",
            log=layout.logs / "tgtd.log",
            word="tgtd",
        )
        control = Path(f"/var/run/tgtd/socket.{port}")
        processes.wait_until(
            control.exists, what="the iSCSI target daemon's start", timeout_s=10, log=layout.logs / "tgtd.log"
        )

    def _configure(self) -> None:
        layout = self.layout
        configuration.write(layout, virt_type=self.virt_type, uri=self.uri)
        self.passwords = credentials.make_passwords(layout.passwords)
        self._manage("db", "sync")
        self._manage("identity", "bootstrap", stdin=self.passwords["admin"])

    def _start_cloud(self) -> None:
        layout = self.layout
        sockets = [f"{api}={layout.address}:{port}" for api, port in APIS.items()]
        command = layout.in_namespace([layout.program("nova-all"), "--config-file", str(layout.config)])
        log = layout.logs / "nova-all.out"
        pidfile = layout.run / "nova-all.pid"
        processes.start(
            [sys.executable, "-m", "tools.quickstart.activate", *sockets, "--", *command],
            pidfile=pidfile,
            log=log,
            word="nova-all",
        )

        def answers() -> bool:
            if processes.read_pid(pidfile, word="nova-all") is None:
                raise StepFailed("nova-all has ended", log=log)
            try:
                return all(requests.get(f"{endpoint(api)}/", timeout=5).status_code < 500 for api in APIS)
            except requests.RequestException:
                return False

        processes.wait_until(answers, what="an answer of every API", timeout_s=60, log=layout.logs / "nova-all.log")

    def _make_demo(self) -> Client:
        layout = self.layout
        listed = self._manage("network", "list")
        if FIXED_RANGE not in listed:
            self._manage("network", "create", "private", FIXED_RANGE, "1", "256", "--bridge", BRIDGE)
        admin = self._admin()
        self._make_user(admin)
        demo = Client(user=DEMO_USER, password=self.passwords[DEMO_USER], project=DEMO_PROJECT)
        if not layout.key.exists():
            demo.compute("DELETE", f"/os-keypairs/{KEY_PAIR}", missing_ok=True)
            made = demo.compute("POST", "/os-keypairs", {"keypair": {"name": KEY_PAIR}})
            credentials.write_private(layout.key, made["keypair"]["private_key"])
        _open_ports(demo)
        self._write_credentials(demo)
        self._wait_for_host(admin)
        return demo

    def _make_user(self, admin: Client) -> None:
        password = self.passwords[DEMO_USER]
        projects = admin.call("GET", "identity", f"/v3/projects?name={DEMO_PROJECT}")["projects"]
        project = projects[0] if projects else _made(admin, "project", {"name": DEMO_PROJECT})
        users = admin.call("GET", "identity", f"/v3/users?name={DEMO_USER}")["users"]
        user = users[0] if users else _made(admin, "user", {"name": DEMO_USER, "password": password})
        roles = admin.call("GET", "identity", "/v3/roles?name=member")["roles"]
        path = f"/v3/projects/{project['id']}/users/{user['id']}/roles/{roles[0]['id']}"
        admin.call("PUT", "identity", path)

    def _write_credentials(self, demo: Client) -> None:
        user_id = demo.user_id
        path = f"/v3/users/{user_id}/credentials/OS-EC2"
        keys = demo.call("GET", "identity", path)["credentials"]
        key = keys[0] if keys else demo.call("POST", "identity", path, {"tenant_id": demo.project_id})["credential"]
        credentials.write_rc(
            self.layout.credentials,
            user=DEMO_USER,
            project=DEMO_PROJECT,
            password=self.passwords[DEMO_USER],
            ec2=(key["access"], key["secret"]),
        )
        credentials.write_rc(
            self.layout.state / "adminrc", user="admin", project="admin", password=self.passwords["admin"], ec2=None
        )

    def _wait_for_host(self, admin: Client) -> None:
        processes.wait_until(
            lambda: admin.compute("GET", "/os-hypervisors")["hypervisors"],
            what="the compute host's first report",
            timeout_s=60,
            log=self.layout.logs / "nova-all.log",
        )

    def _admin(self) -> Client:
        return Client(user="admin", password=self.passwords["admin"], project="admin")

    def _manage(self, *words: str, stdin: str = "") -> str:
        argv = [self.layout.program("nova-manage"), "--config-file", str(self.layout.config), *words]
        return processes.run(argv, log=self.layout.log, stdin=f"{stdin}\n".encode() if stdin else b"")

    def _say_goodbye(self, address: str) -> None:
        command = " ".join(server.ssh_command(self.layout, address))
        binaries = Path(self.layout.program("openstack")).parent
        path = "" if shutil.which("openstack") else f"export PATH={binaries}:$PATH; "
        print(f"\nYour cloud is up; all of it took {self.progress.elapsed():.0f} s.  Try next:\n")
        print(f"    {path}source {self.layout.credentials}")
        print("    openstack server list")
        print(f"    nova console-log {server.SERVER}")
        print(f"    {command}\n")
        print("The same file has the keys for EC2 clients (EC2_URL, AWS_ACCESS_KEY_ID …):")
        print(f"    {'' if shutil.which('aws') else 'pip install awscli; '}aws ec2 describe-instances\n")
        print(
            f"The administrator's credentials are in {self.layout.state / 'adminrc'}; logs are in {self.layout.logs}."
        )
        print("./quickstart down removes everything.")


def _check_room(layout: Layout) -> None:
    """Refuse, before anything is made, what would disturb somebody else's cloud or be disturbed by it."""
    advice = "stop it ('./quickstart down' where it was started), or run NOVA_QUICKSTART_ADDRESS=127.0.0.2 ./quickstart"
    if layout.namespace is not None and namespace.exists(layout.namespace):
        raise StepFailed(f"a cloud of another checkout has the namespace {layout.namespace}", advice=advice)
    for api, port in APIS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((layout.address, port))
            except OSError as error:
                what = f"the {api} API cannot have {layout.address}:{port}: {error.strerror}"
                raise StepFailed(what, advice=advice) from error


def _made(admin: Client, kind: str, values: dict[str, str]) -> dict[str, str]:
    answer: dict[str, str] = admin.call("POST", "identity", f"/v3/{kind}s", {kind: values})[kind]
    return answer


def _open_ports(demo: Client) -> None:
    """Let ping and SSH in: ``secgroup-add-rule default icmp -1 -1 0.0.0.0/0`` and the same for tcp 22."""
    group = next(g for g in demo.compute("GET", "/os-security-groups")["security_groups"] if g["name"] == "default")
    there = {(rule["ip_protocol"], rule["from_port"]) for rule in group["rules"]}
    for protocol, first, last in (("icmp", -1, -1), ("tcp", 22, 22)):
        if (protocol, first) in there:
            continue
        rule = {"parent_group_id": group["id"], "ip_protocol": protocol, "from_port": first, "to_port": last}
        body = {"security_group_rule": rule | {"cidr": "0.0.0.0/0"}}
        demo.compute("POST", "/os-security-group-rules", body)


def _show(title: str, lines: list[str]) -> None:
    print(f"        {title}:")
    for line in lines:
        print(f"        | {line[:140]}")
