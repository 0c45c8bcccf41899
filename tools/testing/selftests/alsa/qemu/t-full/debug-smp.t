#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Threads and processes at the same time on two CPUs, on a kernel that looks for bugs
# while it runs: it finds none.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

make -s -C "$qemu" prepare DEBUG=yes >&2 || {
	echo 'Bail out! there is no kernel with DEBUG=yes'
	exit 1
}

# Cases that fail are told by themselves
try "$qemu/vm" -k "$BUILD/kernel/series-$arch-debug" -o out -c 2 -t 3600 \
	-e MATRIX=races "$qemu/jobs/dma-sync" "$BUILD/tools/$arch"/pcm-dma-sync*
ok 'the machine went through all of it without a splat' \
	sh -c '[ $0 -le 1 ] || { tail -n 30 stderr; exit 1; }' $status
merge out/result/tap

done_testing
