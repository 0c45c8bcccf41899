#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The series on a kernel tree of the user's, which stays as it is; and what is
# said when it cannot go there.

. "${0%/*}/tap.sh"
small_cache
small_repo
tree=$tmp/build/tree
# all but the one that Debian's kernel has already
had='ALSA: pcm: Keep user space from writing the status record'
patches=$(($(wc -l <"$tmp/repo/patches/series") - 1))

in_tree()
{
	git -C "$tree" "$@"
}

# user DIR [COMMIT]: a tree of the user's, of Debian's source or of another commit
user()
{
	mkdir -p "$1"
	git --git-dir "$small" archive "${2:-merged}" | tar -xf - -C "$1"
	cd "$1" || exit 1
}

# All that is in the user's tree, its git included, and when it came there
state()
{
	find "$1" -printf '%P %y %m %s %T@ %C@ %l\n' | sort | cksum
}

# base SCRIPT DIR: try that
base()
{
	cd "$tmp" || exit 1
	before=$(state "$2")
	try "$tmp/repo/base/$1" "$2"
	after=$(state "$2")
}

unchanged()
{
	[ "$before" = "$after" ]
}

commits()
{
	[ "$(in_tree rev-list --count base..series)" = "$1" ]
}

# Trees that the series goes onto

try "$tmp/repo/base/tree"
ok "Debian's source" ended 0
debian=$(in_tree rev-parse 'series^{tree}')

mine="$tmp/user's own/linux 6.1"
user "$mine"
base tree "user's own/linux 6.1"
ok 'a copy of it that is not in git' ended 0
ok 'gives the same tree' [ "$(in_tree rev-parse 'series^{tree}')" = "$debian" ]
ok 'and stays as it is' unchanged

cd "$mine" || exit 1
echo '/* edited */' >>sound/core/pcm_misc.c
echo '/* new */' >sound/core/mine.c
rm include/sound/ad1843.h
base tree "$mine"
ok 'what is edited there' ended 0
in_tree diff --no-renames --name-status "$debian" series >diff
ok 'is brought to the tree, and nothing else' same diff \
	'D	include/sound/ad1843.h
A	sound/core/mine.c
M	sound/core/pcm_misc.c'
ok 'and stays as it is' unchanged

user git
git init -q
git add -f .
git commit -q -m 'Linux'
echo '*.mine' >>.gitignore
echo '/* edited */' >>sound/core/pcm_misc.c
echo '/* new */' >sound/core/mine.c
echo '/* ignored */' >sound/core/object.mine
sed -i '/^\/\*$/d' .gitignore
base tree git
ok 'a tree in git' ended 0
in_tree diff --no-renames --name-status "$debian" series >diff
ok 'is taken as it stands, but for what it ignores' same diff \
	'M	.gitignore
