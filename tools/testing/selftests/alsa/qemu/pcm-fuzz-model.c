// SPDX-License-Identifier: GPL-2.0
/*
 * The model of what PCM ioctls do, and the comparison with what they did
 *
 * The model knows the state, appl_ptr and the contents of the buffer, and how
 * each operation changes them. It does not know how far the device has gone:
 * that it learns from hw_ptr, after each operation. So what it predicts is a
 * set: a running stream may have had an xrun before or after the operation, and
 * a result that depends on hw_ptr lies between what the one before and the one
 * after it give.
 *
 * Contents: @shadow is what the CPU has to see. For playback that is what the
 * application wrote, and the device compares what it took with the pattern. For
 * capture it is the pattern, from the moment on in which hw_ptr reveals it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pcm-fuzz.h"

#define STATE(x)	SNDRV_PCM_STATE_##x
#define DRIVER_PATH	"/sys/bus/platform/drivers/snd_dmatest/"
#define BAD_POINTER	((void *)8)
#define UNTOUCHED	0xee

struct fuzz_card fuzz_card;
__thread struct fuzz_stream fuzz_streams[FUZZ_STREAMS];
bool fuzz_linked;
bool fuzz_racing;
void (*fuzz_on_divergence)(const char *why);

/* the streams of the linked group in its order, while there is one */
static int link_first;
/* what RESUME says to one who is not suspended: whether there is CONFIG_PM */
static int resume_error;

const char *const fuzz_states[] = {
	"OPEN", "SETUP", "PREPARED", "RUNNING", "XRUN", "DRAINING", "PAUSED",
	"SUSPENDED", "DISCONNECTED",
};

static unsigned long min(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}

static void __attribute__((noreturn, format(printf, 1, 2)))
diverge(const char *format, ...)
{
	char why[256];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	fuzz_on_divergence(why);
	abort();
}

static int number(const struct fuzz_stream *s)
{
	return s - fuzz_streams;
}

static bool is_playback(const struct fuzz_stream *s)
{
	return number(s) == SNDRV_PCM_STREAM_PLAYBACK;
}

bool fuzz_is_mmap(const struct fuzz_stream *s)
{
	return s->access == SNDRV_PCM_ACCESS_MMAP_INTERLEAVED ||
	       s->access == SNDRV_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

/*
 * Pointers, as snd_pcm_avail() and its like count
 */

static unsigned long avail_at(const struct fuzz_stream *s, unsigned long hw_ptr,
			      unsigned long appl_ptr)
{
	long boundary = s->pcm.boundary;
	long avail;

	if (!is_playback(s)) {
		avail = hw_ptr - appl_ptr;
		return avail < 0 ? avail + boundary : avail;
	}
	avail = hw_ptr + s->pcm.buffer - appl_ptr;
	if (avail < 0)
		avail += boundary;
	else if (avail >= boundary)
		avail -= boundary;
	return avail;
}

static long hw_avail_at(const struct fuzz_stream *s, unsigned long hw_ptr,
			unsigned long appl_ptr)
{
	return s->pcm.buffer - avail_at(s, hw_ptr, appl_ptr);
}

unsigned long fuzz_avail(const struct fuzz_stream *s)
{
	return avail_at(s, s->now.hw_ptr, s->now.appl_ptr);
}

/* whether appl_ptr is where an application in its right mind has it */
static bool is_sane(const struct fuzz_stream *s)
{
	return s->configured && fuzz_avail(s) <= s->pcm.buffer;
}

/* whether it was there all the time that hw_ptr moved */
static bool was_sane(const struct fuzz_stream *s)
{
	return avail_at(s, s->before.hw_ptr, s->before.appl_ptr) <= s->pcm.buffer &&
	       avail_at(s, s->now.hw_ptr, s->before.appl_ptr) <= s->pcm.buffer;
}

static unsigned long moved(const struct fuzz_stream *s)
{
	return pcm_distance(&s->pcm, s->before.hw_ptr, s->now.hw_ptr);
}

/* whether hw_ptr was there between two looks */
static bool was_there(const struct fuzz_stream *s, unsigned long hw_ptr)
{
	return pcm_distance(&s->pcm, s->before.hw_ptr, hw_ptr) <= moved(s);
}

/* the device's number of the frame at a pointer, which may have gone below 0 */
static uint32_t frame_at(const struct fuzz_stream *s, unsigned long ptr)
{
	if (ptr > s->pcm.boundary / 2)
		ptr -= s->pcm.boundary;
	return s->base + ptr;
}

static void look(struct fuzz_stream *s)
{
	struct snd_pcm_sync_ptr sync;
	int err;

	memset(&sync, 0, sizeof(sync));
	sync.flags = SNDRV_PCM_SYNC_PTR_APPL | SNDRV_PCM_SYNC_PTR_AVAIL_MIN;
	err = pcm_ioctl_may_fail(&s->pcm, SNDRV_PCM_IOCTL_SYNC_PTR, &sync);
	if (err)
		diverge("looking at the pointers gives %d", err);
	s->now.state = sync.s.status.state;
	s->now.hw_ptr = sync.s.status.hw_ptr;
	s->now.appl_ptr = sync.c.control.appl_ptr;
	s->now.avail_min = sync.c.control.avail_min;
}

/*
 * The card
 */

struct counters {
	unsigned long long frames[FUZZ_STREAMS];
	unsigned long long wrong;
	unsigned long long faults;
};

static int counters_fd = -1;

static void open_counters(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/asound/card%d/dmatest",
		 fuzz_card.number);
	close(counters_fd);
	counters_fd = open(path, O_RDONLY);
	if (counters_fd < 0)
		pcm_die("%s: %s", path, strerror(errno));
}

static void read_counters(struct counters *c)
{
	static const struct {
		const char *name;
		size_t at;
	} lines[] = {
		{ "playback0.frames", offsetof(struct counters, frames[0]) },
		{ "playback0.wrong", offsetof(struct counters, wrong) },
		{ "capture0.frames", offsetof(struct counters, frames[1]) },
		{ "faults", offsetof(struct counters, faults) },
	};
	char text[2048], *at;
	unsigned int i;
	ssize_t len;

	/* opening it each time would take most of the time there is */
	len = pread(counters_fd, text, sizeof(text) - 1, 0);
	if (len < 0)
		pcm_die("the counters of the card: %s", strerror(errno));
	text[len] = '\0';
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		at = strstr(text, lines[i].name);
		if (!at)
			pcm_die("no counter '%s'", lines[i].name);
		*(unsigned long long *)((char *)c + lines[i].at) =
			strtoull(at + strlen(lines[i].name) + 1, NULL, 10);
	}
}

static void check_counters(struct counters *c)
{
	struct fuzz_stream *play = &fuzz_streams[SNDRV_PCM_STREAM_PLAYBACK];

	read_counters(c);
	if (c->faults)
		diverge("the device had %llu faults", c->faults);
	if (!play->tainted && c->wrong != play->wrong)
		diverge("the device took %llu wrong frames",
			c->wrong - play->wrong);
	play->wrong = c->wrong;
}

/*
 * Contents. A ring is what lies in one piece: all channels, or one of them.
 */

static unsigned int rings(const struct pcm *pcm)
{
	return pcm->interleaved ? 1 : pcm->setup.channels;
}

static size_t unit(const struct pcm *pcm)
{
	return pcm_frames_to_bytes(pcm, 1) / rings(pcm);
}

static size_t page_align(size_t bytes)
{
	size_t page = sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) & ~(page - 1);
}

/* the bytes of one of the rings in memory for so many frames */
static unsigned char *ring(const struct pcm *pcm, unsigned char *memory,
			   unsigned long frames, unsigned int r,
			   unsigned long ofs)
{
	return memory + r * frames * unit(pcm) + ofs * unit(pcm);
}

static void forget(struct fuzz_stream *s)
{
	if (s->known)
		memset(s->known, 0, s->pcm.buffer);
}

static void new_contents(struct fuzz_stream *s)
{
	struct pcm *pcm = &s->pcm;
	unsigned int bits = pcm->setup.format->bits;
	unsigned int c;

	free(s->shadow);
	free(s->known);
	s->shadow = calloc(1, page_align(pcm->bytes));
	s->known = malloc(pcm->buffer);
	if (!s->shadow || !s->known)
		pcm_die("no memory for %lu frames", pcm->buffer);
	memset(s->known, 1, pcm->buffer);
	for (c = 0; c < pcm->setup.channels; c++) {
		s->areas[c].base = s->shadow;
		s->areas[c].first = pcm->interleaved ? c * bits :
				    c * pcm->buffer * bits;
		s->areas[c].step = pcm->interleaved ?
				   pcm->setup.channels * bits : bits;
	}
	s->fresh = true;
}

static void no_contents(struct fuzz_stream *s)
{
	/* somebody else may get a buffer for this stream at any time */
	if (fuzz_racing)
		return;
	free(s->shadow);
	free(s->known);
	s->shadow = s->known = NULL;
}

/* do something to each piece of @frames from @ptr on */
#define for_pieces(s, ptr, frames, ofs, n)				\
	for (unsigned long left_ = (frames), ofs = (ptr) % (s)->pcm.buffer, n; \
	     left_ && (n = min(left_, (s)->pcm.buffer - ofs));		\
	     left_ -= n, ofs = 0)

static void shadow_fill(struct fuzz_stream *s, unsigned long ptr,
			unsigned long frames, enum pcm_content content)
{
	uint32_t frame = frame_at(s, ptr);

	for_pieces(s, ptr, frames, ofs, n) {
		pcm_fill(&s->pcm, s->areas, ofs, frame, n, content);
		memset(s->known + ofs, 1, n);
		frame += n;
	}
}

static void shadow_to_map(struct fuzz_stream *s, unsigned long ptr,
			  unsigned long frames)
{
	struct pcm *pcm = &s->pcm;
	unsigned int r;

	for_pieces(s, ptr, frames, ofs, n)
		for (r = 0; r < rings(pcm); r++)
			memcpy(ring(pcm, pcm->map, pcm->buffer, r, ofs),
			       ring(pcm, s->shadow, pcm->buffer, r, ofs),
			       n * unit(pcm));
}

