/*
 * Features -> squared error of the picture that refinement and network make of them, and its
 * gradient, for a band of rows: what fitting/loss/tile_synthesis.py says of a tile. One row after
 * the other goes forwards, as in synthesis.h, and at once back: from slopes along its values, which
 * are those of the squared error or given, to slopes along layers, convolutions and features.
 */

#ifndef DISTORTION_H
#define DISTORTION_H

#include "synthesis.h"

struct distortion_task {
    struct synthesis_task picture;
    REAL *slopes;        /* along features, laid out like them, added to; NULL for errors alone */
    REAL *slopes_below;  /* of the last 2 HALO rows, on which the next band begins */
    const REAL *targets; /* channel by channel, from the band's first row on */
    const REAL *weights; /* of squared errors, laid out like targets; NULL: all are 1 */
    REAL *errors;        /* weighted squares, summed over channels, like a channel; or NULL */
    const REAL *value_slopes; /* laid out like values: along them, whatever targets are; or NULL */
    long slope_plane, below_plane;           /* distances between planes */
    long target_plane, target_row;           /* with room for whole strips in a row */
    long weight_plane;                       /* 0 if a weight is for all channels */
    long value_slope_plane, value_slope_row; /* no room needed */
};

struct distortion_memory {
    struct synthesis_memory picture;
    /* Rings of rows that begin HALO pixels before the first. */
    REAL *correction_slopes, *hidden_slopes;
    REAL *first_adjoint, *second_adjoint; /* weights by input plane */
    vec *sums[LARGEST_DEPTH], *convolution_sums[2];
    REAL *numbers;
};

