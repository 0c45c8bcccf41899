#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Who maps a PCM buffer, or reads it, never sees what its memory held before.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

# leaks MATRIX: its exit status goes to MATRIX.status
leaks()
{
	"$qemu/vm" -o "$1" -t 600 -e MATRIX=$1 "$qemu/jobs/leaks" \
		"$BUILD/tools/$arch/pcm-leaks" 2>"$1.stderr"
	echo $? >"$1.status"
}

through()
{
	[ "$(cat "$1.status")" -le 1 ] || { cat "$1.stderr"; return 1; }
}

leaks sync &
leaks others &
wait
for matrix in sync others; do
	ok "$matrix: the machine went through all of it" through $matrix
done
merge sync/result/tap

# The last of these is the control
sed '/|-l$/,$d' others/result/tap >without
sed -n '/|-l$/,$p' others/result/tap | grep -E '^(not )?ok' >planted
merge without
ok 'what is planted is found in every case' \
	sh -c '! grep "^ok" planted && grep -q "^not ok" planted'

done_testing
