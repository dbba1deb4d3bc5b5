/*
 * Double precision for any processor: what the loops of a fit compute, without rounding to speak
 * of, and predictions.
 */
#define DOUBLE_PRECISION
#define REAL double
#define VECTOR_BYTES 16
#define SUFFIX _double
#include "loops.h"
#include "prediction.h"
