/*
 * Two images -> sums of maps of how their structure differs, and how a score made of such sums
 * changes with one of them: the inner part of SSIMULACRA2 and MS-SSIM, for one plane.
 *
 * A piece of the plane goes through everything, row after row: the difference d, d^2 and the
 * original times d are blurred across into rings of rows, those down into a row, of which a map is
 * judged. For slopes, derivatives of the maps are blurred, too (the adjoint of a blur by a
 * symmetric window is the same blur, with nothing or a mirror beyond the border) and put together.
 * Blurs are computed twice, for sums and for slopes, rather than kept: memory costs more.
 *
 * Formulas are in ssimulacra2_torch.py and ms_ssim_torch.py.
 */

#ifndef COMPARISON_H
#define COMPARISON_H

#include "blur.h"
#include "elementary.h"

#define PIECE_ROWS 128
#define PIECE_COLUMNS 256
#define PIECE_ROW (PIECE_COLUMNS + 2 * EDGE)
#define NUM_SUMS 6
#define NUM_PRODUCTS 3

enum kind {
    EDGES,     /* SSIMULACRA2's maps of edges alone, where the map of structure has no weight */
    STRUCTURE, /* all of its maps */
    CONTRAST,  /* MS-SSIM's contrast and structure */
    SIMILARITY /* times luminance */
};

struct comparison {
    const REAL *original;
    REAL *mean;          /* of the original in windows */
    REAL *spread;        /* twice its variance, plus the constant C2 */
    const REAL *values;  /* of the other image, whose columns beside the plane are zero like the
                            original's */
    REAL *slopes;        /* of the score along them */
    const REAL *counted; /* a row: 1 in columns whose maps count, others 0 */
    const REAL *down, *across; /* weights of windows */
    const double *factors;     /* of maps in the slope of the score; see below */
    double *sums;              /* NUM_SUMS for each piece */
    long row;                  /* between rows of planes */
    long height, width;
    long top, bottom; /* rows whose maps count */
    long first, last; /* rows whose slopes are wanted, up to the last */
    long mirrored;    /* whether there is a mirror above and below, or nothing */
    long kind;
};

/*
 * SSIMULACRA2's sums are of structure, artefacts and lost detail, each of the map and of its fourth
 * power, and its factors are for each of the three: what the slope has of the map's derivative,
 * what of that times the third power of the map over its 4-norm, and 1 over that norm.
 * MS-SSIM has one sum and one factor.
 */

#define RING_ROWS (SPAN + 3) /* all that two rows are made of, and two that are ready early */

struct comparison_memory {
    REAL blurred[NUM_PRODUCTS][RING_ROWS][PIECE_ROW]; /* rings of rows that are blurred across */
    REAL slopes[NUM_PRODUCTS][RING_ROWS][PIECE_ROW];
    REAL direct[RING_ROWS][PIECE_ROW];
    REAL rows[NUM_PRODUCTS][PIECE_ROW];
    REAL pairs[NUM_PRODUCTS][2][PIECE_ROW]; /* rows blurred down */
    REAL nothing[PIECE_ROW];
};

/* A part of a plane: rows, columns, and where these are in the memory's rows. */
struct piece {
    long top, bottom, left, right;
};

INLINE long products_of(const enum kind kind)
{
    return kind == EDGES ? 1 : NUM_PRODUCTS;
}

/* Rows y and y + 1 of what the ring holds -> blurred down. */
INLINE void blur_pair(const struct comparison *task, struct comparison_memory *memory,
                      REAL (*ring)[PIECE_ROW], long y, REAL (*pair)[PIECE_ROW], long from, long to)
{
    const REAL *rows[SPAN + 1];
    for (long k = 0; k <= SPAN; k++) {
        long at = y + k - RADIUS;
        if (task->mirrored)
            at = at < 0 ? -1 - at : at >= task->height ? 2 * task->height - 1 - at : at;
        rows[k] = at < 0 || at >= task->height ? memory->nothing : ring[at % RING_ROWS];
    }
    blur_down(window_of(task->down), rows, pair[0], pair[1], from, to);
}

