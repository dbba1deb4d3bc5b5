/*
 * The two operations that nearly all of an update consists of, on rows wherever they lie in memory.
 *
 * A layer of a network, a convolution (its inputs are rows at nine offsets), an upsampling step and
 * the adjoints of all three are sums of rows times weights; a gradient along weights is a sum of
 * products of two rows. Sums stay in registers: a tile of some outputs by some vectors of columns.
 */

#ifndef ROWS_H
#define ROWS_H

#include "vectors.h"

/* Registers are what a tile is sized by: 32 of them, or 16. */
#if VECTOR_BYTES == 64
#define TILE_ROWS 6
#define TILE_VECTORS 4
#define PAIR_ROWS 4
#define PAIR_COLUMNS 6
#else
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define PAIR_ROWS 2
#define PAIR_COLUMNS 5
#endif

/* What a row of outputs begins as. */
enum beginning { FROM_ZERO, FROM_BIAS, FROM_ITSELF };

/* A matrix of weights: element (o, k) is at first[o * down + k * across]. */
struct matrix {
    const REAL *first;
    long down, across;
};

INLINE struct matrix transposed(struct matrix weights)
{
    return (struct matrix){weights.first, weights.across, weights.down};
}

INLINE void product_tile(const long rows, REAL *const *out, const enum beginning beginning,
                         const REAL *bias, struct matrix weights, const REAL *const *in,
                         long num_in, long column)
{
    vec sums[TILE_ROWS][TILE_VECTORS];
    for (long o = 0; o < rows; o++)
        for (long v = 0; v < TILE_VECTORS; v++)
            sums[o][v] = beginning == FROM_ITSELF ? load(out[o] + column + v * LANES)
                         : beginning == FROM_BIAS ? splat(bias[o * weights.down])
                                                  : splat(0);
    for (long k = 0; k < num_in; k++) {
        const REAL *row = in[k] + column, *weight = weights.first + k * weights.across;
        vec values[TILE_VECTORS];
        for (long v = 0; v < TILE_VECTORS; v++)
            values[v] = load(row + v * LANES);
        for (long o = 0; o < rows; o++) {
            vec factor = splat(weight[o * weights.down]);
            for (long v = 0; v < TILE_VECTORS; v++)
                sums[o][v] += factor * values[v];
        }
    }
    for (long o = 0; o < rows; o++)
        for (long v = 0; v < TILE_VECTORS; v++)
            store(out[o] + column + v * LANES, sums[o][v]);
}

/*
 * out[o] = beginning + sum over k of weights(o, k) in[k], `columns` rounded up to strips.
 * Biases are as far apart as the rows of weights.
 */
INLINE void product(REAL *const *out, long num_out, const enum beginning beginning,
                    const REAL *bias, struct matrix weights, const REAL *const *in, long num_in,
                    long columns)
{
    /* As many tiles as it takes, of about as many rows each: narrow ones wait for their loads. */
    const long tiles = (num_out + TILE_ROWS - 1) / TILE_ROWS;
    for (long column = 0; column < rounded_up(columns); column += TILE_VECTORS * LANES)
        for (long tile = 0; tile < tiles; tile++) {
            const long o = tile * num_out / tiles, end = (tile + 1) * num_out / tiles;
            struct matrix part = {weights.first + o * weights.down, weights.down, weights.across};
            const REAL *own_bias = beginning == FROM_BIAS ? bias + o * weights.down : NULL;
            switch (end - o) {
#define CASE(rows)                                                                                 \
    case rows:                                                                                     \
        product_tile(rows, out + o, beginning, own_bias, part, in, num_in, column);                \
        break
                CASE(1);
                CASE(2);
                CASE(3);
                CASE(4);
                CASE(5);
                CASE(6);
#undef CASE
            }
        }
}

INLINE void correlation_tile(const long rows, const long columns, vec *sums, long num_right,
                             const REAL *const *left, const REAL *const *right, long length)
{
    vec own[PAIR_ROWS][PAIR_COLUMNS];
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++)
            own[r][c] = sums[r * num_right + c];
    for (long at = 0; at < length; at += LANES) {
        vec values[PAIR_COLUMNS];
        for (long c = 0; c < columns; c++)
            values[c] = load(right[c] + at);
        for (long r = 0; r < rows; r++) {
            vec factor = load(left[r] + at);
            for (long c = 0; c < columns; c++)
                own[r][c] += factor * values[c];
        }
    }
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < columns; c++)
            sums[r * num_right + c] = own[r][c];
}

/*
 * sums(l, r) += left[l] * right[r] over `length` columns, rounded up to strips, lane by lane: the
 * lanes are added up when all rows have been seen.
 */
INLINE void correlation(vec *sums, const REAL *const *left, long num_left, const REAL *const *right,
                        long num_right, long length)
{
    length = rounded_up(length);
    for (long l = 0; l < num_left; l += PAIR_ROWS)
        for (long r = 0; r < num_right; r += PAIR_COLUMNS) {
            vec *part = sums + l * num_right + r;
            long rows = smaller(num_left - l, PAIR_ROWS);
            long columns = smaller(num_right - r, PAIR_COLUMNS);
#define CASE(fixed_rows, fixed_columns)                                                            \
    if (rows == fixed_rows && columns == fixed_columns) {                                          \
        correlation_tile(fixed_rows, fixed_columns, part, num_right, left + l, right + r, length); \
        continue;                                                                                  \
    }
#define CASES(fixed_rows)                                                                          \
    CASE(fixed_rows, 1)                                                                            \
    CASE(fixed_rows, 2)                                                                            \
    CASE(fixed_rows, 3)                                                                            \
    CASE(fixed_rows, 4)                                                                            \
    CASE(fixed_rows, 5)
            CASES(1)
            CASES(2)
#if PAIR_COLUMNS > 5
            CASES(3)
            CASES(4)
            CASE(1, 6)
            CASE(2, 6)
            CASE(3, 6)
            CASE(4, 6)
#endif
#undef CASES
#undef CASE
        }
}

#define WINDOW 9        /* a 3 x 3 neighbourhood, row by row */
#define HALO 2          /* pixels that two of them, one after the other, see beyond their output */
#define LARGEST_DEPTH 8 /* layers of a network */

/* A layer of a network, or a convolution. */
struct layer {
    const REAL *weights; /* (outputs, inputs + 1), a column of biases last */
    REAL *gradient;      /* of the same shape, added to; NULL if it is not wanted */
    long outputs, inputs;
};

INLINE struct matrix weights_of(struct layer layer)
{
    return (struct matrix){layer.weights, layer.inputs + 1, 1};
}

/* Numbers that the gradient of a layer takes, lane by lane. */
INLINE long gradient_size(struct layer layer)
{
    return layer.gradient ? layer.outputs * (layer.inputs + 1) * LANES : 0;
}

INLINE void apply_layer(struct layer layer, REAL *const *out, const REAL *const *in, long columns)
{
    product(out, layer.outputs, FROM_BIAS, layer.weights + layer.inputs, weights_of(layer), in,
            layer.inputs, columns);
}

/* Add up the lanes of a layer's gradient. */
INLINE void finish_gradient(struct layer layer, const vec *sums)
{
    for (long at = 0; at * LANES < gradient_size(layer); at++)
        layer.gradient[at] += sum_of_lanes(sums[at]);
}

#endif
