#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# No data race where streams' pointers are read without a lock: vm fails with the
# first report of KCSAN, which looks at the PCM core, the buffers and the card.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

if [ $arch != x86_64 ]; then
	echo '1..0 # SKIP KCSAN is looked at on x86_64 only'
	exit
fi
make -s -C "$qemu" prepare DEBUG=kcsan >&2 || {
	echo 'Bail out! there is no kernel with DEBUG=kcsan'
	exit 1
}

# Cases that fail here fail elsewhere, too, and are told there
try "$qemu/vm" -k "$BUILD/kernel/series-$arch-kcsan" -o out -c 2 -t 3600 \
	-e MATRIX=races "$qemu/jobs/dma-sync" "$BUILD/tools/$arch"/pcm-dma-sync*
ok 'the machine went through all of it without a data race' \
	sh -c '[ $0 -le 1 ] || { tail -n 40 stderr; exit 1; }' $status
merge out/result/tap

done_testing