/* Pieces are too narrow for processors to see by themselves what rows will be needed. */
INLINE void fetch_ahead(const REAL *at, long row)
{
    __builtin_prefetch(at + 3 * row);
}

/* Row y of the images -> of the rings. Columns in memory are counted from EDGE before `left`. */
INLINE void blur_products(const enum kind kind, const struct comparison *task,
                          struct comparison_memory *memory, long y, long left, long from, long to)
{
    const struct window window = window_of(task->across);
    const REAL *original = task->original + y * task->row + left - EDGE;
    const REAL *values = task->values + y * task->row + left - EDGE;
    for (long at = from - REACH; at < to + REACH; at += LANES) {
        fetch_ahead(original + at, task->row);
        fetch_ahead(values + at, task->row);
        vec one = load(original + at), difference = load(values + at) - one;
        store(memory->rows[0] + at, difference);
        if (kind != EDGES) {
            store(memory->rows[1] + at, difference * difference);
            store(memory->rows[2] + at, difference * one);
        }
    }
    for (long p = 0; p < products_of(kind); p++)
        blur_across(window, memory->rows[p], memory->blurred[p][y % RING_ROWS], from, to);
}

/* What the maps of some columns are made of. */
struct maps {
    ivec counted;
    vec mean, shift;       /* blurred original and difference */
    vec fraction, inverse; /* of the difference's variance, and of its denominator */
    vec structure;
    vec decoded_edge, change, inverse_edge; /* SSIMULACRA2's */
    vec luminance, ratio;                   /* MS-SSIM's, and the shift over its denominator */
};

/* Blurred rows, columns from `at` on in memory and at an offset in planes -> maps. */
INLINE struct maps map_columns(const enum kind kind, const struct comparison *task,
                               REAL (*const pairs)[2][PIECE_ROW], long second, long at, long offset,
                               long column)
{
    struct maps maps;
    maps.counted = load(task->counted + column) > splat(0);
    fetch_ahead(task->mean + offset, task->row);
    if (kind != EDGES)
        fetch_ahead(task->spread + offset, task->row);
    maps.mean = load(task->mean + offset);
    maps.shift = load(pairs[0][second] + at);
    if (kind != EDGES) {
        vec error = load(pairs[1][second] + at) - maps.shift * maps.shift;
        vec covariance = load(pairs[2][second] + at) - maps.mean * maps.shift;
        maps.inverse = 1 / (load(task->spread + offset) + 2 * covariance + error);
        maps.fraction = error * maps.inverse;
    }
    if (kind == STRUCTURE)
        maps.structure = 1 - (1 - maps.shift * maps.shift) * (1 - maps.fraction);
    if (kind == EDGES || kind == STRUCTURE) {
        vec edge = magnitude(load(task->original + offset) - maps.mean);
        maps.decoded_edge = load(task->values + offset) - (maps.mean + maps.shift);
        maps.inverse_edge = 1 / (1 + edge);
        maps.change = (magnitude(maps.decoded_edge) - edge) * maps.inverse_edge;
    }
    if (kind == SIMILARITY) {
        const REAL c1 = (REAL)(0.01 * 0.01);
        vec decoded = maps.mean + maps.shift;
        maps.ratio = maps.shift / (maps.mean * maps.mean + decoded * decoded + c1);
        maps.luminance = 1 - maps.shift * maps.ratio;
    }
    return maps;
}

INLINE vec positive(vec value)
{
    return blend(value > splat(0), value, splat(0));
}

INLINE void add_powers(vec sums[2], vec map, ivec counted)
{
    map = blend(counted, positive(map), splat(0));
    sums[0] += map;
    sums[1] += (map * map) * (map * map);
}

