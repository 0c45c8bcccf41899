#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Whatever is called in whatever order, each frame is where and what it has to
# be, errors change nothing, and the kernel finds nothing wrong with itself.
#
# OPERATIONS says how many of them to try in each of two machines, each operation by
# itself; a fifth as many in a third one, where threads race.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}
kernel=$BUILD/kernel/series-$arch-debug
operations=${OPERATIONS:-500000}

try make -s -C "$qemu" kernel tools DEBUG=yes
ok 'there is a kernel with all debugging' ended 0
[ $status = 0 ] || { done_testing; exit; }

# fuzz MATRIX OPERATIONS [OPTIONS OF VM]: its exit status goes to MATRIX.status
fuzz()
{
	matrix=$1 n=$2
	shift 2
	"$qemu/vm" -o "$matrix" -k "$kernel" -t 3600 -e MATRIX=$matrix \
		-e OPERATIONS=$n "$@" "$qemu/jobs/fuzz" \
		"$BUILD/tools/$arch/pcm-fuzz" 2>"$matrix.stderr"
	echo $? >"$matrix.status"
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
fuzz race $((operations / 5)) -c 2
for matrix in sync others race; do
	ok "$matrix: nothing is wrong with the kernel" passed $matrix
	merge $matrix/result/tap
done

column=1 done=$(total sync/result/tap others/result/tap)
column=2 exact=$(total sync/result/tap others/result/tap)
echo "# $done operations, of which $exact with all that was played compared"
ok 'they were all done' [ "$done" -ge $((2 * operations * 99 / 100)) ]
ok 'most of them with what was played compared' \
	[ "$exact" -ge $((done / 2)) ]

# What went wrong once, and was made short
fuzz replay 0
ok 'replayed: nothing is wrong with the kernel' passed replay
merge replay/result/tap

# Nothing of that is worth anything if it cannot fail
fuzz deaf 40000
ok 'without syncs it goes wrong, with each type' \
	[ "$(grep -c '^not ok' deaf/result/tap)" = 2 ]
ok 'in every sequence' [ "$(grep -c '^# seed' deaf/result/tap)" = 20 ]

fuzz replay 0 -e CARD=deaf=1
ok 'and whatever is replayed' sh -c '! grep "^ok" replay/result/tap &&
	[ "$(grep -c "^not ok" replay/result/tap)" = $0 ]' \
	"$(ls "$qemu/jobs/fuzz/replay" | wc -l)"

done_testing
