/* Integers in double precision for x86-64 processors with AVX2. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("arch=x86-64-v3")
#define DOUBLE_PRECISION
#define REAL double
#define VECTOR_BYTES 32
#define SUFFIX _exact_v3
#include "prediction.h"
#endif