INLINE void add_maps(const enum kind kind, vec sums[NUM_SUMS], struct maps maps)
{
    switch (kind) {
    case STRUCTURE:
        add_powers(sums, maps.structure, maps.counted);
        /* fall through */
    case EDGES:
        add_powers(sums + 2, maps.change, maps.counted);
        add_powers(sums + 4, -maps.change, maps.counted);
        break;
    case CONTRAST:
        sums[0] += blend(maps.counted, 1 - maps.fraction, splat(0));
        break;
    case SIMILARITY:
        sums[0] += blend(maps.counted, maps.luminance * (1 - maps.fraction), splat(0));
    }
}

/* Row y of the original -> of two rings: of itself, and of its square. */
INLINE void blur_original(const struct comparison *task, struct comparison_memory *memory, long y,
                          long left, long from, long to)
{
    const struct window window = window_of(task->across);
    const REAL *original = task->original + y * task->row + left - EDGE;
    for (long at = from - REACH; at < to + REACH; at += LANES) {
        fetch_ahead(original + at, task->row);
        vec one = load(original + at);
        store(memory->rows[0] + at, one);
        store(memory->rows[1] + at, one * one);
    }
    for (long p = 0; p < 2; p++)
        blur_across(window, memory->rows[p], memory->blurred[p][y % RING_ROWS], from, to);
}

/* The original -> its mean and spread in windows, zero in columns whose maps do not count. */
INLINE void survey_piece(const struct comparison *task, struct comparison_memory *memory,
                         struct piece piece)
{
    const long from = EDGE, to = from + piece.right - piece.left, end = task->height - 1;
    long next = larger(0, piece.top - RADIUS - 1);
    for (long y = piece.top; y < piece.bottom; y += 2) {
        for (; next <= smaller(y + 1 + RADIUS, end); next++)
            blur_original(task, memory, next, piece.left, from, to);
        for (long p = 0; p < 2; p++)
            blur_pair(task, memory, memory->blurred[p], y, memory->pairs[p], from, to);
        for (long row = y; row < smaller(y + 2, piece.bottom); row++)
            for (long at = from; at < to; at += LANES) {
                const long column = piece.left + at - EDGE;
                const ivec counted = load(task->counted + column) > splat(0);
                vec mean = load(memory->pairs[0][row - y] + at);
                vec variance = load(memory->pairs[1][row - y] + at) - mean * mean;
                vec spread = 2 * variance + (REAL)(0.03 * 0.03);
                store(task->mean + row * task->row + column, blend(counted, mean, splat(0)));
                store(task->spread + row * task->row + column, blend(counted, spread, splat(0)));
            }
    }
}

#define ROWS_TOGETHER 16 /* whose sums are added lane by lane, in the precision of planes */

INLINE void sum_piece(const enum kind kind, const struct comparison *task,
                      struct comparison_memory *memory, struct piece piece, double *sums)
{
    const long from = EDGE, to = from + piece.right - piece.left, end = task->height - 1;
    const long first = larger(piece.top, task->top / 2 * 2);
    const long bottom = smaller(piece.bottom, task->bottom);
    long next = larger(0, first - RADIUS - 1);
    vec together[NUM_SUMS];
    memset(together, 0, sizeof together);
    for (long y = first; y < bottom; y += 2) {
        for (; next <= smaller(y + 1 + RADIUS, end); next++)
            blur_products(kind, task, memory, next, piece.left, from, to);
        for (long p = 0; p < products_of(kind); p++)
            blur_pair(task, memory, memory->blurred[p], y, memory->pairs[p], from, to);
        for (long row = larger(y, task->top); row < smaller(y + 2, bottom); row++)
            for (long at = from; at < to; at += LANES) {
                const long column = piece.left + at - EDGE;
                add_maps(kind, together,
                         map_columns(kind, task, memory->pairs, row - y, at,
                                     row * task->row + column, column));
            }
        if (y + 2 < bottom && (y + 2) % ROWS_TOGETHER)
            continue;
        for (long s = 0; s < NUM_SUMS; s++)
            sums[s] += (double)sum_of_lanes(together[s]);
        memset(together, 0, sizeof together);
    }
}

