/*
 * Features -> values of the picture that refinement and network make of them, for a band of rows:
 * what synthesis/refinement.py and synthesis/network.py say. One row after the other goes through
 * everything while it is in the cache; the hidden rows that a convolution sees are kept in a ring
 * of three.
 */

#ifndef SYNTHESIS_H
#define SYNTHESIS_H

#include "elementary.h"
#include "rows.h"

#define RING 3
#define CHUNK 128 /* columns that the network takes at a time */

struct synthesis_task {
    const REAL *features; /* from HALO rows above the band and HALO columns before the first */
    REAL *values;         /* channel by channel, from the band's first row on; or NULL */
    long feature_plane, feature_row; /* distances between planes and rows: room for whole strips */
    long value_plane, value_row;     /* of values, which need no room */
    const REAL *x;                   /* coordinate of every column, with room for whole strips */
    const REAL *y;                   /* of every row of the band */
    long rows, columns;
    long num_features, num_refined;   /* the first ones are refined; 0: none */
    const struct layer *convolutions; /* two, of 3 x 3 inputs a plane */
    const struct layer *layers;
    long depth;
};

struct synthesis_memory {
    long row; /* length of a row */
    REAL *ones, *y;
    REAL **phases[LARGEST_DEPTH];  /* each layer's output before its sine; CHUNK columns */
    REAL **sines[LARGEST_DEPTH];   /* then a row of ones */
    REAL **cosines[LARGEST_DEPTH]; /* or NULL where there is no way back */
    REAL **refined;                /* features of a row */
    REAL *hidden;                  /* ring; its rows begin one pixel before the first */
    const REAL **in;               /* of a product, as many as any has */
    REAL **out;
    REAL *numbers;
    void *pointers;
};

/* Rings hold rows y - 1, y and y + 1, for any y from -3 on. */
INLINE REAL *ring_row(const struct synthesis_memory *memory, REAL *ring, long planes, long plane,
                      long y)
{
    return ring + ((y + RING) % RING * planes + plane) * memory->row;
}

INLINE REAL *take(REAL **memory, long count)
{
    REAL *taken = *memory;
    *memory += count;
    return taken;
}

/* Takes rows from memory, and pointers to them. */
INLINE REAL **take_rows(REAL ***pointers, REAL **memory, long count, long length)
{
    REAL **rows = *pointers;
    for (long row = 0; row < count; row++)
        rows[row] = take(memory, length);
    *pointers += count;
    return rows;
}

INLINE long num_hidden(const struct synthesis_task *task)
{
    return task->num_refined ? task->convolutions[0].outputs : 0;
}

/* Nonzero if there is no memory. */
static int take_synthesis_memory(const struct synthesis_task *task, struct synthesis_memory *memory,
                                 int goes_back)
{
    const long hidden = num_hidden(task), refined = task->num_refined;
    const long row = memory->row = rounded_up(task->columns + 4 * HALO) + CHUNK + STRIP;
    const long most = WINDOW * larger(hidden, task->num_features) + task->num_features + 4;
    long numbers = (2 + refined + RING * hidden) * row, pointers = refined + 2 * most;
    for (long l = 0; l < task->depth; l++) {
        numbers += 3 * task->layers[l].outputs * CHUNK;
        pointers += 3 * task->layers[l].outputs + 1;
    }
    memory->numbers = zeros(numbers);
    memory->pointers = malloc((size_t)pointers * sizeof(REAL *));
    if (!memory->numbers || !memory->pointers)
        return 1;
    REAL *next = memory->numbers, **pointer = memory->pointers;
    memory->ones = take(&next, row);
    memory->y = take(&next, row);
    for (long column = 0; column < row; column++)
        memory->ones[column] = 1;
    memory->refined = take_rows(&pointer, &next, refined, row);
    for (long l = 0; l < task->depth; l++) {
        const long outputs = task->layers[l].outputs;
        memory->sines[l] = take_rows(&pointer, &next, outputs, CHUNK);
        *pointer++ = memory->ones;
        memory->cosines[l] = goes_back ? take_rows(&pointer, &next, outputs, CHUNK) : NULL;
        memory->phases[l] = take_rows(&pointer, &next, outputs, CHUNK);
    }
    memory->hidden = take(&next, RING * hidden * row);
    memory->in = (const REAL **)pointer;
    memory->out = pointer + most;
    return 0;
}

static void free_synthesis_memory(struct synthesis_memory *memory)
{
    free(memory->numbers), free(memory->pointers);
}

/* Row of features around which a window lies, from HALO columns before the first. */
INLINE const REAL *feature_row(const struct synthesis_task *task, long plane, long y)
{
    return task->features + plane * task->feature_plane + (y + HALO) * task->feature_row;
}

/* The windows of features that hidden row y sees, and ones. */
INLINE const REAL *const *feature_windows(const struct synthesis_task *task,
                                          const struct synthesis_memory *memory, long y)
{
    for (long g = 0; g < task->num_features; g++)
        for (long k = 0; k < WINDOW; k++)
            memory->in[g * WINDOW + k] = feature_row(task, g, y + k / 3 - 1) + k % 3;
    memory->in[task->num_features * WINDOW] = memory->ones;
    return memory->in;
}

