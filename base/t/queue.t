#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The queue becomes commits and commits become the queue, and nothing is lost.

. "${0%/*}/tap.sh"
small_cache
small_repo
tree=$tmp/build/tree

# Whatever is in there is no concern of base/'s.
cat >hostile <<'END'
[core]
	autocrlf = true
[commit]
	gpgSign = true
[diff]
	noprefix = true
	external = false
	context = 9
[format]
	signOff = true
[user]
	name = Nobody
END
base()
{
	script=$1
	shift
	GIT_CONFIG_GLOBAL=$tmp/hostile try "$tmp/repo/base/$script" "$@"
}

in_tree()
{
	git -C "$tree" "$@"
}

in_repo()
{
	git -C "$tmp/repo" "$@"
}

# changed FILE...: what is not as it was saved, new and missing files included
changed()
{
	in_repo status --porcelain --no-renames -uall | cut -c 4- | sort >changed
	printf '%s\n' "$@" | sed '/^$/d' | sort | diff -u - changed
}

tree_clean()
{
	in_tree status --porcelain >status
	same status '' || ! [ -s status ]
}

# The last patch whose subject has these words in it
patch_of()
{
	(cd "$tmp/repo/patches" && grep -l "^Subject: .*$1" *.patch | tail -n 1)
}

# subjects: of the patches that Debian's kernel does not have already, in the order
# of the series
subjects()
{
	(cd "$tmp/repo/patches" && grep -h -m 1 '^Subject: ' $(cat series) |
		sed 's/^Subject: //') |
		grep -vxF 'ALSA: pcm: Keep user space from writing the status record'
}

# comes_back: the queue makes the tree again that it was made from
comes_back()
{
	old=$(in_tree rev-parse 'series^{tree}')
	in_tree reset -q --hard base
	in_tree update-ref refs/made base
	"$tmp/repo/base/tree" &&
	[ "$(in_tree rev-parse 'series^{tree}')" = "$old" ] &&
	in_tree log --reverse --format=%s base..series >log &&
	subjects | diff -u - log
}

# rebase LINES: with the list of commits edited by this sed script
rebase()
{
	GIT_EDITOR=true GIT_SEQUENCE_EDITOR="sed -i '$1'" \
		in_tree rebase -q -i base >rebase.log 2>&1 ||
			{ cat rebase.log; bail_out 'git rebase failed'; }
}

# fix SUBJECT FILE...: what was changed in these files belongs to that commit
fix()
{
	id=$(in_tree log --format=%h --grep="$1" base..series)
	shift
	in_tree add "$@"
	in_tree commit -q --fixup "$id"
	GIT_EDITOR=true GIT_SEQUENCE_EDITOR=true \
		in_tree rebase -q -i --autosquash base 2>rebase.log ||
			bail_out 'git rebase failed'
}

# A queue that becomes commits

base tree
ok 'the tree is made' ended 0
ok 'a commit per patch, in their order' comes_back
in_tree log --reverse --format=%s base..series | head -n 5 >first
ok 'the first five are those that were asked for' same first \
'ALSA: memalloc: Count continuous pages in vmalloc buffer handler
ALSA: pcm: Add SNDRV_PCM_INFO_EXPLICIT_SYNC flag
ALSA: memalloc: Assign ops field to snd_dma_buffer
ALSA: memalloc: Support for non-contiguous page allocation
ALSA: memalloc: Support for non-coherent page allocation'
ok 'new files are those of the repository' sh -c '
	cd "$0" && for f; do cmp "$f" "../../repo/$f" || exit 1; done' \
	"$tree" $(cd "$tmp/repo" && new_files)
ok 'nothing is left to commit' tree_clean

id=$(in_tree rev-parse series)
in_tree reset -q --hard base
in_tree update-ref refs/made base
GIT_AUTHOR_DATE=2020-01-01T00:00:00Z base tree
ok 'whoever makes it, when: the commits are the same' \
	[ "$(in_tree rev-parse series)" = "$id" ]

# ... and back

base refresh
ok 'what nobody edited' ended 0
ok 'is written back as it was' changed
base tree
ok 'and the tree is up to date with that' told 'is up to date'

# Edited files of the repository

dated=$(stat -c %Y.%Z "$tree/sound/core/pcm_native.c")
echo '/* edited */' >>"$tmp/repo/sound/core/pcm_dma_sync.c"
base tree
ok 'an edited file of the repository' ended 0
ok 'is brought to the tree' \
	cmp "$tmp/repo/sound/core/pcm_dma_sync.c" "$tree/sound/core/pcm_dma_sync.c"