/* Nonzero if there is no memory. */
static int take_distortion_memory(const struct distortion_task *task,
                                  struct distortion_memory *memory)
{
    const struct synthesis_task *picture = &task->picture;
    const struct layer *convolutions = picture->convolutions;
    const long features = picture->num_features, refined = picture->num_refined;
    const long hidden = num_hidden(picture);
    const long first_size = WINDOW * hidden * features, second_size = WINDOW * hidden * refined;
    memory->numbers = NULL;
    if (take_synthesis_memory(picture, &memory->picture, task->slopes != NULL))
        return 1;
    const long row = memory->picture.row;
    long numbers = RING * (hidden + refined) * row + first_size + second_size;
    for (long l = 0; l < picture->depth; l++)
        numbers += gradient_size(picture->layers[l]);
    for (long c = 0; c < 2 && refined; c++)
        numbers += gradient_size(convolutions[c]);
    memory->numbers = zeros(numbers);
    if (!memory->numbers)
        return 1;
    REAL *next = memory->numbers;
    memory->hidden_slopes = take(&next, RING * hidden * row);
    memory->correction_slopes = take(&next, RING * refined * row);
    for (long l = 0; l < picture->depth; l++)
        memory->sums[l] = (vec *)take(&next, gradient_size(picture->layers[l]));
    for (long c = 0; c < 2 && refined; c++)
        memory->convolution_sums[c] = (vec *)take(&next, gradient_size(convolutions[c]));
    memory->first_adjoint = take(&next, first_size);
    memory->second_adjoint = take(&next, second_size);
    for (long o = 0; o < hidden; o++)
        for (long k = 0; k < WINDOW; k++) {
            for (long g = 0; g < features; g++)
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

/* Where the slopes along row y of a feature are added up, from HALO columns before the first. */
INLINE REAL *slope_row(const struct distortion_task *task, long plane, long y)
{
    const long row = y + HALO, below = row - task->picture.rows, width = task->picture.feature_row;
    return below < 0 ? task->slopes + plane * task->slope_plane + row * width
                     : task->slopes_below + plane * task->below_plane + below * width;
}

/* The rows of a ring of slopes from which those of row y come, by the adjoint of a convolution. */
INLINE const REAL *const *slope_windows(const struct synthesis_memory *memory, REAL *ring,
                                        long planes, long y)
{
    for (long plane = 0; plane < planes; plane++)
        for (long k = 0; k < WINDOW; k++)
            memory->in[plane * WINDOW + k] =
                ring_row(memory, ring, planes, plane, y + 1 - k / 3) + 2 - k % 3;
    return memory->in;
}

/* Output -> (weighted) squared error; the output becomes the slope along it. */
INLINE double compare(const struct distortion_task *task, REAL *const *output, long y, long start,
                      long count, const int is_weighted)
{
    ivec lane_numbers;
    for (long lane = 0; lane < LANES; lane++)
        lane_numbers[lane] = lane;
    const long channels = task->picture.layers[task->picture.depth - 1].outputs;
    const long place = y * task->target_row + start;
    vec total = splat(0);
    for (long c = 0; c < rounded_up(count); c += LANES) {
        ivec counts = lane_numbers < (ivec){} + (int)(count - c);
        vec error = splat(0);
        for (long channel = 0; channel < channels; channel++) {
            const REAL *target = task->targets + channel * task->target_plane + place;
            vec difference = load(output[channel] + c) - load(target + c);
            difference = blend(counts, difference, splat(0));
            vec slope = difference;
            if (is_weighted)
                slope *= load(task->weights + channel * task->weight_plane + place + c);
            error += slope * difference;
            store(output[channel] + c, 2 * slope);
        }
        if (task->errors)
            store(task->errors + place + c, error);
        total += error;
    }
    return sum_of_lanes(total);
}

/* The output becomes the slope along it that was given, zero where no pixel is. */
INLINE void take_value_slopes(const struct distortion_task *task, REAL *const *output, long y,
                              long start, long count)
{
    const long place = y * task->value_slope_row + start;
    for (long channel = 0; channel < task->picture.layers[task->picture.depth - 1].outputs;
         channel++) {
        memset(output[channel], 0, (size_t)rounded_up(count) * sizeof(REAL));
        memcpy(output[channel], task->value_slopes + channel * task->value_slope_plane + place,
               (size_t)count * sizeof(REAL));
    }
}

/* Slopes along a chunk's output -> those along layers, features and their corrections. */
INLINE void backpropagate(const struct distortion_task *task,
                          const struct distortion_memory *memory, const REAL *const *points, long y,
                          long start, long count)
{
    const struct synthesis_memory *forward = &memory->picture;
    const struct layer *layers = task->picture.layers;
    const long features = task->picture.num_features, refined = task->picture.num_refined;
    for (long l = task->picture.depth - 1; l >= 0; l--) {
        const REAL *const *slopes = (const REAL *const *)forward->phases[l];
        const REAL *const *below = l ? (const REAL *const *)forward->sines[l - 1] : points;
        correlation(memory->sums[l], slopes, layers[l].outputs, below, layers[l].inputs + 1, count);
        if (!l)
            break;
        product(forward->phases[l - 1], layers[l].inputs, FROM_ZERO, NULL,
                transposed(weights_of(layers[l])), slopes, layers[l].outputs, count);
        for (long o = 0; o < layers[l].inputs; o++)
            for (long c = 0; c < rounded_up(count); c += LANES) {
                vec slope = load(forward->phases[l - 1][o] + c);
                store(forward->phases[l - 1][o] + c, slope * load(forward->cosines[l - 1][o] + c));
            }
    }
    struct matrix along = transposed(weights_of(layers[0]));
    along.first += layers[0].inputs - features; /* features come last */
    const REAL *const *slopes = (const REAL *const *)forward->phases[0];
    for (long g = 0; g < features; g++)
        forward->out[g] = slope_row(task, g, y) + HALO + start;
    product(forward->out, features, FROM_ITSELF, NULL, along, slopes, layers[0].outputs, count);
    for (long r = 0; r < refined; r++)
        forward->out[r] =
            ring_row(forward, memory->correction_slopes, refined, r, y) + HALO + start;
    product(forward->out, refined, FROM_ZERO, NULL, along, slopes, layers[0].outputs, count);
}

/* Prepared row -> its squared error; leaves slopes along features and their corrections. */
INLINE double compare_row(const struct distortion_task *task,
                          const struct distortion_memory *memory, long y)
{
    const struct synthesis_task *picture = &task->picture;
    REAL *const *output = memory->picture.phases[picture->depth - 1];
    double error = 0;
    for (long start = 0; start < picture->columns; start += CHUNK) {
        const long count = smaller(picture->columns - start, CHUNK);
        const REAL *const *points = chunk_points(picture, &memory->picture, y, start);
        evaluate(picture, &memory->picture, points, count);
        if (picture->values)
            keep_values(picture, output, y, start, count);
        if (task->value_slopes)
            take_value_slopes(task, output, y, start, count);
        else if (task->weights)
            error += compare(task, output, y, start, count, 1);
        else
            error += compare(task, output, y, start, count, 0);
        if (task->slopes)
            backpropagate(task, memory, points, y, start, count);
    }
    return error;
}

INLINE void clear_ring_row(const struct synthesis_memory *memory, REAL *ring, long planes, long y)
{
    memset(ring_row(memory, ring, planes, 0, y), 0, (size_t)(planes * memory->row) * sizeof(REAL));
}

/* Slopes along the corrections of rows y - 2 to y -> along hidden row y - 1, and both matrices. */
INLINE void slopes_of_hidden(const struct synthesis_task *picture,
                             const struct distortion_memory *memory, long y)
{
    const struct synthesis_memory *forward = &memory->picture;
    const long hidden = num_hidden(picture), refined = picture->num_refined;
    const long columns = picture->columns + 2;
    if (y < picture->rows) {
        for (long r = 0; r < refined; r++)
            forward->out[r] = ring_row(forward, memory->correction_slopes, refined, r, y) + HALO;
        correlation(memory->convolution_sums[1], (const REAL *const *)forward->out, refined,
                    hidden_windows(picture, forward, y), hidden * WINDOW + 1, picture->columns);
    }
    clear_ring_row(forward, memory->hidden_slopes, hidden, y - 1);
    if (y - 1 > picture->rows)
        return;
    for (long o = 0; o < hidden; o++)
        forward->out[o] = ring_row(forward, memory->hidden_slopes, hidden, o, y - 1) + HALO;
    const struct matrix weights = {memory->second_adjoint, refined * WINDOW, 1};
    product(forward->out, hidden, FROM_ZERO, NULL, weights,
            slope_windows(forward, memory->correction_slopes, refined, y - 1), refined * WINDOW,
            columns);
    for (long o = 0; o < hidden; o++) {
        const REAL *value = ring_row(forward, forward->hidden, hidden, o, y - 1);
        for (long c = 0; c < rounded_up(columns); c += LANES) {
            ivec passes = load(value + c) > splat(0);
            store(forward->out[o] + c, blend(passes, load(forward->out[o] + c), splat(0)));
        }
    }
    correlation(memory->convolution_sums[0], (const REAL *const *)forward->out, hidden,
                feature_windows(picture, forward, y - 1), picture->num_features * WINDOW + 1,
                columns);
}

/* Slopes along hidden rows y - 3 to y - 1 -> along features of row y - 2. */
INLINE void slopes_of_features(const struct distortion_task *task,
                               const struct distortion_memory *memory, long y)
{
    const struct synthesis_memory *forward = &memory->picture;
    const long hidden = num_hidden(&task->picture), features = task->picture.num_features;
    for (long g = 0; g < features; g++)
        forward->out[g] = slope_row(task, g, y - HALO);
    const struct matrix weights = {memory->first_adjoint, hidden * WINDOW, 1};
    product(forward->out, features, FROM_ITSELF, NULL, weights,
            slope_windows(forward, memory->hidden_slopes, hidden, y - 2), hidden * WINDOW,
            task->picture.columns + 2 * HALO);
}

/* All rows, forwards and back -> sum of squared errors. */
INLINE double compare_rows(const struct distortion_task *task,
                           const struct distortion_memory *memory)
{
    const struct synthesis_task *picture = &task->picture;
    const int goes_back = picture->num_refined && task->slopes;
    double error = 0;
    begin_rows(picture, &memory->picture);
    /* The last slopes along the refinement are of rows beyond the band. */
    for (long y = 0; y < picture->rows + (goes_back ? 2 * HALO : 0); y++) {
        if (y < picture->rows) {
            prepare_row(picture, &memory->picture, y);
            error += compare_row(task, memory, y);
        } else {
            clear_ring_row(&memory->picture, memory->correction_slopes, picture->num_refined, y);
        }
        if (goes_back) {
            slopes_of_hidden(picture, memory, y);
            slopes_of_features(task, memory, y);
        }
    }
    return error;
}

/* Band -> sum of squared errors, 0 where slopes along values are given; NaN without memory. */
static double distortion(const struct distortion_task *task)
{
    const struct synthesis_task *picture = &task->picture;
    struct distortion_memory memory;
    double error = NAN;
    if (!take_distortion_memory(task, &memory)) {
        error = compare_rows(task, &memory);
        for (long l = 0; l < picture->depth; l++)
            finish_gradient(picture->layers[l], memory.sums[l]);
        for (long c = 0; picture->num_refined && c < 2; c++)
            finish_gradient(picture->convolutions[c], memory.convolution_sums[c]);
    }
    free_synthesis_memory(&memory.picture), free(memory.numbers);
    return error;
}

#endif
