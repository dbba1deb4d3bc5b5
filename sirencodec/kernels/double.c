/* Double precision for any processor: what the kernels compute, without rounding to speak of. */
#define DOUBLE_PRECISION
#define REAL double
#define VECTOR_BYTES 16
#define SUFFIX _double
#include "kernels.h"
