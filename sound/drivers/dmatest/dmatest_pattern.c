// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  Samples of the virtual card, and what they should be
 *
 *  Inside the card, a sample is the lower bits of a u32, whatever the format:
 *  just as it is in memory, neither shifted nor extended.
 */

#include <linux/kernel.h>
#include <asm/unaligned.h>

#include "dmatest.h"

static const struct dmatest_format formats[] = {
	{ SNDRV_PCM_FORMAT_S8, 8, 8 },
	{ SNDRV_PCM_FORMAT_U8, 8, 8 },
	{ SNDRV_PCM_FORMAT_S16_LE, 16, 16 },
	{ SNDRV_PCM_FORMAT_S24_LE, 32, 24 },
	{ SNDRV_PCM_FORMAT_S24_3LE, 24, 24 },
	{ SNDRV_PCM_FORMAT_S32_LE, 32, 32 },
	{ SNDRV_PCM_FORMAT_FLOAT_LE, 32, 32 },
	{ SNDRV_PCM_FORMAT_IMA_ADPCM, 4, 4 },
};

/**
 * dmatest_find_format - look a format up
 * @format: its name
 *
 * Return: the format, or NULL if the card does not have it
 */
const struct dmatest_format *dmatest_find_format(snd_pcm_format_t format)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].format == format)
			return &formats[i];
	return NULL;
}

/* The first of two 4-bit samples is in the upper half of the byte */
static unsigned int nibble_shift(unsigned int i)
{
	return i & 1 ? 0 : 4;
}

static u32 get_sample(unsigned int bits, const u8 *bytes, unsigned int i)
{
	switch (bits) {
	case 4:
		return bytes[i / 2] >> nibble_shift(i) & 0xf;
	case 8:
		return bytes[i];
	case 16:
		return get_unaligned_le16(bytes + 2 * i);
	case 24:
		return get_unaligned_le24(bytes + 3 * i);
	default:
		return get_unaligned_le32(bytes + 4 * i);
	}
}

static void put_sample(unsigned int bits, u8 *bytes, unsigned int i, u32 x)
{
	switch (bits) {
	case 4:
		bytes[i / 2] &= ~(0xf << nibble_shift(i));
		bytes[i / 2] |= (x & 0xf) << nibble_shift(i);
		break;
	case 8:
		bytes[i] = x;
		break;
	case 16:
		put_unaligned_le16(x, bytes + 2 * i);
		break;
	case 24:
		put_unaligned_le24(x, bytes + 3 * i);
		break;
	default:
		put_unaligned_le32(x, bytes + 4 * i);
		break;
	}
}

/**
 * dmatest_unpack - take samples from bytes
 * @format: their format
 * @bytes: the bytes, in which the samples lie side by side
 * @samples: where to put the first sample
 * @count: number of samples
 * @stride: where to put the next one, counted in samples
 */
void dmatest_unpack(const struct dmatest_format *format, const u8 *bytes,
		    u32 *samples, unsigned int count, unsigned int stride)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		samples[i * stride] = get_sample(format->bits, bytes, i);
}

/**
 * dmatest_pack - make bytes of samples
 * @format: their format
 * @bytes: where to put them, side by side
 * @samples: the first sample
 * @count: number of samples
 * @stride: where the next one is, counted in samples
 */
void dmatest_pack(const struct dmatest_format *format, u8 *bytes,
		  const u32 *samples, unsigned int count, unsigned int stride)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		put_sample(format->bits, bytes, i, samples[i * stride]);
}

/* User space has the same lines, to write what we check and check what we
 * write; whoever changes one changes both.
 */
static u32 pattern(const struct dmatest_format *format, u32 frame,
		   unsigned int channel)
{
	u32 x = frame * 0x9e3779b1u + channel * 0x85ebca77u;

	x ^= x >> 15;
	x *= 0x2c1b3c6du;
	x ^= x >> 12;
	if (format->format == SNDRV_PCM_FORMAT_FLOAT_LE)
		return x >> 9 | 0x3f000000;
	return x >> (32 - format->width);
}

/**
 * dmatest_pattern - make frames of the pattern
 * @format: format of the samples
 * @frame: number of the first frame
 * @channels: samples in a frame
 * @samples: where to put them
 * @frames: number of frames
 */
void dmatest_pattern(const struct dmatest_format *format, u32 frame,
		     unsigned int channels, u32 *samples, unsigned int frames)
{
	unsigned int c;

	for (; frames; frames--, frame++)
		for (c = 0; c < channels; c++)
			*samples++ = pattern(format, frame, c);
}

static bool frame_is_wrong(const struct dmatest_format *format, u32 frame,
			   unsigned int channels, const u32 *samples)
{
	u32 mask = GENMASK(format->width - 1, 0);
	unsigned int c;

	for (c = 0; c < channels; c++)
		if ((samples[c] ^ pattern(format, frame, c)) & mask)
			return true;
	return false;
}

/**
 * dmatest_check - compare frames with the pattern
 * @format: format of the samples
 * @frame: number of the first frame
 * @channels: samples in a frame
 * @samples: the frames
 * @frames: number of frames
 * @first: index of the first frame that is wrong, if one is
 *
 * Return: number of frames that are wrong
 */
unsigned int dmatest_check(const struct dmatest_format *format, u32 frame,
			   unsigned int channels, const u32 *samples,
			   unsigned int frames, unsigned int *first)
{
	unsigned int wrong = 0;
	unsigned int i;

	for (i = 0; i < frames; i++, samples += channels)
		if (frame_is_wrong(format, frame + i, channels, samples) &&
		    !wrong++)
			*first = i;
	return wrong;
}
