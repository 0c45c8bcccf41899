#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The semantic patch converts drivers, and names what it leaves to a human: all
# that it says of a driver that is made for it, and every driver of the tree,
# each of which compiles.  What a human converted before comes out the same.

. "${0%/*}/../t/tap.sh"
rules=$repo/scripts/coccinelle/api/snd_dma_noncoherent.cocci
qemu=$repo/tools/testing/selftests/alsa/qemu

say()
{
	echo "# $*" >&2
}

# A driver that takes every way to a type; "+" and "-" begin what the patch adds
# and removes.
mkdir -p tree/drivers tree/sound/all tree/sound/human tree/sound/one
cat >all.diff <<'END'
 #include <sound/pcm.h>
 
 #define card_type(card) \
 	((card)->uncached ? SNDRV_DMA_TYPE_DEV_WC : SNDRV_DMA_TYPE_DEV)
 
 static void named(struct snd_pcm *pcm, struct snd_pcm_substream *s)
 {
-	snd_pcm_set_managed_buffer(s, SNDRV_DMA_TYPE_DEV, dev, 0, 0);
-	snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_DEV_SG, dev, 0, 0);
-	snd_pcm_set_fixed_buffer(s, SNDRV_DMA_TYPE_DEV_SG, dev, 1);
-	snd_pcm_set_fixed_buffer_all(pcm, SNDRV_DMA_TYPE_DEV, dev, 1);
-	snd_pcm_lib_preallocate_pages(s, SNDRV_DMA_TYPE_DEV, dev, 0, 0);
-	snd_pcm_lib_preallocate_pages_for_all(pcm, SNDRV_DMA_TYPE_DEV_SG, dev, 0, 0);
+	snd_pcm_set_managed_buffer(s, SNDRV_DMA_TYPE_NONCOHERENT, dev, 0, 0);
+	snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_NONCONTIG, dev, 0, 0);
+	snd_pcm_set_fixed_buffer(s, SNDRV_DMA_TYPE_NONCONTIG, dev, 1);
+	snd_pcm_set_fixed_buffer_all(pcm, SNDRV_DMA_TYPE_NONCOHERENT, dev, 1);
+	snd_pcm_lib_preallocate_pages(s, SNDRV_DMA_TYPE_NONCOHERENT, dev, 0, 0);
+	snd_pcm_lib_preallocate_pages_for_all(pcm, SNDRV_DMA_TYPE_NONCONTIG, dev, 0, 0);
 }
 
 static void chosen(struct snd_pcm *pcm, struct card *card, int one)
 {
-	int err = 0, first = SNDRV_DMA_TYPE_DEV_SG;
+	int err = 0, first = SNDRV_DMA_TYPE_NONCONTIG;
 	unsigned int type;
 
 	if (card->uncached)
 		type = SNDRV_DMA_TYPE_DEV_WC;
 	else
-		type = one ? SNDRV_DMA_TYPE_DEV : SNDRV_DMA_TYPE_DEV_SG;
+		type = one ? SNDRV_DMA_TYPE_NONCOHERENT : SNDRV_DMA_TYPE_NONCONTIG;
 	snd_pcm_set_managed_buffer_all(pcm, first, dev, 0, 0);
 	snd_pcm_set_managed_buffer_all(pcm, type, dev, 0, 0);
 	snd_pcm_set_managed_buffer_all(pcm, one ?
-				       SNDRV_DMA_TYPE_DEV :
+				       SNDRV_DMA_TYPE_NONCOHERENT :
 				       SNDRV_DMA_TYPE_VMALLOC, dev, 0, 0);
-	snd_pcm_set_managed_buffer_all(pcm, card_type(card), dev, 0, 0);
+	snd_pcm_set_managed_buffer_all(pcm, card->uncached ?
+				       SNDRV_DMA_TYPE_DEV_WC :
+				       SNDRV_DMA_TYPE_NONCOHERENT, dev, 0, 0);
 }
 
 static void left(struct snd_pcm *pcm, struct card *card)
 {
 	int type = SNDRV_DMA_TYPE_DEV;
 
 	snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_DEV_IRAM, dev, 0, 0);
 	snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_DEV_WC, dev, 0, 0);
 	snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_VMALLOC, NULL, 0, 0);
 	snd_dma_alloc_pages(SNDRV_DMA_TYPE_DEV, dev, 4096, &card->commands);
 	snd_dma_alloc_pages(type, dev, 4096, &card->commands);
 	card->list = snd_devm_alloc_pages(dev, card_type(card), 4096);
 }
