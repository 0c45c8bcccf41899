#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What PulseAudio and PipeWire play, by timers and with rewinds, comes out bit for
# bit, as they are in Debian.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}
export USERLAND=$BUILD/userland/$arch-servers

try make -s -C "$qemu" userland USERLAND="$USERLAND" \
	PACKAGES='alsa-utils busybox pulseaudio pulseaudio-utils pipewire pipewire-bin'
ok 'there is a userland with both of them' ended 0

# A player may keep its last frames to itself
format='-r 48000 -b 16 -e signed -c 2'
sox -R -r 48000 -n $format -t raw sound.raw synth 240000s whitenoise &&
	sox -t raw $format sound.raw sound.wav pad 0 1 || exit 1

# PulseAudio goes by timers on a real machine only, so that is what it sees
case $arch in
x86_64) real='-q -cpu -q qemu64,-hypervisor' ;;
*) real= ;;
esac

# run SERVER TYPE DEAF
run()
{
	out=$1-$2-$3
	try "$qemu/vm" -o "$out" -m 512 $real -e SERVER=$1 -e TYPE=$2 \
		-e DEAF=$3 "$qemu/jobs/sound-servers" sound.wav
	ok "$1, $2: plays" sh -c '[ $0 = 0 ] && ! grep failed $1/log' \
		$status "$out"
}

same()
{
	sox -t raw $format "$out/result/recorded.raw" "$out.wav" || return 1
	"$BUILD/tools/host/wavcmp" sound.raw "$out.wav" 1
}

# asks SERVER: for what makes it another case than those of alsa-utils.t
asks()
{
	case $1 in
	pulseaudio) grep '^period_size: 48000' "$out/result/params" &&
		[ "$(awk '/^(stop_threshold|boundary):/ { print $2 }' \
			"$out/result/params" | uniq | wc -l)" = 1 ] ;;
	pipewire) grep '^start_threshold: 9223372036854775807' \
		"$out/result/params" ;;
	esac
}

for server in pulseaudio pipewire; do
	for type in noncontig noncoherent; do
		run $server $type 0
		ok 'what was played' same
		ok 'and the device had no fault' \
			grep -x 'faults: 0' "$out/result/counters"
		ok 'by a timer' asks $server
	done
	run $server noncontig 1
	ok 'without syncs, something else' eval '! same'
done

done_testing
