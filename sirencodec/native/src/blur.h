/*
 * A symmetric window of 11 weights, across a row and down a column. Beside the rows of a plane are
 * EDGE columns that hold zeros, so that windows need not look where they are.
 */

#ifndef BLUR_H
#define BLUR_H

#include "vectors.h"

#define RADIUS 5
#define SPAN (2 * RADIUS + 1)
#define REACH 16          /* of a window to either side, in whole vectors */
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

INLINE vec blur_across(struct window window, const REAL *at)
{
    vec sum = window.weights[0] * load(at);
    for (long k = 1; k <= RADIUS; k++)
        sum += window.weights[k] * (load(at - k) + load(at + k));
    return sum;
}

/* Of rows from RADIUS above to RADIUS below. */
INLINE vec blur_down(struct window window, const REAL *const rows[SPAN], long column)
{
    vec sum = window.weights[0] * load(rows[RADIUS] + column);
    for (long k = 1; k <= RADIUS; k++)
        sum += window.weights[k] * (load(rows[RADIUS - k] + column) + load(rows[RADIUS + k] + column));
    return sum;
}

#endif
