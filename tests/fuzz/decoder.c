/*
 * Fuzz target of the compiled decoder, for libFuzzer with address and undefined-behaviour
 * sanitizers: `make fuzz`. The first byte of an input chooses the part, the rest is what a file
 * could hand it: streams and predictions to the range decoder, latents and weights to predictions,
 * grids, matrices and points to the painter. Sizes are small; numbers are whatever the bytes say.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REAL double
#define DOUBLE_PRECISION
#define VECTOR_BYTES 16
#define SUFFIX _fuzzed
#include "../../sirencodec/native/src/exactly_rounded.h"

#include "../../sirencodec/native/src/picture.h"
#include "../../sirencodec/native/src/prediction.h"

#undef EIGHTHS
#include "../../sirencodec/native/src/range_decoder.c"

#define SIDE 9
#define MOST_MATRIX 2048

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
    return low + (long)(take_bytes(input, 2) % (uint32_t)(high - low + 1));
}

static double take_number(struct input *input)
{
    const int32_t mantissa = (int32_t)take_bytes(input, 2) - 32768;
    const int exponent = (int)take_bytes(input, 1) % 48 - 24;
    return exponent < 0 ? mantissa / (double)(1L << -exponent) : mantissa * (double)(1L << exponent);
}

static void fuzz_streams(struct input *input)
{
    static uint32_t tables[NUM_TABLES * (NUM_RESIDUALS + 1)];
    if (!tables[1])
        sirencodec_residual_tables(tables);
    const long rows = take_range(input, 0, SIDE), columns = take_range(input, 1, SIDE);
    int16_t wholes[SIDE * SIDE], chosen[SIDE * SIDE];
    int32_t samples[4 * SIDE * SIDE], symbols[32];
    for (long i = 0; i < rows * columns; i++) {
        wholes[i] = (int16_t)take_range(input, -512, 512);
        chosen[i] = (int16_t)take_range(input, 0, NUM_TABLES - 1);
    }
    const uint32_t levels[] = {0, 1, 5, 1 << 20, 1 << 24};
    struct range_decoder decoder = {0};
    decoder.by_words = (int64_t)take_bytes(input, 1) & 1;
    decoder.may_end = (int64_t)take_bytes(input, 1) & 1;
    uint8_t *stream = malloc(input->left ? input->left : 1); /* its end is guarded */
    memcpy(stream, input->at, input->left);
    decoder.bytes = stream;
    decoder.size = (int64_t)input->left;
    sirencodec_begin_stream(&decoder);
    if (!sirencodec_decode_symbols(&decoder, levels, 4, 32, symbols)) {
        struct residual_task task = {&decoder, tables,  wholes,       chosen, rows,
                                     columns,  samples, 2 * SIDE + 1, 2};
        sirencodec_decode_residuals(&task);
        sirencodec_finish_stream(&decoder);
    }
    free(stream);
}

static void fuzz_predictions(struct input *input)
{
    enum { MOST_SOURCES = 5, WIDTH = 3 };
    struct latent_source sources[MOST_SOURCES];
    const long count = take_range(input, 1, MOST_SOURCES);
    int32_t *grid = malloc(SIDE * SIDE * sizeof *grid);
    for (long i = 0; i < SIDE * SIDE; i++)
        grid[i] = (int32_t)take_range(input, -767, 767);
    for (long s = 0; s < count; s++) {
        const long step = take_range(input, 1, 2), shift = take_range(input, 0, 1);
        const long most = ((SIDE - 1) / step + 1) << shift;
        const long top = take_range(input, 0, most), left = take_range(input, 0, most);
        sources[s] = (struct latent_source){grid, SIDE * step, step, shift, top,
                                            take_range(input, top, most), left,
                                            take_range(input, left, most)};
    }
    static double weights[2][MOST_MATRIX];
    for (long l = 0; l < 2; l++)
        for (long i = 0; i < MOST_MATRIX; i++)
            weights[l][i] = (double)take_range(input, -32768, 32767) * 2048;
    const struct layer layers[] = {{weights[0], NULL, WIDTH, WINDOW * count},
                                   {weights[1], NULL, 2, WIDTH}};
    const double scales[] = {0x1p-7, 0x1p-16};
    const long top = take_range(input, 0, 3), left = take_range(input, 0, 3);
    const long bottom = take_range(input, top, top + SIDE);
    const long right = take_range(input, left + 1, left + SIDE);
    int16_t *wholes = malloc(2 * SIDE * SIDE), *tables = malloc(2 * SIDE * SIDE);
    const struct phase_task task = {sources, count, top,    bottom, left,   right, layers,
                                    2,       scales, 1 << 20, wholes, tables};
    sirencodec_predict_phase_fuzzed(&task);
    for (long i = 0; i < (bottom - top) * (right - left); i++)
        if (tables[i] < 0 || tables[i] >= NUM_TABLES || wholes[i] < -512 || wholes[i] > 512)
            abort();
    free(grid), free(wholes), free(tables);
}

