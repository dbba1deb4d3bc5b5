/*
 * Latents around -> prediction of a phase's samples: FORMAT.md, section 8. Numbers are whole and
 * below 2^53, so double precision holds them, their products and sums without rounding, in whatever
 * order they are taken.
 */

#ifndef PREDICTION_H
#define PREDICTION_H

#include <float.h>
#include <stdint.h>

#include "elementary.h"
#include "names.h"
#include "rows.h"

#if FLT_EVAL_METHOD != 0
#error "sums must be rounded to double precision, not kept in a wider one"
#endif

#define SOURCE_ROWS 3

/* What is known of each place: latents at first[(y >> shift) row + (x >> shift) step]; 0 outside. */
struct latent_source {
    const int32_t *first;
    long row, step, shift;
    long top, bottom, left, right; /* places that have one */
};

struct phase_task {
    const struct latent_source *sources;
    long num_sources;
    long top, bottom, left, right; /* places to predict */
    const struct layer *layers;    /* biases in units of the products */
    long depth;
    const REAL *scales; /* from a hidden layer's sums to activations, before rounding down */
    REAL largest;       /* activation */
    int16_t *wholes;    /* (rows, columns) nearest whole centre */
    int16_t *tables;    /* (rows, columns) index of the residual's table */
};

/* Places `left` to `right` of row y -> their values. */
static void read_places(const struct latent_source *source, long y, long left, long right,
                        REAL *out)
{
    const long from = smaller(larger(left, source->left), right);
    const long to = larger(smaller(right, source->right), from);
    if (y < source->top || y >= source->bottom || from == to) {
        memset(out, 0, (size_t)(right - left) * sizeof(REAL));
        return;
    }
    const int32_t *in = source->first + (y >> source->shift) * source->row;
    memset(out, 0, (size_t)(from - left) * sizeof(REAL));
    if (source->shift)
        for (long x = from; x < to; x++)
            out[x - left] = (REAL)in[(x >> source->shift) * source->step];
    else
        for (long x = from; x < to; x++)
            out[x - left] = (REAL)in[x * source->step];
    memset(out + (to - left), 0, (size_t)(right - to) * sizeof(REAL));
}

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

/* Outputs of the network in a strip, c and s -> wholes and tables, `count` of them. */
static void choose_tables(REAL *const *outputs, long count, int16_t *wholes, int16_t *tables)
{
    for (long x = 0; x < STRIP; x += LANES) {
        vec most = splat((REAL)0x1p40), c = load(outputs[0] + x), s = load(outputs[1] + x);
        c = blend(c > most, most, blend(c < -most, -most, c));
        s = blend(s > most, most, blend(s < -most, -most, s));
        vec part = rounded_down(c * (REAL)0x1p-25 + (REAL)0.5);
        part = blend(part > splat(4096), splat(4096), blend(part < splat(-4096), splat(-4096), part));
        vec whole = rounded_down((part + 4) * (REAL)0.125);
        vec scale = rounded_down(s * 6 * (REAL)0x1p-28 + (REAL)0.5) + 36;
        scale = blend(scale > splat(79), splat(79), blend(scale < splat(0), splat(0), scale));
        store(outputs[0] + x, whole);
        store(outputs[1] + x, 8 * scale + part + 4 - 8 * whole);
    }
    for (long x = 0; x < count; x++) {
        wholes[x] = (int16_t)outputs[0][x];
        tables[x] = (int16_t)outputs[1][x];
    }
}

/* Nonzero if there is no memory. */
int EXPORTED(predict_phase)(const struct phase_task *task)
{
    const long columns = task->right - task->left, num_inputs = WINDOW * task->num_sources;
    const long row = rounded_up(columns + 2) + STRIP;
    long widest = 0;
    for (long l = 0; l < task->depth; l++)
        widest = larger(widest, task->layers[l].outputs);
    REAL *numbers = zeros(2 * widest * STRIP + SOURCE_ROWS * task->num_sources * row);
    const REAL **inputs = malloc((size_t)(num_inputs + 2 * widest) * sizeof *inputs);
    if (!numbers || !inputs) {
        free(numbers), free(inputs);
        return 1;
    }
    REAL **turns[2] = {(REAL **)inputs + num_inputs, (REAL **)inputs + num_inputs + widest};
    REAL *ring = numbers + 2 * widest * STRIP;
    for (long o = 0; o < 2 * widest; o++)
        turns[0][o] = numbers + o * STRIP;
    for (long y = task->top - 1; y <= task->bottom; y++) {
        for (long s = 0; s < task->num_sources; s++)
            read_places(task->sources + s, y, task->left - 1, task->right + 1,
                        ring + ((y + SOURCE_ROWS) % SOURCE_ROWS * task->num_sources + s) * row);
        if (y < task->top + 1)
            continue;
        for (long x = 0; x < columns; x += STRIP) {
            for (long k = 0; k < num_inputs; k++)
                inputs[k] = ring + x + k % 3 +
                            ((y - 2 + k % WINDOW / 3 + SOURCE_ROWS) % SOURCE_ROWS *
                                 task->num_sources + k / WINDOW) * row;
            const REAL *const *below = inputs;
            for (long l = 0; l < task->depth; l++) {
                REAL **out = turns[l % 2];
                apply_layer(task->layers[l], out, below, STRIP);
                if (l < task->depth - 1)
                    activate(out, task->layers[l].outputs, task->scales[l], task->largest);
                below = (const REAL *const *)out;
            }
            const long at = (y - 1 - task->top) * columns + x;
            choose_tables(turns[(task->depth - 1) % 2], smaller(STRIP, columns - x),
                          task->wholes + at, task->tables + at);
        }
    }
    free(numbers), free(inputs);
    return 0;
}

#endif
