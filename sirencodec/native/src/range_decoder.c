/* Range-coded bytes -> symbols and residuals: FORMAT.md, sections 5, 6 and 8, all in integers. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TOTAL_BITS 24
#define LARGEST_RESIDUAL 255
#define NUM_RESIDUALS (2 * LARGEST_RESIDUAL + 1)
#define NUM_TABLES 640
#define SCALES_AN_OCTAVE 6
#define EIGHTHS 8
#define NEAR 3 /* residuals on either side of 0 that are looked at before others */

enum fault { NONE, IMPOSSIBLE, ENDS_EARLY, NO_MEMORY, NOT_CANONICAL };

struct range_decoder {
    const uint8_t *bytes;
    int64_t size, next; /* bytes there are, and taken */
    int64_t by_words;   /* words are little-endian and whole; else bytes go from the top down */
    int64_t may_end;    /* the file was cut off: residuals that need bytes beyond the last are 0 */
    uint64_t lower, range, point;
};

/* The next 32 bits; beyond the end, zeros. */
static uint64_t next_word(struct range_decoder *decoder)
{
    uint64_t word = 0;
    for (int byte = 0; byte < 4; byte++) {
        const int64_t at = decoder->next + byte;
        const uint64_t value = at < decoder->size ? decoder->bytes[at] : 0;
        word |= value << (decoder->by_words ? 8 * byte : 24 - 8 * byte);
    }
    decoder->next += 4;
    return word;
}

void sirencodec_begin_stream(struct range_decoder *decoder)
{
    decoder->next = 0;
    decoder->lower = 0;
    decoder->range = UINT64_MAX;
    decoder->point = next_word(decoder) << 32;
    decoder->point |= next_word(decoder);
}

/* Symbol's interval -> state behind it. */
static inline void narrow(struct range_decoder *decoder, uint64_t scale, uint32_t left,
                          uint32_t right)
{
    decoder->lower += scale * left;
    decoder->range = scale * (right - left);
    if (decoder->range >> 32 == 0) {
        decoder->lower <<= 32;
        decoder->range <<= 32;
        decoder->point = decoder->point << 32 | next_word(decoder);
    }
}

/* The symbol from `low` to `high` - 1 whose interval holds the distance; it is in one of them. */
static inline long search(const uint32_t *cumulative, uint64_t scale, uint64_t distance, long low,
                          long high)
{
    while (high - low > 1) {
        const long middle = low + (high - low) / 2;
        if (distance < scale * cumulative[middle])
            high = middle;
        else
            low = middle;
    }
    return low;
}

static inline int is_impossible(uint64_t scale, uint64_t distance)
{
    return distance >= scale << TOTAL_BITS;
}

/* So many symbols of one table, whose cumulative counts are num_symbols + 1 numbers. */
int sirencodec_decode_symbols(struct range_decoder *decoder, const uint32_t *cumulative,
                              long num_symbols, long count, int32_t *symbols)
{
    for (long i = 0; i < count; i++) {
        const uint64_t scale = decoder->range >> TOTAL_BITS;
        const uint64_t distance = decoder->point - decoder->lower;
        if (is_impossible(scale, distance))
            return IMPOSSIBLE;
        if (decoder->next > decoder->size + 8)
            return ENDS_EARLY;
        const long symbol = search(cumulative, scale, distance, 0, num_symbols);
        narrow(decoder, scale, cumulative[symbol], cumulative[symbol + 1]);
        symbols[i] = (int32_t)symbol;
    }
    return NONE;
}

/* 2^30 * 2^-exponent, the exponent with 16 fractional bits. */
static uint64_t power_of_half(uint64_t exponent, const uint64_t factors[16])
{
    const uint64_t shift = exponent >> 16;
    if (shift > 30)
        return 0;
    uint64_t power = (uint64_t)1 << 30;
    for (int bit = 15; bit >= 0; bit--)
        if (exponent >> bit & 1)
            power = power * factors[bit] >> 30;
    return power >> shift;
}

static uint64_t square_root(uint64_t number)
{
    uint64_t root = 0;
    for (int bit = 31; bit >= 0; bit--) {
        const uint64_t tried = root | (uint64_t)1 << bit;
        if (tried * tried <= number)
            root = tried;
    }
    return root;
}

/* All tables of residuals, as cumulative counts: NUM_TABLES by NUM_RESIDUALS + 1. */
void sirencodec_residual_tables(uint32_t *cumulative)
{
    static const uint64_t rates[SCALES_AN_OCTAVE] = {756387, 673864, 600345,
                                                     534846, 476494, 424508};
    uint64_t factors[16], factor = (uint64_t)1 << 29;
    for (int bit = 15; bit >= 0; bit--)
        factors[bit] = factor = square_root(factor << 30);
    for (long table = 0; table < NUM_TABLES; table++) {
        const long scale = table / EIGHTHS, eighths = table % EIGHTHS;
        const uint64_t rate = rates[scale % SCALES_AN_OCTAVE] >> scale / SCALES_AN_OCTAVE;
        uint32_t *own = cumulative + table * (NUM_RESIDUALS + 1), counts[NUM_RESIDUALS], sum = 0;
        uint64_t below = 0; /* twice the mass beyond an edge, seen from the centre */
        for (long symbol = 0; symbol < NUM_RESIDUALS; symbol++) {
            const long lower = EIGHTHS * (symbol - LARGEST_RESIDUAL) - eighths;
            const long upper = lower + EIGHTHS;
            const uint64_t far = (uint64_t)(upper < 0 ? -upper : upper) * rate;
            const uint64_t above = symbol < NUM_RESIDUALS - 1 ? power_of_half(far, factors) : 0;
            uint64_t weight = above > below ? above - below : below - above;
            if (lower < 0 && upper > 0)
                weight = ((uint64_t)1 << 31) - below - above;
            counts[symbol] =
                1 + (uint32_t)(weight * (((uint64_t)1 << TOTAL_BITS) - NUM_RESIDUALS) >> 31);
            sum += counts[symbol];
            below = above;
        }
        counts[LARGEST_RESIDUAL] += ((uint32_t)1 << TOTAL_BITS) - sum;
        own[0] = 0;
        for (long symbol = 0; symbol < NUM_RESIDUALS; symbol++)
            own[symbol + 1] = own[symbol] + counts[symbol];
    }
}

