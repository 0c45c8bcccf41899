#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What sync costs goes by the audio and not by the buffer, is never more than it
# was, and nothing for cards that need none; and the figures are the same again.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

for kernel in base/kernel/base peer/kernel/merged; do
	[ -e "$BUILD/$kernel-$arch/modules.cpio" ] && continue
	echo "1..0 # SKIP there is no $BUILD/$kernel-$arch; 'make bench' builds it"
	exit
done

# holds ROWS CONDITION: in all lines of ROWS, of which there are some. In both, base,
# merged and series are the numbers of the kernels, $1 to $6 the columns before,
# and of(WHAT) and merged_of(WHAT) those of another line of the same stream.
holds()
{
	awk -F'\t' '
		{ key = $1 FS $2 FS $3 FS $4 FS $5 }
		NR == FNR { ours[key, $6] = $9; theirs[key, $6] = $8; next }
		function of(what) { return ours[key, what] }
		function merged_of(what) { return theirs[key, what] }
		FNR > 1 { base = $7; merged = $8; series = $9 }
		FNR > 1 && ('"$1"') { n++; if (!('"$2"')) { print; bad = 1 } }
		END { exit bad || !n }
	' bench.tsv bench.tsv
}

# same PART CONDITION: such lines of both runs are the same, but for PART of the number
same()
{
	paste first/bench.tsv second/bench.tsv | awk -F'\t' -v part=$1 '
		NR > 1 && ('"$2"') {
			n++
			for (i = 7; i <= 9; i++) {
				off = $i - $(i + 9)
				if (off > part * $i || -off > part * $i) {
					print
					bad = 1
				}
			}
		}
		END { exit bad || !n }
	'
}

try "$qemu/bench" "$tmp/first" short
ok 'all kernels get through it' ended 0
cp first/bench.tsv .

# The architecture's own maintenance of the cache: 4 bytes a frame, 64 a line
if [ $arch = arm64 ]; then
	ok 'playback cleans each line once' \
		holds '$6 == "dc-cvac"' 'base == 0 && series == 48000 / 16'
	ok 'and invalidates none' holds '$6 ~ /dc-c?ivac/' 'series == 0'
	ok 'with no more instructions than the merged version' \
		holds '$6 == "instructions"' 'series <= merged'
	done_testing
	exit
fi

try "$qemu/bench" "$tmp/second" short
ok 'twice' ended 0
# What takes more than a tick is interrupted, an instruction earlier or later
ok 'with the same digits' same 1e-5 '$6 != "busy"'
# The median of few may be one of two numbers
ok 'and nearly so for a second of audio' same 5e-4 '$6 == "busy"'

ok 'playback syncs each byte once, at every size' holds \
	'$6 == "device" && $2 == "playback"' 'series == of("audio")'
ok 'and nothing for the CPU' holds \
	'$6 == "cpu" && $2 == "playback"' 'series == 0'
# Of each period at most one line twice, as it was half full when it was asked for; and
# what the last request found beyond its period
ok 'capture syncs each byte once for the CPU, at every size' holds \
	'$6 == "cpu" && $2 == "capture"' \
	'series >= of("audio") && series <= of("audio") + of("audio") / (4 * $5) * 64 + 4096'
ok 'and nothing for the device, mapped or not' holds \
	'$6 == "device" && $2 == "capture"' 'series == 0'
ok 'none with interrupts off' \
	holds '$6 == "irqoff"' 'series == 0'
for what in sync_ptr hwsync hwsync-ioctl commit round transfer interrupt busy; do
	ok "no more instructions than the merged version in $what" holds \
		'$6 == "'$what'" && $8 != "-"' 'series <= merged'
done
ok 'snd-pcm takes no more memory than the merged version' holds '$1 == "snd-pcm"' \
	'series <= merged'
ok 'no more bytes are synced than by the merged version' holds '$6 == "audio"' \
	'of("device") + of("cpu") <= merged_of("device") + merged_of("cpu")'

# larger WHAT: on the series, 16 MiB takes about as many of them as 16 KiB
larger()
{
	awk -F'\t' -v what="$1" '
		$1 != "noncontig" || $6 != what { next }
		$4 == 16384 { small[$2, $3, $5] = $9 }
		$4 == 16777216 && ($2, $3, $5) in small {
			n++
			if ($9 > small[$2, $3, $5] * 1.05) { print; bad = 1 }
		}
		END { exit bad || !n }
	' bench.tsv
}

ok 'SYNC_PTR does not go by the size of the buffer' larger sync_ptr
ok 'nor with HWSYNC' larger hwsync
ok 'nor what is done for a period by mmap' larger round
ok 'nor by transfer calls' larger transfer
for what in sync_ptr hwsync hwsync-ioctl commit round transfer interrupt busy; do
	ok "a card that needs no sync pays nothing in $what" holds \
		'$6 == "'$what'" && $3 != "alsa-lib" && $7 != "-"' 'series <= base * 1.005'
done

done_testing
