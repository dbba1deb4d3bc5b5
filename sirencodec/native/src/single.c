/* Single precision for any processor. */
#define REAL float
#define VECTOR_BYTES 16
#define SUFFIX _single
#include "loops.h"
