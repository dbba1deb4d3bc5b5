/*
 * Grids -> samples of a picture, at any rectangle of points: FORMAT.md, section 9. Tile by tile, a
 * tile being so small that all of its features stay in the cache.
 *
 * The same samples wherever it runs. A number depends on its own place alone: every sum has one
 * order, whatever the width of vectors, the size of tiles and the number of threads; products are
 * rounded before they are added (the including file forbids contraction); the sine is a polynomial.
 * synthesis/query_numpy.py does the same operations in the same order.
 */

#ifndef PICTURE_H
#define PICTURE_H

#include <stdint.h>

#include "elementary.h"
#include "names.h"
#include "rows.h"

#define AROUND 2       /* pixels that the refinement sees beyond those it corrects */
#define KERNEL_TAPS 4  /* of a doubling */
#define REACH 2        /* samples of the coarser level on either side that it sees */
#define LANCZOS_TAPS 6 /* of an interpolation, */
#define BEFORE 2       /* of which so many come before the nearest pixel */
#define RING_ROWS 3    /* hidden rows that a correction sees */
#define LARGEST_OCTAVES 6
#define TILE_DOWN 48   /* points of a tile, or one output pixel's if that has more */
#define TILE_ACROSS 254
#define CHUNK_POINTS 128 /* that the network takes at a time */
#define HIDDEN_WEIGHT (1.0 / 65536) /* of a transparent point's colour in a mean; see FORMAT.md */

/* A grid of latents; `first` is NULL where its feature counts as 0. */
struct latent_grid {
    const int32_t *first;
    long rows, columns, exponent;
};

/* Rising points along an axis. */
struct axis_points {
    long count, per_cell;     /* points, and how many make an output pixel */
    const int32_t *nearest;   /* the last pixel whose centre is not beyond the point */
    const REAL *weights;      /* (count, LANCZOS_TAPS); NULL if all points are pixels' centres */
    const REAL *coordinates;  /* as the network sees them */
};

struct picture_task {
    const struct latent_grid *grids; /* finest first */
    long num_grids, num_refined;
    const REAL *kernels;              /* (octaves, KERNEL_TAPS) */
    const struct layer *convolutions; /* two, if any grid is refined */
    const struct layer *layers;
    long depth;
    long height, width; /* pixels */
    struct axis_points down, across;
    void *samples;     /* (cells down, cells across, channels) */
    long sample_bytes; /* 1 or 2; or 8 for means in double precision, not clipped */
};

struct range {
    long first, end;
};

struct picture_memory {
    long row;       /* length of a row of pixels or points */
    long plane;     /* length of a plane of them */
    REAL *features; /* a plane a grid, from AROUND rows and columns before the tile's pixels */
    REAL *refined;  /* planes of the finest ones, corrected, from the tile's first pixel */
    REAL *across;   /* a plane a grid: interpolated along rows */
    REAL *levels[2], *wide; /* between doublings */
    REAL *hidden;           /* ring */
    REAL *points;           /* rows of a line's features, then x and y */
    const REAL **line;      /* the rows that the network sees of a line: x, y, features */
    REAL *turns[2];         /* rows of activations, CHUNK_POINTS each */
    double *sums;           /* of output pixels, channel by channel */
    const REAL **in;
    REAL **out;
    REAL *numbers;
    void *pointers;
};

INLINE long length(struct range range)
{
    return range.end - range.first;
}

INLINE long limited(long at, long count)
{
    return smaller(larger(at, 0), count - 1);
}

/* Some of an axis's points -> the pixels that they see. */
INLINE struct range pixels_seen(const struct axis_points *points, long from, long to, long size)
{
    const long before = points->weights ? BEFORE : 0;
    const long after = points->weights ? LANCZOS_TAPS - 1 - BEFORE : 0;
    return (struct range){limited(points->nearest[from] - before, size),
                          limited(points->nearest[to - 1] + after, size) + 1};
}

