/*
 * Fuzz target of synthesis: `make fuzz`. An input is what a file and a caller could hand the painter:
 * grids, matrices and points. Single precision, in which pictures are decoded unless told otherwise,
 * and the widest vectors there are, so that loops touch the most beyond their rows.
 */

#define REAL float
#define VECTOR_BYTES 64
#define SUFFIX _fuzzed
#include "../../sirencodec/native/src/exactly_rounded.h"

#include "../../sirencodec/native/src/picture.h"

#include "input.h"

#define MOST_GRIDS (LARGEST_OCTAVES + 1)
#define MOST_LAYERS 4
#define SHORT_SIDE 20
#define LONG_SIDE 600 /* more than two tiles */
#define MOST_PER_CELL 64

static REAL take_number(struct input *input)
{
    const int32_t mantissa = (int32_t)take_bytes(input, 2) - 32768;
    return (REAL)ldexp(mantissa, (int)take_bytes(input, 1) % 48 - 24);
}

/* Rising points; pixels' centres, or any at all. */
static struct axis_points take_points(struct input *input, long pixels, const REAL *palette)
{
    const long per_cell = take_side(input, 1, 3, MOST_PER_CELL);
    const long cells = take_side(input, 1, 9, LONG_SIDE / per_cell + 1);
    const long count = per_cell * cells;
    int32_t *nearest = malloc((size_t)count * sizeof *nearest);
    const int centred = take_bytes(input, 1) & 1 && count <= pixels;
    const long pace = take_range(input, 0, 5);
    long at = centred ? take_range(input, 0, pixels - count) : take_range(input, -1, pixels - 1);
    for (long i = 0; i < count; i++) {
        nearest[i] = (int32_t)at;
        at = centred ? at + 1 : smaller(at + (pace ? i % pace == 0 : take_range(input, 0, 2)),
                                        pixels - 1);
    }
    REAL *weights = centred ? NULL : take_numbers(input, count * LANCZOS_TAPS, palette);
    return (struct axis_points){count, per_cell, nearest, weights,
                                take_numbers(input, count, palette)};
}

static void free_points(struct axis_points points)
{
    free((void *)points.nearest), free((void *)points.weights), free((void *)points.coordinates);
}

/* Grids from an exponent on; what counts as 0 is not there. */
static long take_grids(struct input *input, long height, long width, struct latent_grid *grids)
{
    const long finest = take_range(input, 0, LARGEST_OCTAVES);
    const long count = take_range(input, 0, MOST_GRIDS - finest);
    for (long g = 0; g < count; g++) {
        const long k = finest + g, rows = (height + (1L << k) - 1) >> k,
                   columns = (width + (1L << k) - 1) >> k;
        int32_t *latents = take_range(input, 0, 7) ? take_latents(input, rows * columns) : NULL;
        grids[g] = (struct latent_grid){latents, rows, columns, k};
    }
    return count;
}

static struct layer take_layer(struct input *input, long outputs, long inputs, const REAL *palette)
{
    return (struct layer){take_numbers(input, outputs * (inputs + 1), palette), NULL, outputs,
                          inputs};
}

static long take_network(struct input *input, long grids, long channels, const REAL *palette,
                         struct layer *layers)
{
    const long depth = take_range(input, 2, MOST_LAYERS), width = take_range(input, 1, 9);
    for (long l = 0; l < depth; l++)
        layers[l] = take_layer(input, l == depth - 1 ? channels : width, l ? width : 2 + grids,
                               palette);
    return depth;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input all = {data, size}, *input = &all;
    REAL palette[PALETTE];
    struct latent_grid grids[MOST_GRIDS];
    struct layer layers[MOST_LAYERS], convolutions[2];
    const long height = take_side(input, 1, SHORT_SIDE, LONG_SIDE);
    const long width = take_side(input, 1, SHORT_SIDE, LONG_SIDE);
    const long channels = take_range(input, 1, 4), sample_bytes = 1L << take_range(input, 0, 2);
    for (long i = 0; i < PALETTE; i++)
        palette[i] = take_number(input);
    const struct axis_points down = take_points(input, height, palette);
    const struct axis_points across = take_points(input, width, palette);
    const long count = take_grids(input, height, width, grids);
    const long refined = count ? take_range(input, 0, smaller(2, count)) : 0;
    const long hidden = take_range(input, 1, 9);
    convolutions[0] = take_layer(input, hidden, WINDOW * count, palette);
    convolutions[1] = take_layer(input, refined, WINDOW * hidden, palette);
    const long depth = take_network(input, count, channels, palette, layers);
    REAL *kernels = take_numbers(input, LARGEST_OCTAVES * KERNEL_TAPS, palette);
    const long cells = down.count / down.per_cell * (across.count / across.per_cell);
    /* 4 bytes a sample are none of the painter's: 8 stand for means in double precision. */
    const long bytes = sample_bytes == 4 ? 8 : sample_bytes;
    void *samples = malloc((size_t)(cells * channels * bytes));
    const struct picture_task task = {grids,  count, refined, kernels, convolutions, layers, depth,
                                      height, width, down,    across,  samples,      bytes};
    sirencodec_paint_fuzzed(&task);
    free(samples), free(kernels), free_points(down), free_points(across);
    for (long g = 0; g < count; g++)
        free((void *)grids[g].first);
    for (long l = 0; l < depth; l++)
        free((void *)layers[l].weights);
    free((void *)convolutions[0].weights), free((void *)convolutions[1].weights);
    return 0;
}
