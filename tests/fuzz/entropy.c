/*
 * Fuzz target of entropy decoding: `make fuzz`. The first byte of an input chooses the part, the rest
 * is what a file could hand it: streams and predictions to the range decoder, latents and weights to
 * predictions. Vectors are the widest there are, so that loops touch the most beyond their rows.
 */

#define REAL double
#define DOUBLE_PRECISION
#define VECTOR_BYTES 64
#define SUFFIX _fuzzed
#include "../../sirencodec/native/src/exactly_rounded.h"

#include "../../sirencodec/native/src/prediction.h"

#undef EIGHTHS
#include "../../sirencodec/native/src/range_decoder.c"

#include "input.h"

#define ROWS 9
#define COLUMNS 9
#define MOST_COLUMNS 150 /* more than two strips of a prediction */
#define MOST_SOURCES 5
#define MOST_LAYERS 3
#define MOST_SYMBOLS 40

/* Rising counts of a table of levels, as from FORMAT.md, section 6: from 0 to 2^24, none equal. */
static long take_table(struct input *input, uint32_t *cumulative)
{
    const long symbols = take_range(input, 1, MOST_SYMBOLS);
    cumulative[0] = 0;
    for (long s = 1; s < symbols; s++) {
        const uint32_t room = (1u << TOTAL_BITS) - cumulative[s - 1] - (uint32_t)(symbols - s);
        const uint32_t wanted = 1 + (take_bytes(input, 1) << take_range(input, 0, 16));
        cumulative[s] = cumulative[s - 1] + (wanted < room ? wanted : 1);
    }
    cumulative[symbols] = 1u << TOTAL_BITS;
    return symbols;
}

static int decode_levels(struct input *input, struct range_decoder *decoder)
{
    uint32_t cumulative[MOST_SYMBOLS + 1];
    const long symbols = take_table(input, cumulative), count = take_range(input, 0, 60);
    int32_t *levels = malloc((size_t)(count ? count : 1) * sizeof *levels);
    const int fault = sirencodec_decode_symbols(decoder, cumulative, symbols, count, levels);
    for (long i = 0; i < count && !fault; i++)
        if (levels[i] < 0 || levels[i] >= symbols)
            abort();
    free(levels);
    return fault;
}

static int decode_phase(struct input *input, struct range_decoder *decoder, const uint32_t *tables)
{
    const long rows = take_range(input, 0, ROWS), columns = take_range(input, 1, COLUMNS);
    const long step = take_range(input, 1, 2), row = columns * step, count = rows * columns;
    int16_t *wholes = malloc(2 * (size_t)(count ? count : 1));
    int16_t *chosen = malloc(2 * (size_t)(count ? count : 1));
    for (long i = 0; i < count; i++) {
        wholes[i] = (int16_t)(take_range(input, 0, 9) ? take_range(input, -3, 3)
                                                      : take_range(input, -512, 512));
        chosen[i] = (int16_t)(i % 3 ? chosen[i - 1] : take_range(input, 0, NUM_TABLES - 1));
    }
    int32_t *samples = malloc((size_t)(count ? rows * row : 1) * sizeof *samples);
    struct residual_task task = {decoder, tables,  wholes, chosen, rows,
                                 columns, samples, row,    step};
    const int fault = sirencodec_decode_residuals(&task);
    for (long y = 0; y < rows && !fault; y++)
        for (long x = 0; x < columns; x++)
            if (labs(samples[y * row + x * step]) > 512 + LARGEST_RESIDUAL)
                abort();
    free(wholes), free(chosen), free(samples);
    return fault;
}

static void fuzz_streams(struct input *input)
{
    static uint32_t tables[NUM_TABLES * (NUM_RESIDUALS + 1)];
    if (!tables[1])
        sirencodec_residual_tables(tables);
    const uint32_t flags = take_bytes(input, 1);
    const size_t wanted = (size_t)take_range(input, 0, 255);
    const size_t size = wanted < input->left ? wanted : input->left;
    uint8_t *stream = malloc(size ? size : 1); /* its end is guarded */
    memcpy(stream, input->at, size);
    input->at += size, input->left -= size;
    struct range_decoder decoder = {0};
    decoder.by_words = flags & 1;
    decoder.may_end = flags >> 1 & 1;
    decoder.bytes = stream;
    decoder.size = (int64_t)size;
    sirencodec_begin_stream(&decoder);
    int fault = NONE;
    for (uint32_t parts = flags >> 2 & 7; parts && !fault; parts--)
        fault = take_bytes(input, 1) % 3 ? decode_phase(input, &decoder, tables)
                                         : decode_levels(input, &decoder);
    if (!fault)
        sirencodec_finish_stream(&decoder);
    free(stream);
}

/* A grid, or a phase of one, of which some places are known. */
static struct latent_source take_source(struct input *input)
{
    const long rows = take_range(input, 1, ROWS);
    const long columns = take_side(input, 1, COLUMNS, MOST_COLUMNS);
    const long step = take_range(input, 1, 2), shift = take_range(input, 0, 1);
    const long down = ((rows - 1) / step + 1) << shift, across = ((columns - 1) / step + 1) << shift;
    const long top = take_range(input, 0, down), left = take_range(input, 0, across);
    const int32_t *grid = take_latents(input, rows * columns);
    return (struct latent_source){grid, columns * step, step, shift, top,
                                  take_range(input, top, down), left,
                                  take_range(input, left, across)};
}

static void fuzz_predictions(struct input *input)
{
    struct latent_source sources[MOST_SOURCES];
    const long count = take_range(input, 1, MOST_SOURCES), depth = take_range(input, 1, MOST_LAYERS);
    const long top = take_range(input, 0, 3), left = take_range(input, 0, 3);
    const long bottom = take_range(input, top, top + ROWS);
    const long right = left + take_side(input, 1, COLUMNS, MOST_COLUMNS);
    REAL palette[PALETTE]; /* within 2^26, as weights are */
    for (long i = 0; i < PALETTE; i++)
        palette[i] = (double)(take_range(input, -32768, 32767) * (1L << take_range(input, 0, 11)));
    struct layer layers[MOST_LAYERS];
    long inputs = WINDOW * count;
    for (long l = 0; l < depth; l++) {
        const long outputs = l == depth - 1 ? 2 : take_range(input, 1, 25);
        layers[l] = (struct layer){take_numbers(input, outputs * (inputs + 1), palette), NULL,
                                   outputs, inputs};
        inputs = outputs;
    }
    for (long s = 0; s < count; s++)
        sources[s] = take_source(input);
    const double scales[] = {0x1p-7, 0x1p-16, 0x1p-16};
    const long places = (bottom - top) * (right - left);
    int16_t *wholes = malloc(2 * (size_t)(places ? places : 1));
    int16_t *tables = malloc(2 * (size_t)(places ? places : 1));
    const struct phase_task task = {sources, count, top,    bottom,  left,   right, layers,
                                    depth,   scales, 1 << 20, wholes, tables};
    sirencodec_predict_phase_fuzzed(&task);
    for (long i = 0; i < places; i++)
        if (tables[i] < 0 || tables[i] >= NUM_TABLES || wholes[i] < -512 || wholes[i] > 512)
            abort();
    free(wholes), free(tables);
    for (long s = 0; s < count; s++)
        free((void *)sources[s].first);
    for (long l = 0; l < depth; l++)
        free((void *)layers[l].weights);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    (take_bytes(&input, 1) % 2 ? fuzz_predictions : fuzz_streams)(&input);
    return 0;
}
