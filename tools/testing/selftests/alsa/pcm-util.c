// SPDX-License-Identifier: GPL-2.0
/*
 * PCM streams by their raw ioctls, for tests
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pcm-util.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

const struct pcm_format pcm_formats[] = {
	{ "S8",		SNDRV_PCM_FORMAT_S8, 8, 8 },
	{ "S16_LE",	SNDRV_PCM_FORMAT_S16_LE, 16, 16 },
	{ "S24_LE",	SNDRV_PCM_FORMAT_S24_LE, 32, 24 },
	{ "S24_3LE",	SNDRV_PCM_FORMAT_S24_3LE, 24, 24 },
	{ "S32_LE",	SNDRV_PCM_FORMAT_S32_LE, 32, 32 },
	{ "FLOAT_LE",	SNDRV_PCM_FORMAT_FLOAT_LE, 32, 32 },
	{ "IMA_ADPCM",	SNDRV_PCM_FORMAT_IMA_ADPCM, 4, 4 },
};

const unsigned int pcm_formats_count = COUNT(pcm_formats);

void (*pcm_on_death)(const char *message);

void pcm_die(const char *format, ...)
{
	char message[256];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (pcm_on_death)
		pcm_on_death(message);
	fprintf(stderr, "%s\n", message);
	exit(1);
}

int pcm_ioctl_may_fail(struct pcm *pcm, unsigned long request, void *arg)
{
	return ioctl(pcm->fd, request, arg) < 0 ? -errno : 0;
}

void pcm_ioctl(struct pcm *pcm, unsigned long request, const char *name,
	       void *arg)
{
	int err = pcm_ioctl_may_fail(pcm, request, arg);

	if (err < 0)
		pcm_die("%s: %s", name, strerror(-err));
}

/*
 * Cards
 */

static bool read_file(const char *path, char *text, size_t size)
{
	size_t done = 0;
	ssize_t got = 0;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	while (done < size - 1 &&
	       (got = read(fd, text + done, size - 1 - done)) > 0)
		done += got;
	close(fd);
	text[done] = '\0';
	return got >= 0;
}

static bool card_info(int card, struct snd_ctl_card_info *info)
{
	char path[32];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "/dev/snd/controlC%d", card);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	good = !ioctl(fd, SNDRV_CTL_IOCTL_CARD_INFO, info);
	close(fd);
	return good;
}

/* the number of the @nth card of a driver, or -1 */
int card_find(const char *driver, unsigned int nth)
{
	struct snd_ctl_card_info info;
	int card;

	for (card = 0; card < 256; card++)
		if (card_info(card, &info) &&
		    !strcmp((const char *)info.driver, driver) && !nth--)
			return card;
	return -1;
}

/* which of the driver's devices it is, by the number in its long name */
int card_device_number(int card)
{
	struct snd_ctl_card_info info;
	int number;

	if (!card_info(card, &info) ||
	    sscanf((const char *)info.longname, "%*s %d", &number) != 1)
		pcm_die("card %d does not tell its number", card);
	return number;
}

/* a module parameter that has a value for each card */
void card_param(int card, const char *module, const char *name, char *value,
		size_t size)
{
	int number = card_device_number(card);
	char path[128], text[4096];
	char *at = text;

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/%s", module,
		 name);
	if (!read_file(path, text, sizeof(text)))
		pcm_die("%s: %s", path, strerror(errno));
	while (number-- && at)
		at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL;
	if (!at)
		pcm_die("%s: no value for card %d", path, card);
	snprintf(value, size, "%.*s", (int)strcspn(at, ",\n"), at);
}

static void counters_path(int card, char *path, size_t size)
{
	snprintf(path, size, "/proc/asound/card%d/dmatest", card);
}

void card_counters_reset(int card)
{
	char path[64];
	int fd;

	counters_path(card, path, sizeof(path));
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "reset\n", 6) != 6 || close(fd) < 0)
		pcm_die("%s: %s", path, strerror(errno));
}

