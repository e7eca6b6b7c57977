# SPDX-License-Identifier: Apache-2.0
"""Tables of networks, network cards, fixed and floating addresses, under the names that operators' SQL uses.

``fixed_ips`` has a row for an address that is in use, reserved, or was in use: none for the rest of a network.
"""

from __future__ import annotations

import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint

from nova.db.models.base import (
    TABLE_OPTIONS,
    Base,
    Mapped,
    Moment,
    SoftDeleted,
    Timestamps,
    Uuid,
    flag,
    mapped_column,
    optional_name,
    primary_key,
    required_name,
)


class NetworkRow(SoftDeleted, Base):
    """A network.  ``next_fixed`` is how far into it addresses were ever handed out, counted from its first address."""

    __tablename__ = "networks"
    __table_args__ = (UniqueConstraint("uuid"), UniqueConstraint("vlan", "deleted"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    uuid: Mapped[str] = mapped_column(Uuid, nullable=False)
    label: Mapped[str] = required_name()
    cidr: Mapped[str | None] = optional_name()
    netmask: Mapped[str | None] = optional_name()
    gateway: Mapped[str | None] = optional_name()
    broadcast: Mapped[str | None] = optional_name()
    dhcp_start: Mapped[str | None] = optional_name()
    dhcp_server: Mapped[str | None] = optional_name()
    dns1: Mapped[str | None] = optional_name()
    dns2: Mapped[str | None] = optional_name()
    cidr_v6: Mapped[str | None] = optional_name()
    gateway_v6: Mapped[str | None] = optional_name()
    netmask_v6: Mapped[str | None] = optional_name()
    bridge: Mapped[str | None] = optional_name()
    bridge_interface: Mapped[str | None] = optional_name()
    vlan: Mapped[int | None] = mapped_column(Integer)
    vpn_public_address: Mapped[str | None] = optional_name()
    vpn_public_port: Mapped[int | None] = mapped_column(Integer)
    vpn_private_address: Mapped[str | None] = optional_name()
    fixed_cidr: Mapped[str | None] = optional_name()
    multi_host: Mapped[bool] = flag()
    injected: Mapped[bool] = flag()
    enable_dhcp: Mapped[bool] = flag()
    share_address: Mapped[bool] = flag()
    mtu: Mapped[int | None] = mapped_column(Integer)
    priority: Mapped[int | None] = mapped_column(Integer)
    project_id: Mapped[str | None] = optional_name(index=True)
    host: Mapped[str | None] = optional_name(index=True)
    next_fixed: Mapped[int] = mapped_column(BigInteger, nullable=False, default=0, server_default="0")


class VirtualInterfaceRow(Timestamps, Base):
    """A network card.  ``position`` is its place in the server; NULL once it waits for its lease to end."""

    __tablename__ = "virtual_interfaces"
    __table_args__ = (
        UniqueConstraint("address"),
        UniqueConstraint("uuid"),
        UniqueConstraint("instance_uuid", "position"),
        TABLE_OPTIONS,
    )

    id: Mapped[int] = primary_key()
    uuid: Mapped[str] = mapped_column(Uuid, nullable=False)
    address: Mapped[str] = required_name()
    """The MAC address"""
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"), nullable=False, index=True)
    instance_uuid: Mapped[str] = mapped_column(Uuid, nullable=False)
    hostname: Mapped[str] = required_name()
    position: Mapped[int | None] = mapped_column(Integer)


class FixedIpRow(Timestamps, Base):
    """A fixed address.  Free when neither allocated nor reserved and without an instance."""

    __tablename__ = "fixed_ips"
    __table_args__ = (
        UniqueConstraint("address"),
        UniqueConstraint("network_id", "host_number"),
        Index("ix_fixed_ips_free", "network_id", "instance_uuid", "allocated", "reserved", "released_at"),
        TABLE_OPTIONS,
    )

    id: Mapped[int] = primary_key()
    address: Mapped[str] = required_name()
    network_id: Mapped[int] = mapped_column(ForeignKey("networks.id"), nullable=False)
    host_number: Mapped[int] = mapped_column(BigInteger, nullable=False)
    """How far the address is from the network's first"""
    virtual_interface_id: Mapped[int | None] = mapped_column(ForeignKey("virtual_interfaces.id"), index=True)
    instance_uuid: Mapped[str | None] = mapped_column(Uuid, index=True)
    allocated: Mapped[bool] = flag()
    leased: Mapped[bool] = flag()
    reserved: Mapped[bool] = flag()
    host: Mapped[str | None] = optional_name(index=True)
    released_at: Mapped[datetime.datetime | None] = mapped_column(Moment, index=True)
    """When its last user gave it back; the address that rested longest is used first."""


class FloatingIpRow(Timestamps, Base):
    """A floating (public) address."""

    __tablename__ = "floating_ips"
    __table_args__ = (UniqueConstraint("address"), TABLE_OPTIONS)

    id: Mapped[int] = primary_key()
    address: Mapped[str] = required_name()
    fixed_ip_id: Mapped[int | None] = mapped_column(ForeignKey("fixed_ips.id"), index=True)
    project_id: Mapped[str | None] = optional_name(index=True)
    host: Mapped[str | None] = optional_name(index=True)
    auto_assigned: Mapped[bool] = flag()
    pool: Mapped[str] = required_name(index=True)
    interface: Mapped[str | None] = optional_name()