A	sound/core/mine.c
M	sound/core/pcm_misc.c'
ok 'and stays as it is' unchanged
cd git || exit 1
git checkout -q .
rm -f sound/core/*mine*
base tree git
ok 'one that ignores all that is in it' \
	[ "$(in_tree rev-parse 'series^{tree}')" = "$debian" ]

# Linux 5.15 has the first two, here with the words of the series ...
read -r merged unmerged rest <<END
$("$tmp/repo/base/source")
END
user 5.15 "$unmerged"
for p in $(head -n 2 "$tmp/repo/patches/series"); do
	patch -s -p1 <"$tmp/repo/patches/$p"
done
base tree 5.15
ok 'a tree from before the merge, with two of the patches' ended 0
ok 'gets the others' commits $((patches - 2))
ok 'and ends up the same' \
	[ "$(in_tree rev-parse 'series^{tree}')" = "$debian" ]
ok 'the two that it has are named' [ "$(sed -n \
	"s|^tree: 000[12].*patch: skipped, $tmp/5.15 has it already\$|&|p" \
	stderr | wc -l)" = 2 ]
ok 'and stays as it is' unchanged
try "$tmp/repo/base/refresh"
ok 'what is refreshed from that tree' ended 0
ok 'is the queue, with all its patches' \
	[ -z "$(git -C "$tmp/repo" status --porcelain)" ]

# ... and in others
sed -i 's/unsigned long pfn = /\/* page continuity *\/ &/' \
	5.15/sound/core/memalloc.c
sed -i 's/\(EXPLICIT_SYNC.*\)\/\*.*/\1\/* call SYNC_PTR *\//' \
	5.15/include/uapi/sound/asound.h
base tree 5.15
ok 'with two that are worded otherwise' ended 0
ok 'it gets the others, too' commits $((patches - 2))

# The context is not what it was, but there is no doubt about the place.
user shifted
sed -i '1i/* new */' sound/core/pcm_native.c sound/core/memalloc.c
base tree shifted
ok 'a tree where lines have moved' ended 0
ok 'of which is told' told 'sound/core/memalloc.c hunk 1'
try "$tmp/repo/base/refresh"
ok 'what is refreshed from it' ended 0
ok 'is the queue as it was' [ -z "$(git -C "$tmp/repo" status --porcelain)" ]

# For git send-email

[ -f "$tmp/repo/patches/cover" ] ||
	printf 'Subject: ALSA: A cover\n\nThe reason.\n' >"$tmp/repo/patches/cover"
title=$(sed -n '1s/^Subject: //p' "$tmp/repo/patches/cover")
cat >gitconfig <<'END'
[user]
	name = Somebody
	email = somebody@localhost
END
export GIT_CONFIG_GLOBAL=$tmp/gitconfig

