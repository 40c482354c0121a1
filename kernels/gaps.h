/* Gaps between the regions of a buffer, at which the address sanitizer reports every access. Other builds have no gaps.

Without gaps, a kernel that leaves a region writes into the next one. No tool would report it, since one allocation holds both. */
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
