#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The events of the tracing system and the file in procfs tell of each hand-over,
# and the example in Documentation that reads them does so as it stands there.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}
rst=$repo/Documentation/sound/designs/dma-sync.rst
kernel=$BUILD/kernel/series-$arch-debug

try make -s -C "$qemu" kernel DEBUG=yes
ok 'there is a kernel with events' ended 0

# The block of it that begins with this line, and the next
block()
{
	awk -v first="$1" -v skip="$2" '
		/^\t/ && !inside { inside = 1; n++ }
		/^[^\t]/ { inside = 0 }
		index($0, "\t" first) == 1 && !at { at = n }
		inside && at && n == at + skip && NF { print substr($0, 2) }
	' "$rst"
}
block 'cd /sys/kernel/tracing' 0 >playback
block 'cd /sys/kernel/tracing' 1 >expected
# The same of the other direction
sed 's/pcm0p/pcm0c/' playback >capture
ok 'Documentation has an example' [ -s playback ]
ok 'and what comes of it' grep -q '^synced_for_device: [1-9]' expected

# run OUT CARD
run()
{
	try "$qemu/vm" -o "$1" -k "$kernel" -e "CARD=$2" "$qemu/jobs/trace" \
		playback capture
	ok "$1: the machine went through it" ended 0
}

# sum WHAT FILE: the bytes of the example's lines that end like this
sum()
{
	awk -v what=" $1 [0-9]*$" '$0 ~ what { n += $NF } END { print n + 0 }' "$2"
}

value()
{
	awk -v name="$1:" '$1 == name { print $2 }' "$2"
}

# agree STREAM DIRECTION: events and procfs count the same, of which there is some,
# and the card counts that and the rest of the cache lines
agree()
{
	traced=$(sum "for $2" $out/result/$1)
	told=$(value synced_for_$2 $out/result/$1)
	asked=$(value ${1}0.asked_for_$2 $out/result/$1.counters)
	lines=$((128 * $(value ${1}0.sync_ranges $out/result/$1.counters)))
	echo "traced $traced, in procfs $told, seen by the card $asked"
	[ "$traced" -gt 0 ] && [ "$traced" = "$told" ] &&
		[ "$traced" -le "$asked" ] &&
		[ "$asked" -le $((traced + lines)) ]
}

out=noncontig
run $out type=noncontig
ok 'the example prints what it prints in Documentation' \
	diff -u expected $out/result/playback
ok 'playback: events, procfs and card agree' agree playback device
ok 'capture: they agree for the CPU' agree capture cpu
ok 'and for the device' agree capture device
ok 'every event names its stream' sh -c '! grep dma_sync: "$1" |
	grep -Ev ": pcmC0D0c/sub0: [a-z_]+ for (device|cpu): offset=[0-9]+, bytes=[0-9]+$"' \
	- $out/result/events
ok 'there is none when they are off' [ ! -s $out/result/off ]

out=coherent
run $out coherent=1
ok 'there is none of a device that sees the cache' \
	sh -c '! grep " for " "$1"' - $out/result/playback
ok 'and nothing in procfs' grep -x 'synced_for_device: 0' $out/result/playback
ok 'which says why' grep -x 'needs_sync: no' $out/result/playback

done_testing