/* Samples of a level -> those of the next coarser one that they are made of. */
INLINE struct range coarser(struct range fine)
{
    return (struct range){(fine.first >> 1) - REACH, ((fine.end - 1) >> 1) + REACH + 1};
}

/* Whole points of output pixels that a tile takes. */
INLINE long tile_points(const struct axis_points *points, long most)
{
    return larger(1, most / points->per_cell) * points->per_cell;
}

/* The most pixels that a tile's points see along an axis. */
static long most_pixels(const struct axis_points *points, long tile, long size)
{
    long most = 1;
    for (long from = 0; from < points->count; from += tile)
        most = larger(most, length(pixels_seen(points, from, smaller(from + tile, points->count),
                                               size)));
    return most;
}

INLINE REAL *next_numbers(REAL **memory, long count)
{
    REAL *taken = *memory;
    *memory += (count + STRIP - 1) / STRIP * STRIP;
    return taken;
}

/* Nonzero if there is no memory. */
static int take_picture_memory(const struct picture_task *task, struct picture_memory *memory)
{
    const long across = tile_points(&task->across, TILE_ACROSS);
    const long down = tile_points(&task->down, TILE_DOWN);
    const long grids = task->num_grids, refined = task->num_refined;
    const long rows = grids ? most_pixels(&task->down, down, task->height) + 2 * AROUND : 0;
    const long columns = grids ? most_pixels(&task->across, across, task->width) + 2 * AROUND : 0;
    const long hidden = refined ? task->convolutions[0].outputs : 0;
    long widest = 1;
    for (long l = 0; l < task->depth; l++)
        widest = larger(widest, task->layers[l].outputs);
    const long row = memory->row = rounded_up(larger(columns, across)) + CHUNK_POINTS + STRIP;
    /* Levels between doublings have some samples more, if few are wanted. */
    const long plane = memory->plane = (rows + 16) * row;
    const long channels = task->layers[task->depth - 1].outputs;
    const long sums = channels * (across / task->across.per_cell) * (long)sizeof(double);
    const long numbers = (2 * grids + refined + 3) * plane + RING_ROWS * hidden * row +
                         (grids + 2) * row + 2 * widest * CHUNK_POINTS +
                         sums / (long)sizeof(REAL) + (16 + STRIP) * STRIP;
    const long inputs = larger(larger(WINDOW * larger(grids, hidden), grids + 2), widest) + 1;
    memory->numbers = zeros(numbers);
    memory->pointers =
        malloc((size_t)(inputs + widest + hidden + refined + grids + 2) * sizeof(REAL *));
    if (!memory->numbers || !memory->pointers) {
        free(memory->numbers), free(memory->pointers);
        return 1;
    }
    REAL *next = memory->numbers;
    memory->features = next_numbers(&next, grids * plane);
    memory->across = next_numbers(&next, grids * plane);
    memory->refined = next_numbers(&next, refined * plane);
    memory->levels[0] = next_numbers(&next, plane);
    memory->levels[1] = next_numbers(&next, plane);
    memory->wide = next_numbers(&next, plane);
    memory->hidden = next_numbers(&next, RING_ROWS * hidden * row);
    memory->points = next_numbers(&next, (grids + 2) * row);
    memory->turns[0] = next_numbers(&next, widest * CHUNK_POINTS);
    memory->turns[1] = next_numbers(&next, widest * CHUNK_POINTS);
    memory->sums = (double *)next_numbers(&next, sums / (long)sizeof(REAL));
    memory->in = memory->pointers;
    memory->line = memory->in + inputs;
    memory->out = (REAL **)memory->line + grids + 2;
    return 0;
}

