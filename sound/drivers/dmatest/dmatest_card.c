// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  Virtual sound card on modelled non-coherent memory
 *
 *  It plays into nothing and records its own output, or plays and records a
 *  pattern that both sides know. What it is for is its memory: a cache sync
 *  that the PCM core forgets, or an address that is not the device's, makes
 *  samples wrong, on any machine, and is counted. See dmatest_mem.c for what
 *  is modelled, and /proc/asound/card<N>/dmatest for the counters; writing
 *  "reset" to it zeroes them.
 */

#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/string.h>
#include <sound/info.h>
#include <sound/initval.h>

#include "dmatest.h"

MODULE_DESCRIPTION("Virtual sound card on modelled non-coherent memory");
MODULE_LICENSE("GPL");

#define DMATEST_DRIVER	"snd_dmatest"

#define ALL_CARDS(x)	{ [0 ... (SNDRV_CARDS - 1)] = (x) }

static int index[SNDRV_CARDS] = SNDRV_DEFAULT_IDX;
static char *id[SNDRV_CARDS] = SNDRV_DEFAULT_STR;
static bool enable[SNDRV_CARDS] = { true };
static char *type[SNDRV_CARDS] = ALL_CARDS("noncontig");
static unsigned int prealloc[SNDRV_CARDS] = ALL_CARDS(64);
static unsigned int buffer_max[SNDRV_CARDS] = ALL_CARDS(1024);
static unsigned int line[SNDRV_CARDS] = ALL_CARDS(64);
static char *adversary[SNDRV_CARDS] = ALL_CARDS("lazy");
static unsigned int seed[SNDRV_CARDS] = ALL_CARDS(1);
static bool coherent[SNDRV_CARDS];
static bool iommu[SNDRV_CARDS] = ALL_CARDS(true);
static unsigned int max_order[SNDRV_CARDS] = ALL_CARDS(10);
static unsigned int mask[SNDRV_CARDS];
static bool inval_from_device[SNDRV_CARDS];
static bool deaf[SNDRV_CARDS];
static unsigned int substreams[SNDRV_CARDS] = ALL_CARDS(1);
static unsigned int speed[SNDRV_CARDS] = ALL_CARDS(1);
static bool pattern[SNDRV_CARDS];
static bool own[SNDRV_CARDS];
static bool nonatomic[SNDRV_CARDS];
static bool ack[SNDRV_CARDS];
static bool dmaengine[SNDRV_CARDS];

module_param_array(index, int, NULL, 0444);
MODULE_PARM_DESC(index, "Index value for dmatest soundcard.");
module_param_array(id, charp, NULL, 0444);
MODULE_PARM_DESC(id, "ID string for dmatest soundcard.");
module_param_array(enable, bool, NULL, 0444);
MODULE_PARM_DESC(enable, "Enable this dmatest soundcard.");
module_param_array(type, charp, NULL, 0444);
MODULE_PARM_DESC(type, "Buffer type: continuous, vmalloc, dev, dev_wc, dev_sg, noncontig [default], noncoherent.");
module_param_array(prealloc, uint, NULL, 0444);
MODULE_PARM_DESC(prealloc, "KiB allocated for each buffer beforehand (default = 64), 0 = allocate when needed.");
module_param_array(buffer_max, uint, NULL, 0444);
MODULE_PARM_DESC(buffer_max, "KiB that a buffer may have (4-16384, default = 1024).");
module_param_array(line, uint, NULL, 0444);
MODULE_PARM_DESC(line, "Bytes in a cache line (power of two, 16-4096, default = 64).");
module_param_array(adversary, charp, NULL, 0444);
MODULE_PARM_DESC(adversary, "What the cache does by itself: lazy [default], evict, prefetch, evict+prefetch.");
module_param_array(seed, uint, NULL, 0444);
MODULE_PARM_DESC(seed, "Start of the random numbers.");
module_param_array(coherent, bool, NULL, 0444);
MODULE_PARM_DESC(coherent, "The device sees the CPU's cache.");
module_param_array(iommu, bool, NULL, 0444);
MODULE_PARM_DESC(iommu, "Memory for DMA may be scattered (default = yes).");
module_param_array(max_order, uint, NULL, 0444);
MODULE_PARM_DESC(max_order, "Without iommu, order of the largest block to be had (0-10, default = 10).");
module_param_array(mask, uint, NULL, 0444);
MODULE_PARM_DESC(mask, "Bits of address that the device has (16-31), 0 = more than memory takes [default].");
module_param_array(inval_from_device, bool, NULL, 0444);
MODULE_PARM_DESC(inval_from_device, "Giving a capture buffer to the device invalidates it, as on 32-bit Arm.");
module_param_array(deaf, bool, NULL, 0444);
MODULE_PARM_DESC(deaf, "Syncs do nothing, and are not counted: to see tests fail.");
module_param_array(substreams, uint, NULL, 0444);
MODULE_PARM_DESC(substreams, "Substreams in each direction (1-8, default = 1).");
module_param_array(speed, uint, NULL, 0444);
MODULE_PARM_DESC(speed, "Times faster than the rate (1-1000, default = 1), 0 = as fast as the application.");
module_param_array(pattern, bool, NULL, 0444);
MODULE_PARM_DESC(pattern, "Capture the pattern and check it in playback, instead of looping back.");
module_param_array(own, bool, NULL, 0444);
MODULE_PARM_DESC(own, "The driver allocates the buffers, of prealloc KiB, and sets them in open.");
module_param_array(nonatomic, bool, NULL, 0444);
MODULE_PARM_DESC(nonatomic, "Run in a workqueue.");
module_param_array(ack, bool, NULL, 0444);
MODULE_PARM_DESC(ack, "The device reads ahead as soon as frames are given.");
module_param_array(dmaengine, bool, NULL, 0444);
MODULE_PARM_DESC(dmaengine, "A DMA controller moves the frames, and ASoC has the PCM; type dev or noncoherent.");

