/* Pictures in single precision, for x86-64 processors with AVX-512. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#define REAL float
#define VECTOR_BYTES 64
#define SUFFIX _single_v4
#include "exactly_rounded.h"
#include "picture.h"
#endif
