/*
 * Latents -> bits under the context model, and their gradient: what rate_torch.py says of a
 * phase, for some rows of a grid's lattice. Rows are taken a strip of columns at a time, so that
 * all activations stay in the first cache; inputs are read where the sources lie.
 */

#ifndef RATE_H
#define RATE_H

#include "elementary.h"
#include "rows.h"

struct rate_task {
    const REAL *sources; /* planes of (lattice + a border of one), the samples' own one last */
    REAL *slopes;        /* along sources, laid out like them, added to; NULL for bits alone */
    REAL *lengths;       /* bits of every lattice point, with room for whole strips; or NULL */
    long plane, row;     /* distance between planes, and between rows */
    long length_row;     /* distance between rows of lengths */
    long num_sources;    /* planes that a prediction sees */
    long top, bottom;    /* rows to take */
    long columns;
    const struct layer *layers; /* in units of the sources */
    long depth;
    REAL weight;             /* of a bit in the loss */
    REAL smallest_log_scale; /* logarithms to base 2 that the tables cover */
    REAL largest_log_scale;
    REAL smallest_probability;
};

/* Distances from centres -> bits; slopes along centres and scales in their place if wanted. */
INLINE vec laplace(const struct rate_task *task, vec sample, REAL *centre, REAL *log_scale,
                   ivec counts)
{
    const REAL log2_of_e = (REAL)M_LOG2E;
    vec scale = load(log_scale), lowest = splat(task->smallest_log_scale);
    vec highest = splat(task->largest_log_scale);
    ivec inside = (scale > lowest) & (scale < highest);
    vec clamped = blend(scale < lowest, lowest, blend(scale > highest, highest, scale));
    vec inverse = power_of_two(-clamped);
    vec offset = sample - load(centre);
    vec near = magnitude(offset) - (REAL)0.5, far = near + 1;
    vec e1 = power_of_two(magnitude(near) * inverse * -log2_of_e);
    vec e2 = power_of_two(far * inverse * -log2_of_e);
    ivec beyond = near < splat(0);
    vec probability = (blend(beyond, -e1, e1) - e2) * (REAL)0.5;
    probability += blend(beyond, splat(1), splat(0)) + task->smallest_probability;
    vec zero = splat(0);
    if (task->slopes) {
        vec factor = inverse * (REAL)(0.5 * log2_of_e) * task->weight / probability;
        vec along = (e1 - e2) * factor;
        vec along_scale = (e2 * far - e1 * near) * factor * (REAL)M_LN2;
        along = blend(offset > zero, -along, blend(offset < zero, along, zero));
        store(centre, blend(counts, along, zero));
        store(log_scale, blend(counts & inside, along_scale, zero));
    }
    return blend(counts, -logarithm_to_base_two(probability), zero);
}

/* Memory of a task: pointers to rows, of which a layer's lie one after the other. */
struct rate_memory {
    REAL **active[LARGEST_DEPTH]; /* each layer's activations, then a row of ones */
    REAL **slopes[LARGEST_DEPTH]; /* of the same shape, along activations; of the last layer none */
    vec *sums[LARGEST_DEPTH];
    const REAL **inputs;
    REAL **input_slopes;
    REAL *numbers;
    void *pointers;
};

static int take_rate_memory(const struct rate_task *task, struct rate_memory *memory)
{
    const long num_inputs = WINDOW * task->num_sources;
    long rows = 1, pointers = 2 * num_inputs + 1, sums = 0;
    for (long l = 0; l < task->depth; l++) {
        rows += 2 * task->layers[l].outputs;
        pointers += 2 * task->layers[l].outputs + 1;
        sums += gradient_size(task->layers[l]);
    }
    memory->numbers = zeros(rows * STRIP + sums);
    memory->pointers = malloc((size_t)pointers * sizeof(REAL *));
    if (!memory->numbers || !memory->pointers)
        return 1;
    REAL *ones = memory->numbers, *next = ones + STRIP, **pointer = memory->pointers;
    for (long column = 0; column < STRIP; column++)
        ones[column] = 1;
    memory->inputs = (const REAL **)pointer;
    memory->inputs[num_inputs] = ones;
    memory->input_slopes = pointer + num_inputs + 1;
    pointer = memory->input_slopes + num_inputs;
    for (long l = 0; l < task->depth; l++) {
        const long outputs = task->layers[l].outputs;
        memory->active[l] = pointer;
        memory->slopes[l] = pointer + outputs + 1;
        for (long o = 0; o < outputs; o++) {
            memory->active[l][o] = next + o * STRIP;
            memory->slopes[l][o] = next + (outputs + o) * STRIP;
        }
        memory->active[l][outputs] = ones;
        pointer += 2 * outputs + 1;
        next += 2 * outputs * STRIP;
    }
    for (long l = 0; l < task->depth; l++) {
        memory->sums[l] = (vec *)next;
        next += gradient_size(task->layers[l]);
    }
    return 0;
}

