/*
 * Features -> squared error of the image that refinement and network make of them, and its
 * gradient: what tile_gradient.py says, for a band of rows. One row after the other goes through
 * everything, forwards and backwards, while it is in the cache; the neighbouring rows that
 * convolutions need are kept in rings of three.
 */

#ifndef DISTORTION_H
#define DISTORTION_H

#include "elementary.h"
#include "rows.h"

#define HALO 2
#define RING 3
#define CHUNK 128 /* columns that the network takes at a time */

struct distortion_task {
    const REAL *features; /* from HALO rows above the band and HALO columns before the first */
    REAL *slopes;         /* likewise, added to; NULL for errors alone */
    REAL *slopes_below;   /* of the last 2 HALO rows, on which the next band begins */
    const REAL *targets;  /* channel by channel, from the band's first row on */
    REAL *errors;         /* squared, summed over channels, laid out like a channel; or NULL */
    long feature_plane, slope_plane, below_plane, target_plane; /* distances between planes */
    long feature_row, target_row; /* between rows: with room for whole strips */
    const REAL *x;                /* coordinate of every column, likewise */
    const REAL *y;                /* of every row of the band */
    long rows, columns;
    long num_features, num_refined;   /* the first ones are refined; 0: none */
    const struct layer *convolutions; /* two, of 3 x 3 inputs a plane */
    const struct layer *layers;
    long depth;
};

struct distortion_memory {
    long row; /* length of a row */
    REAL *ones, *y;
    REAL **sines[LARGEST_DEPTH]; /* each layer's, then a row of ones; CHUNK columns */
    REAL **cosines[LARGEST_DEPTH];
    REAL **phases[LARGEST_DEPTH]; /* and then the slopes along them */
    REAL **refined;               /* features of a row */
    vec *sums[LARGEST_DEPTH];
    const REAL **in; /* of a product, as many as any has */
    REAL **out;
    /* Of the refinement. Hidden rows begin one pixel before the first, slopes two further on. */
    REAL *hidden, *correction_slopes, *hidden_slopes; /* rings */
    REAL *first_adjoint, *second_adjoint;             /* weights by input plane */
    vec *convolution_sums[2];
    REAL *numbers;
    void *pointers;
};

/* Rings are of rows y - 1, y and y + 1, for any y from -3 on. */
INLINE REAL *ring_row(const struct distortion_memory *memory, REAL *ring, long planes, long plane,
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

static int take_distortion_memory(const struct distortion_task *task,
                                  struct distortion_memory *memory)
{
    const struct layer *convolutions = task->convolutions;
    const long refined = task->num_refined, hidden = refined ? convolutions[0].outputs : 0;
    const long row = memory->row = rounded_up(task->columns + 4 * HALO) + CHUNK + STRIP;
    const long adjoint = WINDOW * hidden * task->num_features,
               second_adjoint = WINDOW * hidden * refined;
    long numbers = (2 + refined) * row + RING * (2 * hidden + refined) * row;
    long pointers =
        refined + 2 * (WINDOW * larger(hidden, task->num_features) + task->num_features + 4);
    numbers += adjoint + second_adjoint;
    for (long l = 0; l < task->depth; l++) {
        numbers += 3 * task->layers[l].outputs * CHUNK + gradient_size(task->layers[l]);
        pointers += 3 * task->layers[l].outputs + 1;
    }
    for (long c = 0; c < 2 && refined; c++)
        numbers += gradient_size(convolutions[c]);
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
        memory->cosines[l] = take_rows(&pointer, &next, outputs, CHUNK);
        memory->phases[l] = take_rows(&pointer, &next, outputs, CHUNK);
        memory->sums[l] = (vec *)take(&next, gradient_size(task->layers[l]));
    }
    memory->hidden = take(&next, RING * hidden * row);
    memory->hidden_slopes = take(&next, RING * hidden * row);
    memory->correction_slopes = take(&next, RING * refined * row);
    memory->first_adjoint = take(&next, adjoint);
    memory->second_adjoint = take(&next, second_adjoint);
    for (long c = 0; c < 2 && refined; c++)
        memory->convolution_sums[c] = (vec *)take(&next, gradient_size(convolutions[c]));
    const long most = WINDOW * larger(hidden, task->num_features) + task->num_features + 4;
    memory->in = (const REAL **)pointer;
    memory->out = pointer + most;
    for (long o = 0; o < hidden; o++)
        for (long k = 0; k < WINDOW; k++) {
            for (long g = 0; g < task->num_features; g++)
                memory->first_adjoint[(g * hidden + o) * WINDOW + k] =
                    weights_of(convolutions[0])
                        .first[o * (convolutions[0].inputs + 1) + g * WINDOW + k];
            for (long r = 0; r < refined; r++)
                memory->second_adjoint[(o * refined + r) * WINDOW + k] =
                    weights_of(convolutions[1])
                        .first[r * (convolutions[1].inputs + 1) + o * WINDOW + k];
        }
    return 0;
}

