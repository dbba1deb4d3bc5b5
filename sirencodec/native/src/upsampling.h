/*
 * Grid -> feature at every pixel of some rows, doubling by doubling, and the way back for gradients:
 * what synthesis/upsampling.py says. Level k has a sample every 2^k pixels, and MARGIN more on every
 * side. Beyond its edges a grid repeats its outermost samples, and so do HALO pixels around the
 * picture. Around rows from within it, they are the picture's own.
 */

#ifndef UPSAMPLING_H
#define UPSAMPLING_H

#include "rows.h"

#define TAPS 4
#define MARGIN 4
#define LARGEST_EXPONENT 16

struct upsampling_task {
    const REAL *grid; /* (rows, columns) of the whole picture, without gaps */
    REAL *grid_slope; /* of the same shape, added to; not read for the feature alone */
    long exponent;
    const REAL *kernels; /* (exponent, TAPS) */
    REAL *kernel_slopes; /* of the same shape, added to */
    REAL *feature;       /* (height + 2 HALO, width + 2 HALO), or the gradient along it */
    long row;            /* distance between its rows: rounded up, and a strip more */
    long height, width;  /* of the rows to take */
    long top;            /* pixels of the picture above them, a multiple of 2^exponent */
    long picture_height;
    REAL *memory; /* as many numbers as upsampling_memory says */
};

/* Samples along an axis: so many, and the margin on either side. */
struct axis {
    long count, margin;
};

/* A plane of samples; `first` is sample (0, 0), and rows have room for whole strips. */
struct plane {
    REAL *first;
    struct axis down, across;
    long row;
};

INLINE long axis_length(struct axis axis)
{
    return axis.count + 2 * axis.margin;
}

INLINE REAL *row_of(struct plane plane, long y)
{
    return plane.first + y * plane.row;
}

INLINE struct axis level_axis(long pixels, long exponent)
{
    return (struct axis){(pixels + (1L << exponent) - 1) >> exponent, exponent ? MARGIN : 0};
}

/* Rows of pixels with those around them that are there, and all columns. */
INLINE long rows_above(const struct upsampling_task *task)
{
    return smaller(task->top, HALO);
}

INLINE long rows_below(const struct upsampling_task *task)
{
    return smaller(task->picture_height - task->top - task->height, HALO);
}

/* Axes -> plane, taken from memory. What lies around its samples is finite and does not matter. */
INLINE struct plane new_plane(struct axis down, struct axis across, REAL **memory)
{
    struct plane plane = {*memory, down, across, rounded_up(axis_length(across)) + 2 * STRIP};
    *memory += axis_length(down) * plane.row + STRIP;
    plane.first += down.margin * plane.row + across.margin;
    return plane;
}

/* Numbers that a level takes, with the plane between it and the next finer one. */
INLINE long level_size(const struct upsampling_task *task, long exponent)
{
    struct axis down = level_axis(task->height, exponent),
                across = level_axis(task->width, exponent);
    struct axis wide = exponent ? level_axis(task->width, exponent - 1) : across;
    long rows = axis_length(down);
    return rows * (rounded_up(axis_length(across)) + rounded_up(axis_length(wide)) + 4 * STRIP) +
           2 * STRIP;
}

/* The weights with which samples i - 2 to i + 2 make samples 2 i, and those that make 2 i + 1. */
INLINE void both_filters(const REAL *kernel, REAL filters[2][TAPS + 1])
{
    for (long tap = 0; tap <= TAPS; tap++) {
        filters[0][tap] = tap < TAPS ? kernel[tap] : 0;
        filters[1][tap] = tap ? kernel[TAPS - tap] : 0;
    }
}

/* The fine axis -> the first i of which samples 2 i and 2 i + 1 are wanted, and how many. */
INLINE long first_pair(struct axis fine)
{
    return -fine.margin / 2;
}

INLINE long pairs(struct axis fine)
{
    return (axis_length(fine) + 1) / 2;
}