END
cat >own.diff <<'END'
 #include <sound/pcm.h>
 
 static int play_open(struct snd_pcm_substream *s)
 {
 	s->runtime->hw = hw;
 	snd_pcm_set_runtime_buffer(s, card->play);
 	return 0;
 }
 
 static int capture_open(struct snd_pcm_substream *s)
 {
 	snd_pcm_set_runtime_buffer(s, &card->capture);
 	return 0;
 }
 
 static const struct snd_pcm_ops play_ops = { .open = play_open, };
 static const struct snd_pcm_ops capture_ops = { .open = capture_open, };
 
 static int probe(struct card *card)
 {
 	card->list = snd_devm_alloc_pages(dev, SNDRV_DMA_TYPE_DEV, 4096);
-	card->play = snd_devm_alloc_pages(dev, SNDRV_DMA_TYPE_DEV, 65536);
-	return snd_dma_alloc_pages(SNDRV_DMA_TYPE_DEV_SG, dev, 65536,
+	card->play = snd_devm_alloc_pages(dev, SNDRV_DMA_TYPE_NONCOHERENT, 65536);
+	return snd_dma_alloc_pages(SNDRV_DMA_TYPE_NONCONTIG, dev, 65536,
 				   &card->capture);
 }
END

# words FILE: without what only makes it look well
words()
{
	tr -s '[:space:]' '\n' <"$1"
}

same_words()
{
	words "$1" >words1
	words "$2" | diff -u words1 -
}

# comes_out NAME: what is to come of NAME.diff comes of it
comes_out()
{
	sed -n 's/^[ -]//p' $1.diff >tree/sound/all/$1.c
	sed -n 's/^[ +]//p' $1.diff >$1.want
	try "$repo/base/convert" sound/all/$1.c "$tmp/tree"
	cp tree/sound/all/$1.c $1.c
	patch -s $1.c stdout && same_words $1.want $1.c
}
ok 'every way to give a type' comes_out all
ok 'with nothing for a human' ended 0
ok 'buffers of the driver'\''s own, set at open' comes_out own
ok 'with nothing for a human, either' ended 0

# A driver that does everything wrong; behind "//" is what is to be told there.
cat >tree/sound/human/buffer.c <<'END'
#include <sound/pcm.h>
#define TYPE SNDRV_DMA_TYPE_DEV

void pcm_new(struct snd_pcm *pcm, struct card *card)
{
	snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_DEV, dev, 0, 0); //+ opportunity for SNDRV_DMA_TYPE_NONCOHERENT
	snd_pcm_set_managed_buffer_all(pcm, card->type, dev, 0, 0); // type comes from elsewhere
	snd_pcm_set_managed_buffer_all(pcm, card->dmab.type, dev, 0, 0); // type comes from elsewhere
	snd_pcm_set_managed_buffer_all(pcm, type_of(card), dev, 0, 0); // type comes from elsewhere
	snd_pcm_set_managed_buffer_all(pcm, TYPE, dev, 0, 0); // type comes from elsewhere
}
END
cat >tree/sound/human/use.c <<'END'
#include <sound/pcm.h>

static int hw_params(struct snd_pcm_substream *s, void *p)
{
	struct snd_pcm_runtime *rt = s->runtime;
	dma_addr_t page;

	snd_pcm_set_runtime_buffer(s, &card->buf); // buffer of the driver's own
	if (s->dma_buffer.dev.type == SNDRV_DMA_TYPE_DEV_SG) // NONCONTIG to be treated likewise
		rt->dma_addr = card->bus_addr; // sets the buffer's address
	s->runtime->dma_area = card->area; // sets the buffer's address
	dev_dbg(dev, "%p\n", rt->dma_area);
	if (!rt->dma_area || rt->dma_area == card->area)
		return 0;
	memset(rt->dma_area, 0, 4096); // the CPU writes to dma_area
	memcpy(s->runtime->dma_area + 4, p, 4); // the CPU writes to dma_area
	rt->dma_area[0] = 0x80; // the CPU writes to dma_area
	*(u32 *)(rt->dma_area + 4) = 0; // the CPU writes to dma_area
	snd_pcm_format_set_silence(0, rt->dma_area, 4); // the CPU writes to dma_area
	memcpy(p, rt->dma_area, 4); // dma_area outside of the core
	card->position = (u32 *)s->dma_buffer.area; // dma_area outside of the core
	page = virt_to_phys(card->area); // virt_to_phys() gives no DMA address
	page = virt_to_bus(card->area); // virt_to_bus() gives no DMA address
	page = (rt->dma_addr + 4096) >> PAGE_SHIFT; // taken for a physical one
	page = __phys_to_pfn(s->dma_buffer.addr); // taken for a physical one
	writel(rt->dma_addr + 4096, card->regs); // where the first chunk is
	dev_dbg(dev, "%pad\n", &rt->dma_addr);
	return 0;
}

