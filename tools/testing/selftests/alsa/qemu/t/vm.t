#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What a job in the virtual machine does comes back, and nothing that goes
# wrong in there passes for success.

. "${0%/*}/tap.sh"
cd "$tmp" || exit 1
vm=$qemu/vm

# job LINE...: a job of these lines
job()
{
	mkdir -p job
	{ echo '#!/bin/sh'; printf '%s\n' "$@"; } >job/run
	chmod +x job/run
}

# same FILE TEXT
same()
{
	printf '%s\n' "$2" | diff -u - "$1"
}

job 'echo "this is $WHO"' 'cat file >/result/copy' 'exit 7'
echo 'from the host' >file
try "$vm" -o out -e WHO=root job file
ok "the job's exit status is that of vm" ended 7
ok 'its files come back' same out/result/copy 'from the host'
ok 'so does what it prints' same out/log 'this is root'
try "$vm" -o out -v -e WHO=me job file
ok 'which -v shows' same stdout 'this is me'

job 'dd if=/dev/urandom bs=64k count=100 of=/result/big 2>/dev/null' \
	'cd /result && sha256sum big >sum'
try "$vm" -o out job
ok 'a large result comes back' ended 0
ok 'unharmed' sh -c 'cd out/result && sha256sum -c sum'

job 'grep -c ^processor /proc/cpuinfo >/result/cpus'
try "$vm" -o out -c 2 job
ok '-c gives that many CPUs' same out/result/cpus 2

job 'echo >/result/ready' 'echo c >/proc/sysrq-trigger'
try "$vm" -o out job
ok 'an oops is a failure' ended 125
ok 'that says so' told 'the machine ended without a result'
ok 'and shows the console' told 'sysrq triggered crash'

job 'echo before' 'reboot -f'
try "$vm" -o out job
ok 'so is a machine that ends by itself' ended 125
ok 'which shows what the job printed last' told 'before'

job 'while :; do sleep 1; done'
try "$vm" -o out -t 20 job
ok 'a hang is a failure' ended 124
ok 'that tells the time limit' told 'no result within 20 s'
ok 'and shows the console' told '[    0.'

job 'echo 512 >/proc/sys/kernel/tainted'
try "$vm" -o out job
ok 'a warning from the kernel is a failure' ended 125
ok 'that says so' told 'the kernel gave a warning'
try "$vm" -o out -w job
ok 'but not if it is expected' ended 0
for splat in 'UBSAN: shift-out-of-bounds' 'BUG: KCSAN: data-race in a / b' \
	'DMA-API: debugging out of memory - disabling' \
	'kmemleak: Kernel memory leak detector disabled'; do
	job "echo '<3>$splat' >/dev/kmsg"
	try "$vm" -o out job
	ok "so is one that leaves no mark: $splat" ended 125
	ok 'which is told' told "the kernel gave a warning: $splat"
done
job "echo '<3>device: no BUG: or WARNING:' >/dev/kmsg"
try "$vm" -o out job
ok 'other words are not' ended 0

job true
try "$vm" -o out -d hda -p snd_hda_intel.enable=0 job
ok 'a sound card that is missing is a failure' ended 125
ok 'that names it' told "there is no sound card 'hda'"
if [ "$ARCH" != arm ]; then
	try "$vm" -o out -i -d ac97 job
	ok 'a sound card behind an IOMMU' ended 0
	try "$vm" -o out -i -d ac97 -p iommu.passthrough=1 job
	ok 'an IOMMU that translates nothing is a failure' ended 125
	ok 'that says so' told "the IOMMU does not translate for 'ac97'"
else
	try "$vm" -o out -i -d ac97 job
	ok 'an IOMMU that cannot be had is an error' ended 125
	ok 'that says so' told 'no IOMMU to be had for arm'
fi
if [ "${ARCH:-x86_64}" = x86_64 ]; then
	try "$vm" -o out -i -d ac97 -p intel_iommu=off job
	ok 'so is one that is not used' ended 125
	ok 'which says so' told "'ac97' is not behind an IOMMU"
	try "$vm" -o out -n -d ac97 job
	ok 'a bus that cannot be made non-coherent is an error' ended 125
	ok 'that names it' told 'cannot make the PCI bus of x86_64 non-coherent'
else
	job 'cat /proc/device-tree/pcie*/dma-coherent'
	try "$vm" -o out job
	ok 'a PCI bus that is coherent' ended 0
	try "$vm" -o out -n job
	ok 'and one that is not' ended 1
	ok 'which has no such property' grep -q "can't open" out/log
fi

try "$vm" -o out none
ok 'a job that is not there is an error' ended 125
ok 'that names it' told "'none'"
try "$vm" -o out -k none job
ok 'a kernel that is not there is an error' ended 125
ok 'that names it' told "$tmp/none/arch/"
try "$vm" -o out -d sb16 job
ok 'a sound card that is not known is an error' ended 125
ok 'that names it' told "'sb16'"

done_testing