/* Plane -> one of twice the columns. `halves` has room for two rows. */
INLINE void double_columns(struct plane coarse, struct plane fine, const REAL *kernel, REAL *halves)
{
    REAL filters[2][TAPS + 1];
    both_filters(kernel, filters);
    const long from = first_pair(fine.across), count = pairs(fine.across);
    REAL *half[2] = {halves, halves + fine.row};
    for (long y = -coarse.down.margin; y < coarse.down.count + coarse.down.margin; y++) {
        const REAL *in[TAPS + 1];
        for (long tap = 0; tap <= TAPS; tap++)
            in[tap] = row_of(coarse, y) + from + tap - 2;
        product(half, 2, FROM_ZERO, NULL, (struct matrix){filters[0], TAPS + 1, 1}, in, TAPS + 1,
                count);
        REAL *out = row_of(fine, y) + 2 * from;
        for (long i = 0; i < count; i++) {
            out[2 * i] = half[0][i];
            out[2 * i + 1] = half[1][i];
        }
    }
}

/* Plane -> one of twice the rows. */
INLINE void double_rows(struct plane coarse, struct plane fine, const REAL *kernel, REAL *unused)
{
    REAL filters[2][TAPS + 1];
    both_filters(kernel, filters);
    const long end = fine.down.count + fine.down.margin, left = fine.across.margin;
    for (long i = first_pair(fine.down); 2 * i < end; i++) {
        const REAL *in[TAPS + 1];
        for (long tap = 0; tap <= TAPS; tap++)
            in[tap] = row_of(coarse, i + tap - 2) - left;
        REAL *next = 2 * i + 1 < end ? row_of(fine, 2 * i + 1) - left : unused;
        REAL *out[2] = {row_of(fine, 2 * i) - left, next};
        product(out, 2, FROM_ZERO, NULL, (struct matrix){filters[0], TAPS + 1, 1}, in, TAPS + 1,
                axis_length(fine.across));
    }
}

/* Slopes of samples 2 i and 2 i + 1, and samples i - 2 to i + 2 -> the kernel's slope, by lane. */
INLINE void correlate_kernel(vec *sums, const REAL *even, const REAL *odd,
                             const REAL *const in[TAPS + 1], long count)
{
    const REAL *mirrored[TAPS];
    for (long tap = 0; tap < TAPS; tap++)
        mirrored[tap] = in[TAPS - tap];
    correlation(sums, &even, 1, in, TAPS, count);
    correlation(sums, &odd, 1, mirrored, TAPS, count);
}

/* Adjoint of double_columns: slopes of the fine plane -> those of the coarse one. */
INLINE void halve_columns(struct plane fine, struct plane values, struct plane coarse,
                          const REAL *kernel, vec *sums, REAL *halves)
{
    REAL filters[2][TAPS + 1];
    both_filters(kernel, filters);
    const long from = first_pair(fine.across), count = pairs(fine.across);
    const long odd_count = axis_length(fine.across) / 2;
    /* Zeros stand around either half, for coarse samples that not all of its filter reaches. */
    REAL *even = halves + TAPS, *odd = even + fine.row;
    memset(halves, 0, (size_t)(2 * fine.row) * sizeof *halves);
    for (long y = -coarse.down.margin; y < coarse.down.count + coarse.down.margin; y++) {
        const REAL *slopes = row_of(fine, y) + 2 * from;
        for (long i = 0; i < count; i++)
            even[i] = slopes[2 * i];
        for (long i = 0; i < odd_count; i++)
            odd[i] = slopes[2 * i + 1];
        const REAL *in[TAPS + 1], *around[2 * (TAPS + 1)];
        for (long tap = 0; tap <= TAPS; tap++) {
            in[tap] = row_of(values, y) + from + tap - 2;
            around[tap] = even - tap;
            around[TAPS + 1 + tap] = odd - tap;
        }
        correlate_kernel(sums, even, odd, in, count);
        memset(row_of(coarse, y) - coarse.across.margin, 0, (size_t)coarse.row * sizeof *even);
        REAL *out = row_of(coarse, y) + from - 2;
        product(&out, 1, FROM_ZERO, NULL, (struct matrix){filters[0], 0, 1}, around, 2 * (TAPS + 1),
                count + TAPS);
    }
}