long long card_counter(int card, const char *format, ...)
{
	char path[64], text[16384], name[64];
	va_list args;
	char *at;

	va_start(args, format);
	name[0] = '\n';
	vsnprintf(name + 1, sizeof(name) - 1, format, args);
	va_end(args);
	strcat(name, ": ");

	counters_path(card, path, sizeof(path));
	text[0] = '\n';
	if (!read_file(path, text + 1, sizeof(text) - 1))
		pcm_die("%s: %s", path, strerror(errno));
	at = strstr(text, name);
	if (!at)
		pcm_die("%s: no counter '%s'", path, name + 1);
	return strtoll(at + strlen(name), NULL, 10);
}

/*
 * Setting up
 */

bool pcm_open_try(struct pcm *pcm, int card, int stream, int flags)
{
	char path[32];

	memset(pcm, 0, sizeof(*pcm));
	snprintf(path, sizeof(path), "/dev/snd/pcmC%dD0%c", card,
		 stream == SNDRV_PCM_STREAM_PLAYBACK ? 'p' : 'c');
	pcm->stream = stream;
	pcm->fd = open(path, O_RDWR | flags);
	return pcm->fd >= 0;
}

void pcm_open(struct pcm *pcm, int card, int stream, int flags)
{
	if (!pcm_open_try(pcm, card, stream, flags))
		pcm_die("PCM of card %d: %s", card, strerror(errno));
}

void pcm_close(struct pcm *pcm)
{
	pcm_munmap(pcm);
	close(pcm->fd);
}

static void params_any(struct snd_pcm_hw_params *params)
{
	unsigned int i;

	memset(params, 0, sizeof(*params));
	memset(params->masks, 0xff, sizeof(params->masks));
	for (i = 0; i < COUNT(params->intervals); i++)
		params->intervals[i].max = ~0U;
	params->rmask = ~0U;
}

static void params_mask(struct snd_pcm_hw_params *params, unsigned int which,
			unsigned int bit)
{
	struct snd_mask *mask;

	mask = &params->masks[which - SNDRV_PCM_HW_PARAM_FIRST_MASK];
	memset(mask, 0, sizeof(*mask));
	mask->bits[bit / 32] = 1U << bit % 32;
}

static void params_interval(struct snd_pcm_hw_params *params,
			    unsigned int which, unsigned int value)
{
	struct snd_interval *interval;

	interval = &params->intervals[which - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];
	interval->min = value;
	interval->max = value;
	interval->integer = 1;
}

/* SNDRV_PCM_INFO_* as an application learns them before it chooses anything */
unsigned int pcm_info(struct pcm *pcm)
{
	struct snd_pcm_hw_params params;

	params_any(&params);
	PCM_IOCTL(pcm, HW_REFINE, &params);
	return params.info;
}

bool pcm_hw_params_try(struct pcm *pcm, snd_pcm_access_t access,
		       const struct pcm_setup *setup)
{
	struct snd_pcm_hw_params params;

	pcm->setup = *setup;
	pcm->interleaved = access == SNDRV_PCM_ACCESS_RW_INTERLEAVED ||
			   access == SNDRV_PCM_ACCESS_MMAP_INTERLEAVED;
	pcm->buffer = setup->period * setup->periods;
	pcm->bytes = pcm_frames_to_bytes(pcm, pcm->buffer);

	params_any(&params);
	params.flags = setup->flags;
	params_mask(&params, SNDRV_PCM_HW_PARAM_ACCESS, access);
	params_mask(&params, SNDRV_PCM_HW_PARAM_FORMAT, setup->format->format);
	params_interval(&params, SNDRV_PCM_HW_PARAM_CHANNELS, setup->channels);
	params_interval(&params, SNDRV_PCM_HW_PARAM_RATE, setup->rate);
	params_interval(&params, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, setup->period);
	params_interval(&params, SNDRV_PCM_HW_PARAM_PERIODS, setup->periods);
	if (ioctl(pcm->fd, SNDRV_PCM_IOCTL_HW_PARAMS, &params) < 0)
		return false;
	pcm->info = params.info;
	return true;
}