/*
 * Compare frames of the ring with those at @ofs2 of memory for @size2 frames.
 * Returns the first that is not the same, or @frames.
 */
static unsigned long same(struct fuzz_stream *s, unsigned long ofs,
			  unsigned char *memory, unsigned long size2,
			  unsigned long ofs2, unsigned long frames)
{
	struct pcm *pcm = &s->pcm;
	unsigned long f, good = frames;
	unsigned int r;

	for (r = 0; r < rings(pcm); r++) {
		unsigned char *a = ring(pcm, s->shadow, pcm->buffer, r, ofs);
		unsigned char *b = ring(pcm, memory, size2, r, ofs2);

		if (!memcmp(a, b, good * unit(pcm)))
			continue;
		for (f = 0; f < good; f++) {
			if (s->known[ofs + f] &&
			    memcmp(a + f * unit(pcm), b + f * unit(pcm),
				   unit(pcm)))
				good = f;
		}
	}
	return good;
}

/*
 * The device may be anywhere up to the end of its period, and overwrites the
 * frames of a lap before
 */
static bool is_overwritten(struct fuzz_stream *s, unsigned long ptr)
{
	struct fuzz_now now = s->now;
	unsigned long behind;

	if (is_playback(s) || s->fresh)
		return false;
	look(s);
	behind = pcm_distance(&s->pcm, ptr, s->now.hw_ptr);
	s->now = now;
	return behind > s->pcm.buffer - s->pcm.setup.period;
}

static void check_map_at(struct fuzz_stream *s, unsigned long ptr,
			 unsigned long frames, const char *when)
{
	unsigned long at = ptr;
	unsigned long good;

	for_pieces(s, ptr, frames, ofs, n) {
		good = same(s, ofs, s->pcm.map, s->pcm.buffer, ofs, n);
		if (good < n && !is_overwritten(s, pcm_add(&s->pcm, at, good)))
			diverge("%s: the map is wrong at %lu of [%lu, %lu), %lu * %lu; %s, appl_ptr %lu, hw_ptr %lu, base %u, %#x %#x",
				when, ofs + good, ofs, ofs + n,
				s->pcm.setup.period, s->pcm.setup.periods,
				fuzz_states[s->now.state],
				s->now.appl_ptr, s->now.hw_ptr, s->base,
				*ring(&s->pcm, s->shadow, s->pcm.buffer, 0, ofs + good),
				*ring(&s->pcm, s->pcm.map, s->pcm.buffer, 0, ofs + good));
		at = pcm_add(&s->pcm, at, n);
	}
}

/* frames back from hw_ptr that are what was captured */
static unsigned long readable(const struct fuzz_stream *s)
{
	unsigned long ready = fuzz_avail(s);

	if (ready > s->pcm.buffer)
		return 0;
	if (s->fresh)
		return ready;
	return min(ready, s->pcm.buffer - s->pcm.setup.period);
}

static void check_map(struct fuzz_stream *s, const char *when)
{
	struct pcm *pcm = &s->pcm;
	size_t tail = pcm->map_bytes - pcm->bytes;
	unsigned long n;

	if (!pcm->map)
		return;
	if (is_playback(s) || s->fresh) {
		check_map_at(s, 0, pcm->buffer, when);
	} else {
		n = readable(s);
		check_map_at(s, pcm_add(pcm, s->now.hw_ptr, -(long)n), n, when);
	}
	for (n = 0; n < tail; n++)
		if (pcm->map[pcm->bytes + n])
			diverge("%s: the map shows %#x %lu bytes behind the buffer of %zu",
				when, pcm->map[pcm->bytes + n], n, pcm->bytes);
}

/* parts of the buffer, mapped elsewhere */
static void check_maps(struct fuzz_stream *s)
{
	unsigned int i;

	if (!s->pcm.map)
		return;
	for (i = 0; i < FUZZ_MAPS; i++)
		if (s->maps[i].at && memcmp(s->maps[i].at, s->pcm.map +
					    s->maps[i].offset, s->maps[i].bytes))
			/* the device may have moved on meanwhile */
			if (is_playback(s))
				diverge("two maps of the same show different things");
}

/* what was captured meanwhile */
static void reveal(struct fuzz_stream *s)
{
	unsigned long n = moved(s);

	if (s->now.state != STATE(OPEN) && s->now.state != STATE(SETUP) &&
	    s->now.state != STATE(PREPARED))
		s->fresh = false;
	if (is_playback(s) || !s->shadow)
		return;
	/* a line that the application wrote ends where the device may be now */
	if (s->scribbled && avail_at(s, s->now.hw_ptr, s->before.appl_ptr) +
			    s->pcm.setup.period + fuzz_card.line / unit(&s->pcm) >
			    s->pcm.buffer)
		s->lost = true;
	if (!n)
		return;
	s->fresh = s->ahead = false;
	if (s->lost) {
		forget(s);
		return;
	}
	n = min(n, s->pcm.buffer);
	shadow_fill(s, pcm_add(&s->pcm, s->now.hw_ptr, -(long)n), n,
		    PCM_PATTERN);
	if (fuzz_avail(s) > s->pcm.buffer)
		forget(s);
	else if (s->pcm.map) {
		n = min(n, readable(s));
		check_map_at(s, pcm_add(&s->pcm, s->now.hw_ptr, -(long)n), n,
			     "new frames");
	}
}

/* the application says that these frames can be played */
static void give(struct fuzz_stream *s, unsigned long ptr, unsigned long frames)
{
	long long first = -1;
	uint32_t frame = frame_at(s, ptr);

	if (!is_playback(s) || s->tainted)
		return;
	if (!s->shadow || frames > s->pcm.buffer) {
		s->tainted = true;
		return;
	}
	for_pieces(s, ptr, frames, ofs, n) {
		if (memchr(s->known + ofs, 0, n) ||
		    pcm_check(&s->pcm, s->areas, ofs, frame, n, &first))
			s->tainted = true;
		frame += n;
	}
}

/* what makes it pointless to look at what was played */
static void taint(struct fuzz_stream *s)
{
	if (!is_playback(s) || !s->configured)
		return;
	if (!is_sane(s) || s->stop >= s->pcm.boundary || s->silence || s->lost)
		s->tainted = true;
	if (s->silence)
		forget(s);
}

/*
 * States. An action is taken by all streams of a group or by none.
 */

static bool is_running(const struct fuzz_stream *s, int state)
{
	return state == STATE(RUNNING) ||
	       (state == STATE(DRAINING) && is_playback(s));
}

static int member(int self, int i)
{
	if (!fuzz_linked)
		return i ? -1 : self;
	return i ? !link_first : link_first;
}

#define for_members(self, i, m) \
	for (int i = 0, m; i < FUZZ_STREAMS && (m = member(self, i)) >= 0; i++)

#define FUZZ_STOP	FUZZ_KINDS	/* an action, but no operation */

static int may_act(int what, long arg, int m, int state)
{
	struct fuzz_stream *s = &fuzz_streams[m];

	switch (what) {
	case FUZZ_START:
		if (state != STATE(PREPARED))
			return -EBADFD;
		return is_playback(s) && s->stop < s->pcm.boundary &&
		       avail_at(s, s->before.hw_ptr, s->now.appl_ptr) >=
		       s->pcm.buffer ? -EPIPE : 0;
	case FUZZ_PAUSE:
		if (!s->configured)
			return -ENOSYS;
		return state == (arg ? STATE(RUNNING) : STATE(PAUSED)) ? 0 :
								-EBADFD;
	case FUZZ_RESET:
		return state == STATE(RUNNING) || state == STATE(PREPARED) ||
		       state == STATE(PAUSED) ? 0 : -EBADFD;
	case FUZZ_PREPARE:
		if (state == STATE(OPEN))
			return -EBADFD;
		return is_running(s, state) ? -EBUSY : 0;
	default:
		return state == STATE(OPEN) ? -EBADFD : 0;
	}
}

static int drained(int m, int state)
{
	struct fuzz_stream *s = &fuzz_streams[m];

	if (!is_playback(s)) {
		if (state != STATE(RUNNING))
			return state;
		return fuzz_avail(s) ? STATE(DRAINING) : STATE(SETUP);
	}
	switch (state) {
	case STATE(PREPARED):
		return avail_at(s, s->before.hw_ptr, s->before.appl_ptr) >=
			s->pcm.buffer ? STATE(SETUP) : STATE(DRAINING);
	case STATE(RUNNING):
		return STATE(DRAINING);
	case STATE(XRUN):
		return STATE(SETUP);
	}
	return state;
}

static int act(int what, long arg, int self, int *state)
{
	int err;

	for_members(self, i, m) {
		err = may_act(what, arg, m, state[m]);
		if (err)
			return err;
	}
	for_members(self, i, m) {
		if (what == FUZZ_START)
			state[m] = STATE(RUNNING);
		else if (what == FUZZ_PAUSE)
			state[m] = arg ? STATE(PAUSED) : STATE(RUNNING);
		else if (what == FUZZ_PREPARE)
			state[m] = STATE(PREPARED);
		else if (what == FUZZ_DRAIN)
			state[m] = drained(m, state[m]);
		else if (what == FUZZ_STOP)
			state[m] = arg;
	}
	return 0;
}

/* states that come by themselves, behind those that are there already */
#define STATES_MAX	16

struct states {
	unsigned int count;
	int state[STATES_MAX][FUZZ_STREAMS];
};

static void add_states(struct states *all, const int *state)
{
	unsigned int i;

	for (i = 0; i < all->count; i++)
		if (!memcmp(all->state[i], state, sizeof(all->state[i])))
			return;
	if (all->count < STATES_MAX)
		memcpy(all->state[all->count++], state, sizeof(all->state[0]));
}

