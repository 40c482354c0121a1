"""What this processor offers, and how these kernels were compiled."""

cdef extern from *:
    """
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
    #ifdef _OPENMP
    #define LONGLAG_OPENMP 1
    #else
    #define LONGLAG_OPENMP 0
    #endif
    """
    const char* offered "longlag_offered"()
    const char* BUILDS_ "LONGLAG_BUILDS"
    const char* COMPILER_ "__VERSION__"
    int OPENMP_ "LONGLAG_OPENMP"

OFFERED = offered().decode().split()  # instruction sets of this processor, best first
BUILDS = dict(build.split(":") for build in BUILDS_.decode().split(";"))      # those of the kernels: their compiler flags
COMPILER = COMPILER_.decode()
OPENMP = OPENMP_ != 0
