// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on PCM streams
 *
 * Half of them are what an application would do next, so that streams get
 * somewhere; the others are anything. Sizes prefer the edges: nothing, one, a
 * period, what is available, the buffer, and one more or less than each.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "pcm-fuzz.h"

static __thread uint32_t state;

/* splitmix32 */
static uint32_t next(void)
{
	uint32_t x = state += 0x9e3779b9u;

	x = (x ^ x >> 16) * 0x85ebca6bu;
	x = (x ^ x >> 13) * 0xc2b2ae35u;
	return x ^ x >> 16;
}

void fuzz_seed(uint32_t seed)
{
	state = seed;
}

/* a number from 0 to @below - 1 */
uint32_t fuzz_random(uint32_t below)
{
	return below ? (uint64_t)next() * below >> 32 : 0;
}

static bool one_in(uint32_t n)
{
	return !fuzz_random(n);
}

/* of 100 */
static bool percent(uint32_t n)
{
	return fuzz_random(100) < n;
}

static long some_frames(const struct fuzz_stream *s)
{
	unsigned long buffer = s->configured ? s->pcm.buffer : 1024;
	unsigned long period = s->configured ? s->pcm.setup.period : 256;
	unsigned long avail = s->configured ? fuzz_avail(s) : 100;
	long n;

	switch (fuzz_random(8)) {
	case 0:
		n = fuzz_random(3);
		break;
	case 1:
		n = period;
		break;
	case 2:
		n = avail <= 2 * buffer ? avail : buffer;
		break;
	case 3:
		n = buffer;
		break;
	case 4:
		n = fuzz_random(2 * buffer);
		break;
	default:
		return 1 + fuzz_random(period);
	}
	if (one_in(3))
		n += (long)fuzz_random(3) - 1;
	return n < 0 ? 0 : n;
}

static void make_hw_params(struct fuzz_op *op)
{
	static const int formats[] = {
		SNDRV_PCM_FORMAT_S16_LE, SNDRV_PCM_FORMAT_S16_LE,
		SNDRV_PCM_FORMAT_S8, SNDRV_PCM_FORMAT_S24_LE,
		SNDRV_PCM_FORMAT_S24_3LE, SNDRV_PCM_FORMAT_S32_LE,
		SNDRV_PCM_FORMAT_FLOAT_LE,
	};
	/* what the device moves takes time; of that there is more in naps */
	static const int rates[] = { 8000, 8000, 8000, 11025, 16000, 48000 };
	static const int accesses[] = { 0, 0, 0, 1, 3, 3, 4 };
	static const int channels[] = { 1, 1, 1, 2, 2, 2, 3, 6 };
	long *arg = op->arg;

	arg[0] = accesses[fuzz_random(7)];
	arg[1] = formats[fuzz_random(7)];
	arg[2] = channels[fuzz_random(8)];
	arg[3] = one_in(50) ? 768000 : rates[fuzz_random(6)];
	arg[4] = 16 + fuzz_random(one_in(2) ? 32 : 300);
	arg[5] = 2 + fuzz_random(one_in(4) ? 14 : 4);
	if (percent(90))
		return;
	/* one of them makes no sense */
	switch (fuzz_random(7)) {
	case 0:
		arg[0] = 2;
		break;
	case 1:
		arg[1] = SNDRV_PCM_FORMAT_U16_LE;
		break;
	case 2:
		arg[2] = one_in(2) ? 0 : 9 + fuzz_random(100);
		break;
	case 3:
		arg[3] = one_in(2) ? 7999 : 768001;
		break;
	case 4:
		arg[4] = one_in(2) ? 0 : 1 << 30;
		break;
	case 5:
		arg[5] = one_in(2) ? fuzz_random(2) : 1 << 20;
		break;
	case 6:
		arg[2] = 8;
		arg[4] = fuzz_card.buffer_max / 16;
		break;
	}
}

static void make_sw_params(struct fuzz_op *op, struct fuzz_stream *s)
{
	long *arg = op->arg;

	arg[0] = one_in(3) ? -1 : some_frames(s);
	arg[1] = s->configured ? s->pcm.buffer : 1;
	if (one_in(4))
		arg[1] = one_in(2) ? -1 : some_frames(s);
	else if (one_in(4))
		arg[1] += 1 + fuzz_random(arg[1]);
	arg[2] = arg[3] = 0;
	if (one_in(12)) {
		arg[2] = one_in(3) ? 0 : some_frames(s);
		arg[3] = one_in(3) ? -1 : some_frames(s);
	}
	arg[4] = one_in(20) ? 0 : 1 + some_frames(s);
	arg[5] = one_in(20) ? (long)fuzz_random(5) - 2 : (long)fuzz_random(2);
}

