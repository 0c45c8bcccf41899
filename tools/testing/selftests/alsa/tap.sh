# SPDX-License-Identifier: GPL-2.0
#
# Read by the tests, which set $repo: TAP for the shell, and a directory for what
# they make.
# A test says what has to be true, and a command that is true if it is.

# As the Makefile has it; what prove listens to stays open, as the end of it would be
# heard again and again
[ "$MESSAGES" != past-prove ] || exec 8>&2 2>&9

BUILD=$(realpath -m "${BUILD:-$repo/build}")
export BUILD
# a test that another one runs is in its directory, WITHIN
tmp=${WITHIN:-$BUILD/t}/$(basename "$0" .t)
rm -rf "$tmp"
mkdir -p "$tmp" || exit 1
count=0 failed=0 skipped=0

# What base/evidence gets: which state of the series this is about, and how it
# ended, which is empty before done_testing
result=$BUILD/results/$(basename "$0" .t)-${ARCH:=x86_64}
mkdir -p "$BUILD/results"
conclude()
{
	printf "%s\t" $stamp "$(basename "$0" .t)" "$ARCH" "$@" >"$result"
	echo >>"$result"
}
stamp=$("$repo/base/stamp" 2>/dev/null) || stamp="- - -"
conclude

# why: what is read is why a test fails; prove shows which one did, and no comments
why()
{
	sed 's/^/# /' >"$tmp/why"
	cat "$tmp/why"
	[ "$MESSAGES" != past-prove ] || {
		echo "${0##*/}: $what"
		head -n 40 "$tmp/why"
	} >&2
}

# ok WHAT COMMAND [ARG...]
ok()
{
	what=$1
	shift
	count=$((count + 1))
	if "$@" >"$tmp/ok" 2>&1; then
		echo "ok $count - $what"
	else
		failed=$((failed + 1))
		echo "not ok $count - $what"
		{ echo "failed: $*"; cat "$tmp/ok"; } | why
	fi
}

# skip WHAT REASON: for which this cannot be tested
skip()
{
	count=$((count + 1))
	skipped=$((skipped + 1))
	echo "ok $count - $1 # SKIP $2"
}

# try COMMAND [ARG...]: its exit status in $status, what it prints in $tmp/stdout
# and $tmp/stderr
try()
{
	"$@" >"$tmp/stdout" 2>"$tmp/stderr"
	status=$?
	echo "# status $status: $*"
}

# the last try ended with this exit status
ended()
{
	[ $status = $1 ] || { cat "$tmp/stdout" "$tmp/stderr"; return 1; }
}

# the last try told this on stderr
told()
{
	grep -F -e "$1" "$tmp/stderr" || { cat "$tmp/stderr"; return 1; }
}

# merge TAP-FILE: the results in there, as further ones of this test. There may
# be several plans, each before its results or behind them, and each has to be met.
merge()
{
	awk -v n=$count '
		function finish() {
			if (seen < planned)
				print "not ok", ++n, "- " planned - seen,
					"results are missing" about
			planned = seen = 0
		}
		/^1\.\.0/ { print "ok", ++n, substr($0, 6); next }
		/^1\.\./ {
			behind = seen && !planned
			if (!behind)
				finish()
			planned = substr($0, 4) + 0
			if (behind)
				finish()
			next
		}
		/^(not )?ok / { seen++; sub(/ok [0-9]+/, "ok " ++n) }
		/^TAP version/ || /^# Totals/ || !NF { next }
		/^# [a-z]+=/ { finish(); about = ": " substr($0, 3) }
		{ print }
		END { finish() }
	' "$1" >"$tmp/merged"
	cat "$tmp/merged"
	what=$1
	! grep -B 30 '^not ok' "$tmp/merged" >"$tmp/notok" ||
		why <"$tmp/notok" >"$tmp/shown"
	count=$((count + $(grep -cE "^(not )?ok " "$tmp/merged")))
	failed=$((failed + $(grep -c "^not ok " "$tmp/merged")))
	skipped=$((skipped + $(grep -c "^ok .*# SKIP" "$tmp/merged")))
}

done_testing()
{
	conclude $((count - failed - skipped)) $failed $skipped
	echo "1..$count"
}
