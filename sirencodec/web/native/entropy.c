/* Streams, and the tables of levels (FORMAT.md, section 6), which Python makes with NumPy. */
#include "range_decoder.c"

#define NUM_SCALES 48
#define ONE ((uint64_t)1 << 30)

enum shape { GAUSSIAN, LOGISTIC, LAPLACE };

static uint64_t density(enum shape shape, uint64_t distance, const uint64_t factors[16])
{
    if (shape == GAUSSIAN)
        return power_of_half((distance * distance >> 16) * 47274 >> 16, factors);
    if (shape == LAPLACE)
        return power_of_half(distance * 133712 >> 16, factors);
    const uint64_t tail = power_of_half(distance * 171493 >> 16, factors);
    return (tail << 30) / ((ONE + tail) * (ONE + tail) >> 30);
}

/* Model -> cumulative counts of its levels, from the lowest: 2 * bound + 2 numbers. */
void sirencodec_level_table(long model, uint32_t *cumulative)
{
    static const uint64_t reciprocals[4] = {8589934592u, 7223199471u, 6074000999u, 5107653328u};
    const long scale = model % NUM_SCALES, bound = 6L << scale / 4;
    const uint64_t reciprocal = reciprocals[scale % 4] >> scale / 4;
    uint64_t factors[16], factor = (uint64_t)1 << 29, sum = 0, total = 0;
    for (int bit = 15; bit >= 0; bit--)
        factors[bit] = factor = square_root(factor << 30);
    for (long i = -bound; i <= bound; i++)
        sum += density(model / NUM_SCALES, (uint64_t)(i < 0 ? -i : i) * reciprocal >> 16, factors);
    const uint64_t spare = ((uint64_t)1 << TOTAL_BITS) - (uint64_t)(2 * bound + 1);
    for (int pass = 0; pass < 2; pass++) {
        const uint64_t left = ((uint64_t)1 << TOTAL_BITS) - total; /* what rounding left over */
        uint64_t count = 0;
        for (long i = -bound; i <= bound; i++) {
            const uint64_t far = (uint64_t)(i < 0 ? -i : i) * reciprocal >> 16;
            cumulative[i + bound] = (uint32_t)count;
            count += 1 + density(model / NUM_SCALES, far, factors) * spare / sum;
            count += pass && i == 0 ? left : 0;
        }
        cumulative[2 * bound + 1] = (uint32_t)count;
        total = count;
    }
}