static struct dmatest_config configs[SNDRV_CARDS];
static struct platform_device *devices[SNDRV_CARDS];

/*
 * Parameters
 */

static int parse_type(unsigned int i, int *value)
{
	static const struct {
		const char *name;
		int type;
	} types[] = {
		{ "continuous",		SNDRV_DMA_TYPE_CONTINUOUS },
		{ "vmalloc",		SNDRV_DMA_TYPE_VMALLOC },
		{ "dev",		SNDRV_DMA_TYPE_DEV },
		{ "dev_wc",		SNDRV_DMA_TYPE_DEV_WC },
		{ "dev_sg",		SNDRV_DMA_TYPE_DEV_SG },
#ifdef SNDRV_DMA_TYPE_NONCONTIG
		{ "noncontig",		SNDRV_DMA_TYPE_NONCONTIG },
#endif
#ifdef SNDRV_DMA_TYPE_NONCOHERENT
		{ "noncoherent",	SNDRV_DMA_TYPE_NONCOHERENT },
#endif
	};
	unsigned int t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		if (!strcmp(type[i], types[t].name)) {
			*value = types[t].type;
			return 0;
		}
	}
	pr_err("snd-dmatest: card %u: type=%s: this kernel has no such buffer type\n",
	       i, type[i]);
	return -EINVAL;
}

static int parse_adversary(unsigned int i, unsigned int *value)
{
	static const char * const names[] = { "evict", "prefetch" };
	const char *at = adversary[i];
	int n;

	*value = 0;
	if (!strcmp(at, "lazy"))
		return 0;
	for (;;) {
		size_t len = strcspn(at, "+");

		for (n = 0; n < ARRAY_SIZE(names); n++)
			if (strlen(names[n]) == len &&
			    !strncmp(at, names[n], len))
				break;
		if (n == ARRAY_SIZE(names))
			break;
		*value |= BIT(n);	/* as DMATEST_EVICT and so on */
		if (!at[len])
			return 0;
		at += len + 1;
	}
	pr_err("snd-dmatest: card %u: adversary=%s: not lazy, evict, prefetch, or evict+prefetch\n",
	       i, adversary[i]);
	return -EINVAL;
}

static int check_range(unsigned int i, const char *name, unsigned int value,
		       unsigned int min, unsigned int max)
{
	if (value >= min && value <= max)
		return 0;
	pr_err("snd-dmatest: card %u: %s=%u: not from %u to %u\n", i, name,
	       value, min, max);
	return -EINVAL;
}

