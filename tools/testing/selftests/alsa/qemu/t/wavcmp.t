#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The comparison sees every frame that is not as it was played.

. "${0%/*}/tap.sh"
make -s -C "$qemu" tools || exit 1
wavcmp=$BUILD/tools/host/wavcmp
cd "$tmp" || exit 1

# 1000 frames of noise with 10 of silence in front, as a card would play them:
# silence, noise, silence, noise, silence
format='-t raw -r 48000 -b 16 -e signed -c 2'
sox -n $format noise.raw synth 1000s whitenoise
head -c 400 /dev/zero >silence
{ head -c 40 silence; cat noise.raw; } >played.raw

# output FILE PART...
output()
{
	name=$1
	shift
	cat "$@" >output.raw
	sox $format output.raw "$name"
}

# compared TIMES FILE EXPECTED...: the lines that wavcmp prints
compared()
{
	times=$1 file=$2
	shift 2
	"$wavcmp" played.raw "$file" $times >lines
	printf '%s\n' "$@" | diff -u - lines
}

output good.wav silence played.raw silence silence played.raw silence
ok 'what was played twice is found twice' \
	compared 2 good.wav '1010 0 -1' '1010 0 -1'
ok 'and that is success' "$wavcmp" played.raw good.wav 2
try "$wavcmp" played.raw good.wav 1
ok 'a repetition too many is failure' ended 1
ok 'a repetition too few is missing all its frames' \
	compared 3 good.wav '1010 0 -1' '1010 0 -1' '0 1010 0'

{ head -c 2000 noise.raw; printf '\1'; tail -c +2002 noise.raw; } >bad.raw
output bad.wav silence bad.raw silence
ok 'one byte that differs is one frame that differs' \
	compared 1 bad.wav '1010 1 510'
try "$wavcmp" played.raw bad.wav 1
ok 'and that is failure' ended 1

{ head -c 2000 noise.raw; tail -c +2005 noise.raw; } >short.raw
output short.wav silence short.raw silence
ok 'behind a lost frame everything is late' \
	compared 1 short.wav '1010 500 510'

output stale.wav silence noise.raw silence short.raw
ok 'sound behind the end is counted' \
	sh -c '"$0" played.raw stale.wav 1 | grep "^1010 999 "' "$wavcmp"

output cut.wav silence bad.raw
head -c 2444 cut.wav >cut2.wav
ok 'an output that ends early lacks the rest' \
	compared 1 cut2.wav '510 500 510'

output mute.wav silence silence silence
ok 'a mute card has played nothing' compared 1 mute.wav '0 1010 0'

cp silence mute.raw
try "$wavcmp" mute.raw good.wav 1
ok 'silence cannot be looked for' ended 2
try "$wavcmp" played.raw played.raw 1
ok 'an output that is no wav file is an error' ended 2
ok 'which names the file' told 'played.raw: '
try "$wavcmp" played.raw none.wav 1
ok 'so is one that is not there' told 'none.wav: No such file'

done_testing