static void follow(struct states *all, const int *state)
{
	unsigned int i;
	int m;

	all->count = 0;
	add_states(all, state);
	for (i = 0; i < all->count; i++) {
		for (m = 0; m < FUZZ_STREAMS; m++) {
			int next[FUZZ_STREAMS];

			memcpy(next, all->state[i], sizeof(next));
			if (next[m] == STATE(RUNNING))
				act(FUZZ_STOP, STATE(XRUN), m, next);
			else if (is_running(&fuzz_streams[m], next[m]))
				next[m] = STATE(SETUP);
			add_states(all, next);
		}
	}
}

/* do_pcm_hwsync(); which way it goes if the device may just have ended */
static int hwsync(int self, int *state, bool ended)
{
	struct fuzz_stream *s = &fuzz_streams[self];

	switch (state[self]) {
	case STATE(PREPARED):
	case STATE(PAUSED):
		return 0;
	case STATE(XRUN):
		return -EPIPE;
	case STATE(RUNNING):
		if (ended)
			act(FUZZ_STOP, STATE(XRUN), self, state);
		return ended ? -EPIPE : 0;
	case STATE(DRAINING):
		if (!is_playback(s))
			return -EBADFD;
		if (ended)
			state[self] = STATE(SETUP);
		return ended ? -EPIPE : 0;
	}
	return -EBADFD;
}

static bool is_accessible(int state)
{
	return state == STATE(PREPARED) || state == STATE(RUNNING) ||
	       state == STATE(PAUSED);
}

/*
 * Whether a transfer that found this state can have ended with this. A start on
 * the way may fail, and the end may find an xrun in any state.
 */
static bool fits_xfer(const struct fuzz_op *op, int *state, long result,
		      bool ended)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	unsigned long size = op->arg[1];
	unsigned long lo, hi;
	int err = 0;

	if (!is_accessible(state[op->stream]))
		return result == (state[op->stream] == STATE(XRUN) ? -EPIPE :
								     -EBADFD);
	if (!is_playback(s) && state[op->stream] == STATE(PREPARED) &&
	    size >= s->start) {
		err = act(FUZZ_START, 0, op->stream, state);
		if (err)
			return result == err;
	}
	lo = avail_at(s, s->before.hw_ptr, s->before.appl_ptr);
	hi = avail_at(s, s->now.hw_ptr, s->before.appl_ptr);
	if (!was_sane(s)) {
		lo = 0;
		hi = size;
	}
	if (result == -EAGAIN)
		return !lo || !hi;
	if (result == -EFAULT)
		return op->arg[2] == MEMORY_BAD && hi;
	if (result == -EPIPE) {	/* after the first chunk was copied */
		if (state[op->stream] != STATE(RUNNING))
			return false;
		act(FUZZ_STOP, STATE(XRUN), op->stream, state);
		return true;
	}
	if (result <= 0 || (unsigned long)result > min(size, hi))
		return false;
	if (is_playback(s) && state[op->stream] == STATE(PREPARED) &&
	    hw_avail_at(s, s->before.hw_ptr, s->now.appl_ptr) >= (long)s->start)
		err = act(FUZZ_START, 0, op->stream, state);
	if (ended) {
		if (fuzz_avail(s) < s->stop)
			return false;
		act(FUZZ_STOP, STATE(XRUN), op->stream, state);
		return true;
	}
	return err || (unsigned long)result >= min(size, lo) ||
	       s->now.state == STATE(XRUN);
}

static unsigned long target(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];

	switch (op->arg[2]) {
	case FROM_HW_PTR:
		return pcm_add(&s->pcm, s->before.hw_ptr, op->arg[1]);
	case FROM_BOUNDARY:
		return s->pcm.boundary + op->arg[1];
	}
	return pcm_add(&s->pcm, s->before.appl_ptr, op->arg[1]);
}

static unsigned long threshold(const struct fuzz_stream *s, long value)
{
	return value == -1 ? s->pcm.boundary : (unsigned long)value;
}

static bool sw_params_are_good(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	unsigned long silence = threshold(s, op->arg[3]);
	unsigned long from = threshold(s, op->arg[2]);

	if (!op->arg[4] || op->arg[5] < 0 || op->arg[5] > 1)
		return false;
	if (silence >= s->pcm.boundary)
		return !from;
	return silence <= from && from <= s->pcm.buffer;
}

static unsigned int maps(const struct fuzz_stream *s)
{
	unsigned int count = !!s->pcm.map;
	unsigned int i;

	for (i = 0; i < FUZZ_MAPS; i++)
		count += !!s->maps[i].at;
	return count;
}

static const struct pcm_format *format_of(long format)
{
	unsigned int i;

	/* half bytes do not fit the model */
	for (i = 0; i < pcm_formats_count; i++)
		if (pcm_formats[i].format == format && pcm_formats[i].bits >= 8)
			return &pcm_formats[i];
	return NULL;
}

/* whether the card can do this, as far as it is given */
static bool hw_params_are_good(const long *arg)
{
	const struct pcm_format *format = format_of(arg[1]);
	size_t frame, period;

	if (arg[0] < 0 || arg[0] > 4 || arg[0] == 2 || !format ||
	    arg[2] < 1 || arg[2] > 8 || arg[3] < 8000 || arg[3] > 768000 ||
	    arg[5] < 2 || arg[4] < 1)
		return false;
	frame = format->bits / 8 * arg[2];
	period = frame * arg[4];
	return period >= 64 && period * arg[5] <= fuzz_card.buffer_max;
}

/* whether this is a program of 32 bits on a kernel of 64 */
static bool is_compat(void)
{
	struct utsname kernel;

	return sizeof(long) == 4 && !uname(&kernel) &&
	       (!strcmp(kernel.machine, "x86_64") ||
		!strcmp(kernel.machine, "aarch64"));
}

/* To others, a transfer in the wrong direction is one in the stream's own */
static bool is_refused_by_compat(struct fuzz_stream *s, enum fuzz_call call)
{
	bool reads = call == CALL_READI || call == CALL_READN;

	return reads == is_playback(s) && is_compat();
}

/* the first of the four in do_fault() that transfer, in the order of fuzz_call */
#define FAULT_XFER	6

/*
 * What the operation, by the state that it found, has to lead to: whether it
 * can have had that result, and in @state the states after it
 */
static bool fits(const struct fuzz_op *op, int *state, long result, bool ended)
{
	int self = op->stream;
	struct fuzz_stream *s = &fuzz_streams[self];
	const long *arg = op->arg;
	int err;

	switch (op->what) {
	case FUZZ_STATUS:
	case FUZZ_STATUS_EXT:
		return result == 0;
	case FUZZ_DELAY:
	case FUZZ_HWSYNC:
		return result == hwsync(self, state, ended);
	case FUZZ_REWIND:
	case FUZZ_FORWARD:
		if (!arg[0])
			return result == 0;
		err = hwsync(self, state, ended);
		return err ? result == err : result >= 0;
	case FUZZ_SYNC_PTR:
		if (arg[0] & SNDRV_PCM_SYNC_PTR_HWSYNC) {
			err = hwsync(self, state, ended);
			if (err)
				return result == err;
		}
		if (!(arg[0] & SNDRV_PCM_SYNC_PTR_APPL) &&
		    target(op) != s->before.appl_ptr &&
		    target(op) >= s->pcm.boundary)
			return result == -EINVAL;
		return result == 0;
	case FUZZ_HW_PARAMS:
		if (maps(s) || (state[self] != STATE(OPEN) &&
				state[self] != STATE(SETUP) &&
				state[self] != STATE(PREPARED)))
			return result == -EBADFD;
		state[self] = hw_params_are_good(arg) ? STATE(SETUP) :
							STATE(OPEN);
		return result == (hw_params_are_good(arg) ? 0 : -EINVAL);
	case FUZZ_HW_FREE:
		if (maps(s) || (state[self] != STATE(SETUP) &&
				state[self] != STATE(PREPARED)))
			return result == -EBADFD;
		state[self] = STATE(OPEN);
		return result == 0;
	case FUZZ_SW_PARAMS:
		if (state[self] == STATE(OPEN))
			return result == -EBADFD;
		if (!sw_params_are_good(op))
			return result == -EINVAL;
		if (!is_running(s, state[self]))
			return result == 0;
		return result == hwsync(self, state, ended);
	case FUZZ_START:
	case FUZZ_PAUSE:
	case FUZZ_RESET:
		return result == act(op->what, arg[0], self, state);
	case FUZZ_PREPARE:
		if (state[self] == STATE(PAUSED)) {
			act(FUZZ_PAUSE, 0, self, state);
			act(FUZZ_STOP, STATE(SETUP), self, state);
		}
		return result == act(op->what, 0, self, state);
	case FUZZ_CLOSE:
	case FUZZ_CLOSE_MAPPED:
	case FUZZ_DROP:
		if (state[self] == STATE(OPEN))
			return result == (op->what == FUZZ_DROP ? -EBADFD : 0);
		if (state[self] == STATE(PAUSED))
			act(FUZZ_PAUSE, 0, self, state);
		act(FUZZ_STOP, STATE(SETUP), self, state);
		return result == 0;
	case FUZZ_DRAIN:
		if (state[self] == STATE(OPEN))
			return result == -EBADFD;
		if (state[self] == STATE(PAUSED))
			act(FUZZ_PAUSE, 0, self, state);
		err = act(FUZZ_DRAIN, 0, self, state);
		return result == (err ? err : -EAGAIN);
	case FUZZ_XRUN:
		if (state[self] == STATE(RUNNING))
			act(FUZZ_STOP, STATE(XRUN), self, state);
		else if (state[self] != STATE(XRUN))
			return result == -EBADFD;
		return result == 0;
	case FUZZ_LINK:
		if (arg[0] == OTHER_SELF)
			return result == -EINVAL;
		if (arg[0] != OTHER_STREAM || !fuzz_streams[!self].opened ||
		    state[self] == STATE(OPEN) || state[self] != state[!self])
			return result == -EBADFD;
		return result == (fuzz_linked ? -EALREADY : 0);
	case FUZZ_UNLINK:
		return result == (fuzz_linked ? 0 : -EALREADY);
	case FUZZ_RESUME:
		return result == resume_error;
	case FUZZ_TTSTAMP:
		return result == (arg[0] < 0 || arg[0] > 2 ? -EINVAL : 0);
	case FUZZ_CHANNEL_INFO:
		if (state[self] == STATE(OPEN))
			return result == -EBADFD;
		return result == (arg[0] < 0 ||
				  arg[0] >= (long)s->pcm.setup.channels ? -EINVAL : 0);
	case FUZZ_USER_PVERSION:
	case FUZZ_POLL:
		return result == 0;
	case FUZZ_UNKNOWN:
		return result == -ENOTTY;
	case FUZZ_HW_REFINE:
		return result == 0 || result == -EINVAL;
	case FUZZ_FAULT:
		if (arg[0] >= FAULT_XFER && arg[0] < FAULT_XFER + 4 &&
		    is_refused_by_compat(s, arg[0] - FAULT_XFER))
			return result == -EINVAL;
		return result == -EFAULT ||
		       (result == -EBADFD && state[self] == STATE(OPEN));
	case FUZZ_XFER:
		if (is_refused_by_compat(s, arg[0]))
			return result == -EINVAL;
		if (state[self] == STATE(OPEN))
			return result == -EBADFD;
		if (arg[0] == CALL_WRITEI || arg[0] == CALL_READI ?
		    s->access != SNDRV_PCM_ACCESS_RW_INTERLEAVED &&
		    s->pcm.setup.channels > 1 :
		    s->access != SNDRV_PCM_ACCESS_RW_NONINTERLEAVED)
			return result == -EINVAL;
		if (!is_playback(s) && arg[2] == MEMORY_NULL &&
		    (arg[0] == CALL_WRITEI || arg[0] == CALL_READI))
			return result == -EINVAL;
		if (!arg[1])
			return result == 0;
		return fits_xfer(op, state, result, ended);
	}
	return true;
}