/* Row of features around which a window lies, from HALO columns before the first. */
INLINE const REAL *feature_row(const struct distortion_task *task, long plane, long y)
{
    return task->features + plane * task->feature_plane + (y + HALO) * task->feature_row;
}

/* Where the slopes along row y of a feature are added up, likewise. */
INLINE REAL *slope_row(const struct distortion_task *task, long plane, long y)
{
    const long row = y + HALO, below = row - task->rows;
    return below < 0 ? task->slopes + plane * task->slope_plane + row * task->feature_row
                     : task->slopes_below + plane * task->below_plane + below * task->feature_row;
}

/* The windows of features that hidden row y sees, and ones. */
INLINE const REAL *const *feature_windows(const struct distortion_task *task,
                                          const struct distortion_memory *memory, long y)
{
    for (long g = 0; g < task->num_features; g++)
        for (long k = 0; k < WINDOW; k++)
            memory->in[g * WINDOW + k] = feature_row(task, g, y + k / 3 - 1) + k % 3;
    memory->in[task->num_features * WINDOW] = memory->ones;
    return memory->in;
}

/* The windows of hidden rows that corrections of row y see, and ones. */
INLINE const REAL *const *hidden_windows(const struct distortion_task *task,
                                         const struct distortion_memory *memory, long y)
{
    const long hidden = task->convolutions[0].outputs;
    for (long o = 0; o < hidden; o++)
        for (long k = 0; k < WINDOW; k++)
            memory->in[o * WINDOW + k] =
                ring_row(memory, memory->hidden, hidden, o, y + k / 3 - 1) + k % 3;
    memory->in[hidden * WINDOW] = memory->ones;
    return memory->in;
}

/* The rows of a ring of slopes from which those of row y come, by the adjoint of a convolution. */
INLINE const REAL *const *slope_windows(const struct distortion_memory *memory, REAL *ring,
                                        long planes, long y)
{
    for (long plane = 0; plane < planes; plane++)
        for (long k = 0; k < WINDOW; k++)
            memory->in[plane * WINDOW + k] =
                ring_row(memory, ring, planes, plane, y + 1 - k / 3) + 2 - k % 3;
    return memory->in;
}

INLINE void hide_row(const struct distortion_task *task, const struct distortion_memory *memory,
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

INLINE void refine_row(const struct distortion_task *task, const struct distortion_memory *memory,
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

/* Points of a chunk -> the network's output, in the last layer's phases. */
INLINE void evaluate(const struct distortion_task *task, const struct distortion_memory *memory,
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
                store(memory->cosines[l][o] + c, cosine);
            }
        below = (const REAL *const *)memory->sines[l];
    }
}