/* What soc-generic-dmaengine-pcm.c has not, or not as a parameter */
static int check_dmaengine(unsigned int i)
{
	const char *why = NULL;

	if (!dmaengine[i])
		return 0;
	if (!IS_ENABLED(CONFIG_SND_DMATEST_SOC))
		why = "this kernel has no CONFIG_SND_DMATEST_SOC";
	else if (strcmp(type[i], "dev") && strcmp(type[i], "noncoherent"))
		why = "the type has to be dev or noncoherent";
	else if (substreams[i] != 1 || ack[i] || !prealloc[i])
		why = "not with substreams, ack, or prealloc=0";
	if (!why)
		return 0;
	pr_err("snd-dmatest: card %u: dmaengine: %s\n", i, why);
	return -EINVAL;
}

static int parse(unsigned int i, struct dmatest_config *config)
{
	int err;

	err = parse_type(i, &config->type);
	if (!err)
		err = parse_adversary(i, &config->mem.adversary);
	if (!err)
		err = check_range(i, "buffer_max", buffer_max[i], 4,
				  DMATEST_MAX_BUFFER / SZ_1K);
	if (!err)
		err = check_range(i, "prealloc", prealloc[i], own[i] ? 4 : 0,
				  buffer_max[i]);
	if (!err)
		err = check_range(i, "line", line[i], 16, SZ_4K);
	if (!err)
		err = check_range(i, "max_order", max_order[i], 0, 10);
	if (!err && mask[i])
		err = check_range(i, "mask", mask[i], 16, 31);
	if (!err)
		err = check_range(i, "substreams", substreams[i], 1,
				  DMATEST_MAX_SUBSTREAMS);
	if (!err)
		err = check_range(i, "speed", speed[i], 0, DMATEST_MAX_SPEED);
	if (!err)
		err = check_dmaengine(i);
	if (err)
		return err;
	if (!is_power_of_2(line[i])) {
		pr_err("snd-dmatest: card %u: line=%u: not a power of two\n",
		       i, line[i]);
		return -EINVAL;
	}

	config->prealloc = prealloc[i] * SZ_1K;
	config->buffer_max = buffer_max[i] * SZ_1K;
	config->substreams = substreams[i];
	config->speed = speed[i];
	config->pattern = pattern[i];
	config->own = own[i];
	config->nonatomic = nonatomic[i];
	config->ack = ack[i];
	config->dmaengine = dmaengine[i];
	config->mem.line = line[i];
	config->mem.seed = seed[i];
	config->mem.coherent = coherent[i];
	config->mem.iommu = iommu[i];
	config->mem.max_order = max_order[i];
	config->mem.mask = mask[i];
	config->mem.inval_from_device = inval_from_device[i];
	config->mem.deaf = deaf[i];
	return 0;
}

/*
 * Counters
 */

static void print_sync(struct dmatest *card, struct snd_info_buffer *buffer,
		       const char *who, const struct dmatest_sync_stats *stats)
{
	struct dmatest_sync_stats sync;

	dmatest_mem_get_sync_stats(&card->mem, stats, &sync);
	snd_iprintf(buffer, "%s.bytes_for_device: %llu\n", who,
		    sync.lines[DMATEST_SYNC_DEVICE]);
	snd_iprintf(buffer, "%s.bytes_for_cpu: %llu\n", who,
		    sync.lines[DMATEST_SYNC_CPU]);
	snd_iprintf(buffer, "%s.asked_for_device: %llu\n", who,
		    sync.asked[DMATEST_SYNC_DEVICE]);
	snd_iprintf(buffer, "%s.asked_for_cpu: %llu\n", who,
		    sync.asked[DMATEST_SYNC_CPU]);
	snd_iprintf(buffer, "%s.sync_ranges: %llu\n", who, sync.ranges);
	snd_iprintf(buffer, "%s.irqoff_max: %llu\n", who, sync.irqoff_max);
}