ok 'where no other file has a new date' \
	[ "$(stat -c %Y.%Z "$tree/sound/core/pcm_native.c")" = "$dated" ]
saved

# Edited commits

sed -i 's/boundary = 0x7fffffff;/& \/* edited *\//' "$tree/sound/core/pcm_compat.c"
fix 'SYNC_PTR of all ABIs' sound/core/pcm_compat.c
base refresh
ok 'an edited commit' ended 0
ok 'is written to its patch' changed "patches/$(patch_of 'SYNC_PTR of all ABIs')"
ok 'and comes back' comes_back
saved

in_tree commit -q --amend -m "$(in_tree log -1 --format=%s)

A new reason.

Signed-off-by: Somebody <somebody@localhost>"
base refresh
p=$(patch_of "$(in_tree log -1 --format=%s)")
ok 'an edited message is written to its patch' changed "patches/$p"
ok 'all of it' grep -qx 'A new reason.' "$tmp/repo/patches/$p"
ok 'but for the sign-off, which is up to who sends it' \
	[ "$(grep -c Signed-off "$tmp/repo/patches/$p")" = 0 ]
ok 'and comes back' comes_back
saved

in_tree commit -q --amend -m "$(in_tree log -1 --format=%s)

One part

---

and another."
base refresh
ok 'a message that git am would cut is refused' ended 1
ok 'which says why' told "has a line '---' in its message"
ok 'and nothing is written' changed
in_tree reset -q --hard refs/made

# Edited new files

echo '/* edited */' >>"$tree/sound/core/memalloc_noncontig.c"
fix 'non-contiguous page' sound/core/memalloc_noncontig.c
base refresh
ok 'an edited new file' ended 0
ok 'is written to its place' changed sound/core/memalloc_noncontig.c
ok 'and comes back' comes_back
saved

echo '/* edited late */' >>"$tree/sound/core/memalloc_noncontig.c"
in_tree commit -q -a -m 'ALSA: memalloc: Edit a file that an earlier commit adds'
base refresh
ok 'one that is edited by a later commit' ended 0
ok 'goes to the patch that adds it' told 'go to the patch that adds it'
ok 'and nowhere else' changed sound/core/memalloc_noncontig.c
ok 'and comes back' comes_back
saved

chmod +x "$tree/sound/core/memalloc_noncontig.c"
in_tree commit -q -a -m 'ALSA: memalloc: Change a mode'
base refresh
ok 'one that has another mode' changed sound/core/memalloc_noncontig.c
ok 'has it there, too' test -x "$tmp/repo/sound/core/memalloc_noncontig.c"
saved

# More, fewer and other commits

last=$(in_tree rev-list --count base..series)
rebase "$((last - 1)){h;d};${last}G"
base refresh
ok 'reordered commits' ended 0
ok 'are in that order' sh -c 'tail -n 2 "$0" | grep -n "" |
	grep -q "1:.*$(printf %04d $1)-.*ens1370"' \
	"$tmp/repo/patches/series" $(($(wc -l <"$tmp/repo/patches/series") - 1))
ok 'and come back' comes_back
saved

mkdir "$tree/sound/new"
printf '#!/bin/sh\ntrue\n' >"$tree/sound/new/script"
chmod +x "$tree/sound/new/script"
echo 'new file' >"$tree/Documentation/sound/new.rst"
rm "$tree/sound/core/vmaster.c" || bail_out "that is not there"
sed -i /vmaster/d "$tree/sound/core/Makefile"
in_tree add -A
in_tree commit -q -m 'ALSA: Add, change and remove files'
base refresh
ok 'a commit more' ended 0
ok 'is a patch more, with its files' changed patches/series \
	"patches/$(patch_of 'Add, change and remove')" \
	sound/new/script Documentation/sound/new.rst
ok 'which have their modes' test -x "$tmp/repo/sound/new/script"
ok 'and comes back' comes_back
saved

in_tree reset -q --hard HEAD^
base refresh
ok 'a commit less' ended 0
ok 'is a patch less, without its files' changed patches/series \
	"$(in_repo diff --name-only HEAD -- patches | grep Add-change)" \
	sound/new/script Documentation/sound/new.rst
ok 'nor their directory' [ ! -e "$tmp/repo/sound/new" ]
ok 'and comes back' comes_back
saved

card=$(subjects | grep -n 'Add a virtual card' | cut -d: -f1)
rebase "${card}d"
base refresh
ok 'one less in the middle' ended 0
ok 'takes its files with it' [ ! -e "$tmp/repo/sound/drivers" ]
ok 'and comes back' comes_back
saved

