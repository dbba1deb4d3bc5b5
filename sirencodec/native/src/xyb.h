/*
 * Values -> XYB of every scale, and slopes along XYB -> slopes along values: what
 * ssimulacra2_torch.py says, where the numbers come from. A row of a scale is made as soon as the
 * two finer ones are there that it is the mean of, so that light itself is kept of two rows a
 * scale.
 */

#ifndef XYB_H
#define XYB_H

#include "elementary.h"

#define LARGEST_SCALES 6
#define BAND_ROWS 32 /* of the finest scale, in which those of the coarsest begin one row or none  \
                      */
#define COLOURS 3

struct xyb_scale {
    REAL *planes[COLOURS];       /* X, Y and B - Y, or NULL: gray has no colour, and not all planes
                                    matter at all scales */
    const REAL *slopes[COLOURS]; /* of the score along them; NULL: zero */
    long row;
    long height, width;
};

struct xyb_task {
    const REAL *values; /* red, green and blue, or gray */
    REAL *gradient;     /* of the score along them, laid out as they are */
    long plane, row;
    long channels;
    const struct xyb_scale *scales;
    long num_scales;
};

/* Of each scale two rows of each colour, and one for each plane. */
struct xyb_memory {
    REAL *numbers;
    REAL *light[LARGEST_SCALES][2][COLOURS];
    REAL *planes[COLOURS];
    long length;
};

static const double ABSORBANCE[COLOURS][COLOURS] = {
    {0.30, 1 - 0.30 - 0.078, 0.078},
    {0.23, 1 - 0.23 - 0.078, 0.078},
    {0.24342268924547819, 0.20476744424496821, 1 - 0.24342268924547819 - 0.20476744424496821}};
static const double BIAS = 0.0037930732552754493;

static int take_xyb_memory(const struct xyb_task *task, struct xyb_memory *memory)
{
    memory->length = rounded_up(task->scales[0].width) + STRIP;
    REAL *next = memory->numbers = zeros((LARGEST_SCALES * 2 + 1) * COLOURS * memory->length);
    if (!next)
        return 1;
    for (long s = 0; s < LARGEST_SCALES; s++)
        for (long r = 0; r < 2; r++)
            for (long c = 0; c < COLOURS; c++, next += memory->length)
                memory->light[s][r][c] = next;
    for (long c = 0; c < COLOURS; c++, next += memory->length)
        memory->planes[c] = next;
    return 0;
}

INLINE vec clamped(vec values)
{
    values = blend(values > splat(0), values, splat(0));
    return blend(values < splat(1), values, splat(1));
}

/* sRGB-encoded values, clamped -> light. */
INLINE vec light_of(vec values)
{
    vec stretched = (values + (REAL)0.055) * (REAL)(1 / 1.055);
    vec bright = power_of_two((REAL)2.4 * logarithm_to_base_two(stretched));
    return blend(values > splat((REAL)0.04045), bright, values * (REAL)(1 / 12.92));
}

/* Its derivative along values; zero outside their range. */
INLINE vec light_slope(vec values)
{
    vec stretched = (clamped(values) + (REAL)0.055) * (REAL)(1 / 1.055);
    vec bright = (REAL)(2.4 / 1.055) * power_of_two((REAL)1.4 * logarithm_to_base_two(stretched));
    vec slope = blend(values > splat((REAL)0.04045), bright, splat((REAL)(1 / 12.92)));
    return blend((values >= splat(0)) & (values <= splat(1)), slope, splat(0));
}