/* Slope of the score along one of SSIMULACRA2's maps. */
INLINE vec map_slope(const double factors[3], vec map)
{
    vec relative = map * (REAL)factors[2];
    vec slope = (REAL)factors[0] + (REAL)factors[1] * relative * relative * relative;
    return blend(map > splat(0), slope, splat(0));
}

/* Slopes along the blurred products, and along the values themselves. */
struct map_slopes {
    vec products[NUM_PRODUCTS], direct;
};

INLINE struct map_slopes slopes_of_maps(const enum kind kind, const double *factors,
                                        struct maps maps)
{
    struct map_slopes slopes;
    slopes.products[0] = slopes.direct = splat(0);
    vec along_fraction = splat(0);
    if (kind == STRUCTURE) {
        vec along = map_slope(factors, maps.structure);
        along_fraction = along * (1 - maps.shift * maps.shift);
        slopes.products[0] = 2 * along * maps.shift * (1 - maps.fraction);
    }
    if (kind == CONTRAST)
        along_fraction = splat(-(REAL)factors[0]);
    if (kind == SIMILARITY) {
        const REAL factor = (REAL)factors[0];
        vec ratio = maps.ratio;
        along_fraction = -factor * maps.luminance;
        slopes.products[0] =
            2 * factor * (1 - maps.fraction) * ratio * (ratio * (maps.mean + maps.shift) - 1);
    }
    if (kind != EDGES) {
        vec each = along_fraction * maps.inverse;
        vec along_error = each * (1 - maps.fraction), along_covariance = -2 * each * maps.fraction;
        slopes.products[0] -= 2 * maps.shift * along_error + maps.mean * along_covariance;
        slopes.products[1] = along_error;
        slopes.products[2] = along_covariance;
    }
    if (kind == EDGES || kind == STRUCTURE) {
        vec along = map_slope(factors + 3, maps.change) - map_slope(factors + 6, -maps.change);
        along *= maps.inverse_edge;
        vec sign = blend(maps.decoded_edge > splat(0), splat(1), splat(0)) -
                   blend(maps.decoded_edge < splat(0), splat(1), splat(0));
        slopes.direct = along * sign;
        slopes.products[0] -= slopes.direct;
    }
    return slopes;
}

/* Row y of the maps, of which blurred rows are there -> of the rings of slopes. */
INLINE void judge_row(const enum kind kind, const struct comparison *task,
                      struct comparison_memory *memory, long second, long y, long left, long from,
                      long to)
{
    const struct window window = window_of(task->across);
    REAL *direct = memory->direct[y % RING_ROWS];
    if (y < task->top || y >= task->bottom) {
        for (long p = 0; p < products_of(kind); p++)
            memset(memory->slopes[p][y % RING_ROWS], 0, sizeof memory->slopes[p][0]);
        memset(direct, 0, sizeof memory->direct[0]);
        return;
    }
    for (long at = from - REACH; at < to + REACH; at += LANES) {
        const long column = left + at - EDGE;
        struct maps maps =
            map_columns(kind, task, memory->pairs, second, at, y * task->row + column, column);
        struct map_slopes slopes = slopes_of_maps(kind, task->factors, maps);
        for (long p = 0; p < products_of(kind); p++)
            store(memory->rows[p] + at, blend(maps.counted, slopes.products[p], splat(0)));
        if (kind == EDGES || kind == STRUCTURE)
            store(direct + at, slopes.direct);
    }
    for (long p = 0; p < products_of(kind); p++)
        blur_across(window, memory->rows[p], memory->slopes[p][y % RING_ROWS], from, to);
}

