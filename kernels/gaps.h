/* Gaps between the regions of a buffer, which the address sanitizer watches. A plain build has neither.

Without them, a kernel that leaves one region writes into the next, and no tool sees it: both are parts of one allocation. */
#ifndef LONGLAG_GAPS_H
#define LONGLAG_GAPS_H

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define GAP 256
#define forbid(start, bytes) ASAN_POISON_MEMORY_REGION((void *)(start), bytes)
#define allow(start, bytes) ASAN_UNPOISON_MEMORY_REGION((void *)(start), bytes)
#else
#define GAP 0
#define forbid(start, bytes)
#define allow(start, bytes)
#endif

#endif
