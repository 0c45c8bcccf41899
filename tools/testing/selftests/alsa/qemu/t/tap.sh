# SPDX-License-Identifier: GPL-2.0
#
# Read by the tests: TAP for the shell, and a directory for what they make.
# A test says what has to be true, and a command that is true if it is.

qemu=$(cd "${0%/*}/.." && pwd)
BUILD=${BUILD:-$(realpath "$qemu/../../../../../build")}
export BUILD
tmp=$BUILD/t/$(basename "$0" .t)
rm -rf "$tmp"
mkdir -p "$tmp" || exit 1
count=0

# ok WHAT COMMAND [ARG...]
ok()
{
	what=$1
	shift
	count=$((count + 1))
	if "$@" >"$tmp/ok" 2>&1; then
		echo "ok $count - $what"
	else
		echo "not ok $count - $what"
		echo "# failed: $*"
		sed 's/^/# /' "$tmp/ok"
	fi
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

done_testing()
{
	echo "1..$count"
}
