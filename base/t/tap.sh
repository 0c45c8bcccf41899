# SPDX-License-Identifier: GPL-2.0-only
#
# Read by the tests here: where things are, and things to try base/ on.

repo=$(realpath "${0%/*}/../..")
. "$repo/tools/testing/selftests/alsa/tap.sh"
cd "$tmp" || exit 1

# Somebody who works in the tree
export GIT_AUTHOR_NAME=Somebody GIT_AUTHOR_EMAIL=somebody@localhost
export GIT_COMMITTER_NAME=Somebody GIT_COMMITTER_EMAIL=somebody@localhost
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=gc.auto GIT_CONFIG_VALUE_0=0

# Leave no tree of a gigabyte behind, nor what a test has made of one.
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

bail_out()
{
	echo "Bail out!  $*"
	exit 1
}

# What of a kernel base/ and the series are about, so that it takes seconds
parts()
{
	echo .gitignore Kbuild MAINTAINERS Makefile include/linux/dma-mapping.h \
		include/sound include/uapi/sound scripts/get_maintainer.pl \
		sound tools/include/uapi/sound
	sed -n 's|^--- a/||p' "$repo"/patches/*.patch
}

# small_cache: from now on, CACHE holds these parts of Debian's source only, and
# $small is the git directory in there
small_cache()
{
	debian=$("$repo/base/source") || bail_out 'there is no source'
	read -r merged unmerged git <<-END
	$debian
	END
	small=$tmp/cache/source/${git##*/}
	git init -q --bare "$small"
	echo "$git/objects" >"$small/objects/info/alternates"
	(
	export GIT_DIR=$small GIT_INDEX_FILE=$tmp/index
	git ls-tree -r "$merged" $(parts) | git update-index --index-info
	git update-ref refs/heads/merged \
		"$(git commit-tree -m "source: parts of it" "$(git write-tree)")"
	)
	export CACHE=$tmp/cache
}

# small_repo: a copy in git of everything that base/ reads, in $tmp/repo, and
# what it makes of it goes to $tmp/build
small_repo()
{
	mkdir "$tmp/repo"
	cp -R "$repo/base" "$repo/patches" "$tmp/repo"
	(cd "$repo" && cp -p --parents $(new_files) "$tmp/repo")
	git init -q "$tmp/repo"
	saved
	export BUILD=$tmp/build
}

new_files()
{
	sed -n '/^---$/d; s/^New-file: *//p' patches/*.patch
}

# What is in $tmp/repo now is how it shall be.
saved()
{
	git -C "$tmp/repo" add -A
	git -C "$tmp/repo" commit -q --allow-empty -m saved
}

# base SCRIPT [ARG...]: try it in that copy
base()
{
	script=$1
	shift
	try "$tmp/repo/base/$script" "$@"
}

# same FILE TEXT
same()
{
	printf '%s\n' "$2" | diff -u - "$1"
}