static int hw_free(struct snd_pcm_substream *s)
{
	snd_pcm_set_runtime_buffer(s, NULL);
	return 0;
}

static int ack(struct snd_pcm_substream *s)
{
	return snd_pcm_indirect_playback_transfer(s, &rec, copy); // does not see this buffer
}

static int play_copy(struct snd_pcm_substream *s, int c, unsigned long pos,
		     void *src, unsigned long bytes)
{
	memcpy(s->runtime->dma_area + pos, src, bytes); // in a copy operation
	return 0;
}

static const struct snd_pcm_ops play_ops = {
	.ack = ack,
	.copy_kernel = play_copy,
	.mmap = play_mmap, // operation of the driver's own
	.page = play_page, // operation of the driver's own
};

static const struct snd_pcm_ops capture_ops = {
	.mmap = snd_pcm_lib_mmap_iomem, // memory of the device
};

static const struct snd_soc_component_driver component = {
	.mmap = component_mmap, // operation of the driver's own
};
END

cat tree/sound/human/*.c >tree/sound/one/one.c

# told_places MARK FILE...: in $places, "FILE:LINE TEXT", is what stands behind
# MARK in the files, and nothing of other lines
told_places()
{
	mark=$1
	shift
	(cd tree && grep -n " $mark " "$@" /dev/null) |
		sed "s|:\([0-9]*\):.* $mark |:\1 |" >want
	while read -r place text; do
		grep -F "$place " places | grep -qF "$text" ||
			echo "not told: $place $text"
	done <want >wrong
	cut -d ' ' -f 1 want | sort -u >want.places
	cut -d ' ' -f 1 places | sort -u | diff want.places - >>wrong
	[ ! -s wrong ] || { cat wrong places; return 1; }
}

try "$repo/base/convert" sound/human "$tmp/tree"
ok 'a driver that needs a human' ended 2
ok 'is converted as far as can be' grep -q '^+.*NONCOHERENT' stdout
sed -n 's/:[0-9]*-[0-9]*: / /p' stderr >places
ok 'and told where, in each of its files' \
	told_places // sound/human/buffer.c sound/human/use.c

try "$repo/base/convert" sound/none.c "$tmp/tree"
ok 'a driver that is not there is an error' ended 1
ok 'that names it' told "sound/none.c: no such driver in $tmp/tree"
try "$repo/base/convert" one "$tmp/tree"
ok 'one that is elsewhere' told '; is it sound/one'
try "$repo/base/convert" ../all.c "$tmp/tree"
ok 'one that is not in the tree' told "../all.c: not in $tmp/tree"
try "$repo/base/convert" sound "$tmp/tree"
ok 'a directory of others' told 'sound: no C source'
sed 's/_TYPE_DEV/_TYPE_VMALLOC/' tree/sound/human/buffer.c |
	grep -v elsewhere >tree/sound/vmalloc.c
try "$repo/base/convert" sound/vmalloc.c "$tmp/tree"
ok 'one that has no buffer to convert is an error' ended 1
ok 'that says so' told 'sound/vmalloc.c: nothing to convert'
try "$repo/base/convert" sound/one/one.c "$tmp/none"
ok 'a tree that is not there is an error' told "$tmp/none: no such tree"

# All of the tree, in a copy that takes no room; nothing writes into a file of it.
tree=$BUILD/convert/tree
kernel=$BUILD/convert/kernel
cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/alsa-dma-sync}
ccache=$(command -v ccache)
jobs=${JOBS:-$(nproc)}
export CCACHE_DIR="$cache/ccache" CCACHE_BASEDIR=/ CCACHE_NOHASHDIR=1
[ -d "$BUILD/tree" ] || bail_out "there is no $BUILD/tree; run base/tree"
rm -rf "$tree"
mkdir -p "$BUILD/convert"
cp -al "$BUILD/tree" "$tree"
rm -rf "$tree/.git"

# kbuild WHAT ARG...
kbuild()
{
	log=$kernel/$1.log
	what=$1
	shift
	"$qemu/step" "$log" "$what" env -u MAKEFLAGS -u MAKEOVERRIDES \
		make -C "$tree" O="$kernel" ARCH=x86_64 CC="$ccache gcc" \
		HOSTCC="$ccache gcc" -j"$jobs" "$@" >&2
}

coccicheck()
{
	try env -u MAKEFLAGS -u MAKEOVERRIDES make -s -C "$tree" coccicheck \
		COCCI="$rules" MODE="$1" M="$tmp/tree/sound/one" J=1 \
		SPFLAGS=--use-coccigrep
}
coccicheck report
sed -n 's|.*/\(sound/one/.*\):[0-9]*-[0-9]*: |\1 |p' stdout >places
ok 'coccicheck MODE=report' told_places '//+*' sound/one/one.c
coccicheck org
sed -n 's|.*/\(sound/one/.*\)::face=.*::linb=\([0-9]*\)::.*\]\[\(.*\)\]\]|\1:\2 \3|p' \
	stdout >places