static struct axis_points take_points(struct input *input, long pixels)
{
    const long per_cell = take_range(input, 1, 3), count = per_cell * take_range(input, 1, SIDE);
    int32_t *nearest = malloc((size_t)count * sizeof *nearest);
    double *weights = malloc((size_t)count * LANCZOS_TAPS * sizeof *weights);
    double *coordinates = malloc((size_t)count * sizeof *coordinates);
    const int centred = take_bytes(input, 1) & 1 && count <= pixels;
    long at = centred ? take_range(input, 0, pixels - count) : -1;
    for (long i = 0; i < count; i++) {
        at = centred ? at + (i > 0) : take_range(input, at, smaller(at + 2, pixels - 1));
        nearest[i] = (int32_t)at;
        coordinates[i] = take_number(input);
        for (long tap = 0; tap < LANCZOS_TAPS; tap++)
            weights[i * LANCZOS_TAPS + tap] = take_number(input);
    }
    if (centred)
        free(weights);
    return (struct axis_points){count, per_cell, nearest, centred ? NULL : weights, coordinates};
}

static void free_points(struct axis_points points)
{
    free((void *)points.nearest), free((void *)points.weights), free((void *)points.coordinates);
}

static void fuzz_pictures(struct input *input)
{
    enum { MOST_GRIDS = LARGEST_OCTAVES + 1, WIDTH = 3, HIDDEN = 2 };
    static double numbers[4][MOST_MATRIX];
    for (long m = 0; m < 4; m++)
        for (long i = 0; i < MOST_MATRIX / 4; i++)
            numbers[m][i] = take_number(input);
    const long height = take_range(input, 1, 3 * SIDE), width = take_range(input, 1, 3 * SIDE);
    const long finest = take_range(input, 0, LARGEST_OCTAVES);
    const long grids = take_range(input, 0, LARGEST_OCTAVES + 1 - finest);
    struct latent_grid found[MOST_GRIDS];
    for (long g = 0; g < grids; g++) {
        const long k = finest + g, rows = (height + (1L << k) - 1) >> k,
                   columns = (width + (1L << k) - 1) >> k;
        int32_t *grid = malloc((size_t)(rows * columns) * sizeof *grid);
        for (long i = 0; i < rows * columns; i++)
            grid[i] = (int32_t)take_range(input, -767, 767);
        found[g] = (struct latent_grid){grid, rows, columns, k};
    }
    const long refined = grids ? take_range(input, 0, smaller(2, grids)) : 0;
    const struct layer convolutions[] = {{numbers[0], NULL, HIDDEN, WINDOW * grids},
                                         {numbers[1], NULL, refined, WINDOW * HIDDEN}};
    const long channels = take_range(input, 1, 4);
    const struct layer layers[] = {{numbers[2], NULL, WIDTH, 2 + grids},
                                   {numbers[3], NULL, channels, WIDTH}};
    static const double kernels[LARGEST_OCTAVES * KERNEL_TAPS] = {0.1, 0.5, 0.5, -0.1, 16, -16};
    const struct axis_points down = take_points(input, height), across = take_points(input, width);
    const long cells = down.count / down.per_cell * (across.count / across.per_cell);
    const long sample_bytes = 1L << take_range(input, 0, 1);
    void *samples = malloc((size_t)(cells * channels * sample_bytes));
    const struct picture_task task = {found,  grids,  refined, kernels, convolutions, layers, 2,
                                      height, width,  down,    across,  samples,      sample_bytes};
    sirencodec_paint_fuzzed(&task);
    free(samples), free_points(down), free_points(across);
    for (long g = 0; g < grids; g++)
        free((void *)found[g].first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    switch (take_bytes(&input, 1) % 3) {
    case 0:
        fuzz_streams(&input);
        break;
    case 1:
        fuzz_predictions(&input);
        break;
    default:
        fuzz_pictures(&input);
    }
    return 0;
}
