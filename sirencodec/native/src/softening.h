/* Latents -> softly rounded ones with noise in between, and the slope: what soft_round.py says. */

#ifndef SOFTENING_H
#define SOFTENING_H

#include "elementary.h"

struct softening_task {
    const REAL *values, *noise;
    REAL *softened, *slope;
    long count;
    REAL temperature;
    REAL amplitude; /* of the noise */
};

/* Values -> softly rounded; multiplies the slope by its own. */
INLINE vec soft_round(vec values, REAL temperature, vec *slope)
{
    const REAL height = (REAL)0.5 / (REAL)tanh(0.5 / (double)temperature);
    vec whole = __builtin_convertvector(__builtin_convertvector(values, ivec), vec);
    vec floor = whole - blend(whole > values, splat(1), splat(0));
    vec position = (values - floor - (REAL)0.5) / temperature;
    vec curve = 1 - 2 / (1 + power_of_two(position * (REAL)(2 * M_LOG2E)));
    *slope *= (1 - curve * curve) * (height / temperature);
    return floor + (REAL)0.5 + curve * height;
}

/* As many values as there are lanes, at most, from `at` on. */
INLINE void soften_some(const struct softening_task *task, long at, long count)
{
    const size_t bytes = (size_t)count * sizeof(REAL);
    REAL values[LANES], noise[LANES];
    memset(values, 0, sizeof values), memset(noise, 0, sizeof noise);
    memcpy(values, task->values + at, bytes), memcpy(noise, task->noise + at, bytes);
    vec slope = splat(1);
    vec once = soft_round(load(values), task->temperature, &slope);
    vec twice = soft_round(once + load(noise) * task->amplitude, task->temperature, &slope);
    memcpy(task->softened + at, &twice, bytes), memcpy(task->slope + at, &slope, bytes);
}

static void soften(const struct softening_task *task)
{
    long at = 0;
    for (; at + LANES <= task->count; at += LANES)
        soften_some(task, at, LANES);
    if (at < task->count)
        soften_some(task, at, task->count - at);
}

#endif
