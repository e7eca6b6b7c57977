# SPDX-License-Identifier: Apache-2.0
# The distribution packages that the cloud and its tests stand on, and how they are installed.  Sourced by run_tests.sh
# and by quickstart, so that there is one list.
#
#   nova_install_packages            all of the list
#   nova_install_packages PACKAGE…   only these

NOVA_BUILD_PACKAGES=(python3-dev python3-venv gcc pkg-config libvirt-dev)

NOVA_HOST_PACKAGES=(
    libvirt-daemon-system libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients
    qemu-system-x86 qemu-utils qemu-block-extra
    dnsmasq-base dnsmasq-utils iptables ebtables iproute2 conntrack iputils-arping procps kmod util-linux
    lvm2 tgt open-iscsi genisoimage
)

# What the small guest image is made from.
NOVA_GUEST_PACKAGES=(busybox-static dropbear-bin grub-pc-bin grub-common e2fsprogs fdisk cpio openssh-client)

NOVA_TEST_PACKAGES=(rabbitmq-server mariadb-server postgresql tcpdump iputils-ping sudo)

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
nova_install_packages() {
    local wanted=("$@") missing sudo=() guard=/usr/sbin/policy-rc.d ours="" status=0
    [[ ${#wanted[@]} -gt 0 ]] || wanted=("${NOVA_PACKAGES[@]}")
    mapfile -t missing < <(nova_missing_packages "${wanted[@]}")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "This machine has no apt-get; install by hand: ${missing[*]}" >&2
        return 1
    fi
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null || { echo "Run as root, or install sudo, to install: ${missing[*]}" >&2; return 1; }
        sudo=(sudo)
    fi
    echo "Installing ${#missing[@]} distribution packages: ${missing[*]}"
    if [[ ! -e $guard ]]; then
        ours=yes
        printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee "$guard" >/dev/null
        "${sudo[@]}" chmod 755 "$guard"
    fi
    nova_apt update && nova_apt install -y --no-install-recommends "${missing[@]}" || status=$?
    [[ -z $ours ]] || "${sudo[@]}" rm -f "$guard"
    [[ $status -eq 0 ]] || echo "apt-get failed; what it said is above." >&2
    return "$status"
}

nova_apt() {
    local sudo=()
    [[ $EUID -eq 0 ]] || sudo=(sudo)
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Options::=--force-confold "$@" </dev/null
}