/* Output -> squared error; the output becomes the slope along it. */
INLINE double compare(const struct distortion_task *task, REAL *const *output, long y, long start,
                      long count)
{
    ivec lane_numbers;
    for (long lane = 0; lane < LANES; lane++)
        lane_numbers[lane] = lane;
    const long channels = task->layers[task->depth - 1].outputs;
    const long place = y * task->target_row + start;
    vec total = splat(0);
    for (long c = 0; c < rounded_up(count); c += LANES) {
        ivec counts = lane_numbers < (ivec){} + (int)(count - c);
        vec error = splat(0);
        for (long channel = 0; channel < channels; channel++) {
            const REAL *target = task->targets + channel * task->target_plane + place;
            vec difference = load(output[channel] + c) - load(target + c);
            difference = blend(counts, difference, splat(0));
            error += difference * difference;
            store(output[channel] + c, 2 * difference);
        }
        if (task->errors)
            store(task->errors + place + c, error);
        total += error;
    }
    return sum_of_lanes(total);
}

/* Slopes along a chunk's output -> those along layers and features. */
INLINE void backpropagate(const struct distortion_task *task,
                          const struct distortion_memory *memory, const REAL *const *points, long y,
                          long start, long count)
{
    const struct layer *layers = task->layers;
    for (long l = task->depth - 1; l >= 0; l--) {
        const REAL *const *slopes = (const REAL *const *)memory->phases[l];
        const REAL *const *below = l ? (const REAL *const *)memory->sines[l - 1] : points;
        correlation(memory->sums[l], slopes, layers[l].outputs, below, layers[l].inputs + 1, count);
        if (!l)
            break;
        product(memory->phases[l - 1], layers[l].inputs, FROM_ZERO, NULL,
                transposed(weights_of(layers[l])), slopes, layers[l].outputs, count);
        for (long o = 0; o < layers[l].inputs; o++)
            for (long c = 0; c < rounded_up(count); c += LANES) {
                vec slope = load(memory->phases[l - 1][o] + c);
                store(memory->phases[l - 1][o] + c, slope * load(memory->cosines[l - 1][o] + c));
            }
    }
    struct matrix along = transposed(weights_of(layers[0]));
    along.first += layers[0].inputs - task->num_features; /* features come last */
    const REAL *const *slopes = (const REAL *const *)memory->phases[0];
    for (long g = 0; g < task->num_features; g++)
        memory->out[g] = slope_row(task, g, y) + HALO + start;
    product(memory->out, task->num_features, FROM_ITSELF, NULL, along, slopes, layers[0].outputs,
            count);
    for (long r = 0; r < task->num_refined; r++)
        memory->out[r] =
            ring_row(memory, memory->correction_slopes, task->num_refined, r, y) + 2 + start;
    product(memory->out, task->num_refined, FROM_ZERO, NULL, along, slopes, layers[0].outputs,
            count);
}

/* Row of features -> its squared error; leaves slopes along features and their corrections. */
INLINE double compare_row(const struct distortion_task *task,
                          const struct distortion_memory *memory, long y)
{
    double error = 0;
    for (long column = 0; column < CHUNK; column++)
        memory->y[column] = task->y[y];
    for (long start = 0; start < task->columns; start += CHUNK) {
        const long count = smaller(task->columns - start, CHUNK), inputs = task->layers[0].inputs;
        const REAL **points = memory->in;
        points[0] = task->x + start;
        points[1] = memory->y;
        for (long g = 0; g < task->num_features; g++)
            points[inputs - task->num_features + g] =
                start +
                (g < task->num_refined ? memory->refined[g] : feature_row(task, g, y) + HALO);
        points[inputs] = memory->ones;
        evaluate(task, memory, points, count);
        error += compare(task, memory->phases[task->depth - 1], y, start, count);
        if (task->slopes)
            backpropagate(task, memory, points, y, start, count);
    }
    return error;
}

INLINE void clear_ring_row(const struct distortion_memory *memory, REAL *ring, long planes, long y)
{
    memset(ring_row(memory, ring, planes, 0, y), 0, (size_t)(planes * memory->row) * sizeof(REAL));
}

