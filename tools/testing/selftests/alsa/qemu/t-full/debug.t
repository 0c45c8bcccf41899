#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What passes on the kernel that everybody runs passes on one that looks for bugs
# while it runs, and finds none: vm fails with the first splat or leak.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

make -s -C "$qemu" prepare DEBUG=yes >&2 || {
	echo 'Bail out! there is no kernel with DEBUG=yes'
	exit 1
}
export KERNEL="$BUILD/kernel/series-$arch-debug"

WITHIN=$tmp sh "$qemu/t/kunit.t" >kunit.t 2>kunit.t.stderr
ok "kunit.t: it comes to its end" grep "^1\.\.[1-9]" kunit.t
merge kunit.t

# Cases that fail are told by themselves
try "$qemu/vm" -o out -t 3600 -e MATRIX=short "$qemu/jobs/dma-sync" \
	"$BUILD/tools/$arch"/pcm-dma-sync*
ok 'the machine went through all of it without a splat' \
	sh -c '[ $0 -le 1 ] || { tail -n 30 stderr; exit 1; }' $status
merge out/result/tap

done_testing