/* whether there is a way for the operation to give this result, and this state */
static void explain(const struct fuzz_op *op, long result)
{
	struct fuzz_stream *other = &fuzz_streams[!op->stream];
	int state[FUZZ_STREAMS];
	struct states before, after;
	bool linked = fuzz_linked;
	unsigned int i, j, ended;
	int m;

	for (m = 0; m < FUZZ_STREAMS; m++)
		state[m] = fuzz_streams[m].before.state;
	follow(&before, state);
	for (i = 0; i < before.count; i++) {
		for (ended = 0; ended < 2; ended++) {
			memcpy(state, before.state[i], sizeof(state));
			if (!fits(op, state, result, ended))
				continue;
			fuzz_linked &= op->what != FUZZ_UNLINK;
			follow(&after, state);
			fuzz_linked = linked;
			for (j = 0; j < after.count; j++)
				if (after.state[j][op->stream] ==
				    fuzz_streams[op->stream].now.state &&
				    (!fuzz_linked || after.state[j][!op->stream] ==
						     other->now.state))
					return;
		}
	}
	diverge("%s in %s gives %ld and %s%s%s%s%s", fuzz_names[op->what],
		fuzz_states[fuzz_streams[op->stream].before.state], result,
		fuzz_states[fuzz_streams[op->stream].now.state],
		fuzz_linked ? ", linked with " : "",
		fuzz_linked ? fuzz_states[other->before.state] : "",
		fuzz_linked ? " and now " : "",
		fuzz_linked ? fuzz_states[other->now.state] : "");
}

/* An xrun has a reason: whoever looked found that avail had come that far */
static void explain_xrun(const struct fuzz_op *op, struct fuzz_stream *s)
{
	if (fuzz_linked || s->before.state != STATE(RUNNING) ||
	    s->now.state != STATE(XRUN) || op->what == FUZZ_XRUN ||
	    op->what == FUZZ_RESET || op->what == FUZZ_LINK)
		return;
	if (fuzz_avail(s) < s->stop &&
	    avail_at(s, s->now.hw_ptr, s->before.appl_ptr) < s->stop)
		diverge("an xrun with avail %lu and stop_threshold %lu",
			fuzz_avail(s), s->stop);
}

/*
 * Doing
 */

static long ioctl_on(struct fuzz_stream *s, unsigned long request, void *arg)
{
	return pcm_ioctl_may_fail(&s->pcm, request, arg);
}

/* does it on the stream, and looks what became of it and of what is linked */
static long done(const struct fuzz_op *op, long result)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct fuzz_stream *other = &fuzz_streams[!op->stream];

	int state;

	if (s->opened)
		look(s);
	/* an xrun between two looks would look as if it were of one alone */
	if (other->opened && (fuzz_linked || op->what == FUZZ_LINK)) {
		do {
			state = s->now.state;
			look(other);
			look(s);
		} while (s->now.state != state);
	}
	explain(op, result);
	return result;
}

/* what the pointers have to be, unless they were set back */
static void check_pointers(struct fuzz_stream *s, unsigned long appl_ptr,
			   unsigned long avail_min)
{
	if (s->now.appl_ptr != appl_ptr)
		diverge("appl_ptr is %lu and has to be %lu", s->now.appl_ptr,
			appl_ptr);
	if (s->now.avail_min != avail_min)
		diverge("avail_min is %lu and has to be %lu", s->now.avail_min,
			avail_min);
	if (s->now.state == s->before.state && moved(s) &&
	    !is_running(s, s->now.state) && s->pcm.boundary)
		diverge("hw_ptr went from %lu to %lu in %s", s->before.hw_ptr,
			s->now.hw_ptr, fuzz_states[s->now.state]);
	if (s->pcm.boundary && s->now.hw_ptr >= s->pcm.boundary)
		diverge("hw_ptr is %lu, boundary %lu", s->now.hw_ptr,
			s->pcm.boundary);
}

/* whoever is linked moves on, too */
static void check_other(const struct fuzz_op *op)
{
	struct fuzz_stream *other = &fuzz_streams[!op->stream];

	if (!other->opened || (!fuzz_linked && op->what != FUZZ_LINK))
		return;
	check_pointers(other, other->before.appl_ptr, other->before.avail_min);
	reveal(other);
}

/* the usual end: nothing but hw_ptr has moved */
static long quiet(const struct fuzz_op *op, long result)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];

	done(op, result);
	check_pointers(s, s->before.appl_ptr, s->before.avail_min);
	explain_xrun(op, s);
	reveal(s);
	check_other(op);
	if (result < 0)
		check_map(s, "after an error");
	return result;
}

static void set_avail_min(struct fuzz_stream *s, unsigned long avail_min)
{
	s->before.avail_min = avail_min;
}

/*
 * Setting up
 */

static void forget_stream(struct fuzz_stream *s)
{
	unsigned long long wrong = s->wrong;

	no_contents(s);
	memset(s, 0, sizeof(*s));
	s->pcm.fd = -1;
	s->wrong = wrong;
	s->tainted = true;
}

void fuzz_unmap(struct fuzz_stream *s)
{
	unsigned int i;

	pcm_munmap(&s->pcm);
	for (i = 0; i < FUZZ_MAPS; i++) {
		if (s->maps[i].at)
			munmap(s->maps[i].at, s->maps[i].bytes);
		s->maps[i].at = NULL;
	}
}

static int open_device(const struct fuzz_stream *s)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/snd/pcmC%dD0%c", fuzz_card.number,
		 is_playback(s) ? 'p' : 'c');
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static long do_open(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	int fd = open_device(s);

	if (s->opened) {
		if (fd != -EBUSY)
			diverge("opening it once more gives %d", fd);
		return -EBUSY;
	}
	if (fd < 0)
		diverge("open gives %d", fd);
	forget_stream(s);
	s->opened = true;
	s->pcm.fd = fd;
	s->pcm.stream = number(s);
	look(s);
	if (s->now.state != STATE(OPEN) || s->now.appl_ptr || s->now.hw_ptr)
		diverge("fresh from open it is %s, appl_ptr %lu, hw_ptr %lu",
			fuzz_states[s->now.state], s->now.appl_ptr,
			s->now.hw_ptr);
	return 0;
}

/* frames that were taken up to here have to be right */
static void account(void)
{
	struct counters c;

	check_counters(&c);
}

static long do_close(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct fuzz_stream *other = &fuzz_streams[!op->stream];
	bool mapped = op->what == FUZZ_CLOSE_MAPPED && s->pcm.map;
	int fd;

	if (!mapped)
		fuzz_unmap(s);
	close(s->pcm.fd);
	if (mapped) {
		fd = open_device(s);
		if (fd != -EBUSY)
			diverge("opening what is still mapped gives %d", fd);
		if (is_playback(s))
			check_map(s, "after close");
		fuzz_unmap(s);
	}
	account();
	s->opened = false;
	if (fuzz_linked) {
		look(other);
		s->now.state = STATE(SETUP);
		if (s->before.state == STATE(OPEN))
			s->now.state = STATE(OPEN);
		explain(op, 0);
		check_other(op);
		fuzz_linked = false;
	}
	forget_stream(s);
	return 0;
}

static void any(struct snd_pcm_hw_params *params)
{
	unsigned int i;

	memset(params, 0, sizeof(*params));
	memset(params->masks, 0xff, sizeof(params->masks));
	for (i = 0; i < sizeof(params->intervals) / sizeof(params->intervals[0]);
	     i++)
		params->intervals[i].max = ~0U;
	params->rmask = ~0U;
}

static void only_mask(struct snd_pcm_hw_params *params, unsigned int which,
		      long bit)
{
	struct snd_mask *mask;

	mask = &params->masks[which - SNDRV_PCM_HW_PARAM_FIRST_MASK];
	memset(mask, 0, sizeof(*mask));
	mask->bits[bit / 32 % 8] = 1U << bit % 32;
}