static void print_stream(struct dmatest *card, struct snd_info_buffer *buffer,
			 int direction, unsigned int number)
{
	struct dmatest_stream *s = &card->stream[direction][number];
	struct dmatest_stream_stats stats;
	char who[16];

	snprintf(who, sizeof(who), "%s%u",
		 direction == SNDRV_PCM_STREAM_PLAYBACK ? "playback" :
							  "capture",
		 number);
	dmatest_engine_get_stats(s, &stats);
	snd_iprintf(buffer, "%s.frames: %llu\n", who, stats.frames);
	snd_iprintf(buffer, "%s.elapsed_ns: %llu\n", who, stats.elapsed_ns);
	if (direction == SNDRV_PCM_STREAM_PLAYBACK) {
		snd_iprintf(buffer, "%s.wrong: %llu\n", who, stats.wrong);
		snd_iprintf(buffer, "%s.first_wrong: %lld\n", who,
			    stats.first_wrong);
		snd_iprintf(buffer, "%s.ungiven: %llu\n", who, stats.ungiven);
		snd_iprintf(buffer, "%s.lost: %llu\n", who,
			    dmatest_loop_lost(s->loop));
	} else {
		snd_iprintf(buffer, "%s.silence: %llu\n", who, stats.silence);
	}
	print_sync(card, buffer, who, &s->sync);
}

static void dmatest_proc_read(struct snd_info_entry *entry,
			      struct snd_info_buffer *buffer)
{
	struct dmatest *card = entry->private_data;
	struct dmatest_mem_stats stats;
	unsigned int number;
	int direction;

	for (number = 0; number < card->config.substreams; number++)
		for (direction = 0; direction < 2; direction++)
			print_stream(card, buffer, direction, number);
	print_sync(card, buffer, "unclaimed", &card->mem.unclaimed);
	dmatest_mem_get_stats(&card->mem, &stats);
	snd_iprintf(buffer, "evictions: %llu\n", stats.evictions);
	snd_iprintf(buffer, "refetches: %llu\n", stats.refetches);
	snd_iprintf(buffer, "faults: %llu\n", stats.faults);
	snd_iprintf(buffer, "maps: %u\n", READ_ONCE(card->mem.maps));
	/* what the core rounds a sync out to, and then the model */
	snd_iprintf(buffer, "sync_unit: %u\n",
		    max3((unsigned int)dma_get_cache_alignment(),
			 (unsigned int)L1_CACHE_BYTES, card->config.mem.line));
}

static void reset(struct dmatest *card)
{
	unsigned int number;
	int direction;

	for (number = 0; number < card->config.substreams; number++) {
		for (direction = 0; direction < 2; direction++) {
			struct dmatest_stream *s =
				&card->stream[direction][number];

			dmatest_engine_reset_stats(s);
			dmatest_mem_reset_sync_stats(&card->mem, &s->sync);
		}
		dmatest_loop_reset(&card->loop[number]);
	}
	dmatest_mem_reset_sync_stats(&card->mem, &card->mem.unclaimed);
	dmatest_mem_reset_stats(&card->mem);
}

static void dmatest_proc_write(struct snd_info_entry *entry,
			       struct snd_info_buffer *buffer)
{
	char word[16];

	while (!snd_info_get_line(buffer, word, sizeof(word))) {
		if (!strcmp(strim(word), "reset"))
			reset(entry->private_data);
		else
			buffer->error = -EINVAL;
	}
}

/*
 * Cards
 */

/**
 * dmatest_destroy - free what dmatest_create() made
 * @card: the card
 */
void dmatest_destroy(struct dmatest *card)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(card->loop); i++)
		dmatest_loop_free(&card->loop[i]);
	dmatest_pcm_free(card);
	for (i = 0; i < ARRAY_SIZE(card->stream); i++)
		kvfree(card->stream[i]);
	dmatest_mem_exit(&card->mem);
}

static int create_streams(struct dmatest *card)
{
	unsigned int number;
	int direction, err;

	for (direction = 0; direction < 2; direction++) {
		struct dmatest_stream *s;

		s = kvcalloc(card->config.substreams, sizeof(*s), GFP_KERNEL);
		if (!s)
			return -ENOMEM;
		card->stream[direction] = s;
		for (number = 0; number < card->config.substreams; number++)
			dmatest_engine_init(&s[number], card, direction, number);
	}
	for (number = 0; number < card->config.substreams; number++) {
		if (card->config.pattern)
			break;
		err = dmatest_loop_init(&card->loop[number]);
		if (err < 0)
			return err;
	}
	return 0;
}

/**
 * dmatest_create - make a card's memory, engines and wires
 * @card: the card, zeroed but for its configuration
 * @dev: its device
 *
 * Context: process
 * Return: 0, or a negative error code
 */
