/*
 * Sines, powers and logarithms of whole vectors, to the last bit or two of single precision: range
 * reduction and polynomials fitted at Chebyshev nodes. In double precision, which serves to test
 * the loops, they are the C library's, one lane at a time.
 */

#ifndef ELEMENTARY_H
#define ELEMENTARY_H

#include <math.h>

#include "vectors.h"

#ifdef DOUBLE_PRECISION

typedef long long ivec __attribute__((vector_size(VECTOR_BYTES)));

INLINE void sine_and_cosine(vec phase, vec *sine, vec *cosine)
{
    for (long lane = 0; lane < LANES; lane++) {
        (*sine)[lane] = sin(phase[lane]);
        (*cosine)[lane] = cos(phase[lane]);
    }
}

INLINE vec power_of_two(vec exponent)
{
    for (long lane = 0; lane < LANES; lane++)
        exponent[lane] = exp2(exponent[lane]);
    return exponent;
}

INLINE vec logarithm_to_base_two(vec value)
{
    for (long lane = 0; lane < LANES; lane++)
        value[lane] = log2(value[lane]);
    return value;
}

#else

typedef int ivec __attribute__((vector_size(VECTOR_BYTES)));

/* Added and taken away again, it leaves the nearest whole number; before, that is in its low bits.
 */
#define WHOLE 12582912.0f /* 1.5 * 2^23 */

INLINE vec polynomial(vec x, const float *coefficients, const int degree)
{
    vec sum = splat(coefficients[degree]);
    for (int power = degree - 1; power >= 0; power--)
        sum = sum * x + splat(coefficients[power]);
    return sum;
}

/* Phases up to some ten thousand radians. */
INLINE void sine_and_cosine(vec phase, vec *sine, vec *cosine)
{
    static const float sine_over_x[] = {9.99999996e-01f, -1.66666580e-01f, 8.33305062e-03f,
                                        -1.98090464e-04f, 2.60516628e-06f};
    static const float cosine_of_x[] = {1.0f,
                                        -4.99999994e-01f,
                                        4.16666362e-02f,
                                        -1.38883608e-03f,
                                        2.47601355e-05f,
                                        -2.60510763e-07f};
    vec shifted = phase * (float)M_1_PI + splat(WHOLE);
    ivec odd = (ivec)shifted << 31; /* the sign that an odd number of half turns changes */
    vec halves = shifted - splat(WHOLE);
    /* Pi in three parts, of which the first two have so few bits that products are exact. */
    vec x = phase - halves * 3.140625f;
    x -= halves * 9.67502593994140625e-4f;
    x -= halves * 1.509957990978376432e-7f;
    vec square = x * x;
    *sine = (vec)((ivec)(x * polynomial(square, sine_over_x, 4)) ^ odd);
    *cosine = (vec)((ivec)polynomial(square, cosine_of_x, 5) ^ odd);
}

INLINE vec power_of_two(vec exponent)
{
    static const float power[] = {1.00000000e+00f, 6.93147207e-01f, 2.40226512e-01f,
                                  5.55032721e-02f, 9.61802560e-03f, 1.34004322e-03f,
                                  1.54697320e-04f};
    ivec too_small = exponent < splat(-126.0f);
    exponent = (vec)(((ivec)splat(-126.0f) & too_small) | ((ivec)exponent & ~too_small));
    vec shifted = exponent + splat(WHOLE);
    vec fraction = exponent - (shifted - splat(WHOLE));
    return (vec)((ivec)polynomial(fraction, power, 6) + ((ivec)shifted << 23));
}

/* Of a normal positive number. With s = (m - 1) / (m + 1), log m is 2 (s + s^3 / 3 + ...). */
INLINE vec logarithm_to_base_two(vec value)
{
    static const float series[] = {2.88539008f, 0.961796694f, 0.577078016f, 0.412198583f,
                                   0.320598898f};
    const int root_half = 0x3f3504f3; /* the bits of sqrt(1 / 2), where mantissas begin */
    ivec bits = (ivec)value - root_half;
    ivec exponent = bits >> 23;
    vec mantissa = (vec)((bits & 0x7fffff) + root_half);
    vec s = (mantissa - 1.0f) / (mantissa + 1.0f);
    return s * polynomial(s * s, series, 4) + __builtin_convertvector(exponent, vec);
}

#endif

/* Where `chosen` is all ones, one; where it is zero, the other. */
INLINE vec blend(ivec chosen, vec one, vec other)
{
    return (vec)(((ivec)one & chosen) | ((ivec)other & ~chosen));
}

INLINE vec magnitude(vec value)
{
    return blend(value < splat(0), -value, value);
}

#endif
