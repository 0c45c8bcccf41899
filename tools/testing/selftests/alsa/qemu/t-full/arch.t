#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# On Arm, with 64 bits and with 32, everything plays, all cases pass, and buffers
# are had or refused as elsewhere; the same tests as on the machine that "make
# check" was for, with the kernels of the others.

. "${0%/*}/../t/tap.sh"

# on ARCH TEST...: the results of these tests there, a line each
on()
{
	arch=$1
	shift
	try make -s -C "$qemu" prepare ARCH=$arch
	ok "$arch: kernel, userland and tools are built" ended 0
	[ $status = 0 ] || { cat "$tmp/stderr" >&2; return; }
	for name; do
		echo "# $arch: $name.t" >&2
		try env ARCH=$arch KERNEL="$BUILD/kernel/series-$arch" \
			USERLAND="$BUILD/userland/$arch" \
			sh "$qemu/t/$name.t"
		ok "$arch: $name" passed
	done
}

# the last try printed a plan, and nothing that is not ok
passed()
{
	grep -E '^(not ok|Bail out)' -A 9 "$tmp/stdout" && return 1
	tail -n 1 "$tmp/stdout" | grep '^1\.\.[1-9]'
}

for arch in arm64 arm; do
	[ "$arch" = "${ARCH:-x86_64}" ] ||
		on $arch kunit dma-sync buffer run
done

done_testing