/* Light -> X, Y and B - Y, of which the last is left out if it is not wanted. */
INLINE void to_xyb(const vec light[COLOURS], vec xyb[COLOURS], const int with_b)
{
    vec roots[COLOURS];
    for (long c = 0; c < (with_b ? 3 : 2); c++) {
        vec response = splat((REAL)BIAS);
        for (long k = 0; k < COLOURS; k++)
            response += (REAL)ABSORBANCE[c][k] * light[k];
        roots[c] =
            power_of_two(logarithm_to_base_two(response) * (REAL)(1.0 / 3)) - (REAL)cbrt(BIAS);
    }
    vec y = (REAL)0.5 * (roots[0] + roots[1]);
    xyb[0] = 7 * (roots[0] - roots[1]) + (REAL)0.42;
    xyb[1] = y + (REAL)0.01;
    if (with_b)
        xyb[2] = roots[2] - y + (REAL)0.55;
}

/* X, Y and B - Y, and slopes along them -> slopes along light. */
INLINE void from_xyb(const vec xyb[COLOURS], const vec slopes[COLOURS], vec light[COLOURS],
                     const int with_b)
{
    vec x = (xyb[0] - (REAL)0.42) * (REAL)(1 / 14.0), y = xyb[1] - (REAL)0.01;
    vec roots[COLOURS] = {y + x, y - x};
    vec half = (REAL)0.5 * slopes[1];
    if (with_b) {
        roots[2] = xyb[2] - (REAL)0.55 + y;
        half -= (REAL)0.5 * slopes[2];
    }
    vec along[COLOURS] = {half + 7 * slopes[0], half - 7 * slopes[0]};
    if (with_b)
        along[2] = slopes[2];
    for (long k = 0; k < COLOURS; k++)
        light[k] = splat(0);
    for (long c = 0; c < (with_b ? 3 : 2); c++) {
        vec root = roots[c] + (REAL)cbrt(BIAS);
        along[c] /= 3 * root * root;
        for (long k = 0; k < COLOURS; k++)
            light[k] += (REAL)ABSORBANCE[c][k] * along[c];
    }
}

/* A last row or column without another counts twice. */
INLINE void halve_light(const REAL *upper, const REAL *lower, REAL *half, long width)
{
    for (long x = 0; x < width / 2; x++)
        half[x] = (REAL)0.25 * (upper[2 * x] + upper[2 * x + 1] + lower[2 * x] + lower[2 * x + 1]);
    if (width % 2)
        half[width / 2] = (REAL)0.5 * (upper[width - 1] + lower[width - 1]);
}

/* The light of a row is there -> its XYB, and of all coarser rows that are complete with it. */
static void finish_row(const struct xyb_task *task, struct xyb_memory *memory, long s, long y)
{
    const struct xyb_scale *scale = task->scales + s;
    REAL **light = memory->light[s][y % 2];
    for (long at = 0; at < scale->width; at += LANES) {
        vec of_colours[COLOURS], xyb[COLOURS];
        for (long c = 0; c < COLOURS; c++)
            of_colours[c] = load(light[c < task->channels ? c : 0] + at);
        if (scale->planes[2]) {
            to_xyb(of_colours, xyb, 1);
            store(memory->planes[2] + at, xyb[2]);
        } else
            to_xyb(of_colours, xyb, 0);
        store(memory->planes[0] + at, xyb[0]);
        store(memory->planes[1] + at, xyb[1]);
    }
    for (long c = 0; c < COLOURS; c++)
        if (scale->planes[c])
            memcpy(scale->planes[c] + y * scale->row, memory->planes[c],
                   (size_t)scale->width * sizeof(REAL));
    const int is_last = y == scale->height - 1;
    if (s + 1 == task->num_scales || (y % 2 == 0 && !is_last))
        return;
    for (long c = 0; c < task->channels; c++)
        halve_light(memory->light[s][0][c], light[c], memory->light[s + 1][y / 2 % 2][c],
                    scale->width);
    finish_row(task, memory, s + 1, y / 2);
}

