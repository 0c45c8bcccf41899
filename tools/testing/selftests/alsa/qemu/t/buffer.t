#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A scattered buffer is had of whatever memory there is and plays as any other;
# where there is none to be had, the application learns it from hw_params, and
# the log says for which device and why.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}

# What to play: noise is like no other part of itself
sox -R -n -t raw -r 48000 -b 16 -e signed -c 2 sound.raw \
	synth 5 noise 2>/dev/null || { echo 'Bail out! sox makes no noise'; exit 1; }
mkdir padded
cat sound.raw /dev/zero | head -c $((6 * 4 * 48000)) >padded/sound.raw

try "$qemu/vm" -o out -d hda -d ac97 "$qemu/jobs/buffer" \
	"$BUILD/tools/$arch/fragment" "$BUILD/tools/$arch/hw-buffer" \
	padded/sound.raw
ok 'the machine went through all of it' ended 0

# says NAME WHAT: what the program was told
says()
{
	grep -x "$2" "out/result/$1" || { cat "out/result/$1"; return 1; }
}

# more NAME KEY NUMBER: what procfs says is more than that
more()
{
	cat "out/result/$1"
	[ "$(sed -n "s/^$2: //p" "out/result/$1")" -gt $3 ]
}

# logged NAME DEVICE WHY: one line and no other
logged()
{
	cat "out/result/$1.log"
	[ "$(wc -l <"out/result/$1.log")" = 1 ] &&
		grep " $2: $3$" "out/result/$1.log"
}

# logged_twice NAME WHAT: for either stream
logged_twice()
{
	cat "out/result/$1.log"
	[ "$(grep -c " sound pcmC[0-9]D0[pc]: $2" "out/result/$1.log")" = 2 ]
}

ok '4 MiB are had when no two free pages lie side by side' \
	says part 'bytes: 4194304'
ok 'in single pages, all but' more part segments 700
ok 'a controller that takes fewer has no use for all of them' \
	says whole 'Cannot allocate memory'
ok 'which is logged' logged whole 'snd_hda_intel .*' \
	'a buffer of 4194304 bytes in more pieces than the controller takes'
ok 'but for part of it' says part Success
try "$BUILD/tools/host/wavcmp" sound.raw out/hda.wav 2
ok 'and what is played through that comes out' ended 0

ok '1 MiB in one block is not had then' sh -c \
	'cat out/result/block && [ $(cat out/result/block) -lt 1024 ]'
ok 'the virtual card has 4 MiB without any block' says pieces Success
ok 'each page is one of the pieces' more pieces segments 1023
ok 'it has no buffer that has to be one block' \
	says no-block 'Cannot allocate memory'
ok 'which is logged' logged no-block 'sound pcmC[0-9]D0p' \
	'no buffer of 1048576 bytes: not enough memory in one block ([0-9]*-bit DMA)'
ok 'nor one for which the device has not enough bits of address' \
	says mask 'Cannot allocate memory'
ok 'which is logged' logged mask 'sound pcmC[0-9]D0p' \
	'no buffer of 4194304 bytes: not enough memory (20-bit DMA)'
ok 'nor one above the limit of the card' says limit 'Cannot allocate memory'
ok 'which is logged' logged limit 'sound pcmC[0-9]D0p' \
	'no buffer of 1048576 bytes: more than max_alloc_per_card'

ok 'what cannot be had when the card is set up is logged, too' \
	logged_twice beforehand \
	'no buffer of 16384 bytes: not enough memory in one block'

done_testing
