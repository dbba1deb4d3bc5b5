/* Vectors of REAL numbers, as wide as the instruction set of the including file has them. */

#ifndef VECTORS_H
#define VECTORS_H

#include <stdlib.h>
#include <string.h>

/* Loads and stores need no alignment: rows are read at any offset. */
typedef REAL vec __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define LANES ((long)(VECTOR_BYTES / sizeof(REAL)))

/* Columns that all work is rounded up to, whatever the instruction set: rows have room for them. */
#define STRIP 64

INLINE vec load(const REAL *from)
{
    return *(const vec *)from;
}

INLINE void store(REAL *to, vec values)
{
    *(vec *)to = values;
}

/* Less a zero, which compilers leave out: filling lane by lane they do lane by lane. */
INLINE vec splat(REAL value)
{
    return value - (vec){0};
}

INLINE REAL sum_of_lanes(vec values)
{
    REAL sum = 0;
    for (long lane = 0; lane < LANES; lane++)
        sum += values[lane];
    return sum;
}

INLINE long smaller(long one, long other)
{
    return one < other ? one : other;
}

INLINE long larger(long one, long other)
{
    return one > other ? one : other;
}

INLINE long rounded_up(long columns)
{
    return (columns + STRIP - 1) / STRIP * STRIP;
}

/* Memory for `count` numbers, all zero; NULL if there is none. */
INLINE REAL *zeros(long count)
{
    size_t bytes = (size_t)(count * (long)sizeof(REAL) + 63) / 64 * 64;
    REAL *memory = aligned_alloc(64, bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

#endif
