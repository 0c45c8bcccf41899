# SPDX-License-Identifier: GPL-2.0
#
# Read by the tests here: where things are.

qemu=$(cd "${0%/*}/.." && pwd)
repo=$(realpath "$qemu/../../../../..")
. "$qemu/../tap.sh"
