#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What takes longer to say of the series without running it: clang's warnings and
# its analyzer, and the semantic patches of the kernel, say nothing that they do
# not say of the base.

. "${0%/*}/../t/tap.sh"
. "$repo/base/t/kbuild.sh"

exec 3>&2
queue
[ "$status" = 0 ] || { cat stderr; bail_out 'there is no tree to check'; }
command -v clang >/dev/null || {
	echo '1..0 # SKIP clang is not installed'
	exit
}

# The rule of kbuild that runs sparse runs this instead, with clang's own flags
analyzer='C=2 CHECKFLAGS= CHECK="clang --analyze -Xclang -analyzer-output=text
	-Wno-unused-command-line-argument -o /dev/null"'

# clang COMMIT NAME: what it says of that commit, in NAME.warned and NAME.analyzed
clang_says()
{
	in_tree checkout -q "$1"
	rm -rf "$objects/sound"
	kbuild $2.log "W=1 $(targets)" || return 1
	counted $2.log >$2.warned
	kbuild $2.log "$(echo $analyzer) $(objects_of_sources | xargs)" ||
		return 1
	counted $2.log >$2.analyzed
	echo "# clang: $(grep -c '^  CC' $2.log) objects," \
		"analyzer: $(grep -c '^  CHECK' $2.log) files of $1" >&3
	[ "$(grep -c '^  CHECK' $2.log)" -gt 0 ]
}

compiler=clang
options m
ok 'clang compiles the series' clang_says series now
ok 'and its base' clang_says base old
ok 'it warns of nothing that is new' no_more old.warned now.warned
ok 'nor does its analyzer' no_more old.analyzed now.analyzed

# Both versions of what is touched, beside each other
for commit in base series; do
	in_tree diff --name-only --no-renames base series -- 'sound/*.[ch]' |
		while read -r f; do
			mkdir -p both/$commit/${f%/*}
			in_tree show "$commit:$f" >both/$commit/$f 2>/dev/null ||
				rm both/$commit/$f
		done
done

# counted_in COMMIT: what is told of its files, and how often
counted_in()
{
	sed -n "s|.*both/$1/\([^:]*\):[0-9:-]* *|\1: |p" stdout | sort | uniq -c
}

in_tree checkout -q series
try env -u MAKEFLAGS -u MAKEOVERRIDES make -s -C "$tree" coccicheck MODE=report \
	M="$tmp/both" J="${JOBS:-$(nproc)}"
ok 'coccicheck runs' ended 0
counted_in base >old.cocci
counted_in series >now.cocci
echo "# coccicheck: $(find both/series -name '*.c' | wc -l) files," \
	"$(ls "$tree"/scripts/coccinelle/*/*.cocci | wc -l) semantic patches" >&3
ok 'it has nothing to say that is new' no_more old.cocci now.cocci

done_testing
