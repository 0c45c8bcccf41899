#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Whatever is called in whatever order, each frame is where and what it has to
# be, errors change nothing, and the kernel finds nothing wrong with itself.
#
# OPERATIONS says how many of them to try in each of two machines.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}
kernel=$BUILD/kernel/series-$arch-debug
operations=${OPERATIONS:-500000}

try make -s -C "$qemu" kernel tools DEBUG=yes
ok 'there is a kernel with all debugging' ended 0
[ $status = 0 ] || { done_testing; exit; }

# fuzz MATRIX OPERATIONS: its exit status goes to MATRIX.status
fuzz()
{
	"$qemu/vm" -o "$1" -k "$kernel" -t 3600 -e MATRIX=$1 \
		-e OPERATIONS=$2 "$qemu/jobs/fuzz" \
		"$BUILD/tools/$arch/pcm-fuzz" 2>"$1.stderr"
	echo $? >"$1.status"
}

# nothing went wrong, neither for the program nor for the kernel
passed()
{
	[ "$(cat "$1.status")" = 0 ] || { cat "$1.stderr"; return 1; }
}

# the columns of a data line are operations, those with every frame known to
# the model, and sequences that went wrong
total()
{
	sed -n 's/^# data	//p' "$@" | awk '{ n += $'$column' } END { print +n }'
}

for matrix in sync others; do
	fuzz $matrix "$operations" &
done
wait
for matrix in sync others; do
	ok "$matrix: nothing is wrong with the kernel" passed $matrix
	merge $matrix/result/tap
done

column=1 done=$(total sync/result/tap others/result/tap)
column=2 exact=$(total sync/result/tap others/result/tap)
echo "# $done operations, of which $exact with all that was played compared"
ok 'they were all done' [ "$done" -ge $((2 * operations * 99 / 100)) ]
ok 'most of them with what was played compared' \
	[ "$exact" -ge $((done / 2)) ]

# What went wrong once
fuzz replay 0
ok 'replayed: nothing is wrong with the kernel' passed replay
[ ! -s replay/result/tap ] || merge replay/result/tap

# Nothing of that is worth anything if it cannot fail
fuzz deaf 40000
ok 'without syncs it goes wrong, with each type' \
	[ "$(grep -c '^not ok' deaf/result/tap)" = 2 ]
ok 'in every sequence' [ "$(grep -c '^# seed' deaf/result/tap)" = 20 ]

done_testing