ok 'coccicheck MODE=org' told_places '//+*' sound/one/one.c
coccicheck context
sed -n 's/^-\([^-].*\)/\1/p' stdout >starred
ok 'coccicheck MODE=context' sh -c \
	'grep " //+* " tree/sound/one/one.c | diff -u - starred'
coccicheck patch
ok 'coccicheck MODE=patch' \
	grep '^+.*_buffer_all(pcm, SNDRV_DMA_TYPE_NONCOHERENT, dev,' stdout

# What a human converted is as it was before, to be done once more.
hand=
for p in "$repo"/patches/*-Use-non-co*; do
	patch -s -R -p1 -d "$tree" <"$p" || bail_out "$p: cannot be reversed"
	hand="$hand $(sed -n 's|^+++ b/||p' "$p")"
done
calls='snd_pcm_(set_(managed|fixed)_buffer|lib_preallocate_pages(_for)?)(_all)?'
git -C "$BUILD/tree" grep -lE "($calls|snd_pcm_set_runtime_buffer)\(" -- \
	'sound/*.c' 'drivers/*.c' ':!sound/core' >users
say "$(wc -l <users) files set PCM buffers"

# run_spatch MODE OPTION...: on each of these by itself
run_spatch()
{
	sed 's/$/\n/' users >groups
	(cd "$tree" && spatch --very-quiet --no-includes --use-coccigrep \
		--cocci-file "$rules" --jobs "$jobs" \
		--file-groups "$tmp/groups" -D "$@" 2>"$tmp/stderr")
}
run_spatch patch --patch . >tree.diff &&
	run_spatch report --no-show-diff >tree.report ||
	bail_out "spatch failed: $(tail -n 3 stderr)"
sed -n 's|^+++ b/||p' tree.diff | sort >converted
say "$(wc -l <converted) are converted," \
	"$(grep -v ': opportunity for ' tree.report | cut -d : -f 1 | sort -u | wc -l) need a human"

# Before anything changes: the text of each call, on a line of its own
types_left()
{
	(cd "$tree" && while read -r f; do
		tr -s '[:space:]' ' ' <"$f" | grep -oE "\b$calls ?\([^;{]*;" |
			grep -wE 'SNDRV_DMA_TYPE_DEV(_SG)?' | sed "s|^|$f: |"
	done <"$tmp/users")
}
types_left | cut -d : -f 1 | sort -u >named
mkdir before
(cd "$tree" && cp --parents $(cat "$tmp/converted") "$tmp/before")
patch -s -p1 -d "$tree" <tree.diff || bail_out 'the diff does not apply'
types_left >left
ok 'no call in the tree is left out' \
	sh -c 'cat left; [ ! -s left ] && [ $(wc -l <named) -ge 20 ]'
sed -n 's/:.*: opportunity for .*//p' tree.report | sort -u >reported
ok 'what is converted is what is reported' diff -u reported converted
ok 'the tree that was looked at is as before' sh -c \
	'[ -z "$(git -C "$0" status --porcelain)" ]' "$BUILD/tree"

