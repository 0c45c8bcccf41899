#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What applications play through alsa-lib and through OSS is what others record,
# bit for bit, with memory that is not coherent in between.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}
format='-t raw -r 8000 -b 16 -e signed -c 2'
sox -R -r 8000 -n $format sound.raw synth 24000s whitenoise || exit 1
# What OSS has in the buffer
head -c 32768 sound.raw >ring.raw
# The same bytes are half as many frames if one is a sample
unsigned='-t raw -r 8000 -b 8 -e unsigned -c 2'
sox $unsigned sound.raw $format sound-u.raw trim 0 24000s || exit 1

# run TYPE ADVERSARY DEAF
run()
{
	out=$1-$2-$3
	try "$qemu/vm" -o "$out" -e TYPE=$1 -e ADVERSARY=$2 -e DEAF=$3 \
		"$qemu/jobs/alsa-utils" "$BUILD/tools/$arch/oss-pcm" sound.raw
	ok "$1, $2: the programs did their work" sh -c \
		'[ $1 = 0 ] && ! grep failed $2/log' - $status "$out"
}

# same NAME: what was recorded is what was played
same()
{
	case $1 in
	*u) as=$unsigned played=sound-u.raw ;;
	*-d) as=$format played=ring.raw ;;
	*) as=$format played=sound.raw ;;
	esac
	sox $as "$out/result/$1.raw" -b 16 "$1.wav" || return 1
	"$BUILD/tools/host/wavcmp" $played "$1.wav" 1
}

no_fault()
{
	! grep -v '^faults: 0$' "$out/result/$1.counters" | grep '^faults'
}

names='direct converted mixed snooped mixed-snooped direct-M converted-M
	mixed-M snooped-M mixed-snooped-M oss oss-m oss-u oss-mu oss-d'
for type in noncontig noncoherent; do
	run $type evict+prefetch 0
	for name in $names; do
		ok "$type: $name: is what was played" same $name
		ok "$type: $name: the device had no fault" no_fault $name
	done
done

run noncontig lazy 1
for name in $names; do
	ok "without syncs: $name: is something else" eval "! same $name"
done

done_testing
