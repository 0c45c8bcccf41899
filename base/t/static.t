#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# What can be said of the series without running it: checkpatch, kernel-doc and
# sparse have nothing to say.

. "${0%/*}/tap.sh"
. "$repo/base/t/kbuild.sh"

exec 3>&2
queue
[ "$status" = 0 ] || { cat stderr; bail_out 'there is no tree to check'; }

# As they are sent: by their author, who signs them off
sender=$(in_tree log -1 --format='%an <%ae>' series)
GIT_COMMITTER_NAME=${sender% <*}
GIT_COMMITTER_EMAIL=$(in_tree log -1 --format=%ae series)
in_tree format-patch -q -s -o "$tmp/patches" base..series

# A checkpatch that cannot import these checks no SPDX line, and goes on. They are
# packages for the python3 of the distribution, which may not be the only one.
PATH=/usr/bin:$PATH
python3 -c 'import git, ply' 2>/dev/null ||
	skip 'checkpatch: SPDX' 'python3-git or python3-ply is not installed'

checkpatch()
{
	(cd "$tree" && scripts/checkpatch.pl --strict --no-summary \
		--terse --show-types "$1")
}

for p in patches/*; do
	ok "checkpatch: ${p##*/}" checkpatch "$tmp/$p"
done

# What each of them adds makes one entry, which the repository has, too
entry()
{
	in_tree diff base series -- MAINTAINERS |
		sed -n '/^+++/d; s/^+\(.\)/\1/p' | diff -u "$repo/MAINTAINERS" -
}
ok 'MAINTAINERS is that of the series' entry

for f in $(in_tree diff --name-only --no-renames --diff-filter=A base series \
		-- '*.[ch]'); do
	ok "kernel-doc: $f" "$tree/scripts/kernel-doc" -none -Werror "$tree/$f"
done

# says COMMIT FILE: what sparse says of the objects there
says()
{
	in_tree checkout -q "$1"
	rm -rf "$objects/sound"
	kbuild log "W=1 $(targets)" || return 1
	kbuild log "W=1 C=2 $(objects_of_sources | tr '\n' ' ')" || return 1
	echo "# sparse: $(grep -c '^  CHECK' log) files of $1" >&3
	counted log >"$2"
}

if command -v sparse >/dev/null; then
	options m
	ok 'sparse runs on the series' says series now
	ok 'and on its base' says base old
	ok 'it has nothing to say of the series that is new' no_more old now
else
	skip 'sparse' 'it is not installed'
fi

in_tree checkout -q series
done_testing
