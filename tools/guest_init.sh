#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The first and only boot script of the test guest; busybox init runs it once.  It says on the serial console what it did,
# so that a test can wait for a line: "nova-guest: ready after N s".

say() { echo "nova-guest: $*" >/dev/console; }

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /run /tmp /mnt /state /root/.ssh
mount -t devpts devpts /dev/pts
echo 1 >/proc/sys/kernel/printk
hostname guest
sh /lib/modules.sh 2>/dev/null

# The power button: asked to go down by the hypervisor, at any time from here on.
acpid

for part in /dev/vda1 /dev/vda /dev/sd?1 /dev/sda; do
    mount -t ext4 "$part" /state 2>/dev/null && break
done

ip link set lo up
for card in /sys/class/net/eth*; do
    [ -e "$card" ] || continue
    name=${card##*/}
    ip link set "$name" up
    udhcpc -q -n -t 12 -T 1 -i "$name" -s /etc/udhcpc.sh >/dev/null 2>&1 &
done
wait
address=$(ip -4 -o addr show scope global | sed 's/.*inet \([0-9.]*\).*/\1/' | tr '\n' ' ')
say "address ${address:-none}"

source_name=none
metadata=""
for disk in /dev/sr0 /dev/vd? /dev/sd?; do
    [ -b "$disk" ] || continue
    mount -o ro -t iso9660 "$disk" /mnt 2>/dev/null || mount -o ro -t vfat "$disk" /mnt 2>/dev/null || continue
    if [ -f /mnt/openstack/latest/meta_data.json ]; then
        source_name="config drive $disk"
        metadata=$(cat /mnt/openstack/latest/meta_data.json)
        [ -f /mnt/openstack/latest/user_data ] && cp /mnt/openstack/latest/user_data /tmp/user_data
    fi
    umount /mnt
    [ -n "$metadata" ] && break
done
url=http://169.254.169.254/openstack/latest
tries=0
while [ -z "$metadata" ] && [ -n "$address" ] && [ "$tries" -lt 10 ]; do
    # busybox wget crashes with -T, hence timeout.
    metadata=$(timeout 5 wget -q -O - "$url/meta_data.json" 2>/dev/null)
    if [ -n "$metadata" ]; then
        source_name="metadata service"
        timeout 5 wget -q -O /tmp/user_data "$url/user_data" 2>/dev/null || rm -f /tmp/user_data
    else
        tries=$((tries + 1))
        sleep 1
    fi
done

# "public_keys": {"name": "ssh-... comment\n", ...}
echo "$metadata" | tr -d '\n' | sed -n 's/.*"public_keys": *{\([^}]*\)}.*/\1/p' |
    grep -o '"\(ssh-\|ecdsa-\|sk-\)[^"]*"' | sed 's/^"//; s/"$//; s/\\n$//' >/root/.ssh/authorized_keys
hostname=$(echo "$metadata" | tr -d '\n' | sed -n 's/.*"hostname": *"\([^"]*\)".*/\1/p')
[ -n "$hostname" ] && hostname "${hostname%%.*}"
chmod 700 /root /root/.ssh
chmod 600 /root/.ssh/authorized_keys
say "$(grep -c . /root/.ssh/authorized_keys) keys from $source_name"
say "host name $(hostname)"

mkdir -p /state/ssh
[ -f /state/ssh/host_key ] || dropbearkey -t ed25519 -f /state/ssh/host_key >/dev/null 2>&1
dropbear -r /state/ssh/host_key -s -P /run/dropbear.pid

if [ -f /tmp/user_data ] && [ "$(head -c 2 /tmp/user_data)" = "#!" ]; then
    chmod 700 /tmp/user_data
    /tmp/user_data 2>&1 | while IFS= read -r line; do say "user data: $line"; done
fi

say "ready after $(cut -d ' ' -f 1 /proc/uptime) s"
