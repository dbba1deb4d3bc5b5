/* Everything in one precision and for one instruction set, under names that end in SUFFIX. */

#include "distortion.h"
#include "measures.h"
#include "names.h"
#include "rate.h"
#include "softening.h"
#include "synthesis.h"
#include "upsampling.h"

void EXPORTED(rate)(const struct rate_task *tasks, long count, double *bits)
{
    rate(tasks, count, bits);
}

int EXPORTED(synthesis)(const struct synthesis_task *task)
{
    return synthesis(task);
}

double EXPORTED(distortion)(const struct distortion_task *task)
{
    return distortion(task);
}

long EXPORTED(upsampling_memory)(const struct upsampling_task *task)
{
    return upsampling_memory(task);
}

void EXPORTED(upsample)(const struct upsampling_task *task)
{
    upsample(task);
}

void EXPORTED(upsampling_gradient)(const struct upsampling_task *task)
{
    upsampling_gradient(task);
}

void EXPORTED(soften)(const struct softening_task *task)
{
    soften(task);
}