INLINE void slopes_of_piece(const enum kind kind, const struct comparison *task,
                            struct comparison_memory *memory, struct piece piece)
{
    const long from = EDGE, to = from + piece.right - piece.left, end = task->height - 1;
    const long first = larger(piece.top, task->first / 2 * 2);
    const long bottom = smaller(piece.bottom, task->last);
    long judged = larger(0, first - RADIUS - 1), next = larger(0, judged - RADIUS - 1);
    for (long y = first; y < bottom; y += 2) {
        for (; judged <= smaller(y + 1 + RADIUS, end); judged += 2) {
            for (; next <= smaller(judged + 1 + RADIUS, end); next++)
                blur_products(kind, task, memory, next, piece.left, from - REACH, to + REACH);
            for (long p = 0; p < products_of(kind); p++)
                blur_pair(task, memory, memory->blurred[p], judged, memory->pairs[p], from - REACH,
                          to + REACH);
            for (long row = judged; row <= smaller(judged + 1, end); row++)
                judge_row(kind, task, memory, row - judged, row, piece.left, from, to);
        }
        for (long p = 0; p < products_of(kind); p++)
            blur_pair(task, memory, memory->slopes[p], y, memory->pairs[p], from, to);
        for (long row = y; row < smaller(y + 2, bottom); row++)
            for (long at = from; at < to; at += LANES) {
                const long offset = row * task->row + piece.left + at - EDGE;
                vec slope = load(memory->pairs[0][row - y] + at);
                if (kind == EDGES || kind == STRUCTURE)
                    slope += load(memory->direct[row % RING_ROWS] + at);
                if (kind != EDGES) {
                    vec one = load(task->original + offset);
                    vec difference = load(task->values + offset) - one;
                    slope += 2 * difference * load(memory->pairs[1][row - y] + at) +
                             one * load(memory->pairs[2][row - y] + at);
                }
                store(task->slopes + offset, slope);
            }
    }
}

INLINE long parts_of(long whole, long part)
{
    return (whole + part - 1) / part;
}

/* Piece number `index`, whose columns end with a whole vector. */
INLINE struct piece piece_of(const struct comparison *task, long index)
{
    const long across = parts_of(task->width, PIECE_COLUMNS);
    const long top = index / across * PIECE_ROWS, left = index % across * PIECE_COLUMNS;
    const long width = smaller(PIECE_COLUMNS, task->width - left);
    return (struct piece){top, smaller(top + PIECE_ROWS, task->height), left,
                          left + (width + LANES - 1) / LANES * LANES};
}

INLINE long pieces_of(const struct comparison *task)
{
    return parts_of(task->width, PIECE_COLUMNS) * parts_of(task->height, PIECE_ROWS);
}

enum part { SUMS, GRADIENT, SURVEY };

INLINE void compare_piece(const struct comparison *task, struct comparison_memory *memory,
                          long index, int part)
{
    struct piece piece = piece_of(task, index);
    double *sums = task->sums + index * NUM_SUMS;
    if (part == SURVEY) {
        survey_piece(task, memory, piece);
        return;
    }
    switch (task->kind) {
#define CASE(kind)                                                                                 \
    case kind:                                                                                     \
        if (part == GRADIENT)                                                                      \
            slopes_of_piece(kind, task, memory, piece);                                            \
        else                                                                                       \
            sum_piece(kind, task, memory, piece, sums);                                            \
        break
        CASE(EDGES);
        CASE(STRUCTURE);
        CASE(CONTRAST);
        CASE(SIMILARITY);
#undef CASE
    }
}

/*
 * Sums, slopes, or a survey of the original, of all pieces that no other thread has begun: `next` is the first of those, of
 * all tasks' in turn. Whoever does a piece, its sums are the same. 1 if there is no memory.
 */
static int compare_images(const struct comparison *tasks, long count, long *next, int part)
{
    struct comparison_memory *memory =
        (void *)zeros((long)(sizeof(struct comparison_memory) / sizeof(REAL)));
    if (!memory)
        return 1;
    long before = 0, piece = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED);
    for (const struct comparison *task = tasks; task < tasks + count; task++) {
        const long pieces = pieces_of(task);
        for (; piece < before + pieces; piece = __atomic_fetch_add(next, 1, __ATOMIC_RELAXED))
            compare_piece(task, memory, piece - before, part);
        before += pieces;
    }
    free(memory);
    return 0;
}

#endif
