#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every KUnit case passes in the virtual machine, and one that does not is told.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1

# tap FILE LINE...: kunit-tap prints these for FILE
tap()
{
	"$qemu/kunit-tap" 0 "$1" >lines
	shift
	printf '%s\n' "$@" | diff -u - lines
}

cat >good <<'END'
    KTAP version 1
    # Subtest: suite
    1..3
    ok 1 one
        # Subtest: two
        ok 1 a parameter
driver: a message
        ok 2 another
    ok 2 - two
    ok 3 three # SKIP for a reason
ok 1 suite
END
ok 'a suite is a result per case' tap good 'ok 1 - suite: one' \
	'ok 2 - suite: two' 'ok 3 - suite: three # SKIP for a reason'

sed 's/ok 2/not ok 2/' good >bad
ok 'a case that fails is one, with what is known of it' tap bad \
	'ok 1 - suite: one' 'not ok 2 - suite: two' '#         # Subtest: two' \
	'#         ok 1 a parameter' '# driver: a message' \
	'#         not ok 2 another' 'ok 3 - suite: three # SKIP for a reason'

sed '/three/d' good >short
ok 'so is one that did not run' tap short 'ok 1 - suite: one' \
	'ok 2 - suite: two' 'not ok 3 - suite: 2 of 3 cases ran' '# ok 1 suite'
sed '$d' good >cut
ok 'and a suite that did not end' tap cut 'ok 1 - suite: one' \
	'ok 2 - suite: two' 'ok 3 - suite: three # SKIP for a reason' \
	'not ok 4 - suite: 3 of 3 cases ran'
echo 'kunit: disabled' >none
ok 'or did not begin' tap none \
	'not ok 1 - none: 0 of all cases ran' '# kunit: disabled'

# A case that fails may have a lot to tell
try "$qemu/vm" -o out -p log_buf_len=4M "$qemu/jobs/kunit"
ok 'the modules with KUnit tests load, and the kernel stays sound' ended 0
for module in memalloc_test pcm_dma_sync_test dmatest_mem_test; do
	ok "one is $module" [ -s out/result/$module ]
done
told=$(grep -c 'needs SNDRV_PCM_INFO_EXPLICIT_SYNC' out/result/pcm_dma_sync_test)
ok 'one driver forgot the flag, and only that is warned' [ "$told" = 1 ]
>cases
set -- out/result/*
[ ! -e "$1" ] || "$qemu/kunit-tap" $count "$@" | tee cases
count=$((count + $(grep -c '^[no]' cases)))

done_testing
