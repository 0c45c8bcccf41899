#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A symbol that was asked for and is not set does not go unnoticed.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1

mkdir -p tree/sub
printf 'menuconfig SOUND\n\tbool "Sound"\n' >tree/Kconfig
printf 'config SND_A\n\tbool\n\nconfig SND_B\n\ttristate\n' >tree/sub/Kconfig
cat >config <<'END'
CONFIG_SOUND=y
CONFIG_SND_A=y
# CONFIG_SND_B is not set
END

# check LINE: what comes of a fragment with this line in it
check()
{
	printf '# a comment\n%s\n' "$1" >fragment
	try "$qemu/config-check" tree config fragment
}

check CONFIG_SND_A=y
ok 'a symbol that is set' ended 0
check CONFIG_SND_B=n
ok 'a symbol that is not to be set' ended 0
check CONFIG_SND_B=m
ok 'a symbol that is off' ended 1
ok 'is named' told 'CONFIG_SND_B=m is asked for, but it is off'
check CONFIG_SND_A=m
ok 'a symbol with another value' ended 1
ok 'is named with it' told 'CONFIG_SND_A=m is asked for, but it is y'
check CONFIG_SOUND=n
ok 'a symbol that is on against the will' ended 1
check CONFIG_SND_C=y
ok 'a symbol that this kernel does not have is no failure' ended 0
ok 'but is named' told 'not in this tree: CONFIG_SND_C'

printf 'CONFIG_SND_A=n\nCONFIG_SND_B=m\n' >first
echo CONFIG_SND_A=y >second
try "$qemu/config-check" tree config first second
ok 'a later fragment has the last word' told 'first: CONFIG_SND_B=m'
ok 'on what it names' [ "$(grep -c SND_A stderr)" = 0 ]

done_testing