int dmatest_create(struct dmatest *card, struct device *dev)
{
	int err;

	err = dmatest_mem_init(&card->mem, dev, &card->config.mem);
	if (err < 0)
		return err;
	dma_set_max_seg_size(dev, DMATEST_MAX_BUFFER);
	err = create_streams(card);
	if (err < 0)
		dmatest_destroy(card);
	return err;
}

/**
 * dmatest_proc_new - show a card's counters in procfs
 * @card: the card, not registered yet
 *
 * Return: 0, or a negative error code
 */
int dmatest_proc_new(struct dmatest *card)
{
	return snd_card_rw_proc_new(card->card, "dmatest", card,
				    dmatest_proc_read, dmatest_proc_write);
}

static void dmatest_card_free(struct snd_card *snd_card)
{
	dmatest_destroy(snd_card->private_data);
}

static int dmatest_probe(struct platform_device *pdev)
{
	const struct dmatest_config *config = &configs[pdev->id];
	struct snd_card *snd_card;
	struct dmatest *card;
	int err;

	if (config->dmaengine)
		return dmatest_soc_probe(pdev, config);

	err = snd_devm_card_new(&pdev->dev, index[pdev->id], id[pdev->id],
				THIS_MODULE, sizeof(*card), &snd_card);
	if (err < 0)
		return err;
	card = snd_card->private_data;
	card->card = snd_card;
	card->config = *config;
	strscpy(snd_card->driver, "dmatest", sizeof(snd_card->driver));
	strscpy(snd_card->shortname, "dmatest", sizeof(snd_card->shortname));
	snprintf(snd_card->longname, sizeof(snd_card->longname),
		 "dmatest %d, type %s", pdev->id, type[pdev->id]);

	err = dmatest_create(card, &pdev->dev);
	if (err < 0)
		return err;
	snd_card->private_free = dmatest_card_free;
	err = dmatest_pcm_new(card);
	if (err < 0)
		return err;
	err = dmatest_proc_new(card);
	if (err < 0)
		return err;
	return snd_card_register(snd_card);
}

static struct snd_card *to_snd_card(struct device *dev)
{
	struct dmatest_mem *mem = dev_get_drvdata(dev);

	return container_of(mem, struct dmatest, mem)->card;
}

/* The core has suspended the streams already */
static int __maybe_unused dmatest_suspend(struct device *dev)
{
	snd_power_change_state(to_snd_card(dev), SNDRV_CTL_POWER_D3hot);
	return 0;
}

static int __maybe_unused dmatest_resume(struct device *dev)
{
	snd_power_change_state(to_snd_card(dev), SNDRV_CTL_POWER_D0);
	return 0;
}

static SIMPLE_DEV_PM_OPS(dmatest_pm, dmatest_suspend, dmatest_resume);

static struct platform_driver dmatest_driver = {
	.probe	= dmatest_probe,
	.driver	= {
		.name	= DMATEST_DRIVER,
		.pm	= &dmatest_pm,
	},
};

static void dmatest_unregister(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(devices); i++)
		platform_device_unregister(devices[i]);
	platform_driver_unregister(&dmatest_driver);
}

static int dmatest_register(unsigned int i)
{
	int err;

	err = parse(i, &configs[i]);
	if (err < 0)
		return err;
	devices[i] = platform_device_register_simple(DMATEST_DRIVER, i, NULL,
						     0);
	if (IS_ERR(devices[i])) {
		err = PTR_ERR(devices[i]);
		devices[i] = NULL;
		return err;
	}
	/* The driver core keeps to itself why it could not be bound */
	return devices[i]->dev.driver ? 0 : -ENODEV;
}

static int __init dmatest_init(void)
{
	unsigned int i;
	int err;

	/*
	 * The parts of an ASoC card hold each other's drivers, and would hold
	 * this module for ever. It is needed as long as a card is open, and
	 * that the cards see to.
	 */
	err = __platform_driver_register(&dmatest_driver, NULL);
	if (err < 0)
		return err;
	for (i = 0; !err && i < SNDRV_CARDS; i++)
		if (enable[i])
			err = dmatest_register(i);
	if (err)
		dmatest_unregister();
	return err;
}

static void __exit dmatest_exit(void)
{
	dmatest_unregister();
}

module_init(dmatest_init)
module_exit(dmatest_exit)
