# SPDX-License-Identifier: GPL-2.0-only
#
# Read by the tests that compile, after tap.sh: a kernel tree of their own, which
# stands at any commit of the queue, and what is built of it.  Both are kept from
# one run to the next.

qemu=$repo/tools/testing/selftests/alsa/qemu
steps=$BUILD/steps
tree=$steps/tree

in_tree()
{
	git -C "$tree" "$@"
}

# queue: the tree is that of the queue as it is now
queue()
{
	[ ! -e "$tree" ] || in_tree checkout -q -f series
	BUILD=$steps try "$repo/base/tree"
}

# title COMMIT: what to call it
title()
{
	in_tree log -1 --format=%s "$1"
}

# kbuild LOG TARGETS: at the commit that is checked out, as options() was told
kbuild()
{
	make -s -C "$qemu" kbuild BUILD="$steps" TREE="$tree" \
		KERNEL_NAME="$kernel" EXTRA_CONFIG="$tmp/options" TARGETS="$2" \
		>"$1" 2>&1 ||
		{ grep -E -A 3 '^config-check|rror|\*\*\*' "$1" || tail "$1"; return 1; }
}

# The C files that the series touches and the base has
touched()
{
	in_tree diff --name-only --no-renames --diff-filter=MD base series \
		-- sound include | grep '\.[ch]$'
}

# What to build of the commit that is checked out: the directories whose makefile
# the series touches, as far as they are there, and single objects elsewhere
targets()
{
	in_tree diff --name-only --no-renames base series -- sound | awk '
		/\/Makefile$/	{ sub(/Makefile$/, ""); dirs[$0] }
		/\.c$/		{ files[$0] }
		END {
			for (dir in dirs)
				print dir
			for (file in files) {
				dir = file
				sub(/[^\/]*$/, "", dir)
				sub(/c$/, "o", file)
				if (!(dir in dirs))
					print file
			}
		}' | while read -r target; do
			[ ! -e "$tree/${target%/*}/Makefile" ] || echo "$target"
		done | tr '\n' ' '
}

# options VALUE: from now on, kbuild is for a kernel where the new options that
# ask the user something have this value, or m if they are modules and nothing
# else.  It is in $objects.  There is always KUnit, on which some of them depend.
options()
{
	kernel=steps-$1
	objects=$steps/kernel/$kernel-${ARCH:-x86_64}
	{
		echo CONFIG_KUNIT=y
		in_tree diff -U99 base series -- '*Kconfig*' |
			awk -v value="$1" '
			/^\+config /			{ name = $2 }
			/^\+\t(tristate|bool) "/	{ asks[name] }
			/^\+\tdepends on .*&& m$/	{ only_m[name] }
			END {
				for (name in asks)
					print "CONFIG_" name "=" (value == "y" &&
						name in only_m ? "m" : value)
			}'
	} >"$tmp/options"
}

# counted LOG: the warnings in it, wherever the lines may have moved, and how
# often each is there
counted()
{
	grep -iE '(warning|error): ' "$1" |
		sed -E 's/:[0-9]+(:[0-9]+)?: /: /; s|^(\.\./)*tree/||' |
		sort | uniq -c
}

# no_more OLD NEW: no warning is there more often than it was
no_more()
{
	awk '
		{ n = $1; sub(/^ *[0-9]+ /, "") }
		FILENAME == ARGV[1] { old[$0] = n; next }
		n > old[$0] { print; bad = 1 }
		END { exit bad }' "$1" "$2"
}
