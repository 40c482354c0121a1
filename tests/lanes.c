/* Runs one function of kernels/lanes.h: lanes NAME < operands > results. Operands are all x, then all y, then all z, as
   raw REALs; a count that is no multiple of LANES ends in a part of a vec. Two names check themselves and exit with 0
   or the number of the line that failed: parts (nothing past n is touched, unreadable pages behind) and mode. */
#include "lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHECK(truth) do { if (!(truth)) { fprintf(stderr, "line %d: %s\n", __LINE__, #truth); exit(1); } } while (0)

#define UNARY(name) static vec run_##name(vec x, vec y, vec z) { (void)y, (void)z; return lanes_##name(x); }
#define BINARY(name) static vec run_##name(vec x, vec y, vec z) { (void)z; return lanes_##name(x, y); }
#define TERNARY(name) static vec run_##name(vec x, vec y, vec z) { return lanes_##name(x, y, z); }
UNARY(exp) UNARY(log) UNARY(tanh) UNARY(sigmoid) UNARY(dtanh) UNARY(dsigmoid) UNARY(flush) UNARY(sqrt)
BINARY(min) BINARY(max) TERNARY(fma) TERNARY(select_le0)
static vec run_splat(vec x, vec y, vec z) { (void)y, (void)z; for (int i = 0; i < LANES; i++) x[i] = lanes_splat(x[i])[LANES - 1]; return x; }
static vec run_zero(vec x, vec y, vec z) { (void)x, (void)y, (void)z; return lanes_zero(); }

static const struct { const char *name; vec (*run)(vec, vec, vec); } FUNCTIONS[] = {
    {"exp", run_exp}, {"log", run_log}, {"tanh", run_tanh}, {"sigmoid", run_sigmoid}, {"dtanh", run_dtanh},
    {"dsigmoid", run_dsigmoid}, {"flush", run_flush}, {"sqrt", run_sqrt}, {"min", run_min}, {"max", run_max},
    {"fma", run_fma}, {"select_le0", run_select_le0}, {"splat", run_splat}, {"zero", run_zero},
};

static int parts(void) {
    const long page = sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(pages != MAP_FAILED && !mprotect(pages, page, PROT_NONE) && !mprotect(pages + 2 * page, page, PROT_NONE));
    REAL *first = (REAL *)(pages + page), *end = (REAL *)(pages + 2 * page), out[LANES];
    vec full;
    for (int i = 0; i < LANES; i++) full[i] = (REAL)(i + 1);
    for (long n = -2; n <= LANES + 2; n++) {
        const long kept = n < 0 ? 0 : n > LANES ? LANES : n;
        REAL *behind[] = {end - kept, first}; /* up to the unreadable page; with room behind */
        for (int place = 0; place < 2; place++) {
            memset(first, 0x55, page);
            lanes_store_part(behind[place], full, n);
            for (REAL *p = first; p < end; p++) {
                REAL untouched;
                memset(&untouched, 0x55, sizeof untouched);
                const long i = p - behind[place];
                CHECK(*p == (i >= 0 && i < kept ? (REAL)(i + 1) : untouched));
            }
            lanes_store(out, lanes_load_part(behind[place], n));
            for (long i = 0; i < LANES; i++) CHECK(i < kept ? out[i] == (REAL)(i + 1) : out[i] == 0 && !signbit(out[i]));
        }
    }
    lanes_store((REAL *)(pages + page + sizeof(REAL)), full);
    CHECK(!memcmp(first + 1, &full, sizeof full));
    full = lanes_load(first + 1);
    CHECK(!memcmp(first + 1, &full, sizeof full));
    return 0;
}

static lanes_mode mode_now(void) {
    const lanes_mode now = lanes_enter_mode();
    lanes_leave_mode(now);
    return now;
}

static int mode(void) {
#ifdef __aarch64__
    const lanes_mode odd = 1ul << 24 | 3ul << 22, plain = 0; /* flush to zero, round towards zero */
#else
    const lanes_mode odd = 0xFFC0, plain = 0x1F80; /* the same, and denormal operands as zero */
#endif
    volatile REAL small = LANES_SMALLEST, third = 3;
    const lanes_mode before = mode_now();
    lanes_leave_mode(odd);
    volatile const REAL flushed = small / 2, below = 2 / third;
    const lanes_mode saved = lanes_enter_mode();
    volatile const REAL kept = small / 2, nearest = 2 / third;
    const lanes_mode inside = mode_now();
    lanes_leave_mode(saved);
    const lanes_mode after = mode_now();
    lanes_leave_mode(before);
    CHECK(flushed == 0 && kept > 0 && below <= nearest);
    CHECK((saved & odd) == odd && (after & odd) == odd && (inside & ~0x3Ful) == (plain & ~0x3Ful));
    return 0;
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    if (!strcmp(arguments[1], "parts")) return parts();
    if (!strcmp(arguments[1], "mode")) return mode();
    size_t size = 0, room = 1 << 20;
    char *bytes = malloc(room);
    for (size_t got; (got = fread(bytes + size, 1, room - size, stdin));)
        if ((size += got) == room) bytes = realloc(bytes, room *= 2);
    const long n = (long)(size / sizeof(REAL) / 3);
    REAL *x = (REAL *)bytes;
    for (unsigned f = 0; f < sizeof FUNCTIONS / sizeof *FUNCTIONS; f++)
        if (!strcmp(arguments[1], FUNCTIONS[f].name)) {
            for (long i = 0; i < n; i += LANES) {
                vec (*part)(const REAL *, long) = lanes_load_part;
                const vec y = FUNCTIONS[f].run(part(x + i, n - i), part(x + n + i, n - i), part(x + 2 * n + i, n - i));
                lanes_store_part(x + i, y, n - i);
            }
            return fwrite(x, sizeof(REAL), n, stdout) != (size_t)n;
        }
    CHECK(!"a known name");
}