static void make_sync_ptr(struct fuzz_op *op, struct fuzz_stream *s)
{
	long *arg = op->arg;

	arg[0] = fuzz_random(16);
	arg[1] = some_frames(s);
	arg[2] = FROM_APPL_PTR;
	if (one_in(3))
		arg[1] = -arg[1];
	if (one_in(6))
		arg[2] = fuzz_random(FROM_KINDS);
	/* most stay where they can; who does not, ends all comparison */
	if (arg[2] == FROM_APPL_PTR && s->configured && !one_in(12)) {
		unsigned long avail = fuzz_avail(s);
		unsigned long queued = s->pcm.buffer - avail;

		if (avail > s->pcm.buffer)
			avail = queued = 0;
		if (arg[1] > (long)avail)
			arg[1] = avail;
		if (arg[1] < -(long)queued)
			arg[1] = -(long)queued;
	}
	arg[3] = one_in(8) ? 0 : some_frames(s);
}

static void make_map(struct fuzz_op *op, struct fuzz_stream *s)
{
	static const long records[] = {
		0x80000000L, 0x81000000L, 0x82000000L, 0x83000000L,
	};
	long page = sysconf(_SC_PAGESIZE);
	long bytes = s->configured ? (long)s->pcm.bytes : page;
	long pages = (bytes + page - 1) / page;
	long *arg = op->arg;

	arg[2] = one_in(8) ? fuzz_random(4) : PROT_READ | PROT_WRITE;
	arg[3] = one_in(2);
	if (one_in(3)) {
		arg[1] = -1;
		return;
	}
	arg[0] = fuzz_random(pages + 2) * page;
	arg[1] = 1 + fuzz_random((pages + 2) * page);
	if (one_in(4))
		arg[1] = page;
	if (one_in(16))
		arg[0] = records[fuzz_random(4)];
	else if (one_in(16))
		arg[0] += fuzz_random(page);
	else if (one_in(16))
		arg[0] = (long)fuzz_random(0x7ffff) * page;
	if (one_in(16))
		arg[1] = fuzz_random(2) * (1L << 30);
}

static void make_xfer(struct fuzz_op *op, struct fuzz_stream *s)
{
	bool play = op->stream == SNDRV_PCM_STREAM_PLAYBACK;
	bool each = s->access == SNDRV_PCM_ACCESS_RW_NONINTERLEAVED;

	op->arg[0] = (each ? CALL_WRITEN : CALL_WRITEI) + !play;
	if (one_in(10))
		op->arg[0] = fuzz_random(CALL_KINDS);
	op->arg[1] = some_frames(s);
	op->arg[2] = one_in(20) ? fuzz_random(MEMORY_KINDS) : MEMORY_GOOD;
}

static void fill_in(struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	long *arg = op->arg;
	int i;

	switch (op->what) {
	case FUZZ_HW_REFINE:
		make_hw_params(op);
		for (i = 0; i < FUZZ_ARGS; i++)
			if (one_in(3))
				arg[i] = -1;
		break;
	case FUZZ_HW_PARAMS:
		make_hw_params(op);
		break;
	case FUZZ_SW_PARAMS:
		make_sw_params(op, s);
		break;
	case FUZZ_SYNC_PTR:
		make_sync_ptr(op, s);
		break;
	case FUZZ_PAUSE:
		arg[0] = one_in(2);
		break;
	case FUZZ_REWIND:
	case FUZZ_FORWARD:
		arg[0] = one_in(30) ? -(long)some_frames(s) : some_frames(s);
		break;
	case FUZZ_PUT:
	case FUZZ_GET:
		arg[0] = some_frames(s);
		break;
	case FUZZ_XFER:
		make_xfer(op, s);
		break;
	case FUZZ_LINK:
		arg[0] = one_in(5) ? fuzz_random(OTHER_KINDS) : OTHER_STREAM;
		break;
	case FUZZ_TTSTAMP:
		arg[0] = (long)fuzz_random(6) - 2;
		break;
	case FUZZ_CHANNEL_INFO:
		arg[0] = fuzz_random(10);
		break;
	case FUZZ_USER_PVERSION:
		arg[0] = 0x20000 + fuzz_random(20);
		break;
	case FUZZ_FAULT:
		arg[0] = fuzz_random(16);
		break;
	case FUZZ_UNKNOWN:
		arg[0] = fuzz_random(128);
		break;
	case FUZZ_MAP:
		make_map(op, s);
		break;
	case FUZZ_UNMAP:
		arg[0] = fuzz_random(FUZZ_MAPS + 1);
		break;
	case FUZZ_REMAP:
		arg[0] = fuzz_random(100000);
		break;
	case FUZZ_JUNK:
		arg[0] = one_in(2) ? 0 : some_frames(s);
		arg[1] = some_frames(s);
		break;
	case FUZZ_SCRIBBLE:
		arg[0] = fuzz_random(1024);
		break;
	case FUZZ_NAP:
		arg[0] = 1 + fuzz_random(one_in(10) ? 50000 : 5000);
		break;
	}
}

