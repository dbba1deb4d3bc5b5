/* Integers in double precision for x86-64 processors with AVX-512. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#define DOUBLE_PRECISION
#define REAL double
#define VECTOR_BYTES 64
#define SUFFIX _exact_v4
#include "prediction.h"
#endif
