// SPDX-License-Identifier: GPL-2.0-only
//
// Takes the merged buffer types, their direction and their sync out again.
// Run by base/unmerge, which checks that everything named here was there.
//
// Options: --no-includes --include-headers

// ---- allocators ---------------------------------------------------------

@allocator@
identifier f =~ "^(__)?snd_dma_(noncontig|noncoherent|sg_wc|sg_fallback)_";
type T;
@@
- T f(...) { ... }

@allocator_decl@
identifier f =~ "^(__)?snd_dma_(noncontig|noncoherent|sg_wc|sg_fallback)_";
type T;
@@
- T f(...);

@allocator_ops@
identifier ops =~ "^snd_dma_(noncontig|noncoherent|sg_wc|sg_fallback)_ops$";
@@
- const struct snd_malloc_ops ops = { ... };

@allocator_entry@
identifier table;
constant c =~ "^SNDRV_DMA_TYPE_(NONCONTIG|NONCOHERENT|DEV_WC_SG|DEV_SG_FALLBACK|DEV_WC_SG_FALLBACK)$";
expression e;
@@
const struct snd_malloc_ops *table[] = { ...,
-	[c] = e,
	... };

@fallback_state@
@@
- struct snd_dma_sg_fallback { ... };

// ---- vmalloc: a chunk ends with its page --------------------------------

@vmalloc_chunk@
identifier f = snd_dma_vmalloc_get_chunk_size;
type T;
@@
- T f(...) { ... }

@vmalloc_ops depends on vmalloc_chunk@
symbol snd_dma_vmalloc_ops;
@@
+ static unsigned int
+ snd_dma_vmalloc_get_chunk_size(struct snd_dma_buffer *dmab,
+			       unsigned int ofs, unsigned int size)
+ {
+	return min_t(unsigned int, size, PAGE_SIZE - ofs % PAGE_SIZE);
+ }
+
  const struct snd_malloc_ops snd_dma_vmalloc_ops = { ... };

@vmalloc_addr@
expression b, o;
@@
  return
- get_vmalloc_page_addr(b, o)
+ page_to_phys(vmalloc_to_page(b->area + o))
  + ...;

// ---- direction ----------------------------------------------------------

@store@
identifier b, d;
@@
- b->dev.dir = d;

@alloc@
expression t, dev, d, s, b;
@@
- snd_dma_alloc_dir_pages(t, dev, d, s, b)
+ snd_dma_alloc_pages(t, dev, s, b)

@devm_alloc@
expression t, dev, d, s;
@@
- snd_devm_alloc_dir_pages(dev, t, d, s)
+ snd_devm_alloc_pages(dev, t, s)

@alloc_inline@
identifier f =~ "^snd_(dma|devm)_alloc_pages$";
type T;
@@
- T f(...) { ... }

@alloc_proto@
identifier f = snd_dma_alloc_dir_pages;
type T;
@@
- T f(...);
+ int snd_dma_alloc_pages(int type, struct device *dev, size_t size,
+			struct snd_dma_buffer *dmab);

@devm_alloc_proto@
identifier f = snd_devm_alloc_dir_pages;
type T;
@@
- T f(...);
+ struct snd_dma_buffer *snd_devm_alloc_pages(struct device *dev, int type,
+					    size_t size);

@alloc_def@
identifier f = snd_dma_alloc_dir_pages;
identifier t, dev, d, s, b;
@@
- f(int t, struct device *dev, enum dma_data_direction d, size_t s, struct snd_dma_buffer *b)
+ snd_dma_alloc_pages(int t, struct device *dev, size_t s, struct snd_dma_buffer *b)
  { ... }

@devm_alloc_def@
identifier f = snd_devm_alloc_dir_pages;
identifier t, dev, d, s;
@@
- f(struct device *dev, int t, enum dma_data_direction d, size_t s)
+ snd_devm_alloc_pages(struct device *dev, int t, size_t s)
  { ... }

@export@
declarer name EXPORT_SYMBOL;
@@
- EXPORT_SYMBOL(snd_dma_alloc_dir_pages);
+ EXPORT_SYMBOL(snd_dma_alloc_pages);

@devm_export@
declarer name EXPORT_SYMBOL_GPL;
@@
- EXPORT_SYMBOL_GPL(snd_devm_alloc_dir_pages);
+ EXPORT_SYMBOL_GPL(snd_devm_alloc_pages);

@pcm_alloc_def@
identifier card, type, dev, str, size, dmab, dir;
@@
  do_alloc_pages(struct snd_card *card, int type, struct device *dev,
-		 int str,
		 size_t size, struct snd_dma_buffer *dmab)
  {
-	enum dma_data_direction dir;
	...
-	if (str == SNDRV_PCM_STREAM_PLAYBACK)
-		dir = DMA_TO_DEVICE;
-	else
-		dir = DMA_FROM_DEVICE;
	...
  }

@pcm_alloc depends on pcm_alloc_def@
expression card, type, dev, str, size, dmab;
@@
  do_alloc_pages(card, type, dev,
-		 str,
		 size, dmab)

// ---- sync ---------------------------------------------------------------

@sync_def@
identifier f = snd_dma_buffer_sync;
@@
- void f(...) { ... }

@sync_proto@
identifier f = snd_dma_buffer_sync;
@@
- void f(...);

@sync_mode@
@@
- enum snd_dma_sync_mode { ... };

@sg_table@
identifier f = snd_dma_noncontig_sg_table;
type T;
@@
- T f(...) { ... }

@sync_export@
declarer name EXPORT_SYMBOL_GPL;
@@
- EXPORT_SYMBOL_GPL(snd_dma_buffer_sync);

@pcm_sync_def@
@@
- void snd_pcm_dma_buffer_sync(...) { ... }

@pcm_sync_if@
expression c;
@@
- if (c)
-	snd_pcm_dma_buffer_sync(...);

@pcm_sync@
@@
- snd_pcm_dma_buffer_sync(...);

@buffer_sync@
@@
- snd_dma_buffer_sync(...);

// ---- the info flag ------------------------------------------------------

@mmap_refused@
symbol false;
expression e;
@@
- if (e & SNDRV_PCM_INFO_EXPLICIT_SYNC)
-	return false;

@flag_set@
expression c, e;
@@
- if (c)
-	e |= SNDRV_PCM_INFO_EXPLICIT_SYNC;
