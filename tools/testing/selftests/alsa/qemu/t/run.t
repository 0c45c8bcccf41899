#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The main job: what is played comes out, bit for bit; if not, it is told.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}
# The recordings here are relative to here, whatever make they are run by
unset FROM
run=$BUILD/run/$arch
tables=$BUILD/run-$arch.tsv rows=12
case $arch in
x86_64) tables=$BUILD/run.tsv ;;
arm64) rows=24 ;;
arm) tables="$tables $BUILD/run-arm-lpae.tsv" ;;
esac

make_run()
{
	try make -s -C "$qemu" -o prepare run "$@"
}

# rows_exact TABLE N: it has so many rows, and all are exact
rows_exact()
{
	cat "$1"
	[ $(tail -n +2 "$1" | wc -l) = $2 ] &&
		[ $(tail -n +2 "$1" | cut -f 9 | grep -cx exact) = $2 ]
}

# all_of_it TABLE: each rate's recording was played to its end
all_of_it()
{
	cut -f 6 "$1" | sort -u | tr "\n" " " | grep "502269 546687"
}

try make -s -C "$qemu" run
ok 'everything comes out as it was played' ended 0
for table in $tables; do
	ok "in every row of ${table##*/}" rows_exact "$table" $rows
	ok 'and it was all of the recording' all_of_it "$table"
done
table=${tables%% *}
cp "$run/hda-coherent-off/hda.wav" "$run/hda-coherent-off/log" .

make_run CARDS=hda
ok 'a second run' ended 0
ok 'is the same to the bit' cmp hda.wav "$run/hda-coherent-off/hda.wav"

# One channel, not the rate of any card, and a name to stumble over
sox -n -r 22050 -c 1 -b 8 "user's own.wav" synth 2 sine 300:3000
cp "user's own.wav" before.wav
make_run CARDS=es1370 WAV="user's own.wav"
ok "the user's own recording" ended 0
ok 'comes out as well' grep -q '^es1370.*	88200	0	.*exact' "$table"
ok 'and is not changed' cmp "user's own.wav" before.wav

make_run WAV=none.wav
ok 'a recording that is not there is an error' ended 2
ok 'that names it' told 'none.wav: there is no such file'
echo 'not a sound' >text.wav
make_run WAV=text.wav
ok 'so is one that is no recording' ended 2
ok 'which is named with the reason' told 'text.wav: sox cannot read this: '
make_run WAV=.
ok 'so is a directory' ended 2
sox -n -r 48000 -c 2 silence.wav trim 0 1
make_run WAV=silence.wav
ok 'so is silence' ended 2
ok 'which is named' told 'silence.wav: this is silence'

VM_OPTIONS='-p snd_hda_intel.enable=0' make_run CARDS=hda
ok 'a card that is not there is a failure' ended 2
ok 'that tells why' told "there is no sound card 'hda'"
ok 'and stands in the table' grep -q '^hda.*did not play' "$table"

# At half the volume, a card puts out something else
cp -R "$qemu/jobs/play" quiet
sed -i 's/100%/50%/' quiet/run
try "$qemu/vm" -o out -d ac97 -e CARD=ac97 -e RATE=48000 quiet \
	"$BUILD/tools/$arch/explicit-sync" "$run/48000/padded/sound.raw"
ok 'the recording can be played softer' ended 0
try "$BUILD/tools/host/wavcmp" "$run/48000/sound.raw" out/ac97.wav 2
ok 'and then differs' ended 1

done_testing