struct residual_task {
    struct range_decoder *decoder;
    const uint32_t *cumulative; /* all tables */
    int16_t *wholes;            /* of the predictions; samples afterwards */
    const int16_t *tables;
    long rows, columns;
    int32_t *first; /* sample of the first place */
    long row, step; /* distances between samples of neighbouring places */
};

/* A residual of a table; the nearest to 0 are looked at first. */
static inline long find_residual(const uint32_t *cumulative, uint64_t scale, uint64_t distance)
{
    long low = LARGEST_RESIDUAL, high = LARGEST_RESIDUAL + 1;
    if (distance < scale * cumulative[low]) {
        for (high = low; low > LARGEST_RESIDUAL - NEAR;) {
            low--;
            if (distance >= scale * cumulative[low])
                return low;
            high = low;
        }
        return search(cumulative, scale, distance, 0, high);
    }
    for (low = LARGEST_RESIDUAL; high <= LARGEST_RESIDUAL + NEAR; high++) {
        if (distance < scale * cumulative[high])
            return low;
        low = high;
    }
    return search(cumulative, scale, distance, low, NUM_RESIDUALS);
}

/* Predictions of places in an order, all of one table -> samples, in their stead. */
static enum fault decode_places(struct range_decoder *decoder, const uint32_t *cumulative,
                                const uint32_t *place, const uint32_t *end, int16_t *wholes)
{
    for (; place < end; place++) {
        const uint64_t scale = decoder->range >> TOTAL_BITS;
        const uint64_t distance = decoder->point - decoder->lower;
        if (decoder->may_end && decoder->next > decoder->size)
            return NONE;
        if (is_impossible(scale, distance))
            return IMPOSSIBLE;
        if (decoder->next > decoder->size + 8)
            return ENDS_EARLY;
        const long symbol = find_residual(cumulative, scale, distance);
        narrow(decoder, scale, cumulative[symbol], cumulative[symbol + 1]);
        wholes[*place] = (int16_t)(wholes[*place] + symbol - LARGEST_RESIDUAL);
    }
    return NONE;
}

/* Predictions of a phase -> its samples, table by table. */
int sirencodec_decode_residuals(const struct residual_task *task)
{
    const long count = task->rows * task->columns;
    long ends[NUM_TABLES + 1] = {0};
    uint32_t *places = malloc((size_t)(count ? count : 1) * sizeof *places);
    if (!places)
        return NO_MEMORY;
    for (long i = 0; i < count; i++)
        ends[task->tables[i] + 1]++;
    for (long table = 0; table < NUM_TABLES; table++)
        ends[table + 1] += ends[table];
    for (long i = 0; i < count; i++)
        places[ends[task->tables[i]]++] = (uint32_t)i;
    enum fault fault = NONE;
    for (long table = 0; table < NUM_TABLES && !fault; table++)
        fault = decode_places(task->decoder, task->cumulative + table * (NUM_RESIDUALS + 1),
                              places + (table ? ends[table - 1] : 0), places + ends[table],
                              task->wholes);
    for (long y = 0; y < task->rows; y++)
        for (long x = 0; x < task->columns; x++)
            task->first[y * task->row + x * task->step] = task->wholes[y * task->columns + x];
    free(places);
    return fault;
}

/* Whether a stream of words ends as the encoder of its symbols would have ended it. */
static int ends_by_words(const struct range_decoder *decoder)
{
    const int64_t shifted = decoder->next / 4 - 2, words = decoder->size / 4;
    if (shifted == 0 && decoder->range == UINT64_MAX && decoder->lower == 0)
        return words == 0;
    const uint64_t last = (decoder->lower + UINT32_MAX) >> 32;
    const int64_t extra = last == (decoder->lower + decoder->range) >> 32;
    return decoder->point == last << 32 && words == shifted + 1 + extra;
}

/*
 * Whether a stream of bytes ends with the fewest of them, behind those shifted out, that followed by
 * zeros make a number within the last interval, and with the first such number.
 */
static int ends_by_bytes(const struct range_decoder *decoder)
{
    for (int bytes = 0; bytes <= 8; bytes++) {
        const int unused = 64 - 8 * bytes;
        const uint64_t mask = unused == 64 ? UINT64_MAX : ((uint64_t)1 << unused) - 1;
        const uint64_t up = -decoder->lower & mask; /* to the next multiple of 2^unused */
        if (up < decoder->range)
            return decoder->point == decoder->lower + up &&
                   decoder->size == decoder->next - 8 + bytes;
    }
    return 0;
}

int sirencodec_finish_stream(const struct range_decoder *decoder)
{
    return (decoder->by_words ? ends_by_words : ends_by_bytes)(decoder) ? NONE : NOT_CANONICAL;
}
