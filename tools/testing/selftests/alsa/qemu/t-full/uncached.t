#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Where the CPU cannot sync cached buffers, devices that do not see its cache get
# uncached ones, whatever their driver asks for: all is right, and nothing is synced.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

try make -s -C "$qemu" kernel KERNEL_NAME=uncached EXTRA_CONFIG=uncached.config
ok 'there is a kernel without cached buffers' ended 0

# Cases that fail are told by themselves
try "$qemu/vm" -k "$BUILD/kernel/uncached-$arch" -o out -e MATRIX=uncached \
	"$qemu/jobs/dma-sync" "$BUILD/tools/$arch/pcm-dma-sync"
ok 'the machine went through all of it' \
	sh -c '[ $0 -le 1 ] || { tail -n 30 stderr; exit 1; }' $status
merge out/result/tap

done_testing
