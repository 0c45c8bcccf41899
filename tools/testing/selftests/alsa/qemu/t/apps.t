#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Applications that drive a PCM in their own way notice nothing, or what is
# written in Documentation/sound/designs/dma-sync.rst.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

# run MATRIX: all its ways, in $tmp/MATRIX/result/tap
run()
{
	try "$qemu/vm" -o "$1" -t 900 -e MATRIX=$1 "$qemu/jobs/dma-sync" \
		"$BUILD/tools/$arch"/pcm-apps*
	ok "$1: the machine went through all of it" test $status -le 1
}

run apps
merge apps/result/tap

# Nothing of that is worth anything if it cannot fail
run apps-deaf
grep -E '^(not )?ok' apps-deaf/result/tap >results
ok 'without syncs each way fails' sh -c '! grep "^ok" results'
ok 'and there are 16 of them' [ "$(grep -c '^not ok' results)" = 16 ]
ok 'all by wrong frames' \
	[ "$(grep -c '^# .* frames wrong' apps-deaf/result/tap)" = 16 ]

done_testing
