/* Pictures in double precision, for any processor. */
#define DOUBLE_PRECISION
#define REAL double
#define VECTOR_BYTES 16
#define SUFFIX _double
#include "exactly_rounded.h"
#include "picture.h"
