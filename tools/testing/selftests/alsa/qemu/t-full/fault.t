#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Each allocation between open and close fails once, and each between binding the
# card and unbinding it: the call says so, nothing is lost, and the next one works.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}
debug=$BUILD/kernel/series-$arch-debug

make -s -C "$qemu" prepare DEBUG=yes >&2 || {
	echo 'Bail out! there is no debug kernel'
	exit 1
}

# What the calls themselves allocate; not what the debuggers do, which then give up
caches='kmalloc-*,vm_area_struct,maple_node,filp,names_cache,dentry,inode_cache'
caches="$caches,proc_inode_cache,proc_dir_entry,kernfs_node_cache"

try "$qemu/vm" -k "$debug" -o fault -t 1800 -e MATRIX=fault \
	-p "slub_debug=A,$caches" "$qemu/jobs/dma-sync" \
	"$BUILD/tools/$arch/pcm-fail-nth"
ok 'no splat and no leak' ended 0
merge fault/result/tap
grep '^ok' fault/result/tap | awk '
	{
		for (i = 2; i < NF; i++)
			if ($(i + 1) == "allocations")
				all += $i
		without += $NF
	}
	END {
		printf "# %d allocations failed, %d of them were done without\n",
			all, without
	}'

done_testing