/* Level -> the next finer one's `rows` and `columns`; `from` and `beside` are where it begins. */
INLINE void double_level(const REAL *coarse, struct range from, struct range beside, REAL *fine,
                         struct range rows, struct range columns, const REAL *kernel, REAL *wide,
                         const long row)
{
    const REAL a = kernel[0], b = kernel[1], c = kernel[2], d = kernel[3];
    const long start = columns.first >> 1, count = ((columns.end - 1) >> 1) + 1 - start;
    for (long y = 0; y < length(from); y++) {
        const REAL *in = coarse + y * row + start - beside.first;
        REAL *restrict out = wide + y * row;
        for (long i = 0; i < count; i++) {
            out[2 * i] = a * in[i - 2] + b * in[i - 1] + c * in[i] + d * in[i + 1];
            out[2 * i + 1] = d * in[i - 1] + c * in[i] + b * in[i + 1] + a * in[i + 2];
        }
    }
    for (long y = rows.first; y < rows.end; y++) {
        const long odd = y & 1;
        const REAL *in = wide + ((y >> 1) - from.first - REACH + odd) * row + (columns.first & 1);
        const REAL w = odd ? d : a, x = odd ? c : b, z = odd ? b : c, v = odd ? a : d;
        REAL *restrict out = fine + (y - rows.first) * row;
        for (long i = 0; i < length(columns); i++)
            out[i] = w * in[i] + x * in[i + row] + z * in[i + 2 * row] + v * in[i + 3 * row];
    }
}

/* Grid -> its feature at the pixels of a range and AROUND them, the outermost ones repeated. */
static void find_feature(const struct picture_task *task, const struct picture_memory *memory,
                         long number, struct range rows, struct range columns)
{
    const struct latent_grid *grid = task->grids + number;
    const long row = memory->row;
    REAL *plane = memory->features + number * memory->plane;
    const struct range wanted = {rows.first - AROUND, rows.end + AROUND};
    const struct range beside = {columns.first - AROUND, columns.end + AROUND};
    if (!grid->first) {
        memset(plane, 0, (size_t)(length(wanted) * row) * sizeof(REAL));
        return;
    }
    struct range down[LARGEST_OCTAVES + 1], across[LARGEST_OCTAVES + 1];
    down[0] = (struct range){larger(wanted.first, 0), smaller(wanted.end, task->height)};
    across[0] = (struct range){larger(beside.first, 0), smaller(beside.end, task->width)};
    for (long k = 0; k < grid->exponent; k++) {
        down[k + 1] = coarser(down[k]);
        across[k + 1] = coarser(across[k]);
    }
    long k = grid->exponent;
    REAL *inside = plane + (down[0].first - wanted.first) * row + across[0].first - beside.first;
    REAL *level = k ? memory->levels[k & 1] : inside;
    for (long y = 0; y < length(down[k]); y++) {
        const int32_t *in = grid->first + limited(down[k].first + y, grid->rows) * grid->columns;
        for (long x = 0; x < length(across[k]); x++)
            level[y * row + x] = (REAL)in[limited(across[k].first + x, grid->columns)];
    }
    for (; k; k--) {
        REAL *finer = k > 1 ? memory->levels[(k - 1) & 1] : inside;
        double_level(level, down[k], across[k], finer, down[k - 1], across[k - 1],
                     task->kernels + (k - 1) * KERNEL_TAPS, memory->wide, row);
        level = finer;
    }
    for (long y = down[0].first; y < down[0].end; y++) {
        REAL *at = plane + (y - wanted.first) * row;
        for (long x = beside.first; x < 0; x++)
            at[x - beside.first] = at[-beside.first];
        for (long x = task->width; x < beside.end; x++)
            at[x - beside.first] = at[task->width - 1 - beside.first];
    }
    const size_t bytes = (size_t)length(beside) * sizeof(REAL);
    for (long y = wanted.first; y < wanted.end; y++)
        if (y < down[0].first || y >= down[0].end)
            memcpy(plane + (y - wanted.first) * row,
                   plane + (limited(y, task->height) - wanted.first) * row, bytes);
}