rebase 2s/^pick/edit/
in_tree reset -q HEAD^
in_tree add tools
in_tree commit -q -m 'tools: One half'
in_tree commit -q -a -m 'ALSA: pcm: The other half'
GIT_EDITOR=true in_tree rebase --continue >rebase.log 2>&1
base refresh
ok 'a commit that was split' ended 0
subjects | sed -n 2,3p >halves
ok 'is two patches' same halves 'tools: One half
ALSA: pcm: The other half'
ok 'and comes back' comes_back
saved

in_tree commit -q --allow-empty -m 'Nothing'
base refresh
ok 'a commit of nothing' told "'Nothing': nothing else is left of it"
ok 'is no patch' changed

# Nobody's work is lost

made=$(in_tree rev-parse series)
echo '/* in the repository */' >>"$tmp/repo/sound/core/pcm_dma_sync.c"

# kept WHAT: base tree refuses, says this, and touches nothing
kept()
{
	ok 'is not overwritten' ended 1
	ok 'but told' told "$1"
	ok 'and stays' [ "$(in_tree status --porcelain; in_tree rev-parse HEAD
		)" = "$state" ]
}

# What must stay
state()
{
	state=$(in_tree status --porcelain; in_tree rev-parse HEAD)
}

echo '/* in the tree */' >>"$tree/sound/core/pcm.c"
state
echo '# an uncommitted change'
base tree
kept 'it has uncommitted changes'
base refresh
ok 'nor left out' told 'has uncommitted changes; commit them first'
in_tree checkout -q .

echo '/* in the tree */' >"$tree/sound/core/mine.c"
state
echo '# a new file'
base tree
kept 'it has uncommitted changes'
base refresh
ok 'nor left out' told 'has uncommitted changes; commit them first'
rm "$tree/sound/core/mine.c"

in_tree checkout -q --detach base
state
echo '# a checkout of another commit'
base tree
kept "it is not on branch 'series'"
base refresh
ok 'nor refreshed from' told "is not on branch 'series'"
in_tree checkout -q series

base refresh
ok 'a repository that is newer is not overwritten' ended 1
ok 'but told' told "patches/ is newer than"
ok 'and stays' changed sound/core/pcm_dma_sync.c

echo '/* in the tree */' >>"$tree/sound/core/pcm.c"
in_tree commit -q -a -m 'ALSA: pcm: Edit the tree'
state
echo '# a commit that is not in patches/'
base tree
kept 'it has commits that are not in patches/'
base refresh
ok 'and what is in the repository is not overwritten' ended 1
ok 'but told' told 'have both changed'
ok 'and stays' changed sound/core/pcm_dma_sync.c
in_tree rebase -q --onto queue refs/made
base refresh
ok 'what the message advises' ended 0
ok 'keeps what was in the repository' \
	grep -q 'in the repository' "$tmp/repo/sound/core/pcm_dma_sync.c"
ok 'and what was in the tree' \
	grep -q 'in the tree' "$tmp/repo/patches/$(patch_of 'Edit the tree')"
ok 'and comes back' comes_back
saved

echo mine >"$tmp/repo/README"
echo theirs >"$tree/README"
in_tree add README
in_tree commit -q -m 'Add README'
base refresh
ok 'a file of the repository that is in no patch is not overwritten' ended 1
ok 'but told' told "README is in $tmp/repo, but in no patch"
ok 'and stays' changed README
rm "$tmp/repo/README"
in_tree reset -q --hard refs/made

in_tree checkout -q -b side series^
in_tree commit -q --allow-empty -m side
in_tree checkout -q series
in_tree merge -q -m merge side
base refresh
ok 'a merge, which is no patch, is refused' told 'has a merge in it'
in_tree reset -q --hard refs/made

# A queue that is none

ill()
{
	base tree
	ok "$1" ended 1
	ok "is told" told "$2"
	ok 'and the tree stays' [ "$(in_tree rev-parse HEAD)" = "$made" ]
	in_repo checkout -q .
}

made=$(in_tree rev-parse HEAD)
cd "$tmp/repo/patches" || exit 1
echo none.patch >>series
ill 'a patch that is not there' 'series: none.patch is not there'
p=$(tail -n 1 series)
sed -i /^---$/d "$p"
ill 'a patch without an end of its message' "$p: needs a line"
sed -i 's/^@@.*/@@ -1,1 +1,1 @@/' "$p"
ill 'a patch with a broken hunk' "$p: "
sed -i 's/^---$/New-file: none.c\n&/' "$p"
ill 'a new file that is not there' "$p: New-file none.c: not in"
sed -i '/^---$/q' "$p"
ill 'a patch of nothing' "$p: changes nothing"

done_testing
