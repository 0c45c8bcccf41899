#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What an application plays reaches the device and what the device captured the
# application, whichever way it goes; and no more is synced than that takes.
#
# SHORT=yes is for where all of it was run already, on another architecture: each
# case once with each type, instead of also with each adversary, format and size.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

# run MATRIX CPUS: all its cases, in $tmp/MATRIX/result/tap
run()
{
	try "$qemu/vm" -o "$1" -c $2 -t 1800 -e MATRIX=$1 "$qemu/jobs/dma-sync" \
		"$BUILD/tools/$arch"/pcm-dma-sync*
	ok "$1: the machine went through all of it" test $status -le 1
}

if [ "$SHORT" = yes ]; then
	one=short two=races
else
	one=one-cpu two=two-cpus
fi
run $one 1
merge $one/result/tap
run dmaengine 1
merge dmaengine/result/tap
run $two 2
merge $two/result/tap
if [ -e "$qemu/jobs/dma-sync/compat-$arch" ]; then
	run compat-$arch 1
	merge compat-$arch/result/tap
fi

# Nothing of that is worth anything if it cannot fail
run deaf 1
grep -E '^(not )?ok' deaf/result/tap | grep -v SKIP >results
ok 'without syncs each case with frames in it fails' \
	sh -c '! grep -vE "status-mmap|map-p" results | grep "^ok"'
ok 'and there are more than a hundred of them' \
	[ "$(grep -c '^not ok' results)" -gt 100 ]
ok 'all by wrong frames' \
	sh -c '! grep "^# data" deaf/result/tap | grep -vE "status-mmap|map-p" |
		grep -v "	skip: " |
		grep -v " frames wrong"'
# Page faults are counted on x86 only
ok 'those without do not fail' \
	[ "$(grep -cE '^ok.*(status-mmap|map-p)' results)" = \
	  $([ $arch = x86_64 ] && echo 18 || echo 12) ]

done_testing
