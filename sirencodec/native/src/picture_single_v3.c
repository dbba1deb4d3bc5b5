/* Pictures in single precision, for x86-64 processors with AVX2. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC target("arch=x86-64-v3")
#define REAL float
#define VECTOR_BYTES 32
#define SUFFIX _single_v3
#include "exactly_rounded.h"
#include "picture.h"
#endif
