/* Functions' names end in the precision and instruction set that they were compiled for. */

#ifndef NAMES_H
#define NAMES_H

#define JOINED(name, suffix) sirencodec_##name##suffix
#define NAMED(name, suffix) JOINED(name, suffix)
#define EXPORTED(name) NAMED(name, SUFFIX)

#endif