/* Activations -> rectified. */
INLINE void rectify(REAL *const *rows, long count)
{
    for (long row = 0; row < count; row++)
        for (long c = 0; c < STRIP; c += LANES) {
            vec value = load(rows[row] + c);
            store(rows[row] + c, blend(value > splat(0), value, splat(0)));
        }
}

/* Slopes along rectified activations -> those along what was rectified. */
INLINE void rectify_slopes(REAL *const *slopes, REAL *const *active, long count)
{
    for (long row = 0; row < count; row++)
        for (long c = 0; c < STRIP; c += LANES) {
            ivec passes = load(active[row] + c) > splat(0);
            store(slopes[row] + c, blend(passes, load(slopes[row] + c), splat(0)));
        }
}

/* A strip of lattice points -> where its inputs, and the slopes along them, lie. */
INLINE void point_at_inputs(const struct rate_task *task, struct rate_memory *memory, long y,
                            long x)
{
    for (long source = 0; source < task->num_sources; source++)
        for (long dy = 0; dy < 3; dy++)
            for (long dx = 0; dx < 3; dx++) {
                long offset = source * task->plane + (y + dy) * task->row + x + dx;
                memory->inputs[WINDOW * source + 3 * dy + dx] = task->sources + offset;
                /* By columns, so that no row is added to while its last sums are on the way. */
                if (task->slopes)
                    memory->input_slopes[3 * (dx * task->num_sources + source) + dy] =
                        task->slopes + offset;
            }
}

/* A strip's outputs -> its bits; outputs become their slopes, and the samples' own are added. */
INLINE REAL code_strip(const struct rate_task *task, REAL *const *outputs, long y, long x)
{
    const long own = task->num_sources * task->plane + (y + 1) * task->row + x + 1;
    vec bits = splat(0);
    ivec lane_numbers;
    for (long lane = 0; lane < LANES; lane++)
        lane_numbers[lane] = lane;
    for (long c = 0; c < STRIP; c += LANES) {
        ivec counts = lane_numbers < (ivec){} + (int)(task->columns - x - c);
        vec sample = load(task->sources + own + c);
        vec lengths = laplace(task, sample, outputs[0] + c, outputs[1] + c, counts);
        bits += lengths;
        if (task->lengths)
            store(task->lengths + y * task->length_row + x + c, lengths);
        if (task->slopes) {
            /* Only the distance from the centre counts. */
            REAL *to = task->slopes + own + c;
            store(to, load(to) - load(outputs[0] + c));
        }
    }
    return sum_of_lanes(bits);
}

/* The slopes along a strip's outputs -> those along weights and inputs. */
INLINE void strip_gradient(const struct rate_task *task, const struct rate_memory *memory)
{
    const struct layer *layers = task->layers;
    const long num_inputs = WINDOW * task->num_sources;
    REAL *const *delta = memory->active[task->depth - 1];
    for (long l = task->depth - 1; l >= 0; l--) {
        const REAL *const *slopes = (const REAL *const *)delta;
        const REAL *const *below =
            l ? (const REAL *const *)memory->active[l - 1] : (const REAL *const *)memory->inputs;
        if (layers[l].gradient)
            correlation(memory->sums[l], slopes, layers[l].outputs, below, layers[l].inputs + 1,
                        STRIP);
        if (l) {
            delta = memory->slopes[l - 1];
            product(delta, layers[l].inputs, FROM_ZERO, NULL, transposed(weights_of(layers[l])),
                    slopes, layers[l].outputs, STRIP);
            rectify_slopes(delta, memory->active[l - 1], layers[l].inputs);
            continue;
        }
        for (long dx = 0; dx < 3; dx++) {
            struct matrix part = {layers[0].weights + dx, 3, num_inputs + 1};
            product(memory->input_slopes + dx * num_inputs / 3, num_inputs / 3, FROM_ITSELF, NULL,
                    part, slopes, layers[0].outputs, STRIP);
        }
    }
}

/* Rows of a phase -> bits; NaN if there is no memory. */
static double rate_of_rows(const struct rate_task *task)
{
    struct rate_memory memory;
    double bits = NAN;
    if (!take_rate_memory(task, &memory)) {
        bits = 0;
        for (long y = task->top; y < task->bottom; y++)
            for (long x = 0; x < task->columns; x += STRIP) {
                point_at_inputs(task, &memory, y, x);
                const REAL *const *below = memory.inputs;
                for (long l = 0; l < task->depth; l++) {
                    apply_layer(task->layers[l], memory.active[l], below, STRIP);
                    if (l < task->depth - 1)
                        rectify(memory.active[l], task->layers[l].outputs);
                    below = (const REAL *const *)memory.active[l];
                }
                bits += code_strip(task, memory.active[task->depth - 1], y, x);
                if (task->slopes)
                    strip_gradient(task, &memory);
            }
        for (long l = 0; l < task->depth; l++)
            finish_gradient(task->layers[l], memory.sums[l]);
    }
    free(memory.numbers), free(memory.pointers);
    return bits;
}

/* Tasks -> bits of each. */
static void rate(const struct rate_task *tasks, long count, double *bits)
{
    for (long at = 0; at < count; at++)
        bits[at] = rate_of_rows(tasks + at);
}

#endif
