#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The merged version comes out of a kernel, all of it; or the kernel stays as it
# is, and what is in the way is named.

. "${0%/*}/tap.sh"
. "$repo/base/t/kbuild.sh"

debian=$("$repo/base/source") || bail_out 'there is no source'
read -r merged unmerged git <<END
$debian
END

# A copy to try it on
git --git-dir "$git" archive "$merged" sound include/sound include/uapi/sound \
	tools/include/uapi/sound | { mkdir kernel; tar -xf - -C kernel; }

state()
{
	find kernel -type f | sort | tar -cf - -T - | cksum
}

# unmerge [OPTION...]: try it there; $before and $after are all that is in it
unmerge()
{
	before=$(state)
	try "$repo/base/unmerge" "$@" kernel
	after=$(state)
}

unchanged()
{
	[ "$before" = "$after" ]
}

untouched=$(state)
unmerge --probe
ok 'there is something to take out' ended 0
ok 'which asking does not do' unchanged

# A kernel where something is not as expected

# with FILE SCRIPT: with FILE edited by sed
with()
{
	cp -p "kernel/$1" edited
	sed -i "$2" "kernel/$1"
	cmp -s edited "kernel/$1" && bail_out "'$2' does not change $1"
	unmerge
	cp -p edited "kernel/$1"
}

stopped()
{
	ended 1 && unchanged && told "$1"
}

# without NAME FILE: of the things that NAME is the beginning of, FILE has none
without()
{
	with "$2" "s/\<$1/other_&/g"
	ok "without $1 in ${2##*/} it stops" stopped "  $1"
	ok 'and says where that should be' told " in $2"
}

h=include/sound/memalloc.h c=sound/core/memalloc.c
uapi=include/uapi/sound/asound.h
for name in SNDRV_DMA_TYPE_NONCONTIG SNDRV_DMA_TYPE_NONCOHERENT \
		snd_dma_alloc_dir_pages snd_devm_alloc_dir_pages \
		snd_dma_noncontig_sg_table snd_dma_buffer_sync; do
	without $name $h
done
for name in snd_dma_noncontig_ snd_dma_noncoherent_ get_vmalloc_page_addr; do
	without $name $c
done
without SNDRV_PCM_INFO_EXPLICIT_SYNC $uapi
without SNDRV_PCM_INFO_EXPLICIT_SYNC tools/$uapi
without snd_pcm_dma_buffer_sync sound/core/pcm_compat.c

mv kernel/sound/core/pcm_local.h .
unmerge
mv pcm_local.h kernel/sound/core
ok 'without a whole file it stops' stopped ' in sound/core/pcm_local.h'

with sound/core/pcm_native.c '$a#define SYNC_IT snd_pcm_dma_buffer_sync'
ok 'where it is used in a way that is not known it stops' \
	stopped 'still there after the removal'
ok 'and says where' told 'sound/core/pcm_native.c:'
with sound/pci/rme96.c '$a#define SYNC_IT snd_dma_buffer_sync'
ok 'so it does if that is a driver' stopped 'sound/pci/rme96.c:'
with $h 's/DEV_SG\tSNDRV_DMA_TYPE_DEV /DEV_SG\tSNDRV_DMA_TYPE_VMALLOC /'
ok 'where something does not become what it was it stops' \
	stopped ' should have become of it'
ok 'and says what' told 'SNDRV_DMA_TYPE_DEV_SG	SNDRV_DMA_TYPE_DEV '
try "$repo/base/unmerge" kernel/sound
ok 'what is no kernel is refused' ended 1
ok 'and named' told "$tmp/kernel/sound: not a kernel tree"

mkdir bin
ln -s /usr/bin/* /bin/* bin 2>/dev/null
rm -f bin/spatch
PATH=$tmp/bin unmerge
ok 'without spatch it says what to install' \
	stopped 'apt-get install coccinelle'
ok 'of all that, nothing is left' [ "$(state)" = "$untouched" ]

# The kernel

unmerge
ok 'it is taken out' ended 0
before=$after
try "$repo/base/unmerge" kernel
after=$(state)
ok 'and then there is nothing to take out' ended 2
ok 'which changes nothing' unchanged
unmerge --probe
ok 'nor is there if one asks' ended 2
patch -s -p1 -d kernel \
	<"$repo/patches/$(sed -n 2p "$repo/patches/series")"
unmerge
ok 'nor from a kernel that has no more than the flag, as 5.15' ended 2
ok 'which changes nothing' unchanged

# As base/source keeps it, with everything else that is in a kernel

gone='SNDRV_DMA_TYPE_(NONCONTIG|NONCOHERENT|DEV_(WC_)?SG_FALLBACK)'
gone="$gone|SNDRV_PCM_INFO_EXPLICIT_SYNC|SNDRV_DMA_SYNC_|snd_dma_sync_mode"
gone="$gone|snd_(pcm_)?dma_buffer_sync|snd_(dma|devm)_alloc_dir_pages"
gone="$gone|snd_dma_(noncontig|noncoherent|sg_wc|sg_fallback)"

# not_in PATTERN [PATH...]
not_in()
{
	pattern=$1
	shift
	git --git-dir "$git" grep -nE "$pattern" "$unmerged" -- "$@" >lines
	[ $? = 1 ] || { cat lines; return 1; }
}

ok 'the names are nowhere in the kernel' not_in "$gone"
ok 'a buffer has no direction and is not synced' \
	not_in 'dma_data_direction|need_sync' \
	$h $c sound/core/pcm_memory.c sound/core/pcm_native.c

# has FILE PATTERN: one line in FILE matches
has()
{
	git --git-dir "$git" grep -hE "$2" "$unmerged" -- "$1" >lines
	[ "$(wc -l <lines)" = 1 ] || { cat lines; return 1; }
}

ok 'DEV_SG is DEV' has $h 'SNDRV_DMA_TYPE_DEV_SG\b.*SNDRV_DMA_TYPE_DEV\b'
ok 'and nothing else' has $h 'define SNDRV_DMA_TYPE_DEV_SG\b'
ok 'DEV_WC_SG is DEV_WC' \
	has $h 'SNDRV_DMA_TYPE_DEV_WC_SG\b.*SNDRV_DMA_TYPE_DEV_WC\b'
ok 'and nothing else' has $h 'define SNDRV_DMA_TYPE_DEV_WC_SG\b'
ok 'a chunk of a vmalloc buffer ends with its page' \
	has $c 'min_t\(unsigned int, size, PAGE_SIZE - ofs % PAGE_SIZE\)'
for f in snd_dma_alloc_pages snd_devm_alloc_pages; do
	ok "$f is declared" has $h "\\b$f\\("
	ok 'and exported' has $c "EXPORT_SYMBOL(_GPL)?\\($f\\)"
done

# It builds, and nothing is left over that a compiler would tell of

queue
[ "$status" = 0 ] || { cat stderr; bail_out 'there is no tree to build'; }
options n
changed=$(in_tree diff --name-only "$merged" base -- sound | grep '\.c$')
drivers=$(echo "$changed" | grep -v ^sound/core/ | sed 's/c$/o/')
built()
{
	in_tree checkout -q "$1"
	rm -rf "$objects/sound"
	kbuild log "W=1 sound/core/ $(echo $drivers)"
	status=$?
	counted log >"$1"
	return $status
}

ok 'the merged version builds' built "$merged"
ok 'and so does the kernel without it' built base
ok 'with no warning that is new' no_more "$merged" base
in_tree checkout -q series

done_testing
