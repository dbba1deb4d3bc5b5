/*
 * Planes of MS-SSIM from one scale to the next and back: means of 2 x 2 pixels, which begin one
 * pixel early, with zeros, where the side is odd. See ms_ssim_torch.py.
 */

#ifndef HALVING_H
#define HALVING_H

#include "vectors.h"

/* From a plane with EDGE zeros beside its rows to another, or slopes the other way. */
struct halving {
    REAL *fine, *coarse;
    long fine_row, coarse_row;
    long height, width; /* of the fine one */
    long top, bottom;   /* rows of the coarse one, or of the fine one if slopes go back */
};

static void halve(const struct halving *task)
{
    const long early_rows = task->height % 2, early = task->width % 2;
    for (long y = task->top; y < task->bottom; y++) {
        const REAL *lower = task->fine + (2 * y - early_rows + 1) * task->fine_row - early;
        const REAL *upper = 2 * y < early_rows ? NULL : lower - task->fine_row;
        REAL *half = task->coarse + y * task->coarse_row;
        const long width = (task->width + 1) / 2;
        for (long x = 0; x < width; x++)
            half[x] = (REAL)0.25 * (lower[2 * x] + lower[2 * x + 1]);
        for (long x = 0; x < width && upper; x++)
            half[x] += (REAL)0.25 * (upper[2 * x] + upper[2 * x + 1]);
    }
}

/* Adds to the fine slopes what the coarse ones make of them. */
static void spread(const struct halving *task)
{
    const long early_rows = task->height % 2, early = task->width % 2;
    for (long y = task->top; y < task->bottom; y++) {
        const REAL *half = task->coarse + (y + early_rows) / 2 * task->coarse_row;
        REAL *fine = task->fine + y * task->fine_row - early;
        if (early)
            fine[1] += (REAL)0.25 * half[0];
        for (long x = early; x < (task->width + early) / 2; x++) {
            fine[2 * x] += (REAL)0.25 * half[x];
            fine[2 * x + 1] += (REAL)0.25 * half[x];
        }
    }
}

/* Rows of values on their way to a plane, clamped; or slopes on their way back from one. */
struct clamping {
    const REAL *values;
    REAL *gradient; /* laid out like values; NULL if they go to the plane */
    REAL *plane;    /* has room for whole vectors */
    long values_row, plane_row;
    long rows, columns;
};

static void clamp(const struct clamping *task)
{
    for (long y = 0; y < task->rows; y++) {
        const REAL *values = task->values + y * task->values_row;
        REAL *plane = task->plane + y * task->plane_row;
        for (long x = 0; x < task->columns; x++) {
            const REAL value = values[x];
            if (task->gradient)
                task->gradient[y * task->values_row + x] = value < 0 || value > 1 ? 0 : plane[x];
            else
                plane[x] = value < 0 ? 0 : value > 1 ? 1 : value;
        }
    }
}

#endif
