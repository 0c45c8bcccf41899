#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Whatever is broken in our code, a test notices it; what cannot be noticed is
# named, with the reason.
#
# SHARE=K/N is which of them to try: every Nth, beginning with number K.  By default
# it is an eighth, another one each day and for each state of the series; "make
# mutants" tries all.

. "${0%/*}/../t/tap.sh"
cd "$tmp" || exit 1
table=$BUILD/mutants/mutants.tsv

if [ "${ARCH:-x86_64}" != x86_64 ]; then
	echo '1..0 # SKIP one architecture is enough to try the tests, x86_64'
	exit
fi

# mutants [ARG...]: how far it is shows meanwhile
mutants()
{
	{
		make -s -C "$qemu" mutants MUTANTS="$*"
		echo $? >status
	} | tee stdout >&2
	status=$(cat status)
}

# verdicts: a result for each mutant
verdicts()
{
	awk -F '\t' -v n=$count '
		$2 == "compiler" { next }
		{
			bad = $2 !~ /^(kunit|dma_sync|refused|leak|equivalent|same)$/
			gsub(/#/, "", $1)
			print (bad ? "not " : "") "ok", ++n, "- " $1 ": " $2
			if (bad)
				print "# " $3
		}
	' "$table" >verdicts
	cat verdicts
	count=$((count + $(grep -cE '^(not )?ok' verdicts)))
}

# One that nobody can notice, and of which it is not known here
one=$(sed -n '/^[^#	]/{p;q}' "$qemu/mutants.d/equivalent")
: >nothing
EQUIVALENT=$tmp/nothing mutants -q "'$one'"
ok 'a mutant that survives is an error' [ $status != 0 ]
ok 'and told by its name' grep -F "$one	survived" stdout
ok 'and counted' grep ' 1 survived' stdout

# One that any test kills, said to be equivalent
mutants -l "'snd_dma_alloc_dir_pages: dmab->dev.dir'"
grep ' => ' stdout >wrong
EQUIVALENT=$tmp/wrong mutants -q "'snd_dma_alloc_dir_pages: dmab->dev.dir'"
ok 'one that is listed and dies is an error' [ $status != 0 ]
ok 'and told by its name' grep 'listed, kunit' stdout

[ "$SHARE" ] || SHARE=$(($(echo "$stamp" | cksum | cut -d' ' -f1) % 8))/8
mutants -s $SHARE
echo "# SHARE=$SHARE"
ok 'all have had their turn' [ -s "$table" ]
verdicts
sed 's/^/# /' stdout

done_testing
