# SPDX-License-Identifier: Apache-2.0
"""/extensions: the names by which clients know what a cloud can do.  Only what this one serves is listed."""

from __future__ import annotations

from typing import Any

from nova.api.policies.compute import PREFIX
from nova.api.request import ApiRequest
from nova.api.routing import Route, Tx
from nova.errors import NotFound

UPDATED = "2014-12-03T00:00:00Z"
_NAMESPACE = "http://docs.openstack.org/compute/ext/{}/api/v1.1"

SERVED: dict[str, tuple[str, str]] = {
    "OS-DCF": ("DiskConfig", "How a server's disk is partitioned."),
    "OS-EXT-AZ": ("ExtendedAvailabilityZone", "The zone of a server."),
    "OS-EXT-IPS": ("ExtendedIps", "Whether an address is fixed or floating."),
    "OS-EXT-IPS-MAC": ("ExtendedIpsMac", "The MAC address that an address is on."),
    "OS-EXT-SRV-ATTR": ("ExtendedServerAttributes", "Host and hypervisor of a server."),
    "OS-EXT-STS": ("ExtendedStatus", "The states of a server."),
    "OS-FLV-DISABLED": ("FlavorDisabled", "Whether a flavor is disabled."),
    "OS-FLV-EXT-DATA": ("FlavorExtraData", "Ephemeral disk of a flavor."),
    "OS-SCH-HNT": ("SchedulerHints", "Hints to the scheduler."),
    "OS-SRV-USG": ("ServerUsage", "When a server was started and ended."),
    "os-admin-actions": ("AdminActions", "Actions for administrators."),
    "os-availability-zone": ("AvailabilityZone", "Zones of hosts."),
    "os-block-device-mapping-v2-boot": ("BlockDeviceMappingV2Boot", "The newer syntax of block devices."),
    "os-config-drive": ("ConfigDrive", "A drive with a server's metadata."),
    "os-console-output": ("ConsoleOutput", "What a server writes to its console."),
    "os-create-backup": ("CreateBackup", "Backups of a server, of which the newest are kept."),
    "os-create-server-ext": ("CreateServerExt", "An older address for new servers."),
    "os-extended-services": ("ExtendedServices", "Why a daemon is disabled."),
    "os-extended-services-delete": ("ExtendedServicesDelete", "Remove the record of a daemon."),
    "os-extended-volumes": ("ExtendedVolumes", "The volumes of a server."),
    "os-flavor-access": ("FlavorAccess", "Who may use a private flavor."),
    "os-flavor-extra-specs": ("FlavorExtraSpecs", "Extra specs of a flavor."),
    "os-flavor-manage": ("FlavorManage", "Make and delete flavors."),
    "os-flavor-rxtx": ("FlavorRxtx", "The network share of a flavor."),
    "os-flavor-swap": ("FlavorSwap", "Swap space of a flavor."),
    "NMN": ("Multinic", "More addresses for a server."),
    "os-attach-interfaces": ("AttachInterfaces", "Network cards of a server."),
    "os-virtual-interfaces": ("VirtualInterfaces", "Network cards of a server with their MAC addresses."),
    "OS-EXT-VIF-NET": ("ExtendedVIFNet", "The network of a network card."),
    "os-fixed-ips": ("FixedIPs", "Whose a fixed address is."),
    "os-floating-ip-pools": ("FloatingIpPools", "Pools of floating addresses."),
    "os-floating-ips": ("FloatingIps", "Public addresses that move between servers."),
    "os-floating-ips-bulk": ("FloatingIpsBulk", "Ranges of floating addresses."),
    "os-extended-floating-ips": ("ExtendedFloatingIps", "Which of its addresses a floating one leads to."),
    "os-hide-server-addresses": ("HideServerAddresses", "Addresses are hidden in some states."),
    "os-hosts": ("Hosts", "Hosts of the cloud."),
    "os-hypervisors": ("Hypervisors", "Hypervisors of the cloud."),
    "os-instance-actions": ("InstanceActions", "What was done to a server."),
    "os-keypairs": ("Keypairs", "Public keys of a user."),
    "os-evacuate": ("Evacuate", "Make a server again whose host is dead."),
    "os-extended-evacuate-find-host": ("ExtendedEvacuateFindHost", "Let the scheduler choose where."),
    "os-migrations": ("Migrations", "Moves of servers between hosts."),
    "os-multiple-create": ("MultipleCreate", "Several servers at once."),
    "os-networks-associate": ("NetworkAssociationSupport", "Give networks to hosts and projects."),
    "os-tenant-networks": ("OSTenantNetworks", "Networks that a project makes for itself."),
    "os-networks": ("Networks", "Networks of the cloud."),
    "os-preserve-ephemeral-rebuild": ("PreserveEphemeralOnRebuild", "A rebuild may leave ephemeral disks alone."),
    "os-quota-class-sets": ("QuotaClasses", "Limits for classes of projects."),
    "os-quota-sets": ("Quotas", "Limits of projects."),
    "os-extended-rescue-with-image": ("ExtendedRescueWithImage", "Rescue a server from an image of one's choice."),
    "os-rescue": ("Rescue", "Boot a server that does not boot from another image."),
    "os-security-groups": ("SecurityGroups", "What may reach a server."),
    "os-server-groups": ("ServerGroups", "Servers that are to be together, or apart."),
    "os-server-group-quotas": ("ServerGroupQuotas", "Limits on server groups."),
    "os-server-list-multi-status": ("ServerListMultiStatus", "Filter servers by several states."),
    "os-shelve": ("Shelve", "Servers that are kept as images, on no host."),
    "os-server-sort-keys": ("ServerSortKeys", "Sort servers by several keys."),
    "os-server-start-stop": ("ServerStartStop", "Power servers on and off."),
    "os-deferred-delete": ("DeferredDelete", "Deleted servers can be brought back for a while."),
    "os-server-diagnostics": ("ServerDiagnostics", "The counters of a running server."),
    "os-server-password": ("ServerPassword", "The password that a server's guest has sent."),
    "os-services": ("Services", "Daemons of the cloud."),
    "os-simple-tenant-usage": ("SimpleTenantUsage", "What a project used."),
    "os-used-limits": ("UsedLimits", "How much of the limits is used."),
    "os-used-limits-for-admin": ("UsedLimitsForAdmin", "The same for another project."),
    "os-user-data": ("UserData", "Data for a server's first boot."),
    "os-user-quotas": ("UserQuotas", "Limits of a user in a project."),
    "os-volumes": ("Volumes", "Volumes of a server."),
}
"""Name and description by alias."""


def _view(alias: str) -> dict[str, Any]:
    name, description = SERVED[alias]
    return {
        "alias": alias,
        "name": name,
        "description": description,
        "namespace": _NAMESPACE.format(alias.removeprefix("os-")),
        "updated": UPDATED,
        "links": [],
    }


def index(_request: ApiRequest) -> dict[str, Any]:
    """GET /extensions"""
    return {"extensions": [_view(alias) for alias in sorted(SERVED)]}


def show(request: ApiRequest) -> dict[str, Any]:
    """GET /extensions/{alias}"""
    alias = request.path["alias"]
    if alias not in SERVED:
        raise NotFound.of("extension", alias[:64])
    return {"extension": _view(alias)}


ROUTES = (
    Route(method="GET", path="/extensions", handler=index, policy=PREFIX + "extensions", tx=Tx.NONE),
    Route(method="GET", path="/extensions/{alias}", handler=show, policy=PREFIX + "extensions", tx=Tx.NONE),
)