/* Features -> the refined ones, at so many rows and columns of pixels. */
static void refine(const struct picture_task *task, const struct picture_memory *memory, long rows,
                   long columns)
{
    const long row = memory->row, hidden = task->convolutions[0].outputs;
    for (long y = -1; y <= rows; y++) {
        REAL *ring = memory->hidden + (y + RING_ROWS) % RING_ROWS * hidden * row;
        for (long g = 0; g < task->num_grids; g++)
            for (long k = 0; k < WINDOW; k++)
                memory->in[g * WINDOW + k] = memory->features + g * memory->plane +
                                             (y + 1 + k / 3) * row + k % 3;
        for (long m = 0; m < hidden; m++)
            memory->out[m] = ring + m * row;
        apply_layer(task->convolutions[0], memory->out, memory->in, columns + 2);
        for (long m = 0; m < hidden; m++)
            for (long x = 0; x < rounded_up(columns + 2); x += LANES) {
                vec value = load(ring + m * row + x);
                store(ring + m * row + x, blend(value > splat(0), value, splat(0)));
            }
        if (y < 1)
            continue;
        for (long m = 0; m < hidden; m++)
            for (long k = 0; k < WINDOW; k++)
                memory->in[m * WINDOW + k] = memory->hidden +
                                             ((y + 1 + k / 3) % RING_ROWS * hidden + m) * row +
                                             k % 3;
        for (long r = 0; r < task->num_refined; r++)
            memory->out[r] = memory->refined + r * memory->plane + (y - 1) * row;
        apply_layer(task->convolutions[1], memory->out, memory->in, columns);
        for (long r = 0; r < task->num_refined; r++) {
            const REAL *feature =
                memory->features + r * memory->plane + (y - 1 + AROUND) * row + AROUND;
            for (long x = 0; x < columns; x++)
                memory->out[r][x] += feature[x];
        }
    }
}

/* A feature's first row at the tile's pixels: of the corrected plane, if it is corrected. */
INLINE const REAL *pixels_of(const struct picture_task *task, const struct picture_memory *memory,
                             long number)
{
    return number < task->num_refined
               ? memory->refined + number * memory->plane
               : memory->features + number * memory->plane + AROUND * memory->row + AROUND;
}

/* All features of the tile's pixels -> interpolated along rows, at `count` points. */
static void interpolate_rows(const struct picture_task *task, const struct picture_memory *memory,
                             struct range rows, struct range columns, long from, long count)
{
    const struct axis_points *points = &task->across;
    for (long g = 0; g < task->num_grids; g++)
        for (long y = 0; y < length(rows); y++) {
            const REAL *in = pixels_of(task, memory, g) + y * memory->row - columns.first;
            REAL *out = memory->across + g * memory->plane + y * memory->row;
            for (long p = 0; p < count; p++) {
                const REAL *weights = points->weights + (from + p) * LANCZOS_TAPS;
                const long first = points->nearest[from + p] - BEFORE;
                REAL sum = 0;
                if (first >= columns.first && first + LANCZOS_TAPS <= columns.end)
                    for (long tap = 0; tap < LANCZOS_TAPS; tap++)
                        sum += weights[tap] * in[first + tap];
                else
                    for (long tap = 0; tap < LANCZOS_TAPS; tap++)
                        sum += weights[tap] * in[limited(first + tap, task->width)];
                out[p] = sum;
            }
        }
}

/* Line of points -> the rows that the network sees: x, y, features, in memory->line. */
static void prepare_line(const struct picture_task *task, const struct picture_memory *memory,
                         struct range rows, struct range columns, long line, long from, long count)
{
    const long row = memory->row, nearest = task->down.nearest[line];
    const int is_between = task->across.weights != NULL;
    const struct axis_points *down = &task->down;
    REAL *x = memory->points + task->num_grids * row, *y = x + row;
    memory->line[0] = x;
    memory->line[1] = y;
    for (long p = 0; p < count; p++) {
        x[p] = task->across.coordinates[from + p];
        y[p] = down->coordinates[line];
    }
    for (long g = 0; g < task->num_grids; g++) {
        const REAL *plane = is_between ? memory->across + g * memory->plane
                                       : pixels_of(task, memory, g) +
                                             task->across.nearest[from] - columns.first;
        memory->line[2 + g] = plane + (nearest - rows.first) * row;
        if (!down->weights)
            continue;
        REAL *restrict out = memory->points + g * row;
        memory->line[2 + g] = out;
        memset(out, 0, (size_t)count * sizeof(REAL));
        for (long tap = 0; tap < LANCZOS_TAPS; tap++) {
            const REAL weight = down->weights[line * LANCZOS_TAPS + tap];
            const REAL *in =
                plane + (limited(nearest - BEFORE + tap, task->height) - rows.first) * row;
            for (long p = 0; p < count; p++)
                out[p] += weight * in[p];
        }
    }
}