static void only_interval(struct snd_pcm_hw_params *params, unsigned int which,
			  long value)
{
	struct snd_interval *interval;

	interval = &params->intervals[which -
				      SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
	interval->min = interval->max = value;
	interval->integer = 1;
}

static void make_params(struct snd_pcm_hw_params *params, const long *arg)
{
	static const unsigned int which[] = {
		SNDRV_PCM_HW_PARAM_CHANNELS, SNDRV_PCM_HW_PARAM_RATE,
		SNDRV_PCM_HW_PARAM_PERIOD_SIZE, SNDRV_PCM_HW_PARAM_PERIODS,
	};
	unsigned int i;

	any(params);
	if (arg[0] >= 0)
		only_mask(params, SNDRV_PCM_HW_PARAM_ACCESS, arg[0]);
	if (arg[1] >= 0)
		only_mask(params, SNDRV_PCM_HW_PARAM_FORMAT, arg[1]);
	for (i = 0; i < 4; i++)
		if (arg[2 + i] >= 0)
			only_interval(params, which[i], arg[2 + i]);
}

/* arguments below 0 are left open */
static long do_hw_refine(const struct fuzz_op *op)
{
	static const long full[FUZZ_ARGS] = {
		SNDRV_PCM_ACCESS_RW_INTERLEAVED, SNDRV_PCM_FORMAT_S16_LE, 2,
		48000, 64, 4,
	};
	struct snd_pcm_hw_params params;
	long arg[FUZZ_ARGS];
	bool open = false;
	long result;
	int i;

	for (i = 0; i < FUZZ_ARGS; i++) {
		open |= op->arg[i] < 0;
		arg[i] = op->arg[i] < 0 ? full[i] : op->arg[i];
	}
	make_params(&params, op->arg);
	result = quiet(op, ioctl_on(&fuzz_streams[op->stream],
				    SNDRV_PCM_IOCTL_HW_REFINE, &params));
	if (!open && (result == 0) != hw_params_are_good(arg))
		diverge("hw_refine gives %ld", result);
	return result;
}

static long do_hw_params(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct snd_pcm_hw_params params;
	const long *arg = op->arg;
	long result;

	make_params(&params, arg);
	result = done(op, ioctl_on(s, SNDRV_PCM_IOCTL_HW_PARAMS, &params));
	if (result == 0) {
		s->configured = true;
		s->access = arg[0];
		s->pcm.interleaved = arg[0] == SNDRV_PCM_ACCESS_MMAP_INTERLEAVED ||
				     arg[0] == SNDRV_PCM_ACCESS_RW_INTERLEAVED;
		s->pcm.setup.format = format_of(arg[1]);
		s->pcm.setup.channels = arg[2];
		s->pcm.setup.rate = arg[3];
		s->pcm.setup.period = arg[4];
		s->pcm.setup.periods = arg[5];
		s->pcm.buffer = arg[4] * arg[5];
		s->pcm.bytes = pcm_frames_to_bytes(&s->pcm, s->pcm.buffer);
		s->pcm.boundary = s->pcm.buffer;
		while (s->pcm.boundary * 2 <= LONG_MAX - s->pcm.buffer)
			s->pcm.boundary *= 2;
		s->start = 1;
		s->stop = s->pcm.buffer;
		s->silence = 0;
		s->tainted = true;
		set_avail_min(s, s->pcm.setup.period);
		new_contents(s);
	} else if (result != -EBADFD) {
		no_contents(s);
	}
	check_pointers(s, s->before.appl_ptr, s->before.avail_min);
	reveal(s);
	check_other(op);
	if (result < 0)
		check_map(s, "after an error of hw_params");
	return result;
}

static long do_hw_free(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	long result = quiet(op, ioctl_on(s, SNDRV_PCM_IOCTL_HW_FREE, NULL));

	if (result == 0)
		no_contents(s);
	return result;
}

static long do_sw_params(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	const long *arg = op->arg;
	struct snd_pcm_sw_params params = {
		.start_threshold = threshold(s, arg[0]),
		.stop_threshold = threshold(s, arg[1]),
		.silence_threshold = threshold(s, arg[2]),
		.silence_size = threshold(s, arg[3]),
		.avail_min = arg[4],
		.tstamp_mode = arg[5],
	};
	unsigned long stop = s->stop;
	long result;

	/* an xrun may come of the new threshold, or before of the old one */
	if (sw_params_are_good(op))
		s->stop = min(stop, params.stop_threshold);
	result = done(op, ioctl_on(s, SNDRV_PCM_IOCTL_SW_PARAMS, &params));
	if (result == 0 || result == -EPIPE) {
		set_avail_min(s, arg[4]);
		/* others get it with an error, too */
		if (params.boundary != s->pcm.boundary &&
		    !(result < 0 && is_compat()))
			diverge("boundary is %lu and has to be %lu",
				(unsigned long)params.boundary, s->pcm.boundary);
	}
	check_pointers(s, s->before.appl_ptr, s->before.avail_min);
	explain_xrun(op, s);
	s->stop = stop;
	if (result == 0 || result == -EPIPE) {
		s->start = params.start_threshold;
		s->stop = params.stop_threshold;
		s->silence = params.silence_size;
	}
	taint(s);
	reveal(s);
	check_other(op);
	return result;
}

/*
 * Asking
 */

static long do_status(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct snd_pcm_status status;
	unsigned long delay;

	memset(&status, 0, sizeof(status));
	quiet(op, ioctl_on(s, op->what == FUZZ_STATUS ?
			   SNDRV_PCM_IOCTL_STATUS :
			   SNDRV_PCM_IOCTL_STATUS_EXT, &status));
	if (s->before.state == STATE(OPEN)) {
		if (status.appl_ptr || status.hw_ptr || status.avail ||
		    status.state)
			diverge("status of an open stream is not empty");
		return 0;
	}
	if (status.appl_ptr != s->before.appl_ptr)
		diverge("status has appl_ptr %lu, which is %lu",
			(unsigned long)status.appl_ptr, s->before.appl_ptr);
	if (!was_there(s, status.hw_ptr))
		diverge("status has hw_ptr %lu, which went from %lu to %lu",
			(unsigned long)status.hw_ptr, s->before.hw_ptr,
			s->now.hw_ptr);
	if (status.avail != avail_at(s, status.hw_ptr, status.appl_ptr))
		diverge("status has avail %lu", (unsigned long)status.avail);
	delay = is_playback(s) ? s->pcm.buffer - status.avail : status.avail;
	if (status.delay && (unsigned long)status.delay != delay)
		diverge("status has delay %ld and avail %lu",
			(long)status.delay, (unsigned long)status.avail);
	return 0;
}

static long do_delay(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	snd_pcm_sframes_t delay = 0;
	long result = quiet(op, ioctl_on(s, SNDRV_PCM_IOCTL_DELAY, &delay));
	unsigned long hw_ptr;

	if (result)
		return result;
	hw_ptr = pcm_add(&s->pcm, s->before.appl_ptr,
			 is_playback(s) ? -delay : delay);
	if (is_sane(s) && !was_there(s, hw_ptr))
		diverge("delay is %ld, for hw_ptr between %lu and %lu",
			(long)delay, s->before.hw_ptr, s->now.hw_ptr);
	return result;
}

static long do_plain(const struct fuzz_op *op, unsigned long request, void *arg)
{
	return quiet(op, ioctl_on(&fuzz_streams[op->stream], request, arg));
}

static bool polls(const struct fuzz_stream *s, const struct fuzz_now *at,
		  short revents)
{
	short good = is_playback(s) ? POLLOUT | POLLWRNORM :
				      POLLIN | POLLRDNORM;
	unsigned long avail = avail_at(s, at->hw_ptr, at->appl_ptr);

	switch (at->state) {
	case STATE(RUNNING):
	case STATE(PREPARED):
	case STATE(PAUSED):
		return revents == (avail >= at->avail_min ? good : 0);
	case STATE(DRAINING):
		if (is_playback(s))
			return revents == 0;
		return revents == (avail ? good : good | POLLERR);
	}
	return revents == (good | POLLERR);
}

static long do_poll(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct pollfd p = {
		.fd = s->pcm.fd,
		.events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM,
	};
	struct fuzz_now xrun;

	if (poll(&p, 1, 0) < 0)
		diverge("poll gives %d", -errno);
	quiet(op, 0);
	xrun = s->now;
	xrun.state = s->before.state;
	if (!polls(s, &s->before, p.revents) && !polls(s, &s->now, p.revents) &&
	    !polls(s, &xrun, p.revents))
		diverge("poll in %s gives %#x", fuzz_states[s->now.state],
			p.revents);
	return p.revents;
}

static long do_channel_info(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct snd_pcm_channel_info info = { .channel = op->arg[0] };
	unsigned int bits, c = op->arg[0];
	long result;

	result = do_plain(op, SNDRV_PCM_IOCTL_CHANNEL_INFO, &info);
	if (result)
		return result;
	bits = s->pcm.setup.format->bits;
	if (info.offset || info.channel != c ||
	    info.step != (s->pcm.interleaved ? bits * s->pcm.setup.channels :
					       bits) ||
	    info.first != (s->pcm.interleaved ? c * bits :
					c * s->pcm.buffer * bits))
		diverge("channel %u is at %ld, %u, %u", c, (long)info.offset,
			info.first, info.step);
	return result;
}

/*
 * Moving pointers
 */

/* appl_ptr has gone there, by a call that has told hw_ptr, too */
static void appl_ptr_moved(const struct fuzz_op *op, unsigned long to)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	unsigned long from = s->before.appl_ptr;
	unsigned long frames = pcm_distance(&s->pcm, from, to);

	check_pointers(s, to, s->before.avail_min);
	explain_xrun(op, s);
	reveal(s);
	if (s->pcm.boundary && frames <= s->pcm.boundary / 2)
		give(s, from, frames);
	taint(s);
	check_other(op);
}

