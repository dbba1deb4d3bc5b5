/* Measures of what people see, under names that end in SUFFIX. */

#ifndef MEASURES_H
#define MEASURES_H

#include "comparison.h"
#include "halving.h"
#include "names.h"
#include "xyb.h"

int EXPORTED(compare_images)(const struct comparison *tasks, long count, long *next, int part)
{
    return compare_images(tasks, count, next, part);
}

int EXPORTED(convert_xyb)(const struct xyb_task *task, long *next, int back)
{
    return convert_xyb(task, next, back);
}

void EXPORTED(halve)(const struct halving *task)
{
    halve(task);
}

void EXPORTED(spread)(const struct halving *task)
{
    spread(task);
}

void EXPORTED(clamp)(const struct clamping *task)
{
    clamp(task);
}

#endif
