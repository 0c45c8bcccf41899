#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# On Arm, with 64 bits and with 32, and there with either kind of page tables,
# everything plays, each case passes once, and buffers are had or refused as elsewhere;
# tests of the machine that "make check" was for, with the kernels of the others.

. "${0%/*}/../t/tap.sh"

# on VARIANT TEST...: the results of these tests there, a line each
on()
{
	variant=$1 arch=${1%-lpae} lpae=no
	[ $arch = $variant ] || lpae=yes
	shift
	[ $variant != "$ARCH" ] || return 0
	try make -s -C "$qemu" prepare ARCH=$arch LPAE=$lpae
	ok "$variant: kernel, userland and tools are built" ended 0
	[ $status = 0 ] || { cat "$tmp/stderr" >&2; return; }
	for name; do
		echo "# $variant: $name.t" >&2
		try env WITHIN="$tmp" SHORT=yes ARCH=$arch KERNEL="$BUILD/kernel/series-$variant" \
			USERLAND="$BUILD/userland/$arch" \
			sh "$qemu/$name.t"
		ok "$variant: $name" passed
	done
}

# the last try printed a plan, and nothing that is not ok
passed()
{
	grep -E '^(not ok|Bail out)' -A 9 "$tmp/stdout" && return 1
	tail -n 1 "$tmp/stdout" | grep '^1\.\.[1-9]'
}

# What play the cards of QEMU, run and memory, has both kinds of page tables for arm
on arm64 t/kunit t/dma-sync t/apps t/buffer t/run t-full/memory
on arm t/kunit t/dma-sync t/apps t/buffer t/run t-full/memory
on arm-lpae t/kunit t/dma-sync t/buffer

done_testing
