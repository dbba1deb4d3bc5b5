/* Included first: products are rounded before they are added, in all that follows. */

#ifndef EXACTLY_ROUNDED_H
#define EXACTLY_ROUNDED_H

#include <float.h>

#if FLT_EVAL_METHOD != 0
#error "numbers must be rounded to their own precision, not kept in a wider one"
#endif

#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#endif