static long do_sync_ptr(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct snd_pcm_sync_ptr sync;
	unsigned long to = target(op);
	long result;

	memset(&sync, 0, sizeof(sync));
	sync.flags = op->arg[0];
	sync.c.control.appl_ptr = to;
	sync.c.control.avail_min = op->arg[3];
	if (op->arg[0] & SNDRV_PCM_SYNC_PTR_APPL)
		to = s->before.appl_ptr;
	result = done(op, ioctl_on(s, SNDRV_PCM_IOCTL_SYNC_PTR, &sync));
	if (result) {
		to = s->before.appl_ptr;
	} else {
		if (!(op->arg[0] & SNDRV_PCM_SYNC_PTR_AVAIL_MIN))
			set_avail_min(s, op->arg[3]);
		if (sync.c.control.appl_ptr != to)
			diverge("sync_ptr tells appl_ptr %lu, not %lu",
				(unsigned long)sync.c.control.appl_ptr, to);
		if (!was_there(s, sync.s.status.hw_ptr))
			diverge("sync_ptr tells hw_ptr %lu",
				(unsigned long)sync.s.status.hw_ptr);
	}
	appl_ptr_moved(op, to);
	if (result)
		check_map(s, "after an error of sync_ptr");
	return result;
}

static long do_seek(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	bool back = op->what == FUZZ_REWIND;
	unsigned long asked = op->arg[0];
	snd_pcm_uframes_t frames = asked;
	long lo, hi, got;
	long result;

	result = ioctl_on(s, back ? SNDRV_PCM_IOCTL_REWIND :
				    SNDRV_PCM_IOCTL_FORWARD, &frames);
	done(op, result);
	got = result ? 0 : frames;
	if (got < 0 || (unsigned long)got > asked)
		diverge("%s by %lu gives %ld", fuzz_names[op->what], asked, got);
	if (!result && asked && was_sane(s)) {
		if (back) {
			lo = hw_avail_at(s, s->now.hw_ptr, s->before.appl_ptr);
			hi = hw_avail_at(s, s->before.hw_ptr, s->before.appl_ptr);
		} else {
			lo = avail_at(s, s->before.hw_ptr, s->before.appl_ptr);
			hi = avail_at(s, s->now.hw_ptr, s->before.appl_ptr);
		}
		lo = lo < 0 ? 0 : min(lo, asked);
		hi = hi < 0 ? 0 : min(hi, asked);
		if (got < lo || got > hi)
			diverge("%s by %lu gives %ld, not from %ld to %ld: %s, appl_ptr %lu, hw_ptr from %lu to %lu",
				fuzz_names[op->what], asked, got, lo, hi,
				fuzz_states[s->now.state], s->before.appl_ptr,
				s->before.hw_ptr, s->now.hw_ptr);
	}
	appl_ptr_moved(op, pcm_add(&s->pcm, s->before.appl_ptr,
				   back ? -got : got));
	return result ? result : got;
}

/* the device's frames since the stream was prepared */
static long frames_moved(const struct fuzz_stream *s, const struct counters *c)
{
	return c->frames[number(s)] - s->zero;
}

static void prepared(struct fuzz_stream *s, const struct counters *c)
{
	if (s->now.appl_ptr || s->now.hw_ptr)
		diverge("prepared with appl_ptr %lu, hw_ptr %lu",
			s->now.appl_ptr, s->now.hw_ptr);
	if (!s->fresh)
		forget(s);
	s->base = 0;
	s->lost = s->scribbled = s->ahead = false;
	s->zero = c->frames[number(s)];
	s->tainted = false;
	taint(s);
}

/* the last lap that began so early */
static long lap(const struct fuzz_stream *s, long frame)
{
	long size = s->pcm.buffer;

	return frame - ((frame % size) + size) % size;
}

static void were_reset(struct fuzz_stream *s, const struct counters *before,
		       const struct counters *after)
{
	long hw_ptr = s->now.hw_ptr;

	if (!is_running(s, s->before.state) && !is_running(s, s->now.state) &&
	    s->now.appl_ptr)
		diverge("reset to %lu", s->now.appl_ptr);
	if (!s->fresh)
		forget(s);
	s->ahead = !is_running(s, s->before.state);
	/* the device goes on where it is in the ring, but in which lap? */
	s->base = lap(s, frames_moved(s, after) - hw_ptr);
	if (lap(s, frames_moved(s, before) - hw_ptr) != (int32_t)s->base)
		s->lost = true;
	taint(s);
}

static long do_prepare(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	bool reset = op->what == FUZZ_RESET;
	struct counters before, c;
	long result;

	if (reset)
		check_counters(&before);
	result = ioctl_on(s, reset ? SNDRV_PCM_IOCTL_RESET :
				     SNDRV_PCM_IOCTL_PREPARE, NULL);
	done(op, result);
	if (result) {
		check_pointers(s, s->before.appl_ptr, s->before.avail_min);
		reveal(s);
		check_other(op);
		check_map(s, "after an error");
		return result;
	}
	/*
	 * In the middle of a reset, a device that waits for appl_ptr sees one that
	 * is up to a lap ahead
	 */
	if (reset) {
		read_counters(&c);
		fuzz_streams[SNDRV_PCM_STREAM_PLAYBACK].wrong = c.wrong;
	} else {
		check_counters(&c);
	}
	for_members(op->stream, i, m) {
		if (reset)
			were_reset(&fuzz_streams[m], &before, &c);
		else
			prepared(&fuzz_streams[m], &c);
	}
	return result;
}

static long do_link(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct fuzz_stream *other = &fuzz_streams[!op->stream];
	long result;
	int fd = -1;

	if (op->arg[0] == OTHER_SELF)
		fd = s->pcm.fd;
	else if (op->arg[0] == OTHER_STREAM && other->opened)
		fd = other->pcm.fd;
	else if (op->arg[0] == OTHER_FILE)
		fd = STDERR_FILENO;
	result = quiet(op, ioctl_on(s, SNDRV_PCM_IOCTL_LINK, (void *)(long)fd));
	if (result == 0) {
		fuzz_linked = true;
		link_first = !op->stream;	/* it was put in front */
	}
	return result;
}

static long do_unlink(const struct fuzz_op *op)
{
	long result = do_plain(op, SNDRV_PCM_IOCTL_UNLINK, NULL);

	if (result == 0)
		fuzz_linked = false;
	return result;
}

/*
 * Moving frames
 */

static long transfer(struct fuzz_stream *s, const struct fuzz_op *op,
		     unsigned char *memory)
{
	static const unsigned long request[CALL_KINDS] = {
		SNDRV_PCM_IOCTL_WRITEI_FRAMES, SNDRV_PCM_IOCTL_READI_FRAMES,
		SNDRV_PCM_IOCTL_WRITEN_FRAMES, SNDRV_PCM_IOCTL_READN_FRAMES,
	};
	void *bad = op->arg[2] == MEMORY_NULL ? NULL : BAD_POINTER;
	void *bufs[PCM_CHANNELS_MAX] = { NULL };
	struct snd_xferi xferi = { .frames = op->arg[1] };
	struct snd_xfern xfern = { .frames = op->arg[1], .bufs = bufs };
	unsigned int c;
	long err;

	xferi.buf = op->arg[2] == MEMORY_GOOD ? memory : bad;
	for (c = 0; c < s->pcm.setup.channels; c++)
		bufs[c] = op->arg[2] == MEMORY_GOOD ?
			  ring(&s->pcm, memory, op->arg[1], c, 0) : bad;
	if (op->arg[0] == CALL_WRITEI || op->arg[0] == CALL_READI) {
		err = ioctl_on(s, request[op->arg[0]], &xferi);
		return err ? err : xferi.result;
	}
	err = ioctl_on(s, request[op->arg[0]], &xfern);
	return err ? err : xfern.result;
}

static void check_read(struct fuzz_stream *s, unsigned char *memory,
		       unsigned long size, unsigned long got)
{
	unsigned long from = s->before.appl_ptr;
	unsigned long behind = pcm_distance(&s->pcm, from, s->now.hw_ptr);
	unsigned long done = 0, good;

	/* the oldest of them may have been overwritten while they were read */
	if (behind > s->pcm.buffer)
		return;
	if (!s->fresh && behind > s->pcm.buffer - s->pcm.setup.period)
		done = behind - (s->pcm.buffer - s->pcm.setup.period);
	if (done >= got)
		return;
	for_pieces(s, pcm_add(&s->pcm, from, done), got - done, ofs, n) {
		good = same(s, ofs, memory, size, done, n);
		if (good < n)
			diverge("read %lu frames from %lu on, of which %lu is %#x and not %#x; %s, hw_ptr %lu, %lu * %lu, access %d, base %u",
				got, from, done + good,
				*ring(&s->pcm, memory, size, 0, done + good),
				*ring(&s->pcm, s->shadow, s->pcm.buffer, 0, ofs + good),
				fuzz_states[s->now.state], s->now.hw_ptr,
				s->pcm.setup.period, s->pcm.setup.periods,
				s->access, s->base);
		done += n;
	}
}

static long do_xfer(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	unsigned long size = op->arg[1];
	struct pcm_area areas[PCM_CHANNELS_MAX];
	unsigned char *memory = NULL;
	unsigned long got;
	long result;

	if (s->configured)
		memory = pcm_stage(&s->pcm, size, areas);
	if (memory && is_playback(s))
		pcm_fill(&s->pcm, areas, 0, frame_at(s, s->before.appl_ptr),
			 size, PCM_PATTERN);
	result = done(op, transfer(s, op, memory));
	got = result > 0 ? result : 0;
	check_pointers(s, pcm_add(&s->pcm, s->before.appl_ptr, got),
		       s->before.avail_min);
	explain_xrun(op, s);
	if (is_playback(s)) {
		bool good = op->arg[2] == MEMORY_GOOD;

		/* what was copied last may not have been queued any more */
		if ((got && !good) || result == -EFAULT ||
		    s->now.state == STATE(XRUN))
			forget(s);
		if (got && good) {
			shadow_fill(s, s->before.appl_ptr, got, PCM_PATTERN);
			if (got > s->pcm.buffer)
				s->tainted = true;
		} else {
			give(s, s->before.appl_ptr, got);
		}
	}
	reveal(s);
	taint(s);
	if (got && !is_playback(s) && op->arg[2] == MEMORY_GOOD)
		check_read(s, memory, size, got);
	check_other(op);
	free(memory);
	return result;
}