/* Adjoint of double_rows; `nothing` is a row of zeros. */
INLINE void halve_rows(struct plane fine, struct plane values, struct plane coarse,
                       const REAL *kernel, vec *sums, const REAL *nothing)
{
    REAL filters[2][TAPS + 1];
    both_filters(kernel, filters);
    const long end = fine.down.count + fine.down.margin, left = fine.across.margin;
    const long columns = axis_length(fine.across);
    for (long i = first_pair(fine.down); 2 * i < end; i++) {
        const REAL *in[TAPS + 1];
        for (long tap = 0; tap <= TAPS; tap++)
            in[tap] = row_of(values, i + tap - 2) - left;
        const REAL *odd = 2 * i + 1 < end ? row_of(fine, 2 * i + 1) - left : nothing;
        correlate_kernel(sums, row_of(fine, 2 * i) - left, odd, in, columns);
    }
    for (long y = -coarse.down.margin; y < coarse.down.count + coarse.down.margin; y++) {
        const REAL *around[2 * (TAPS + 1)];
        for (long at = 0; at < 2 * (TAPS + 1); at++) {
            long fine_y = 2 * (y + 2 - at % (TAPS + 1)) + at / (TAPS + 1);
            int is_there = fine_y >= -fine.down.margin && fine_y < end;
            around[at] = is_there ? row_of(fine, fine_y) - left : nothing;
        }
        REAL *out = row_of(coarse, y) - left;
        product(&out, 1, FROM_ZERO, NULL, (struct matrix){filters[0], 0, 1}, around, 2 * (TAPS + 1),
                columns);
    }
}

INLINE long within(long at, long count)
{
    return smaller(larger(at, 0), count - 1);
}

/* Row of pixels -> that row, or the picture's outermost one if it lies beyond. */
INLINE long own_row(const struct upsampling_task *task, long y)
{
    return within(task->top + y, task->picture_height) - task->top;
}

/* Pixels -> the same with the outermost ones repeated around the picture. */
INLINE void repeat_pixels(const struct upsampling_task *task, struct plane pixels)
{
    for (long y = -rows_above(task); y < task->height + rows_below(task); y++)
        for (long x = 1; x <= HALO; x++) {
            row_of(pixels, y)[-x] = row_of(pixels, y)[0];
            row_of(pixels, y)[task->width - 1 + x] = row_of(pixels, y)[task->width - 1];
        }
    size_t bytes = (size_t)(task->width + 2 * HALO) * sizeof(REAL);
    for (long y = -HALO; y < task->height + HALO; y++)
        if (own_row(task, y) != y)
            memcpy(row_of(pixels, y) - HALO, row_of(pixels, own_row(task, y)) - HALO, bytes);
}

/* Adjoint of repeat_pixels: slopes around the picture go to the outermost pixels. */
INLINE void gather_pixels(const struct upsampling_task *task, struct plane pixels)
{
    for (long y = -HALO; y < task->height + HALO; y++) {
        REAL *row = row_of(pixels, y), *own = row_of(pixels, own_row(task, y));
        for (long x = 1; x <= HALO; x++) {
            row[0] += row[-x];
            row[task->width - 1] += row[task->width - 1 + x];
            row[-x] = row[task->width - 1 + x] = 0;
        }
        if (own != row)
            for (long x = 0; x < task->width; x++) {
                own[x] += row[x];
                row[x] = 0;
            }
    }
}

INLINE struct plane pixel_plane(const struct upsampling_task *task)
{
    struct axis down = {task->height, rows_above(task) || rows_below(task) ? HALO : 0};
    struct axis across = {task->width, 0};
    return (struct plane){task->feature + HALO * task->row + HALO, down, across, task->row};
}

/* Row of samples, from the first one of the rows to take -> row of the whole grid. */
INLINE long grid_row(const struct upsampling_task *task, long y)
{
    return within((task->top >> task->exponent) + y,
                  level_axis(task->picture_height, task->exponent).count);
}

