#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A hundred million frames, through each type, in each direction, with each
# adversary: none wrong, and as many bytes synced as it takes.
#
# FRAMES says how many.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
arch=${ARCH:-x86_64}
frames=${FRAMES:-100000000}

# soak NAME TYPE FRAMES [OPTIONS OF VM]: its exit status goes to NAME.status
soak()
{
	name=$1 type=$2 n=$3
	shift 3
	"$qemu/vm" -o "$name" -t 3600 -e TYPE=$type -e FRAMES=$n "$@" \
		"$qemu/jobs/soak" "$BUILD/tools/$arch/pcm-soak" 2>"$name.stderr"
	echo $? >"$name.status"
}

through()
{
	[ "$(cat "$1.status")" -le 1 ] || { cat "$1.stderr"; return 1; }
}

for type in noncontig noncoherent; do
	{
		soak $type $type "$frames"
		soak $type-calls $type "$frames" -e CALLS=yes \
			-e ADVERSARIES=evict+prefetch
	} &
done
wait
for name in noncontig noncoherent noncontig-calls noncoherent-calls; do
	ok "$name: the machine went through all of it" through $name
	merge $name/result/tap
done

cat */result/tap | sed -n 's/^# data	//p' | awk '
	{ frames += $5; wrong += $6 }
	END { printf "# %.0f frames, %d wrong\n", frames, wrong }'

# Nothing of that is worth anything if it cannot fail
soak deaf noncontig 100000 -e CARD=deaf=1
ok 'without syncs all fail' \
	sh -c '! grep "^ok" deaf/result/tap && grep -q "^not ok" deaf/result/tap'

done_testing
