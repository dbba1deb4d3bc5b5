/* Pictures in single precision, for any processor. */
#define REAL float
#define VECTOR_BYTES 16
#define SUFFIX _single
#include "exactly_rounded.h"
#include "picture.h"