/* tell appl_ptr, as an application with a map does */
static long commit(const struct fuzz_op *op, unsigned long frames)
{
	struct fuzz_op sync = {
		.what = FUZZ_SYNC_PTR, .stream = op->stream,
		.arg = { SNDRV_PCM_SYNC_PTR_AVAIL_MIN, frames, FROM_APPL_PTR },
	};

	return do_sync_ptr(&sync);
}

static long do_put(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	unsigned long frames;

	if (!s->pcm.map || !is_sane(s))
		return 0;
	frames = min(op->arg[0], fuzz_avail(s));
	if (is_playback(s)) {
		shadow_fill(s, s->now.appl_ptr, frames, PCM_PATTERN);
		shadow_to_map(s, s->now.appl_ptr, frames);
	} else {
		check_map(s, "before appl_ptr moves on");
	}
	return commit(op, frames);
}

static long do_junk(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	unsigned long from = op->arg[0];
	unsigned long frames = op->arg[1];

	if (!s->pcm.map || !is_sane(s) || !is_playback(s) ||
	    from >= fuzz_avail(s))
		return 0;
	frames = min(frames, fuzz_avail(s) - from);
	from = pcm_add(&s->pcm, s->now.appl_ptr, from);
	shadow_fill(s, from, frames, PCM_JUNK);
	shadow_to_map(s, from, frames);
	return 0;
}

/* whether the application owns a frame, and the device is nowhere near it */
static bool owns(const struct fuzz_stream *s, unsigned long frame)
{
	unsigned long n = readable(s);
	unsigned long from = pcm_add(&s->pcm, s->now.hw_ptr, -(long)n);

	if (s->now.state == STATE(SETUP))
		return true;
	if (s->ahead)
		return false;
	return (frame + s->pcm.buffer - from % s->pcm.buffer) % s->pcm.buffer < n;
}

/*
 * Write where captured frames are. Lines are the unit: one that holds a frame
 * of the device's is none of the application's.
 */
static long do_scribble(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct pcm *pcm = &s->pcm;
	size_t line = fuzz_card.line;
	size_t from, to, at;

	if (!pcm->map || is_playback(s) || !is_sane(s) ||
	    s->stop > pcm->buffer)
		return 0;
	from = op->arg[0] * line % page_align(pcm->bytes);
	to = min(from + line, pcm->bytes);
	for (at = from; at < to; at++)
		if (!owns(s, at / unit(pcm) % pcm->buffer))
			return 0;
	for (at = from; at < to; at++) {
		pcm->map[at] = s->shadow[at] ^= 0xa5;
		s->known[at / unit(pcm) % pcm->buffer] = 0;
	}
	s->scribbled = true;
	return 1;
}

/*
 * Maps
 */

static int map_error(const struct fuzz_stream *s, size_t offset, size_t bytes,
		     int prot)
{
	size_t all = page_align(s->pcm.bytes);

	if (fuzz_racing)
		return 1;
	if (!bytes || offset % sysconf(_SC_PAGESIZE))
		return -EINVAL;
	switch (offset) {
	case SNDRV_PCM_MMAP_OFFSET_STATUS_OLD:
	case SNDRV_PCM_MMAP_OFFSET_STATUS_NEW:
	case SNDRV_PCM_MMAP_OFFSET_CONTROL_OLD:
	case SNDRV_PCM_MMAP_OFFSET_CONTROL_NEW:
		/* what else there is to it is none of ours */
		return fuzz_card.needs_sync ? -ENXIO : 1;
	}
	if (is_playback(s) ? !(prot & (PROT_READ | PROT_WRITE)) :
			     !(prot & PROT_READ))
		return -EINVAL;
	if (s->now.state == STATE(OPEN))
		return -EBADFD;
	if (!fuzz_is_mmap(s) || page_align(bytes) > all ||
	    offset > all - page_align(bytes))
		return -EINVAL;
	return 0;
}

/* what is mapped at @at is what the model has at @offset */
static void check_mapped(struct fuzz_stream *s, const unsigned char *at,
			 size_t offset, size_t bytes)
{
	const unsigned char *wanted = (const unsigned char *)s->shadow + offset;
	size_t i;

	for (i = 0; i < bytes; i++)
		if (at[i] != wanted[i])
			diverge("a map at %#zx, %zu bytes, has %#x and not %#x at byte %zu of the buffer",
				offset, bytes, at[i], wanted[i], offset + i);
}

static long do_map(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	size_t offset = op->arg[0], bytes = op->arg[1];
	int prot = op->arg[2];
	int wanted, err;
	unsigned int i;
	void *at;

	if (op->arg[1] < 0) {
		if (s->pcm.map || s->now.state == STATE(OPEN) ||
		    !fuzz_is_mmap(s))
			return 0;
		pcm_mmap(&s->pcm);
		check_map(s, "just mapped");
		return 1;
	}
	wanted = map_error(s, offset, bytes, prot);
	at = mmap(NULL, bytes, prot, MAP_SHARED, s->pcm.fd, offset);
	err = at == MAP_FAILED ? -errno : 0;
	if (wanted <= 0 && err != wanted)
		diverge("mmap at %#zx, %zu bytes, in %s gives %d and not %d",
			offset, bytes, fuzz_states[s->now.state], err, wanted);
	if (err)
		return err;
	if (wanted == 0 && prot & PROT_READ && is_playback(s) && s->shadow &&
	    !memchr(s->known, 0, s->pcm.buffer))
		check_mapped(s, at, offset, bytes);
	for (i = 0; wanted == 0 && prot & PROT_READ && op->arg[3] &&
	     i < FUZZ_MAPS; i++) {
		if (s->maps[i].at)
			continue;
		s->maps[i].at = at;
		s->maps[i].bytes = page_align(bytes);
		s->maps[i].offset = offset;
		return 0;
	}
	munmap(at, bytes);
	return 0;
}

static long do_unmap(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	unsigned int which = op->arg[0];

	check_maps(s);
	if (which >= FUZZ_MAPS) {
		check_map(s, "before it goes");
		pcm_munmap(&s->pcm);
		return 0;
	}
	if (s->maps[which].at)
		munmap(s->maps[which].at, s->maps[which].bytes);
	s->maps[which].at = NULL;
	return 0;
}

static long do_remap(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	void *at;

	if (!s->pcm.map)
		return 0;
	at = mremap(s->pcm.map, s->pcm.map_bytes,
		    s->pcm.map_bytes + 1 + op->arg[0], MREMAP_MAYMOVE);
	if (at != MAP_FAILED)
		diverge("a map grows by %ld bytes", op->arg[0] + 1);
	if (errno != EFAULT)
		diverge("mremap gives %d", -errno);
	check_map(s, "after mremap");
	return -EFAULT;
}

static long do_fork(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	bool racing = fuzz_racing;
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (is_playback(s) && !racing)
			check_map(s, "in a child");
		fuzz_racing = false;
		/* another thread may be about to unmap */
		if (maps(s) && ioctl_on(s, SNDRV_PCM_IOCTL_HW_FREE, NULL) !=
			       -EBADFD && !racing)
			diverge("hw_free in a child");
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		pcm_die("fork: %s", strerror(errno));
	if (status)
		_exit(1);	/* it has said why */
	return 0;
}

/* a struct snd_pcm_sync_ptr of which just the flags can be read */
static void *flags_only(void)
{
	static void *record;
	long page = sysconf(_SC_PAGESIZE);
	char *at;

	if (!record) {
		at = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (at == MAP_FAILED || mprotect(at + page, page, PROT_NONE))
			pcm_die("mmap: %s", strerror(errno));
		record = at + page - sizeof(unsigned int);
	}
	return record;
}

/* calls that take a pointer, with one that goes nowhere */
static long do_fault(const struct fuzz_op *op)
{
	static const unsigned long requests[] = {
		SNDRV_PCM_IOCTL_HW_REFINE, SNDRV_PCM_IOCTL_HW_PARAMS,
		SNDRV_PCM_IOCTL_SW_PARAMS, SNDRV_PCM_IOCTL_SYNC_PTR,
		SNDRV_PCM_IOCTL_REWIND, SNDRV_PCM_IOCTL_FORWARD,
		SNDRV_PCM_IOCTL_WRITEI_FRAMES, SNDRV_PCM_IOCTL_READI_FRAMES,
		SNDRV_PCM_IOCTL_WRITEN_FRAMES, SNDRV_PCM_IOCTL_READN_FRAMES,
		SNDRV_PCM_IOCTL_CHANNEL_INFO, SNDRV_PCM_IOCTL_TTSTAMP,
		SNDRV_PCM_IOCTL_USER_PVERSION, SNDRV_PCM_IOCTL_INFO,
		SNDRV_PCM_IOCTL_PVERSION,
	};
	const unsigned int n = sizeof(requests) / sizeof(requests[0]);
	unsigned int which = op->arg[0] % (n + 1);

	if (which == n)
		return do_plain(op, SNDRV_PCM_IOCTL_SYNC_PTR, flags_only());
	return do_plain(op, requests[which], BAD_POINTER);
}

/*
 * The card goes, and comes again
 */

static void write_to(const char *path)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "snd_dmatest.%d", fuzz_card.device);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		pcm_die("%s: %s", path, strerror(errno));
	close(fd);
}

