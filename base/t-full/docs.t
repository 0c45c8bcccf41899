#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The documentation builds, and the series brings no warning to it.

. "${0%/*}/../t/tap.sh"
tree=$BUILD/tree
target='make htmldocs SPHINXDIRS=sound'

# docs NAME DIR: build those of the tree DIR, its warnings go to the file NAME
docs()
{
	echo "# $target, $1" >&2
	try env -u MAKEFLAGS -u MAKEOVERRIDES -u ARCH make -C "$2" \
		O="$tmp/$1.out" SPHINXDIRS=sound htmldocs
	cat stdout stderr >$1.log
	grep -E 'WARNING|ERROR|warning: |error: ' $1.log |
		sed "s|.*$2/||; s/:[0-9]*:/:/" | sort -u >$1
}

# Only if there is anything to compare, as it takes as long again
old_warnings()
{
	mkdir base.tree
	git -C "$tree" archive base -- Makefile 'arch/*/Makefile*' \
		Documentation include scripts sound | tar -xf - -C base.tree
	docs base "$tmp/base.tree"
	ended 0 || bail_out "$target fails without the series, too"
}

if ! command -v sphinx-build >/dev/null; then
	skip "$target" 'no Sphinx: apt-get install python3-sphinx-rtd-theme'
	done_testing
	exit
fi
[ -d "$tree" ] || bail_out "there is no $tree; run base/tree"

docs series "$tree"
ok "$target" ended 0
ok 'the design is in it' \
	test -s series.out/Documentation/output/sound/designs/dma-sync.html
: >base
[ ! -s series ] || old_warnings
comm -13 base series >new
ok 'there is no new warning' sh -c 'cat new; [ ! -s new ]'

done_testing
