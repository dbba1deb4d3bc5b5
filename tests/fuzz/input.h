/* Bytes of an input -> numbers, as many as a target takes; zeros when they have run out. */

#ifndef INPUT_H
#define INPUT_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PALETTE 16

struct input {
    const uint8_t *at;
    size_t left;
};

static uint32_t take_bytes(struct input *input, size_t count)
{
    uint32_t value = 0;
    for (; count && input->left; count--, input->left--)
        value = value << 8 | *input->at++;
    return value;
}

static long take_range(struct input *input, long low, long high)
{
    const size_t count = high - low < 256 ? 1 : 2;
    return low + (long)(take_bytes(input, count) % (uint32_t)(high - low + 1));
}

/* A few bytes say whether a side is short, as most should be, or spans blocks of a loop. */
static long take_side(struct input *input, long low, long short_side, long long_side)
{
    return take_range(input, low, take_range(input, 0, 7) ? short_side : long_side);
}

/* Memory of exactly so many numbers, so that its end is guarded; PALETTE bytes choose among few. */
static REAL *take_numbers(struct input *input, long count, const REAL *palette)
{
    REAL *numbers = malloc((size_t)(count ? count : 1) * sizeof *numbers);
    const uint32_t seed = take_bytes(input, 2);
    for (long i = 0; i < count; i++)
        numbers[i] = palette[((uint32_t)i * (2 * seed + 1) + seed / 7) % PALETTE];
    return numbers;
}

/* Whole numbers to start with, the rest repeats what there was. */
static int32_t *take_latents(struct input *input, long count)
{
    int32_t *latents = malloc((size_t)(count ? count : 1) * sizeof *latents);
    const long given = take_range(input, 1, 24);
    for (long i = 0; i < count; i++)
        latents[i] = i < given ? (int32_t)take_range(input, -767, 767) : latents[i - given];
    return latents;
}

#endif
