// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU that counts the cache maintenance of an arm64 guest
 *
 *	qemu-system-aarch64 -plugin PATH/cache-ops.so,out=FILE ...
 *
 * Between "hint #77" and "hint #78", which are no operation to the guest, it
 * counts the instructions executed and, of these, DC CIVAC, DC CVAC and
 * DC IVAC, each of which works on one line; and writes a line with these four
 * numbers to FILE.
 *
 * The interface of plugins has a header that distributions do not ship, so what
 * of it is used here is declared (QEMU, docs/devel/tcg-plugins.rst).
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { QEMU_PLUGIN_INLINE_ADD_U64 };
enum { QEMU_PLUGIN_CB_NO_REGS };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
		void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
		int op, void *counter, uint64_t add);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
		void (*cb)(unsigned int cpu, void *data), int flags,
		void *data);

#define EXPORT	__attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

/* as the instructions are encoded, without the register */
#define DC_CIVAC	0xd50b7e20
#define DC_CVAC		0xd50b7a20
#define DC_IVAC		0xd5087620
#define HINT_BEGIN	0xd50329bf	/* hint #77 */
#define HINT_END	0xd50329df	/* hint #78 */

enum { ALL, CIVAC, CVAC, IVAC, COUNTERS };

static uint64_t counter[COUNTERS], begun[COUNTERS];
static FILE *out;

static void begin(unsigned int cpu, void *data)
{
	memcpy(begun, counter, sizeof(counter));
}

static void end(unsigned int cpu, void *data)
{
	int i;

	for (i = 0; i < COUNTERS; i++)
		fprintf(out, "%llu%c",
			(unsigned long long)(counter[i] - begun[i]),
			i == COUNTERS - 1 ? '\n' : '\t');
	fflush(out);
}

static int counter_of(uint32_t code)
{
	switch (code & ~0x1f) {
	case DC_CIVAC:
		return CIVAC;
	case DC_CVAC:
		return CVAC;
	case DC_IVAC:
		return IVAC;
	}
	return ALL;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t i;

	for (i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t code;
		int which;

		memcpy(&code, qemu_plugin_insn_data(insn), sizeof(code));
		which = counter_of(code);
		qemu_plugin_register_vcpu_insn_exec_inline(insn,
				QEMU_PLUGIN_INLINE_ADD_U64, &counter[ALL], 1);
		if (which != ALL)
			qemu_plugin_register_vcpu_insn_exec_inline(insn,
					QEMU_PLUGIN_INLINE_ADD_U64,
					&counter[which], 1);
		if (code == HINT_BEGIN || code == HINT_END)
			qemu_plugin_register_vcpu_insn_exec_cb(insn,
					code == HINT_BEGIN ? begin : end,
					QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			       char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4) ||
	    !(out = fopen(argv[0] + 4, "w"))) {
		fprintf(stderr, "cache-ops: cannot write what out= says\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