void pcm_hw_params(struct pcm *pcm, snd_pcm_access_t access,
		   const struct pcm_setup *setup)
{
	if (!pcm_hw_params_try(pcm, access, setup))
		pcm_die("HW_PARAMS: %s", strerror(errno));
}

static unsigned long threshold(const struct pcm *pcm, unsigned long frames)
{
	return frames == PCM_BOUNDARY ? pcm->boundary : frames;
}

void pcm_sw_params(struct pcm *pcm, const struct pcm_thresholds *thresholds)
{
	struct snd_pcm_sw_params params;

	/* The first call is for the boundary alone */
	memset(&params, 0, sizeof(params));
	params.avail_min = pcm->setup.period;
	params.start_threshold = 1;
	params.stop_threshold = pcm->buffer;
	PCM_IOCTL(pcm, SW_PARAMS, &params);
	pcm->boundary = params.boundary;

	params.start_threshold = threshold(pcm, thresholds->start);
	params.stop_threshold = threshold(pcm, thresholds->stop);
	params.silence_threshold = threshold(pcm, thresholds->silence);
	params.silence_size = threshold(pcm, thresholds->silence_size);
	if (thresholds->avail_min)
		params.avail_min = thresholds->avail_min;
	if (thresholds->tstamp)
		params.tstamp_mode = SNDRV_PCM_TSTAMP_ENABLE;
	PCM_IOCTL(pcm, SW_PARAMS, &params);
}

void pcm_prepare(struct pcm *pcm)
{
	PCM_IOCTL(pcm, PREPARE, NULL);
	pcm->appl_ptr = 0;
	pcm->hw_ptr = 0;
}

bool pcm_mmap_try(struct pcm *pcm)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *map;

	pcm->map_bytes = (pcm->bytes + page - 1) & ~(page - 1);
	map = mmap(NULL, pcm->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		   pcm->fd, SNDRV_PCM_MMAP_OFFSET_DATA);
	pcm->map = map == MAP_FAILED ? NULL : map;
	return pcm->map;
}

/* as alsa-lib does it: ask for the channels, then map what holds them all */
void pcm_mmap(struct pcm *pcm)
{
	unsigned int c;

	if (!pcm_mmap_try(pcm))
		pcm_die("mmap of %zu bytes: %s", pcm->map_bytes,
			strerror(errno));
	for (c = 0; c < pcm->setup.channels; c++) {
		struct snd_pcm_channel_info info = { .channel = c };

		PCM_IOCTL(pcm, CHANNEL_INFO, &info);
		pcm->ring[c].base = pcm->map + info.offset;
		pcm->ring[c].first = info.first;
		pcm->ring[c].step = info.step;
	}
}

void pcm_munmap(struct pcm *pcm)
{
	if (pcm->map)
		munmap(pcm->map, pcm->map_bytes);
	pcm->map = NULL;
}

/*
 * Pointers
 */

/* Without SNDRV_PCM_SYNC_PTR_APPL, tells the kernel appl_ptr */
int pcm_sync_ptr(struct pcm *pcm, unsigned int flags)
{
	struct snd_pcm_sync_ptr sync;
	int err;

	memset(&sync, 0, sizeof(sync));
	sync.flags = flags | SNDRV_PCM_SYNC_PTR_AVAIL_MIN;
	sync.c.control.appl_ptr = pcm->appl_ptr;
	err = pcm_ioctl_may_fail(pcm, SNDRV_PCM_IOCTL_SYNC_PTR, &sync);
	if (err < 0)
		return err;
	pcm->appl_ptr = sync.c.control.appl_ptr;
	pcm->hw_ptr = sync.s.status.hw_ptr;
	pcm->state = sync.s.status.state;
	return 0;
}

/* @request is SNDRV_PCM_IOCTL_STATUS or SNDRV_PCM_IOCTL_STATUS_EXT */
void pcm_status(struct pcm *pcm, unsigned long request)
{
	struct snd_pcm_status status;

	memset(&status, 0, sizeof(status));
	pcm_ioctl(pcm, request, "STATUS", &status);
	pcm->appl_ptr = status.appl_ptr;
	pcm->hw_ptr = status.hw_ptr;
	pcm->state = status.state;
}

