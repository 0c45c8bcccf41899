/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mutants are made with: macros, so that an argument may go over several
 * lines.
 */

#define if_never(...)		if (0 && (__VA_ARGS__))
#define if_always(...)		if ((__VA_ARGS__) || 1)
#define while_never(...)	while (0 && (__VA_ARGS__))

#define first(a, ...)		(a)
#define second(a, ...)		(__VA_ARGS__)
#define first_t(type, a, ...)	((type)(a))
#define second_t(type, a, ...)	((type)(__VA_ARGS__))
#define quotient(a, b)		((a) / (b))

/* Where a stream is known, it is called so */
#define PERIOD			(substream->runtime->period_size)
#define LINE			SMP_CACHE_BYTES