/* The network's inputs at a chunk of points -> its outputs, a row a channel. */
static REAL *evaluate_chunk(const struct picture_task *task, const struct picture_memory *memory,
                            long start, long count)
{
    for (long g = 0; g < task->num_grids + 2; g++)
        memory->in[g] = memory->line[g] + start;
    for (long l = 0; l < task->depth; l++) {
        const struct layer layer = task->layers[l];
        REAL *turn = memory->turns[l % 2];
        for (long o = 0; o < layer.outputs; o++)
            memory->out[o] = turn + o * CHUNK_POINTS;
        apply_layer(layer, memory->out, memory->in, count);
        for (long o = 0; o < layer.outputs; o++) {
            memory->in[o] = turn + o * CHUNK_POINTS;
            for (long p = 0; l < task->depth - 1 && p < rounded_up(count); p += LANES) {
                vec sine, cosine;
                sine_and_cosine(load(memory->out[o] + p), &sine, &cosine);
                store(memory->out[o] + p, sine);
            }
        }
    }
    return memory->turns[(task->depth - 1) % 2];
}

/* Whether output pixels are means of points that count by their alpha, the last channel. */
INLINE int weighs_by_alpha(const struct picture_task *task)
{
    const long channels = task->layers[task->depth - 1].outputs;
    return channels % 2 == 0 && task->across.per_cell * task->down.per_cell > 1;
}

/* Values of a chunk's points -> alpha within 0 to 1, and colours times their weight. */
INLINE void weigh(REAL *values, long channels, long count)
{
    REAL *restrict alpha = values + (channels - 1) * CHUNK_POINTS;
    for (long p = 0; p < count; p++) {
        const REAL limited_below = alpha[p] > 0 ? alpha[p] : 0;
        alpha[p] = limited_below < 1 ? limited_below : 1;
    }
    for (long channel = 0; channel < channels - 1; channel++) {
        REAL *restrict colour = values + channel * CHUNK_POINTS;
        for (long p = 0; p < count; p++)
            colour[p] *= alpha[p] + (REAL)HIDDEN_WEIGHT;
    }
}

/* Values of a chunk's points -> added to the sums of their output pixels. */
INLINE void add_up(const struct picture_task *task, const struct picture_memory *memory,
                   const REAL *values, long start, long count, long cells, int is_first)
{
    const long per_cell = task->across.per_cell;
    const long channels = task->layers[task->depth - 1].outputs;
    for (long channel = 0; channel < channels; channel++) {
        double *sums = memory->sums + channel * cells;
        const REAL *value = values + channel * CHUNK_POINTS;
        if (per_cell == 1)
            for (long p = 0; p < count; p++)
                sums[start + p] = (double)value[p] + (is_first ? 0.0 : sums[start + p]);
        else
            for (long p = 0; p < count; p++) {
                const long at = start + p;
                const int begins = is_first && at % per_cell == 0;
                sums[at / per_cell] = (double)value[p] + (begins ? 0.0 : sums[at / per_cell]);
            }
    }
}

/* Mean, 0 to 1 over the range of samples -> nearest sample, halves up; 0 where it is no number. */
INLINE double to_sample(double value, double peak)
{
    value = value > 0 ? value : 0;
    value = value < 1 ? value : 1;
    return value * peak + 0.5;
}

