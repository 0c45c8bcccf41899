#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The main job where memory is not all alike: more than 32 bits of address, more
# than a 32-bit kernel maps, bounce buffers for whatever the DMA API maps.

. "${0%/*}/../t/tap.sh"
arch=${ARCH:-x86_64}

# exact HOW OPTIONS [VARIABLE...]: play in a machine with these options of vm
exact()
{
	how=$1
	export VM_OPTIONS="$2"
	shift 2
	try make -s -C "$qemu" run "$@"
	cat "$tmp/stdout" >&2
	ok "$how" ended 0
}

case $arch in
arm)
	exact 'high memory' '-m 2048' LPAE=no
	exact 'high memory beyond 4 GiB' '-m 4096' LPAE=yes
	exact 'bounce buffers' '-p swiotlb=force' LPAE=yes
	;;
*)
	exact 'memory beyond 4 GiB' '-m 6144'
	exact 'bounce buffers' '-p swiotlb=force'
	;;
esac

done_testing
