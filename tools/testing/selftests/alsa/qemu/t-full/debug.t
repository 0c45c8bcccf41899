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

# run MATRIX CPUS: all its cases, and not one splat
run()
{
	try "$qemu/vm" -o $1 -c $2 -t 3600 -e MATRIX=$1 "$qemu/jobs/dma-sync" \
		"$BUILD/tools/$arch"/pcm-dma-sync*
	ok "$1: the machine went through all of it without a splat" \
		splat_free
	merge $1/result/tap
}

# Cases that fail are told by themselves
splat_free()
{
	[ $status -le 1 ] || { tail -n 30 stderr; return 1; }
}

# also TEST: of those in t/, on this kernel
also()
{
	WITHIN=$tmp "$qemu/t/$1" >$1 2>$1.stderr
	merge $1
}

also kunit.t
run debug 1
run two-cpus 2
also alsa-utils.t

done_testing
