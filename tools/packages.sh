# SPDX-License-Identifier: Apache-2.0
# The distribution packages that the cloud and its tests stand on, and how they are installed.  Sourced by run_tests.sh
# and by quickstart, so that there is one list.
#
#   nova_install_packages            all of the list
#   nova_install_packages PACKAGE…   only these

NOVA_BUILD_PACKAGES=(python3-dev python3-venv gcc pkg-config libvirt-dev)

NOVA_HOST_PACKAGES=(
    libvirt-daemon-system libvirt-daemon libvirt-daemon-driver-qemu libvirt-daemon-driver-lxc libvirt-clients
    qemu-system-x86 qemu-utils qemu-block-extra
    dnsmasq-base dnsmasq-utils iptables ebtables iproute2 conntrack iputils-arping procps kmod util-linux
    lvm2 tgt open-iscsi genisoimage mtools e2fsprogs openssl
)

# What the small guest image is made from.
NOVA_GUEST_PACKAGES=(busybox-static dropbear-bin grub-pc-bin grub-common e2fsprogs fdisk cpio openssh-client)

NOVA_TEST_PACKAGES=(qemu-guest-agent rabbitmq-server mariadb-server postgresql tcpdump iputils-ping sudo user-mode-linux)

NOVA_PACKAGES=(
    "${NOVA_BUILD_PACKAGES[@]}" "${NOVA_HOST_PACKAGES[@]}" "${NOVA_GUEST_PACKAGES[@]}" "${NOVA_TEST_PACKAGES[@]}"
)

nova_missing_packages() {
    local package
    for package in "$@"; do
        [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]] || printf '%s\n' "$package"
    done
}

# Installs what is missing.  Services that come along are not started: a guard says no to them while apt works, unless
# the machine has a guard of its own.
nova_install_packages() (
    wanted=("$@")
    [[ ${#wanted[@]} -gt 0 ]] || wanted=("${NOVA_PACKAGES[@]}")
    mapfile -t missing < <(nova_missing_packages "${wanted[@]}")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "This machine has no apt-get; install by hand: ${missing[*]}" >&2
        return 1
    fi
    if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
        echo "Run as root, or install sudo, to install: ${missing[*]}" >&2
        return 1
    fi
    echo "Installing ${#missing[@]} distribution packages: ${missing[*]}"
    guard=/usr/sbin/policy-rc.d
    if [[ ! -e $guard ]]; then
        trap 'nova_as_root rm -f "$guard"' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' | nova_as_root tee "$guard" >/dev/null && nova_as_root chmod 755 "$guard"
    fi
    if ! { nova_apt update && nova_apt install -y --no-install-recommends "${missing[@]}"; }; then
        echo "apt-get failed; what it said is above." >&2
        return 1
    fi
)

nova_as_root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

nova_apt() {
    nova_as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confold "$@" </dev/null
}