# With the old names back, each is what it was.
only_types()
{
	while read -r f; do
		case " $hand " in *" $f "*) continue ;; esac
		sed 's/\(DMA_TYPE_\)NONCOHERENT/\1DEV/g
			s/\(DMA_TYPE_\)NONCONTIG/\1DEV_SG/g' "$tree/$f" >after
		same_words "before/$f" after || return 1
	done <converted
}
ok 'nothing but types changes' only_types

# by_hand FILE: a human may have changed more in there than types
by_hand()
{
	same_words "$BUILD/tree/$1" "$tree/$1" && return
	grep SNDRV_DMA_TYPE_ "$BUILD/tree/$1" >types
	grep SNDRV_DMA_TYPE_ "$tree/$1" >after
	[ -s types ] && same_words types after
}
for f in $hand; do
	ok "$f comes out as it did by hand" by_hand "$f"
done

if [ "$(uname -m)" != x86_64 ]; then
	skip 'each compiles' 'this machine has no compiler for x86_64'
	done_testing
	exit
fi

# symbol OBJECT DIRECTORY: the CONFIG_ symbol that it is built for
symbol()
{
	sed -e :a -e '/\\$/N; s/\\\n/ /; ta' "$tree/$2/Makefile" |
	awk -v object="$1" '
		{
			gsub(/[+:]?=/, " = ")
			line[NR] = $0
		}
		function owner(o,	i, j, n, word)
		{
			for (i = 1; i <= NR; i++) {
				n = split(line[i], word)
				for (j = 3; j <= n && word[j] != o; j++)
					;
				if (j > n)
					continue
				if (sub(/^obj-\$\(/, "", word[1]))
					return substr(word[1], 1,
						length(word[1]) - 1)
				sub(/-(objs|y|\$.*)$/, "", word[1])
				return owner(word[1] ".o")
			}
		}
		END { print owner(object) }'
}

# why_not SYMBOL: what Kconfig says it depends on
why_not()
{
	find "$tree/sound" -name Kconfig -exec awk -v s="${1#CONFIG_}" '
		/^[a-z]/ { found = $1 == "config" && $2 == s }
		found && $1 == "depends" {
			sub(/^[ \t]*/, "")
			printf ", %s", $0
		}' {} +
}

# Which objects they are in; a file may be included by others beside it.
while read -r f; do
	dir=${f%/*} o=$(basename "$f" .c).o
	s=$(symbol "$o" "$dir")
	if [ -z "$s" ]; then
		o=$(cd "$tree/$dir" && grep -l "\"${f##*/}\"" *.c | head -n 1)
		o=${o%.c}.o
		s=$(symbol "$o" "$dir")
	fi
	echo "$f $dir/$o $s"
done <converted >objects

kbuild configuration KCONFIG_ALLCONFIG="$repo/base/t-full/convert.config" \
	allmodconfig &&
	"$qemu/config-check" "$tree" "$kernel/.config" \
		"$repo/base/t-full/convert.config" &&
	kbuild preparation prepare || bail_out 'the kernel cannot be configured'
while read -r f o s; do
	rm -f "$kernel/$o"
	! grep -q "^$s=[ym]" "$kernel/.config" || echo "$o"
done <objects >compile
kbuild drivers -k W=1 $(sort -u compile) || :

# compiles FILE OBJECT: it does, and the compiler has nothing to say about it
compiles()
{
	grep -A 4 -F "$1:" "$kernel/drivers.log"
	[ -e "$kernel/$2" ] && ! grep -qF "$1:" "$kernel/drivers.log"
}

table=$BUILD/convert.tsv
printf 'driver\tbuffers\tfor a human\tcompiled\n' >"$table"
while read -r f o s; do
	if grep -qxF "$o" compile; then
		ok "$f compiles" compiles "$f" "$o"
		[ -e "$kernel/$o" ] && compiled=yes || compiled=no
	else
		compiled="$s is off on x86_64$(why_not "$s")"
		skip "$f compiles" "$compiled"
	fi
	printf '%s\t%d\t%d\t%s\n' "$f" \
		"$(grep -c "^$f:.*: opportunity for " tree.report)" \
		"$(grep "^$f:" tree.report | grep -vc ': opportunity for ')" \
		"$compiled" >>"$table"
done <objects
say "$table has them all"

done_testing
