# SPDX-License-Identifier: GPL-2.0
#
# The front door; "make help" lists what there is.  The work is done in base/
# and in tools/testing/selftests/alsa/qemu/.

ARCH ?= x86_64
qemu := tools/testing/selftests/alsa/qemu

# What runs where: "check" has the tests in t/, "check-full" also those in t-full/,
# and of these, "check-ci" has only the ones named here, in this order.
ci-tests := base/t-full/docs.t $(qemu)/t-full/debug.t $(qemu)/t-full/fault.t
full-tests = $(ci-tests) $(filter-out $(ci-tests), \
	$(wildcard base/t-full/*.t $(qemu)/t-full/*.t))
# Two at a time, as far as testrules.yml lets them; what the tests tell meanwhile goes
# past prove, which waits for a result of the test that it heard last
together := MESSAGES=past-prove prove --timer -f -j2 9>&2

export BUILD := $(CURDIR)/build
export ARCH WAV CARDS
# What WAV and BASE are relative to
export FROM := $(PWD)
base := $(if $(BASE),'$(abspath $(if $(filter /%,$(BASE)),,$(FROM)/)$(BASE))')

help:
	@echo 'make run         play a recording through the new buffers, compare what came out'
	@echo 'make check       the tests'
	@echo 'make check-full  those, and the long ones: sound servers, debug kernels'
	@echo 'make check-ci    those, and some of the long ones, as .ci/run does'
	@echo 'make compare     the same cases on the merged version and on ours, side by side'
	@echo 'make bench       what sync costs, against the merged version and the base'
	@echo 'make convert     what DRIVER=PATH, as seen from build/tree, becomes with the new types'
	@echo 'make tree        the kernel source with a commit per patch, in build/tree'
	@echo 'make refresh     write edited commits of build/tree back to patches/'
	@echo 'make series      cover letter and patches for git send-email, in build/series'
	@echo 'make shell       a shell in a virtual machine with the kernel and its cards'
	@echo 'make clean       remove build/; what is cached outside of it stays'
	@echo
	@echo 'ARCH=$(ARCH)     x86_64, arm64 or arm'
	@echo 'BASE=DIR         a kernel tree of yours instead of Debian'\''s; it is only read'
	@echo 'WAV=FILE         what make run plays; anything that sox reads'
	@echo 'CARDS=LIST       which of hda ac97 es1370 it plays on (all)'

run shell: tree
	@base/packages vm $(ARCH)
	@$(MAKE) --no-print-directory -C $(qemu) $@

check: tree
	@base/packages vm $(ARCH) check
	@$(MAKE) --no-print-directory -C $(qemu) prepare
	@$(together) base/t $(qemu)/t

check-ci: check
	@base/packages full
	@$(together) $(ci-tests)

check-full: check
	@base/packages arm64 arm full
	@base/tree --base $(base)
	@base/tree --peer $(base)
	@$(MAKE) --no-print-directory -C $(qemu) base merged
	@$(together) $(full-tests)

compare: tree
	@base/packages vm $(ARCH)
	@base/tree --peer $(base)
	@$(MAKE) --no-print-directory -C $(qemu) $@
	@base/stamp >$(BUILD)/compare.stamp

bench: tree
	@base/packages vm bench $(ARCH)
	@base/tree --base $(base)
	@base/tree --peer $(base)
	@$(MAKE) --no-print-directory -C $(qemu) $@
	@base/stamp >$(BUILD)/bench.stamp

convert: tree
	@base/convert '$(DRIVER)'

tree:
	@base/packages source
	@base/tree $(base)

refresh:
	@base/refresh

series:
	@base/packages source
	@base/series $(base)

clean:
	rm -rf build

.PHONY: help run shell check check-ci check-full compare bench convert tree refresh series clean