# git am of the series in DIR makes the tree of build/tree
taken()
(
	rm -rf am
	git clone -q --shared --no-checkout "$tree" am &&
	cd am && git checkout -q --detach "$(in_tree rev-parse base)" &&
	git am -q $(ls "$1"/*.patch | tail -n +2) &&
	git diff --stat --exit-code "$(in_tree rev-parse series)"
)

# written DIR N: a cover letter and so many patches
written()
{
	ls "$1" | grep -c '^[0-9]*-.*\.patch$' >count
	same count $(($2 + 1)) &&
	grep -q "^Subject: \[PATCH 00/$2\]" "$1/0000-cover-letter.patch" &&
	git mailinfo body diff <"$1/0000-cover-letter.patch" >head &&
	grep -xF "Subject: $title" head
}

base series shifted
ok 'the series for a tree' ended 0
ok 'is a cover letter and the patches' written build/series-shifted "$patches"
ok 'which git am takes there' taken "$tmp/build/series-shifted"
ok 'and stays as it is' unchanged
ok 'they are from who calls it' [ "$(cat build/series-shifted/* |
	grep -c '^From: Somebody <somebody@localhost>$')" = $((patches + 1)) ]
ok 'the cover letter has a diffstat' grep -q \
	'^ .* files changed, .* insertions(+), .* deletions(-)$' \
	build/series-shifted/0000-cover-letter.patch

cover=build/series-shifted/0000-cover-letter.patch
sed -n 's/^ *[0-9]*\. //p' $cover | cut -c 1-40 >numbered
(cd repo/patches && sed -n 's/^Subject: *//p' $(cat series)) |
	grep -vxF -e "$had" | cut -c 1-40 >subjects
ok 'and what each patch is for' diff -u subjects numbered

# sent_to HEADER ADDRESS: that is in the header of each mail
sent_to()
{
	for mail in build/series-shifted/*; do
		awk -v header="$1:" '
			/^$/ { exit }
			/^[^ ]/ { inside = $1 == header }
			inside
		' "$mail" | grep -F "$2" || return 1
	done
}
list=$(sed -n '/^SOUND$/,/^$/s/^L:[[:space:]]*\([^ ]*\).*/\1/p' shifted/MAINTAINERS)
person=$(sed -n '/^SOUND$/,/^$/s/^M:.*<\(.*\)>/\1/p' shifted/MAINTAINERS | head -n 1)
ok 'they are to the maintainers that the tree names' sent_to To "$person"
ok 'and to its list' sent_to Cc "$list"

# What was run

said()
{
	grep -xF -e "$1" $cover || { sed -n '/^What was tested/,/^-- /p' $cover; return 1; }
}
for command in check compare bench; do
	ok "that make $command was not run is said" said "'make $command' was not run."
done

mkdir -p build/results
stamp=$(repo/base/stamp)
today=$(date -u +%F)
# result STAMP TEST ARCH NUMBERS, as tap.sh leaves it
result()
{
	printf '%s\t' $1 "$2" "$3" $4 >"build/results/$2-$3"
	echo >>"build/results/$2-$3"
}
result "$stamp" good x86_64 '12 0 3'
result "$stamp" bad arm64 '7 2 0'
result "$stamp" ended x86_64 ''
result '6.0.1 0123456789ab 2026-01-02' old x86_64 '5 0 0'
echo '9 cases. Merged 1, series 9.' >build/compare.summary
echo "$stamp" >build/compare.stamp
printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' \
	card stream access buffer period what base merged series \
	non p rw 1 1 audio - 100 100   non p rw 1 1 device - 900 100 \
	non p rw 1 1 cpu - 100 1       non p rw 1 1 irqoff - 4096 64 \
	non p rw 2 1 audio - 100 100   non p rw 2 1 device - 200 100 \
	>build/bench.tsv
echo "$stamp" >build/bench.stamp
base series shifted
version=${stamp%% *}
ok 'what was run is said' said "Tests, Linux $version, $today:"
ok 'each test' said '  good                     12 passed, 3 skipped'
ok 'also which fails' said '  bad on arm64             7 passed, 2 FAILED'
ok 'and which did not end' said '  ended                    no result'
ok 'and all of them' said '  in all                   19 passed, 2 failed'
ok 'what is older is said to be' said \
	'Tests, Linux 6.0.1, 2026-01-02, an earlier state of this series:'
ok 'the comparison' said '  9 cases. Merged 1, series 9.'
ok 'the costs of the merged version' said '  merged       2.00 to    10.00       4096'
ok 'and of this one' said '  series       1.00 to     1.01         64'
echo '/* edited */' >>repo/sound/core/pcm_dma_sync.c
base series shifted
ok 'a run before the last edit is an older one' said \
	"Tests, Linux $version, $today, an earlier state of this series:"
git -C repo checkout -q .
rm -r build/results build/compare.* build/bench.*

# A topic branch: what goes on below it is no matter

# change FROM TO: with nothing of where it is
change()
{
	git diff -U0 "$1" "$2" | grep -v -e '^@@' -e '^index '
}

merges()
(
	rm -rf topic
	git clone -q --shared --no-checkout "$tree" topic && cd topic &&
	git checkout -q "$(in_tree rev-parse base)" || exit 1
	sed -i '$a/* gone on */' $(git ls-files '*.[ch]')
	git commit -q -a -m 'Upstream has gone on' &&
	git merge -q --no-edit "$(in_tree rev-parse series)" || exit 1
	change HEAD^1 HEAD >../merged
	change "$(in_tree rev-parse base)" HEAD^2 | diff -q - ../merged
)
ok 'the branch merges into a base that has gone on' merges

"$tmp/repo/base/tree" 5.15 2>stderr || cat stderr
base series 5.15
ok 'the series for a tree that has two of them' ended 0
ok 'is the others' written build/series-5.15 $((patches - 2))
ok 'which git am takes there' taken "$tmp/build/series-5.15"

"$tmp/repo/base/tree" 2>stderr || cat stderr
mkdir build/series
touch build/series/0099-old.patch
try "$tmp/repo/base/series"
ok "the series for Debian's source" ended 0
ok 'is all of them, with nothing of an older one' written build/series "$patches"
ok 'which git am takes there' taken "$tmp/build/series"
GIT_CONFIG_GLOBAL=/dev/null try "$tmp/repo/base/series"
ok 'without a name in git' told 'git knows no user.name and user.email'
mv repo/patches/cover cover
try "$tmp/repo/base/series"
ok 'without a cover letter' told 'patches/cover: no such file'
ok 'the last series stays' written build/series "$patches"
mv cover repo/patches/cover

# Trees that it does not go onto.  There is a build/tree already, of Debian's
# source; whether it is there or not, nothing new may be.

standing=$(in_tree rev-parse series base refs/made; ls -A build | grep -vx base)

# refuses DIR TEXT...: what has to be told
refuses()
{
	dir=$1
	shift
	base tree "$dir"
	ok 'is refused' ended 1
	for text; do
		ok "which is told: $text" told "$text"
	done
	ok 'and nothing else, of no shell, make or git' \
		[ -z "$(grep -v "^\(tree: \|source: \|unmerge: \|  \)" stderr
			cat stdout)" ]
	ok 'it stays as it is' unchanged
	ok 'so does the tree that is there' [ "$(in_tree status --porcelain
		in_tree rev-parse series base refs/made
		ls -A build | grep -vx base)" = "$standing" ]
}

echo '# a directory that is not there'
try "$tmp/repo/base/tree" none
ok 'is refused' ended 1
ok 'and named' told 'BASE=none: no such directory'
mkdir empty
echo '# an empty directory'
refuses empty 'BASE=empty: not a kernel tree, it has no Makefile'

user bad "$unmerged"
cp include/linux/dma-mapping.h "$tmp"
sed -i s/dma_alloc_noncontiguous/dma_alloc/ include/linux/dma-mapping.h
echo '# a kernel that is too old'
refuses bad 'BASE=bad: too old, its DMA API has no dma_alloc_noncontiguous' \
	'Linux 5.15 or later is needed'
cp dma-mapping.h bad/include/linux

# Of the last patch's second hunk, one line is another.
f=sound/pci/ens1370.c
sed -i '/CHIP_NAME " DAC1"/,$s/SNDRV_DMA_TYPE_DEV,/SNDRV_DMA_TYPE_VMALLOC,/' \
	bad/$f
p=$(cd repo/patches && grep -l "^--- a/$f\$" *.patch)
echo '# a hunk that does not apply'
refuses bad "$p does not apply to $tmp/bad:" \
	"$f: hunk 2 fails at line" 'nothing was changed'
mv build/tree standing
try "$tmp/repo/base/tree" bad
ok 'nor does one come to be where there is none' \
	[ -z "$(ls -A build | grep -v -e '^base$' -e '^series')" ]
mv standing build/tree
try "$tmp/repo/base/series" bad
ok 'and no series' [ ! -e build/series-bad ]

rm "bad/$f"
echo '# a file that is not there'
refuses bad "$p does not apply to $tmp/bad:" \
	"$f: there is no such file"
rm -r bad

user bad "$unmerged"
f=sound/core/memalloc_noncontig.c
echo '/* of the user */' >$f
cd "$tmp" || exit 1
p=$(cd repo/patches && grep -l "^New-file: $f\$" *.patch)
echo '# a file in the place of a new one'
refuses bad "$p does not apply to $tmp/bad:" "$f: there is such a file already"
rm -r bad

user bad
sed -i s/snd_dma_noncontig_sg_table/snd_dma_sg_table/ include/sound/memalloc.h
echo '# a merged version that is another one'
refuses bad 'expected to remove, but not found:' \
	'snd_dma_noncontig_sg_table in include/sound/memalloc.h' \
	"$tmp/bad cannot be unmerged"

done_testing