/* Waits until avail_min is reached, at most so long */
bool pcm_wait(struct pcm *pcm, int timeout_ms)
{
	struct pollfd pollfd = { .fd = pcm->fd };

	pollfd.events = pcm->stream == SNDRV_PCM_STREAM_PLAYBACK ? POLLOUT :
								   POLLIN;
	return poll(&pollfd, 1, timeout_ms) > 0;
}

unsigned long pcm_add(const struct pcm *pcm, unsigned long ptr, long frames)
{
	/* which after hw_params may be beyond the boundary, until prepare */
	if (!frames)
		return ptr;
	if (frames < 0)
		return ptr >= -(unsigned long)frames ?
			ptr + frames : ptr + pcm->boundary + frames;
	ptr += frames;
	return ptr >= pcm->boundary ? ptr - pcm->boundary : ptr;
}

unsigned long pcm_distance(const struct pcm *pcm, unsigned long from,
			   unsigned long to)
{
	return to >= from ? to - from : to + pcm->boundary - from;
}

/* frames that the application may write or read, going by the last pointers */
unsigned long pcm_avail(const struct pcm *pcm)
{
	if (pcm->stream == SNDRV_PCM_STREAM_PLAYBACK)
		return pcm->buffer - pcm_distance(pcm, pcm->hw_ptr,
						  pcm->appl_ptr);
	return pcm_distance(pcm, pcm->appl_ptr, pcm->hw_ptr);
}

/*
 * Moving frames
 */

/* so many frames, or a multiple, start and end with a byte */
unsigned int pcm_align(const struct pcm *pcm)
{
	return pcm->setup.format->bits < 8 ? 8 / pcm->setup.format->bits : 1;
}

size_t pcm_frames_to_bytes(const struct pcm *pcm, unsigned long frames)
{
	return (size_t)frames * pcm->setup.format->bits * pcm->setup.channels /
	       8;
}

/* memory for frames, laid out for pcm_transfer() */
void *pcm_stage(const struct pcm *pcm, unsigned long frames,
		struct pcm_area *areas)
{
	unsigned int channels = pcm->setup.channels;
	unsigned int bits = pcm->setup.format->bits;
	size_t bytes = pcm_frames_to_bytes(pcm, frames);
	unsigned char *memory = calloc(1, bytes + 8);
	unsigned int c;

	if (!memory)
		pcm_die("no memory for %lu frames", frames);
	for (c = 0; c < channels; c++) {
		areas[c].base = pcm->interleaved ? memory :
					memory + bytes / channels * c;
		areas[c].first = pcm->interleaved ? c * bits : 0;
		areas[c].step = pcm->interleaved ? channels * bits : bits;
	}
	return memory;
}

/*
 * WRITEI, WRITEN, READI or READN, whatever the stream is; returns the number
 * of frames or a negative error
 */
long pcm_transfer(struct pcm *pcm, const struct pcm_area *areas,
		  unsigned long frames)
{
	bool play = pcm->stream == SNDRV_PCM_STREAM_PLAYBACK;
	void *bases[PCM_CHANNELS_MAX];
	struct snd_xferi xferi = { .buf = areas[0].base, .frames = frames };
	struct snd_xfern xfern = { .bufs = bases, .frames = frames };
	unsigned int c;
	int err;

	if (pcm->interleaved) {
		err = pcm_ioctl_may_fail(pcm,
					 play ? SNDRV_PCM_IOCTL_WRITEI_FRAMES :
						SNDRV_PCM_IOCTL_READI_FRAMES,
					 &xferi);
		return err < 0 ? err : xferi.result;
	}
	for (c = 0; c < pcm->setup.channels; c++)
		bases[c] = areas[c].base;
	err = pcm_ioctl_may_fail(pcm,
				 play ? SNDRV_PCM_IOCTL_WRITEN_FRAMES :
					SNDRV_PCM_IOCTL_READN_FRAMES, &xfern);
	return err < 0 ? err : xfern.result;
}