/* moving frames, and what an application does around it */
static int usual(struct fuzz_stream *s)
{
	static const unsigned char looks[] = {
		FUZZ_STATUS, FUZZ_STATUS_EXT, FUZZ_DELAY, FUZZ_HWSYNC,
		FUZZ_SYNC_PTR, FUZZ_POLL, FUZZ_CHECK, FUZZ_NAP, FUZZ_NAP,
	};

	if (percent(30))
		return looks[fuzz_random(sizeof(looks))];
	if (percent(8))
		return one_in(2) ? FUZZ_REWIND : FUZZ_FORWARD;
	if (!fuzz_is_mmap(s))
		return FUZZ_XFER;
	if (percent(20))
		return s == &fuzz_streams[SNDRV_PCM_STREAM_PLAYBACK] ?
			FUZZ_JUNK : FUZZ_SCRIBBLE;
	return s == &fuzz_streams[SNDRV_PCM_STREAM_PLAYBACK] ? FUZZ_PUT :
							       FUZZ_GET;
}

static int sensible(struct fuzz_stream *s)
{
	if (!s->opened)
		return FUZZ_OPEN;
	switch (s->now.state) {
	case SNDRV_PCM_STATE_OPEN:
		return FUZZ_HW_PARAMS;
	case SNDRV_PCM_STATE_SETUP:
		if (percent(30))
			return FUZZ_SW_PARAMS;
		if (fuzz_is_mmap(s) && !s->pcm.map && percent(60))
			return FUZZ_MAP;
		return percent(10) ? FUZZ_UNMAP : FUZZ_PREPARE;
	case SNDRV_PCM_STATE_PREPARED:
		if (percent(30))
			return FUZZ_START;
		if (fuzz_is_mmap(s) && !s->pcm.map)
			return FUZZ_MAP;
		return usual(s);
	case SNDRV_PCM_STATE_RUNNING:
		return usual(s);
	case SNDRV_PCM_STATE_XRUN:
		return FUZZ_PREPARE;
	case SNDRV_PCM_STATE_PAUSED:
		return percent(50) ? FUZZ_PAUSE : usual(s);
	}
	return percent(50) ? FUZZ_NAP : FUZZ_PREPARE;
}

/* Make up the next operation, knowing how things stand */
void fuzz_make(struct fuzz_op *op)
{
	struct fuzz_stream *s;

	*op = (struct fuzz_op){ .stream = fuzz_random(FUZZ_STREAMS) };
	s = &fuzz_streams[op->stream];
	if (percent(80)) {
		op->what = sensible(s);
	} else {
		op->what = fuzz_random(FUZZ_KINDS);
		/* what takes long, or ends a lot */
		if ((op->what == FUZZ_UNPLUG && !one_in(30)) ||
		    (op->what == FUZZ_FORK && !one_in(10)) ||
		    ((op->what == FUZZ_CLOSE || op->what == FUZZ_CLOSE_MAPPED ||
		      op->what == FUZZ_HW_FREE) && !one_in(3)))
			op->what = FUZZ_SYNC_PTR;
	}
	/* from where pointers make no sense there is one way back */
	if (s->opened && s->tainted && s->now.state != SNDRV_PCM_STATE_OPEN &&
	    percent(15))
		op->what = one_in(2) ? FUZZ_DROP : FUZZ_PREPARE;
	fill_in(op);
}
