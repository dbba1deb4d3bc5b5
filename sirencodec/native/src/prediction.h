/*
 * Sources -> outputs of a context network at every lattice point, in integers: what
 * entropy/latents.py says of a phase. Numbers are whole and below 2^53, so double precision holds
 * them, their products and sums without rounding, in whatever order they are taken.
 */

#ifndef PREDICTION_H
#define PREDICTION_H

#include <float.h>

#include "elementary.h"
#include "names.h"
#include "rows.h"

#if FLT_EVAL_METHOD != 0
#error "sums must be rounded to double precision, not kept in a wider one"
#endif

struct prediction_task {
    const REAL *sources; /* planes with a border of one, and a strip more at the end */
    long plane, row;     /* distance between planes, and between rows */
    long num_sources;
    long rows, columns;         /* lattice points wanted */
    const struct layer *layers; /* biases in units of the products */
    long depth;
    const REAL *scales; /* from a hidden layer's sums to activations, before rounding down */
    REAL largest;       /* activation */
    REAL *outputs;      /* of the last layer: (outputs, rows, columns) */
};

/* The largest whole number that is not larger, of magnitudes below 2^51. */
INLINE vec rounded_down(vec value)
{
    const REAL whole = (REAL)0x1.8p52;
    vec nearest = (value + whole) - whole;
    return nearest - blend(nearest > value, splat(1), splat(0));
}

INLINE void activate(REAL *const *rows, long count, REAL scale, REAL largest)
{
    for (long row = 0; row < count; row++)
        for (long c = 0; c < STRIP; c += LANES) {
            vec value = rounded_down(load(rows[row] + c) * scale);
            value = blend(value < splat(0), splat(0), value);
            store(rows[row] + c, blend(value > splat(largest), splat(largest), value));
        }
}

/* Nonzero if there is no memory. */
int EXPORTED(predict)(const struct prediction_task *task)
{
    const long num_inputs = WINDOW * task->num_sources;
    long widest = 0;
    for (long l = 0; l < task->depth; l++)
        widest = larger(widest, task->layers[l].outputs);
    REAL *numbers = zeros(2 * widest * STRIP);
    const REAL **inputs = malloc((size_t)(num_inputs + 2 * widest) * sizeof *inputs);
    if (!numbers || !inputs) {
        free(numbers), free(inputs);
        return 1;
    }
    /* Layers write to two sets of rows in turn. */
    REAL **turns[2] = {(REAL **)inputs + num_inputs, (REAL **)inputs + num_inputs + widest};
    for (long row = 0; row < 2 * widest; row++)
        turns[0][row] = numbers + row * STRIP;
    for (long y = 0; y < task->rows; y++)
        for (long x = 0; x < task->columns; x += STRIP) {
            for (long k = 0; k < num_inputs; k++)
                inputs[k] = task->sources + k / WINDOW * task->plane +
                            (y + k % WINDOW / 3) * task->row + x + k % 3;
            const REAL *const *below = inputs;
            for (long l = 0; l < task->depth; l++) {
                REAL **out = turns[l % 2];
                apply_layer(task->layers[l], out, below, STRIP);
                if (l < task->depth - 1)
                    activate(out, task->layers[l].outputs, task->scales[l], task->largest);
                below = (const REAL *const *)out;
            }
            const size_t bytes = (size_t)smaller(STRIP, task->columns - x) * sizeof(REAL);
            for (long o = 0; o < task->layers[task->depth - 1].outputs; o++)
                memcpy(task->outputs + (o * task->rows + y) * task->columns + x, below[o], bytes);
        }
    free(numbers), free(inputs);
    return 0;
}

#endif