/* Fills levels[exponent] to levels[1], and wide[k], which stands between levels k and k - 1. */
INLINE void double_to_pixels(const struct upsampling_task *task, struct plane pixels,
                             struct plane *levels, struct plane *wide, REAL **memory, REAL *halves)
{
    struct axis down = level_axis(task->height, task->exponent);
    struct axis across = level_axis(task->width, task->exponent);
    struct plane level = new_plane(down, across, memory);
    for (long y = -MARGIN; y < down.count + MARGIN; y++)
        for (long x = -MARGIN; x < across.count + MARGIN; x++)
            row_of(level, y)[x] =
                task->grid[grid_row(task, y) * across.count + within(x, across.count)];
    for (long k = task->exponent; k; k--) {
        const REAL *kernel = task->kernels + (k - 1) * TAPS;
        levels[k] = level;
        wide[k] = new_plane(level.down, level_axis(task->width, k - 1), memory);
        double_columns(level, wide[k], kernel, halves);
        if (k > 1)
            level = new_plane(level_axis(task->height, k - 1), wide[k].across, memory);
        else
            level = pixels;
        if (level.first)
            double_rows(wide[k], level, kernel, halves);
    }
}

/* A row of the pixels' length, with some room around it. */
INLINE long spare_row(const struct upsampling_task *task)
{
    return rounded_up(task->width + 2 * MARGIN) + 3 * STRIP;
}

/* Numbers that all levels take. */
INLINE long levels_size(const struct upsampling_task *task)
{
    long size = 0;
    for (long k = 0; k <= task->exponent; k++)
        size += level_size(task, k);
    return size;
}

/* Numbers that both functions below need room for. */
static long upsampling_memory(const struct upsampling_task *task)
{
    return 2 * levels_size(task) + 3 * spare_row(task) + TAPS * LANES;
}

/* Grid -> its feature at all pixels and around them. */
static void upsample(const struct upsampling_task *task)
{
    struct plane pixels = pixel_plane(task), levels[LARGEST_EXPONENT + 1],
                 wide[LARGEST_EXPONENT + 1];
    if (!task->exponent) {
        for (long y = -rows_above(task); y < task->height + rows_below(task); y++)
            memcpy(row_of(pixels, y), task->grid + (task->top + y) * task->width,
                   (size_t)task->width * sizeof(REAL));
    } else {
        REAL *halves = task->memory, *next = task->memory + 2 * spare_row(task);
        double_to_pixels(task, pixels, levels, wide, &next, halves);
    }
    repeat_pixels(task, pixels);
}

/* Slope along a feature, which it overwrites -> that along grid and kernels. */
static void upsampling_gradient(const struct upsampling_task *task)
{
    struct plane pixels = pixel_plane(task), levels[LARGEST_EXPONENT + 1],
                 wide[LARGEST_EXPONENT + 1];
    gather_pixels(task, pixels);
    if (!task->exponent) {
        for (long y = -rows_above(task); y < task->height + rows_below(task); y++)
            for (long x = 0; x < task->width; x++)
                task->grid_slope[(task->top + y) * task->width + x] += row_of(pixels, y)[x];
        return;
    }
    REAL *halves = task->memory, *nothing = halves + 2 * spare_row(task);
    REAL *next = nothing + spare_row(task);
    vec *sums = (vec *)next;
    next += TAPS * LANES;
    memset(nothing, 0, (size_t)spare_row(task) * sizeof *nothing);
    /* The values, but for those of the pixels themselves. */
    double_to_pixels(task, (struct plane){NULL}, levels, wide, &next, halves);
    struct plane slopes = pixels;
    for (long k = 1; k <= task->exponent; k++) {
        const REAL *kernel = task->kernels + (k - 1) * TAPS;
        struct plane wide_slopes = new_plane(wide[k].down, wide[k].across, &next);
        memset(sums, 0, TAPS * sizeof *sums);
        halve_rows(slopes, wide[k], wide_slopes, kernel, sums, nothing);
        slopes = new_plane(levels[k].down, levels[k].across, &next);
        halve_columns(wide_slopes, levels[k], slopes, kernel, sums, halves);
        for (long tap = 0; tap < TAPS; tap++)
            task->kernel_slopes[(k - 1) * TAPS + tap] += sum_of_lanes(sums[tap]);
    }
    const long rows = slopes.down.count, columns = slopes.across.count;
    for (long y = -MARGIN; y < rows + MARGIN; y++)
        for (long x = -MARGIN; x < columns + MARGIN; x++)
            task->grid_slope[grid_row(task, y) * columns + within(x, columns)] +=
                row_of(slopes, y)[x];
}

#endif
