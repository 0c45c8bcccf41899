#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The series compiles for machines of all kinds, and so does every driver that
# allocates its buffers by it, without a warning that the base does not have.
#
# A kernel with everything on is configured for each, but of that only these
# files are compiled: what the series touches for each machine, a driver for the
# first that has it. User mode has no ALSA, and only the odd machine has sound
# and no DMA.

. "${0%/*}/../t/tap.sh"
. "$repo/base/t/kbuild.sh"

# What to compile for: all of them, or those that are named
only=$*
exec 3>&2
queue
[ "$status" = 0 ] || bail_out 'there is no tree to build'

# What costs much time and changes nothing in these files
slow='DEBUG_INFO KASAN KCSAN UBSAN KCOV GCOV_KERNEL GCC_PLUGINS WERROR
	MODVERSIONS'

# What a driver names that has something to do with the series
api='snd_(dma|devm)_(alloc|free|buffer|noncontig|need)|SNDRV_DMA_TYPE_'
api="$api|snd_pcm_(set_managed|lib_(pre)?alloc|sgbuf)|snd_sgbuf"

# make_in MACHINE ARGS: the kernel's make for this machine, which is configured
# when it is prepared
make_in()
{
	[ "$2" = prepare ] || set -- "$1" "$2" -o config
	make -s -C "$qemu" kbuild BUILD="$steps" TREE="$tree" \
		NAME=$1 KERNEL="$steps/kernel/$1" KERNEL_ARCH="$arch" \
		CROSS_COMPILE="$cross" OTHERS=allmodconfig \
		FRAGMENTS="$tmp/options" TARGETS="$2" $3 $4
}

# The objects that machine $1 is configured to have where the names are
configured()
{
	make_in $1 "-n -k $(xargs -n 1 dirname <"$tmp/names" | sort -u |
		sed "s|\$|/|; s|^sound/.*|sound/|" | sort -u | xargs)" 2>/dev/null |
		sed -n "s/.*echo '  CC\( \[M\]\)\? *\([^']*\)'.*/\2/p" | sort -u
}

# The objects of the files whose names are read
objects_of()
{
	sed 's/\.c$/.o/' | sort -u
}

# warned LOG: which of the objects it has warnings of
warned()
{
	grep -oE '[^ :]*\.c:[0-9]+:[0-9]+: (warning|error):' "$1" |
		sed 's|^\(\.\./\)*tree/||; s/:.*//' | objects_of |
		comm -12 - "$tmp/objects"
}

# warnings LOG: those in the files asked for, and not in what make itself goes by,
# which it compiles once more with other flags
warnings()
{
	counted "$1" | grep -vE '^ *[0-9]+ (arch|kernel|scripts)/'
}

# compile MACHINE LOG: what the files tell of which the objects are read, with
# all warnings if the series touches them
compile()
{
	sort -u >"$tmp/wanted"
	(cd "$steps/kernel/$1" && xargs rm -f) <"$tmp/wanted"
	>"$2"
	comm -12 "$tmp/wanted" "$tmp/touched" | xargs -r >"$tmp/strict"
	comm -23 "$tmp/wanted" "$tmp/touched" | xargs -r >"$tmp/lax"
	{ [ ! -s "$tmp/strict" ] || make_in $1 "-k W=1 $(cat "$tmp/strict")"; } \
		>>"$2" 2>&1 &&
	{ [ ! -s "$tmp/lax" ] || make_in $1 "-k $(cat "$tmp/lax")"; } >>"$2" 2>&1
}

# machine NAME KERNEL-ARCH COMPILER-PREFIX [OPTION...]: one of those asked for
machine()
{
	name=$1 arch=$2 cross=$3
	! [ "$only" ] || case " $only " in *" $name "*) ;; *) return ;; esac
	shift 3
	command -v "${cross}gcc" >/dev/null || {
		skip "$name" "${cross}gcc is not installed"
		return
	}
	in_tree checkout -q -f series
	{
		printf 'CONFIG_%s=n\n' $slow
		for option; do echo "CONFIG_$option"; done
	} >"$tmp/options"
	ok "$name: compiles" compiles $name

	warned "$tmp/log" >"$tmp/warned"
	warnings "$tmp/log" >"$tmp/now"
	: >"$tmp/base"
	if [ -s "$tmp/warned" ]; then
		in_tree checkout -q -f base
		compile $name "$tmp/baselog" <"$tmp/warned"
		warnings "$tmp/baselog" >"$tmp/base"
	fi
	ok "$name: without a new warning" no_more "$tmp/base" "$tmp/now"
}

compiles()
{
	# -n tells of nothing that is there
	rm -rf "$steps/kernel/$1/sound" "$steps/kernel/$1/drivers"
	make_in $1 prepare >"$tmp/log" 2>&1 ||
		{ tail -n 20 "$tmp/log"; return 1; }
	configured $1 | comm -12 - "$tmp/names" >"$tmp/has"
	comm -23 "$tmp/has" "$tmp/done" >"$tmp/new"
	comm -12 "$tmp/has" "$tmp/touched" | sort -u - "$tmp/new" >"$tmp/objects"
	sort -u -o "$tmp/done" "$tmp/done" "$tmp/new"
	echo "# $(wc -l <"$tmp/objects") objects: $1" >&3
	grep -qx sound/core/memalloc.o "$tmp/objects" &&
		compile $1 "$tmp/log" <"$tmp/objects" ||
		{ grep -E -A 3 'rror|\*\*\*' "$tmp/log"; return 1; }
}

in_tree diff --name-only --no-renames base series -- '*.c' | objects_of \
	>"$tmp/touched"
(cd "$tree" && grep -rlE --include='*.c' "$api" sound drivers) | objects_of |
	sort -u - "$tmp/touched" >"$tmp/names"

: >"$tmp/done"

machine x86_64	x86_64	''
machine i386	i386	''
machine arm64	arm64	aarch64-linux-gnu-
machine arm	arm	arm-linux-gnueabihf-
machine riscv64	riscv	riscv64-linux-gnu-
machine mips	mips	mips-linux-gnu-
machine arm-nommu	arm	arm-linux-gnueabihf-	MMU=n
machine m68k-nodma	m68k	m68k-linux-gnu-	MMU=n M68KCLASSIC=y

in_tree checkout -q -f series
done_testing