/* The windows of hidden rows that corrections of row y see, and ones. */
INLINE const REAL *const *hidden_windows(const struct synthesis_task *task,
                                         const struct synthesis_memory *memory, long y)
{
    const long hidden = task->convolutions[0].outputs;
    for (long o = 0; o < hidden; o++)
        for (long k = 0; k < WINDOW; k++)
            memory->in[o * WINDOW + k] =
                ring_row(memory, memory->hidden, hidden, o, y + k / 3 - 1) + k % 3;
    memory->in[hidden * WINDOW] = memory->ones;
    return memory->in;
}

INLINE void hide_row(const struct synthesis_task *task, const struct synthesis_memory *memory,
                     long y)
{
    const long hidden = task->convolutions[0].outputs;
    for (long o = 0; o < hidden; o++)
        memory->out[o] = ring_row(memory, memory->hidden, hidden, o, y);
    apply_layer(task->convolutions[0], memory->out, feature_windows(task, memory, y),
                task->columns + 2);
    for (long o = 0; o < hidden; o++)
        for (long c = 0; c < rounded_up(task->columns + 2); c += LANES) {
            vec value = load(memory->out[o] + c);
            store(memory->out[o] + c, blend(value > splat(0), value, splat(0)));
        }
}

INLINE void refine_row(const struct synthesis_task *task, const struct synthesis_memory *memory,
                       long y)
{
    apply_layer(task->convolutions[1], memory->refined, hidden_windows(task, memory, y),
                task->columns);
    for (long r = 0; r < task->num_refined; r++) {
        const REAL *feature = feature_row(task, r, y) + HALO;
        for (long c = 0; c < rounded_up(task->columns); c += LANES)
            store(memory->refined[r] + c, load(memory->refined[r] + c) + load(feature + c));
    }
}

/* Before the first row. */
INLINE void begin_rows(const struct synthesis_task *task, const struct synthesis_memory *memory)
{
    for (long y = -1; task->num_refined && y < 1; y++)
        hide_row(task, memory, y);
}

/* Rows in their order -> refined features, and the row's coordinate, ready for the network. */
INLINE void prepare_row(const struct synthesis_task *task, const struct synthesis_memory *memory,
                        long y)
{
    if (task->num_refined) {
        hide_row(task, memory, y + 1);
        refine_row(task, memory, y);
    }
    for (long column = 0; column < CHUNK; column++)
        memory->y[column] = task->y[y];
}

/* Chunk of a prepared row -> what the network sees: coordinates, features, and ones. */
INLINE const REAL *const *chunk_points(const struct synthesis_task *task,
                                       const struct synthesis_memory *memory, long y, long start)
{
    const long inputs = task->layers[0].inputs;
    const REAL **points = memory->in;
    points[0] = task->x + start;
    points[1] = memory->y;
    for (long g = 0; g < task->num_features; g++)
        points[inputs - task->num_features + g] =
            start + (g < task->num_refined ? memory->refined[g] : feature_row(task, g, y) + HALO);
    points[inputs] = memory->ones;
    return points;
}

/* Points of a chunk -> the network's output, in the last layer's phases. */
INLINE void evaluate(const struct synthesis_task *task, const struct synthesis_memory *memory,
                     const REAL *const *points, long count)
{
    const REAL *const *below = points;
    for (long l = 0; l < task->depth; l++) {
        apply_layer(task->layers[l], memory->phases[l], below, count);
        for (long o = 0; l < task->depth - 1 && o < task->layers[l].outputs; o++)
            for (long c = 0; c < rounded_up(count); c += LANES) {
                vec sine, cosine;
                sine_and_cosine(load(memory->phases[l][o] + c), &sine, &cosine);
                store(memory->sines[l][o] + c, sine);
                if (memory->cosines[l])
                    store(memory->cosines[l][o] + c, cosine);
            }
        below = (const REAL *const *)memory->sines[l];
    }
}

/* Output of a chunk -> where it is wanted. */
INLINE void keep_values(const struct synthesis_task *task, REAL *const *output, long y, long start,
                        long count)
{
    for (long channel = 0; channel < task->layers[task->depth - 1].outputs; channel++)
        memcpy(task->values + channel * task->value_plane + y * task->value_row + start,
               output[channel], (size_t)count * sizeof(REAL));
}

/* Band -> its values. Nonzero if there is no memory. */
static int synthesis(const struct synthesis_task *task)
{
    struct synthesis_memory memory;
    const int failed = take_synthesis_memory(task, &memory, 0);
    if (!failed) {
        begin_rows(task, &memory);
        for (long y = 0; y < task->rows; y++) {
            prepare_row(task, &memory, y);
            for (long start = 0; start < task->columns; start += CHUNK) {
                const long count = smaller(task->columns - start, CHUNK);
                evaluate(task, &memory, chunk_points(task, &memory, y, start), count);
                keep_values(task, memory.phases[task->depth - 1], y, start, count);
            }
        }
    }
    free_synthesis_memory(&memory);
    return failed;
}

#endif