static void check_gone(struct fuzz_stream *s)
{
	static const unsigned long requests[] = {
		SNDRV_PCM_IOCTL_HWSYNC, SNDRV_PCM_IOCTL_START,
		SNDRV_PCM_IOCTL_DROP, SNDRV_PCM_IOCTL_PREPARE,
		SNDRV_PCM_IOCTL_HW_FREE, SNDRV_PCM_IOCTL_UNLINK,
	};
	struct pollfd p = { .fd = s->pcm.fd };
	unsigned int i;
	void *at;
	long err;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		err = ioctl_on(s, requests[i], NULL);
		if (err != -ENODEV)
			diverge("an ioctl without a card gives %ld", err);
	}
	at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, s->pcm.fd, 0);
	if (at != MAP_FAILED || errno != ENODEV)
		diverge("mmap without a card gives %d", -errno);
	if (poll(&p, 1, 0) != 1 || !(p.revents & (POLLERR | POLLNVAL)))
		diverge("poll without a card gives %#x", p.revents);
	if (is_playback(s))
		check_map(s, "without a card");
}

static long do_unplug(void)
{
	struct fuzz_stream *s;
	int status, naps = 0;
	pid_t pid;

	account();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		for (s = fuzz_streams; s < fuzz_streams + FUZZ_STREAMS; s++) {
			if (!s->opened)
				continue;
			fuzz_unmap(s);
			close(s->pcm.fd);
		}
		write_to(DRIVER_PATH "unbind");
		_exit(0);
	}
	for (s = fuzz_streams; s < fuzz_streams + FUZZ_STREAMS; s++) {
		while (s->opened &&
		       ioctl_on(s, SNDRV_PCM_IOCTL_PVERSION, &status) != -ENODEV) {
			if (naps++ == 100000)
				diverge("the card does not go");
			usleep(100);
		}
	}
	for (s = fuzz_streams; s < fuzz_streams + FUZZ_STREAMS; s++) {
		if (!s->opened)
			continue;
		check_gone(s);
		fuzz_unmap(s);
		close(s->pcm.fd);
		forget_stream(s);
	}
	fuzz_linked = false;
	if (waitpid(pid, &status, 0) != pid || status)
		diverge("unbind ends with %d", status);
	write_to(DRIVER_PATH "bind");
	fuzz_begin();
	return 0;
}

/* what the card has counted, and where it is */
static long do_check(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	struct counters before, after;
	uint32_t frame;

	check_counters(&before);
	check_map(s, "by the way");
	check_maps(s);
	if (ioctl_on(s, SNDRV_PCM_IOCTL_HWSYNC, NULL))
		return 0;
	look(s);
	check_counters(&after);
	frame = frame_at(s, s->now.hw_ptr);
	if (s->now.state == STATE(RUNNING) && !s->lost &&
	    frame - (uint32_t)frames_moved(s, &before) >
	    (uint32_t)(frames_moved(s, &after) - frames_moved(s, &before)))
		diverge("hw_ptr %lu of base %u is frame %u, and the device is between %lu and %lu",
			s->now.hw_ptr, s->base, frame, frames_moved(s, &before),
			frames_moved(s, &after));
	check_pointers(s, s->before.appl_ptr, s->before.avail_min);
	reveal(s);
	return 0;
}

/*
 * Three things that the core cannot do with linked streams, whatever the buffers
 * are: it looks at hw_ptr under the group's lock when it pauses, and an xrun that
 * it finds there takes the same lock; it stops none of them if one is OPEN; and it
 * does not tell lockdep that the lock of the group may be taken with that of a
 * stream, which matters where they are mutexes.
 */
static bool is_safe(const struct fuzz_op *op)
{
	struct fuzz_stream *other = &fuzz_streams[!op->stream];
	int m;

	if (fuzz_card.nonatomic && op->what == FUZZ_LINK && op->arg[0] == OTHER_STREAM)
		return false;
	if (!fuzz_linked)
		return true;
	if (op->what == FUZZ_HW_FREE || op->what == FUZZ_HW_PARAMS)
		return !is_running(other, other->now.state);
	if (op->what != FUZZ_PAUSE || !op->arg[0])
		return true;
	for (m = 0; m < FUZZ_STREAMS; m++)
		if (fuzz_streams[m].stop < fuzz_streams[m].pcm.boundary)
			return false;
	return true;
}

/* operations that look at frames, or write them, go by where hw_ptr is now */
static bool looks_first(const struct fuzz_op *op)
{
	switch (op->what) {
	case FUZZ_CLOSE_MAPPED:
	case FUZZ_MAP:
	case FUZZ_UNMAP:
	case FUZZ_REMAP:
	case FUZZ_PUT:
	case FUZZ_GET:
	case FUZZ_JUNK:
	case FUZZ_SCRIBBLE:
	case FUZZ_FORK:
	case FUZZ_CHECK:
		return true;
	}
	return false;
}

static long carry_out(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	int value = op->arg[0];

	switch (op->what) {
	case FUZZ_CLOSE:
	case FUZZ_CLOSE_MAPPED:
		return do_close(op);
	case FUZZ_HW_REFINE:
		return do_hw_refine(op);
	case FUZZ_HW_PARAMS:
		return do_hw_params(op);
	case FUZZ_HW_FREE:
		return do_hw_free(op);
	case FUZZ_SW_PARAMS:
		return do_sw_params(op);
	case FUZZ_STATUS:
	case FUZZ_STATUS_EXT:
		return do_status(op);
	case FUZZ_DELAY:
		return do_delay(op);
	case FUZZ_HWSYNC:
		return do_plain(op, SNDRV_PCM_IOCTL_HWSYNC, NULL);
	case FUZZ_SYNC_PTR:
		return do_sync_ptr(op);
	case FUZZ_PREPARE:
	case FUZZ_RESET:
		return do_prepare(op);
	case FUZZ_START:
		return do_plain(op, SNDRV_PCM_IOCTL_START, NULL);
	case FUZZ_DROP:
		return do_plain(op, SNDRV_PCM_IOCTL_DROP, NULL);
	case FUZZ_DRAIN:
		return do_plain(op, SNDRV_PCM_IOCTL_DRAIN, NULL);
	case FUZZ_PAUSE:
		return do_plain(op, SNDRV_PCM_IOCTL_PAUSE,
				(void *)(op->arg[0] ? 1L : 0L));
	case FUZZ_REWIND:
	case FUZZ_FORWARD:
		return do_seek(op);
	case FUZZ_XFER:
		return do_xfer(op);
	case FUZZ_LINK:
		return do_link(op);
	case FUZZ_UNLINK:
		return do_unlink(op);
	case FUZZ_XRUN:
		return do_plain(op, SNDRV_PCM_IOCTL_XRUN, NULL);
	case FUZZ_RESUME:
		return do_plain(op, SNDRV_PCM_IOCTL_RESUME, NULL);
	case FUZZ_TTSTAMP:
		return do_plain(op, SNDRV_PCM_IOCTL_TTSTAMP, &value);
	case FUZZ_CHANNEL_INFO:
		return do_channel_info(op);
	case FUZZ_USER_PVERSION:
		return do_plain(op, SNDRV_PCM_IOCTL_USER_PVERSION, &value);
	case FUZZ_FAULT:
		return do_fault(op);
	case FUZZ_UNKNOWN:
		return do_plain(op, _IO('A', 0x80 + value % 0x80), NULL);
	case FUZZ_POLL:
		return do_poll(op);
	case FUZZ_MAP:
		return do_map(op);
	case FUZZ_UNMAP:
		return do_unmap(op);
	case FUZZ_REMAP:
		return do_remap(op);
	case FUZZ_PUT:
	case FUZZ_GET:
		return do_put(op);
	case FUZZ_JUNK:
		return do_junk(op);
	case FUZZ_SCRIBBLE:
		return do_scribble(op);
	case FUZZ_FORK:
		return do_fork(op);
	case FUZZ_CHECK:
		return do_check(op);
	}
	pcm_die("operation %u of stream %d", op->what, number(s));
}

/*
 * Carry out an operation; returns what it gave. One on a stream that is not
 * open does nothing.
 */
long fuzz_do(const struct fuzz_op *op)
{
	struct fuzz_stream *s = &fuzz_streams[op->stream];
	long result;
	int m;

	for (m = 0; m < FUZZ_STREAMS; m++)
		fuzz_streams[m].before = fuzz_streams[m].now;
	switch (op->what) {
	case FUZZ_OPEN:
		return do_open(op);
	case FUZZ_NAP:
		usleep(op->arg[0]);
		return 0;
	case FUZZ_UNPLUG:
		return do_unplug();
	}
	if (!s->opened || !is_safe(op))
		return 0;
	if (looks_first(op)) {
		const struct fuzz_op nothing = {
			.what = FUZZ_POLL, .stream = op->stream,
		};

		quiet(&nothing, 0);
		for (m = 0; m < FUZZ_STREAMS; m++)
			fuzz_streams[m].before = fuzz_streams[m].now;
	}
	result = carry_out(op);
	taint(s);
	return result;
}

/* begin with a card that has just been probed */
void fuzz_begin(void)
{
	struct pcm pcm;
	int m;

	for (m = 0; m < FUZZ_STREAMS; m++) {
		fuzz_streams[m].wrong = 0;
		forget_stream(&fuzz_streams[m]);
	}
	fuzz_linked = false;
	pcm_open(&pcm, fuzz_card.number, SNDRV_PCM_STREAM_PLAYBACK, O_NONBLOCK);
	resume_error = pcm_ioctl_may_fail(&pcm, SNDRV_PCM_IOCTL_RESUME, NULL);
	pcm_close(&pcm);
	if (resume_error != -ENOSYS && resume_error != -EBADFD)
		diverge("resume of an open stream gives %d", resume_error);
	card_counters_reset(fuzz_card.number);
	open_counters();
}

/* close what is open; the frames up to here have to be right */
void fuzz_end(void)
{
	struct fuzz_op op = { .what = FUZZ_CLOSE };

	for (op.stream = 0; op.stream < FUZZ_STREAMS; op.stream++)
		fuzz_do(&op);
}
