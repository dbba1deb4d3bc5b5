/*
 * A symmetric window of 11 weights, across a row and down a column. Beside the rows of a plane are
 * EDGE columns that hold zeros, so that windows need not look where they are.
 */

#ifndef BLUR_H
#define BLUR_H

#include "vectors.h"

#define RADIUS 5
#define SPAN (2 * RADIUS + 1)
#define REACH 16         /* of a window to either side, in whole vectors */
#define EDGE (2 * REACH) /* zeros on either side, for a window upon a window */

/* Weights by their distance from the middle, in every lane. */
struct window {
    vec weights[RADIUS + 1];
};

INLINE struct window window_of(const REAL *weights)
{
    struct window window;
    for (long distance = 0; distance <= RADIUS; distance++)
        window.weights[distance] = splat(weights[distance]);
    return window;
}

#if VECTOR_BYTES == 64 && defined(__AVX512F__)

#include <immintrin.h>

/* Lanes from number `by` on of two vectors in a row: quicker than a load across cache lines. */
#define SHIFTED(left, right, by) ((vec)_mm512_alignr_epi32((__m512i)(right), (__m512i)(left), (by)))

/* A row from column `from` to `to`, which are whole vectors apart. */
INLINE void blur_across(struct window window, const REAL *in, REAL *out, long from, long to)
{
    const vec *weights = window.weights;
    vec left = load(in + from - LANES), middle = load(in + from);
    for (long at = from; at < to; at += LANES) {
        vec right = load(in + at + LANES);
        vec sum = weights[0] * middle;
        sum += weights[1] * (SHIFTED(left, middle, 15) + SHIFTED(middle, right, 1));
        sum += weights[2] * (SHIFTED(left, middle, 14) + SHIFTED(middle, right, 2));
        sum += weights[3] * (SHIFTED(left, middle, 13) + SHIFTED(middle, right, 3));
        sum += weights[4] * (SHIFTED(left, middle, 12) + SHIFTED(middle, right, 4));
        sum += weights[5] * (SHIFTED(left, middle, 11) + SHIFTED(middle, right, 5));
        store(out + at, sum);
        left = middle, middle = right;
    }
}

#undef SHIFTED

#else

/* A row from column `from` to `to`, which are whole vectors apart. */
INLINE void blur_across(struct window window, const REAL *in, REAL *out, long from, long to)
{
    for (long at = from; at < to; at += LANES) {
        vec sum = window.weights[0] * load(in + at);
        for (long k = 1; k <= RADIUS; k++)
            sum += window.weights[k] * (load(in + at - k) + load(in + at + k));
        store(out + at, sum);
    }
}

#endif

/*
 * Two rows, the one below the other, which share all but two of the rows that they are made of:
 * those from RADIUS above the first to RADIUS below the second.
 */
INLINE void blur_down(struct window window, const REAL *const in[SPAN + 1], REAL *upper,
                      REAL *lower, long from, long to)
{
    for (long at = from; at < to; at += LANES) {
        vec rows[SPAN + 1];
        for (long k = 0; k <= SPAN; k++)
            rows[k] = load(in[k] + at);
        vec one = window.weights[0] * rows[RADIUS], other = window.weights[0] * rows[RADIUS + 1];
        for (long k = 1; k <= RADIUS; k++) {
            one += window.weights[k] * (rows[RADIUS - k] + rows[RADIUS + k]);
            other += window.weights[k] * (rows[RADIUS + 1 - k] + rows[RADIUS + 1 + k]);
        }
        store(upper + at, one);
        store(lower + at, other);
    }
}

#endif