/* Rows of the band -> XYB. */
static void band_to_xyb(const struct xyb_task *task, struct xyb_memory *memory, long band)
{
    const struct xyb_scale *finest = task->scales;
    const long end = smaller((band + 1) * BAND_ROWS, finest->height);
    for (long y = band * BAND_ROWS; y < end; y++) {
        for (long c = 0; c < task->channels; c++) {
            REAL *light = memory->light[0][y % 2][c];
            memcpy(light, task->values + c * task->plane + y * task->row,
                   (size_t)finest->width * sizeof(REAL));
            for (long at = 0; at < finest->width; at += LANES)
                store(light + at, light_of(clamped(load(light + at))));
        }
        finish_row(task, memory, 0, y);
    }
}

/* Slopes along the light of a row, from its own XYB and the coarser row's; then of finer ones. */
static void spread_row(const struct xyb_task *task, struct xyb_memory *memory, long s, long y)
{
    const struct xyb_scale *scale = task->scales + s;
    REAL **light = memory->light[s][0];
    const vec gray[COLOURS] = {splat((REAL)0.42), splat((REAL)0.01), splat((REAL)0.55)};
    for (long at = 0; at < scale->width; at += LANES) {
        const long offset = y * scale->row + at;
        vec xyb[COLOURS], slopes[COLOURS], of_colours[COLOURS];
        for (long c = 0; c < COLOURS; c++) {
            xyb[c] = scale->planes[c] ? load(scale->planes[c] + offset) : gray[c];
            slopes[c] = scale->slopes[c] ? load(scale->slopes[c] + offset) : splat(0);
        }
        if (scale->slopes[2])
            from_xyb(xyb, slopes, of_colours, 1);
        else
            from_xyb(xyb, slopes, of_colours, 0);
        if (task->channels == 1)
            of_colours[0] += of_colours[1] + of_colours[2];
        for (long c = 0; c < task->channels; c++)
            store(light[c] + at, of_colours[c]);
    }
    if (s + 1 < task->num_scales) {
        const REAL part = y % 2 == 0 && y == scale->height - 1 ? (REAL)0.5 : (REAL)0.25;
        for (long c = 0; c < task->channels; c++) {
            const REAL *coarser = memory->light[s + 1][0][c];
            REAL *own = light[c];
            for (long x = 0; x < scale->width / 2; x++) {
                own[2 * x] += part * coarser[x];
                own[2 * x + 1] += part * coarser[x];
            }
            if (scale->width % 2)
                own[scale->width - 1] += 2 * part * coarser[scale->width / 2];
        }
    }
    if (s) {
        const long finer_height = task->scales[s - 1].height;
        for (long finer = 2 * y; finer < smaller(2 * y + 2, finer_height); finer++)
            spread_row(task, memory, s - 1, finer);
        return;
    }
    for (long c = 0; c < task->channels; c++) {
        const long offset = c * task->plane + y * task->row;
        REAL *values = memory->planes[0];
        memcpy(values, task->values + offset, (size_t)scale->width * sizeof(REAL));
        for (long at = 0; at < scale->width; at += LANES)
            store(values + at, load(light[c] + at) * light_slope(load(values + at)));
        memcpy(task->gradient + offset, values, (size_t)scale->width * sizeof(REAL));
    }
}

/* Slopes along XYB -> rows of the band of the gradient. */
static void band_from_xyb(const struct xyb_task *task, struct xyb_memory *memory, long band)
{
    const long s = task->num_scales - 1, rows = BAND_ROWS >> s;
    const long end = smaller((band + 1) * rows, task->scales[s].height);
    for (long y = band * rows; y < end; y++)
        spread_row(task, memory, s, y);
}

/* Bands that no other thread has begun, `next` being the first of them. 1 if there is no memory. */
static int convert_xyb(const struct xyb_task *task, long *next, int back)
{
    struct xyb_memory memory;
    if (take_xyb_memory(task, &memory))
        return 1;
    for (;;) {
        const long band = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
        if (band * BAND_ROWS >= task->scales[0].height)
            break;
        if (back)
            band_from_xyb(task, &memory, band);
        else
            band_to_xyb(task, &memory, band);
    }
    free(memory.numbers);
    return 0;
}

#endif