/* Slopes along the corrections of rows y - 2 to y -> along hidden row y - 1, and both matrices. */
INLINE void slopes_of_hidden(const struct distortion_task *task,
                             const struct distortion_memory *memory, long y)
{
    const long hidden = task->convolutions[0].outputs, refined = task->num_refined;
    const long columns = task->columns + 2;
    if (y < task->rows) {
        for (long r = 0; r < refined; r++)
            memory->out[r] = ring_row(memory, memory->correction_slopes, refined, r, y) + 2;
        correlation(memory->convolution_sums[1], (const REAL *const *)memory->out, refined,
                    hidden_windows(task, memory, y), hidden * WINDOW + 1, task->columns);
    }
    clear_ring_row(memory, memory->hidden_slopes, hidden, y - 1);
    if (y - 1 > task->rows)
        return;
    for (long o = 0; o < hidden; o++)
        memory->out[o] = ring_row(memory, memory->hidden_slopes, hidden, o, y - 1) + 2;
    const struct matrix weights = {memory->second_adjoint, refined * WINDOW, 1};
    product(memory->out, hidden, FROM_ZERO, NULL, weights,
            slope_windows(memory, memory->correction_slopes, refined, y - 1), refined * WINDOW,
            columns);
    for (long o = 0; o < hidden; o++) {
        const REAL *value = ring_row(memory, memory->hidden, hidden, o, y - 1);
        for (long c = 0; c < rounded_up(columns); c += LANES) {
            ivec passes = load(value + c) > splat(0);
            store(memory->out[o] + c, blend(passes, load(memory->out[o] + c), splat(0)));
        }
    }
    correlation(memory->convolution_sums[0], (const REAL *const *)memory->out, hidden,
                feature_windows(task, memory, y - 1), task->num_features * WINDOW + 1, columns);
}

/* Slopes along hidden rows y - 3 to y - 1 -> along features of row y - 2. */
INLINE void slopes_of_features(const struct distortion_task *task,
                               const struct distortion_memory *memory, long y)
{
    const long hidden = task->convolutions[0].outputs;
    for (long g = 0; g < task->num_features; g++)
        memory->out[g] = slope_row(task, g, y - HALO);
    const struct matrix weights = {memory->first_adjoint, hidden * WINDOW, 1};
    product(memory->out, task->num_features, FROM_ITSELF, NULL, weights,
            slope_windows(memory, memory->hidden_slopes, hidden, y - 2), hidden * WINDOW,
            task->columns + 2 * HALO);
}

/* Band -> sum of squared errors; NaN if there is no memory. */
static double distortion(const struct distortion_task *task)
{
    struct distortion_memory memory;
    double error = NAN;
    if (!take_distortion_memory(task, &memory)) {
        const int refines = task->num_refined > 0, goes_back = refines && task->slopes;
        error = 0;
        for (long y = -1; refines && y < 1; y++)
            hide_row(task, &memory, y);
        /* The last slopes along the refinement are of rows beyond the band. */
        for (long y = 0; y < task->rows + (goes_back ? 2 * HALO : 0); y++) {
            if (y < task->rows) {
                if (refines) {
                    hide_row(task, &memory, y + 1);
                    refine_row(task, &memory, y);
                }
                error += compare_row(task, &memory, y);
            } else {
                clear_ring_row(&memory, memory.correction_slopes, task->num_refined, y);
            }
            if (goes_back) {
                slopes_of_hidden(task, &memory, y);
                slopes_of_features(task, &memory, y);
            }
        }
        for (long l = 0; l < task->depth; l++)
            finish_gradient(task->layers[l], memory.sums[l]);
        for (long c = 0; refines && c < 2; c++)
            finish_gradient(task->convolutions[c], memory.convolution_sums[c]);
    }
    free(memory.numbers), free(memory.pointers);
    return error;
}

#endif