/*
 * Samples, as in dmatest_pattern.c of the card: the first of two 4-bit samples
 * is in the upper half of the byte
 */

static uint32_t get_sample(unsigned int bits, const unsigned char *p,
			   size_t bit)
{
	p += bit / 8;
	switch (bits) {
	case 4:
		return bit & 4 ? *p & 0xf : *p >> 4;
	case 8:
		return p[0];
	case 16:
		return p[0] | p[1] << 8;
	case 24:
		return p[0] | p[1] << 8 | p[2] << 16;
	default:
		return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
	}
}

static void put_sample(unsigned int bits, unsigned char *p, size_t bit,
		       uint32_t x)
{
	p += bit / 8;
	if (bits == 4) {
		if (bit & 4)
			*p = (*p & 0xf0) | (x & 0xf);
		else
			*p = (*p & 0x0f) | (x & 0xf) << 4;
		return;
	}
	for (; bits; bits -= 8, x >>= 8)
		*p++ = x;
}

static uint32_t sample_mask(const struct pcm_format *format)
{
	return ~0U >> (32 - format->width);
}

/* The card has the same lines; whoever changes one changes both */
static uint32_t pattern(const struct pcm_format *format, uint32_t frame,
			unsigned int channel)
{
	uint32_t x = frame * 0x9e3779b1u + channel * 0x85ebca77u;

	x ^= x >> 15;
	x *= 0x2c1b3c6du;
	x ^= x >> 12;
	if (format->format == SNDRV_PCM_FORMAT_FLOAT_LE)
		return x >> 9 | 0x3f000000;
	return x >> (32 - format->width);
}

/*
 * Writes frames at @ofs of @areas: the pattern's from @frame on, or what differs
 * from it in every bit
 */
void pcm_fill(const struct pcm *pcm, const struct pcm_area *areas,
	      unsigned long ofs, uint32_t frame, unsigned long frames,
	      enum pcm_content content)
{
	const struct pcm_format *format = pcm->setup.format;
	uint32_t flip = content == PCM_JUNK ? ~0U : 0;
	unsigned long i;
	unsigned int c;

	for (i = 0; i < frames; i++)
		for (c = 0; c < pcm->setup.channels; c++)
			put_sample(format->bits, areas[c].base,
				   areas[c].first + (ofs + i) * areas[c].step,
				   pattern(format, frame + i, c) ^ flip);
}

/*
 * Compares frames at @ofs of @areas with the pattern's from @frame on; returns
 * how many are wrong, and puts the number of the first in *first if it is
 * negative
 */
unsigned long pcm_check(const struct pcm *pcm, const struct pcm_area *areas,
			unsigned long ofs, uint32_t frame, unsigned long frames,
			long long *first)
{
	const struct pcm_format *format = pcm->setup.format;
	uint32_t mask = sample_mask(format);
	unsigned long wrong = 0;
	unsigned long i;
	unsigned int c;

	for (i = 0; i < frames; i++) {
		uint32_t differs = 0;

		for (c = 0; c < pcm->setup.channels; c++)
			differs |= get_sample(format->bits, areas[c].base,
					      areas[c].first +
					      (ofs + i) * areas[c].step) ^
				   pattern(format, frame + i, c);
		if (!(differs & mask))
			continue;
		wrong++;
		if (*first < 0)
			*first = frame + i;
	}
	return wrong;
}

/* How many frames are not all zeros, which is silence in any format here */
unsigned long pcm_not_silent(const struct pcm *pcm,
			     const struct pcm_area *areas,
			     unsigned long frames)
{
	const struct pcm_format *format = pcm->setup.format;
	unsigned long wrong = 0;
	unsigned long i;
	unsigned int c;

	for (i = 0; i < frames; i++) {
		uint32_t sound = 0;

		for (c = 0; c < pcm->setup.channels; c++)
			sound |= get_sample(format->bits, areas[c].base,
					    areas[c].first +
					    i * areas[c].step);
		wrong += sound != 0;
	}
	return wrong;
}
