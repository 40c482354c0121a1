"""What this processor offers, and how these kernels were compiled."""

cdef extern from "instruction_sets.h":
    const char* offered "longlag_offered"()

cdef extern from *:
    """
    #ifdef _OPENMP
    #define LONGLAG_OPENMP 1
    #else
    #define LONGLAG_OPENMP 0
    #endif
    """
    const char* BUILDS_ "LONGLAG_BUILDS"
    const char* SOURCES_ "LONGLAG_SOURCES"
    const char* COMPILER_ "__VERSION__"
    int OPENMP_ "LONGLAG_OPENMP"

OFFERED = offered().decode().split()    # instruction sets of this processor, best first
BUILDS = dict(build.split(":") for build in BUILDS_.decode().split(";"))    # instruction sets of these kernels: their compiler flags
SOURCES = SOURCES_.decode()     # kernels.sources.digest of what they were compiled from
COMPILER = COMPILER_.decode()
OPENMP = OPENMP_ != 0
