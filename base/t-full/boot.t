#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# After each patch, the kernel boots, plays a recording bit for bit, and passes the
# tests that exist by then.

. "${0%/*}/../t/tap.sh"
. "$repo/base/t/kbuild.sh"

exec 3>&2
queue
[ "$status" = 0 ] || { cat stderr; bail_out 'there is no tree to build'; }
export ARCH="${ARCH:-x86_64}"
booted=$steps/kernel/boot-$ARCH

# make_it TARGET [VARIABLE...]: with the kernel of the commit that is checked out
make_it()
{
	make -s -C "$qemu" "$@" BUILD="$steps" TREE="$tree" KERNEL_NAME=boot
}

in_tree checkout -q series
make_it userland tools >&3 || bail_out 'there is nothing to run in a machine'

# boots JOB [OPTION...]: the machine comes up, with a card, and the job succeeds
boots()
{
	job=$1
	shift
	"$qemu/vm" -k "$booted" -u "$steps/userland/$ARCH" -o out "$@" \
		"$qemu/jobs/$job" "$steps/tools/$ARCH"/pcm-dma-sync*
}

for commit in $(in_tree rev-list --reverse base..series); do
	title=$(title "$commit")
	if in_tree diff --quiet "$commit^" "$commit" -- sound include; then
		skip "$title" 'it touches nothing that is compiled'
		continue
	fi
	in_tree checkout -q "$commit"
	ok "$title: the kernel is built" make_it kernel
	ok "$title: it plays, bit for bit" make_it -o prepare run CARDS=ac97
	modules=$(cpio -it --quiet <"$booted/modules.cpio")
	case $modules in
	*_test.ko*)
		ok "$title: the KUnit tests run" boots kunit
		"$qemu/kunit-tap" 0 out/result/* >kunit
		merge kunit
		;;
	esac
	case $modules in
	*snd-dmatest.ko*)
		ok "$title: the selftests run" boots dma-sync -e MATRIX=boot
		merge out/result/tap
		;;
	esac
	echo "# booted: $title" >&3
done

in_tree checkout -q series
done_testing
