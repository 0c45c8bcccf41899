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

# kbuild LOG TARGETS: at the commit that is checked out, as options() was told,
# by $compiler, if there is one
kbuild()
{
	make -s -C "$qemu" kbuild BUILD="$steps" TREE="$tree" \
		KERNEL_NAME="$kernel" EXTRA_CONFIG="$tmp/options" TARGETS="$2" \
		${compiler:+COMPILER="$compiler"} \
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
# the series touches, as far as they are there, and single objects elsewhere: kbuild
# makes either all below a directory, or single ones
targets()
{
	in_tree diff --name-only --no-renames base series -- sound | awk '
		/\/Makefile$/	{ sub(/Makefile$/, ""); target[$0] }
		/\.c$/		{ sub(/c$/, "o"); target[$0] }
		function covered(t,	dir) {
			for (dir in target)
				if (dir ~ /\/$/ && dir != t && index(t, dir) == 1)
					return 1
		}
		END { for (t in target) if (!covered(t)) print t }' | while read -r target; do
			[ ! -e "$tree/${target%/*}/Makefile" ] || echo "$target"
		done | tr '\n' ' '
}

# The objects that are made of what the series touches, each source in one
objects_of_sources()
{
	in_tree diff --name-only --no-renames --diff-filter=d base series \
		-- 'sound/*.c' | while read -r f; do
		[ -e "$tree/$f" ] || continue
		grep -rlF --include='.*.o.cmd' "/$f" "$objects/sound" ||
			echo "nothing-is-made-of/$f"
	done | sed "s|^$objects/||; s|/\.\([^/]*\)\.cmd\$|/\1|" | sort -u
}

# options VALUE: from now on, kbuild is for a kernel where the new options that
# ask the user something have this value, or m if they are modules and nothing
# else.  It is in $objects.  There is always KUnit, on which some of them depend.
options()
{
	kernel=steps-$1${compiler:+-$compiler}
	objects=$steps/kernel/$kernel-${ARCH:-x86_64}
	{
		echo CONFIG_KUNIT=y
		# what has a prompt then may be chosen, too
		echo CONFIG_COMPILE_TEST=y
		echo CONFIG_WERROR=n
		# what the series touches of ASoC is of use to a driver only
		echo CONFIG_SND_SOC=y
		echo CONFIG_SND_SOC_ADI=y
		echo CONFIG_SND_SOC_ADI_AXI_I2S=y
		in_tree diff -U99 base series -- '*Kconfig*' |
			awk -v value="$1" '
			/^\+config /			{ name = $2 }
			/^\+\t(tristate|bool) "/	{ asks[name] = $2 }
			/^\+\tdepends on .*&& m$/	{ only_m[name] }
			END {
				for (name in asks) {
					v = value
					if (v == "y" && name in only_m)
						v = "m"
					if (v == "m" && asks[name] == "bool")
						v = "y"
					print "CONFIG_" name "=" v
				}
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
