/* The instruction sets that this processor offers and the kernels are built for, best first. */
#ifndef LONGLAG_INSTRUCTION_SETS_H
#define LONGLAG_INSTRUCTION_SETS_H

static const char *longlag_offered(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return "generic";
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq")
        || !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512bw")) return "avx2 generic";
    return "avx512 avx2 generic";
#elif defined(__aarch64__)
    return "neon";
#else
    return "generic";
#endif
}

#endif
