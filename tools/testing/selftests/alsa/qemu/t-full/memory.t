#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The main job where memory is not all alike: more than 32 bits of address, more
# than a 32-bit kernel maps, bounce buffers for whatever the DMA API maps. And
# where a device does not reach all of it.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

# Cards with either of the new types, and noise, which is like no other part of itself
export CARDS="hda ac97" WAV="$tmp/noise.wav"
sox -R -n -r 48000 -b 16 -c 2 "$WAV" synth 3 noise 2>/dev/null ||
	{ echo "Bail out! sox makes no noise"; exit 1; }

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

# within_reach: KUnit, with memory above 4 GiB, on the kernel that also finds
# what is below 16 MiB, the one with debugging
within_reach()
{
	try make -s -C "$qemu" kernel DEBUG=yes
	ok 'a kernel that knows of old devices is built' ended 0
	try "$qemu/vm" -o out -k "$BUILD/kernel/series-$arch-debug" -m 6144 \
		-p log_buf_len=4M "$qemu/jobs/kunit"
	ok 'KUnit with memory beyond 4 GiB' ended 0
	ok 'devices of 32, 31 and 24 bits get what they reach' \
		grep "within_reach: pass:3 fail:0 skip:0" \
			out/result/memalloc_test
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
case $arch in
x86_64) within_reach ;;
*) skip 'devices of 24 bits' 'memory begins above what they reach' ;;
esac

done_testing