/* Sums of output pixels, colours weighted by alpha -> sums of as many equal points. */
static void unweigh(const struct picture_task *task, const struct picture_memory *memory,
                    long cells)
{
    const long channels = task->layers[task->depth - 1].outputs;
    const double points = (double)(task->across.per_cell * task->down.per_cell);
    const double *alpha = memory->sums + (channels - 1) * cells;
    for (long channel = 0; channel < channels - 1; channel++) {
        double *colour = memory->sums + channel * cells;
        for (long x = 0; x < cells; x++)
            colour[x] = colour[x] / (alpha[x] + points * HIDDEN_WEIGHT) * points;
    }
}

/* Sums of output pixels -> samples of a row. */
static void write_samples(const struct picture_task *task, const struct picture_memory *memory,
                          long row, long first_cell, long cells)
{
    const long channels = task->layers[task->depth - 1].outputs;
    const long width = task->across.count / task->across.per_cell;
    const double points = (double)(task->across.per_cell * task->down.per_cell);
    const long at = (row * width + first_cell) * channels;
    for (long channel = 0; channel < channels; channel++) {
        const double *sums = memory->sums + channel * cells;
        if (task->sample_bytes == 1) {
            uint8_t *out = (uint8_t *)task->samples + at + channel;
            for (long x = 0; x < cells; x++)
                out[x * channels] = (uint8_t)to_sample(sums[x] / points, 255.0);
        } else if (task->sample_bytes == 2) {
            uint16_t *out = (uint16_t *)task->samples + at + channel;
            for (long x = 0; x < cells; x++)
                out[x * channels] = (uint16_t)to_sample(sums[x] / points, 65535.0);
        } else {
            double *out = (double *)task->samples + at + channel;
            for (long x = 0; x < cells; x++)
                out[x * channels] = sums[x] / points;
        }
    }
}

/* Points `line` to `line_end` by `from` to `to` -> samples. */
static void paint_tile(const struct picture_task *task, const struct picture_memory *memory,
                       long line, long line_end, long from, long to)
{
    const struct range rows = pixels_seen(&task->down, line, line_end, task->height);
    const struct range columns = pixels_seen(&task->across, from, to, task->width);
    for (long g = 0; g < task->num_grids; g++)
        find_feature(task, memory, g, rows, columns);
    if (task->num_refined)
        refine(task, memory, length(rows), length(columns));
    if (task->across.weights)
        interpolate_rows(task, memory, rows, columns, from, to - from);
    const long cells = (to - from) / task->across.per_cell;
    for (; line < line_end; line++) {
        const long place = line % task->down.per_cell;
        prepare_line(task, memory, rows, columns, line, from, to - from);
        for (long start = 0; start < to - from; start += CHUNK_POINTS) {
            const long count = smaller(to - from - start, CHUNK_POINTS);
            REAL *values = evaluate_chunk(task, memory, start, count);
            if (weighs_by_alpha(task))
                weigh(values, task->layers[task->depth - 1].outputs, count);
            add_up(task, memory, values, start, count, cells, place == 0);
        }
        if (place < task->down.per_cell - 1)
            continue;
        if (weighs_by_alpha(task))
            unweigh(task, memory, cells);
        write_samples(task, memory, line / task->down.per_cell, from / task->across.per_cell,
                      cells);
    }
}

/* Nonzero if there is no memory. */
int EXPORTED(paint)(const struct picture_task *task)
{
    struct picture_memory memory;
    if (take_picture_memory(task, &memory))
        return 1;
    const long down = tile_points(&task->down, TILE_DOWN);
    const long across = tile_points(&task->across, TILE_ACROSS);
    for (long line = 0; line < task->down.count; line += down)
        for (long from = 0; from < task->across.count; from += across)
            paint_tile(task, &memory, line, smaller(line + down, task->down.count), from,
                       smaller(from + across, task->across.count));
    free(memory.numbers), free(memory.pointers);
    return 0;
}

#endif
