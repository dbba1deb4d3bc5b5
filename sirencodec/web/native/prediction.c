/* Predictions of latents, exact in double precision. */
#define DOUBLE_PRECISION
#define REAL double
#define VECTOR_BYTES 16
#define SUFFIX _double
#include "prediction.h"
