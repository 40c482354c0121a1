/* `vec`, one register of the processor full of REAL, and all operations of the kernels on it.

Each build includes it once. The includer defines REAL, and LONGLAG_F64 as 1 if REAL is double; the compiler's flags choose the
instruction set. Design: + - * / and operations on bits are GNU C vector operators. Operations that C has no operator for
(fma, min, max, sqrt, select, parts of a register) are intrinsics, defined once per instruction set in the first half. The
second half writes exp, log, tanh and sigmoid once, from these. Every operation is exact or rounded once, as IEEE 754 says,
and the order is always the same, so each function gives the same bits in every build.

Rejected: a vec wider than the registers (compiled for AVX2, 64-byte vectors ran a hundred times slower); approximate
reciprocals (they differ between processors); libm (it differs between versions); plain double arithmetic as a
float32 fma (it rounds twice: a = 2^-12 (1 + 2^-23), b = 2^-12 (1 - 2^-23), c = 1 + 2^-23 comes out wrong). */
#ifndef LONGLAG_LANES_H
#define LONGLAG_LANES_H

#include <math.h>
#include <stdint.h>

#ifndef REAL
#define REAL float
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define LANES_AVX512 1
#define LANES_BYTES 64
#define ROWS_BUDGET 24
#elif defined(__AVX2__) && defined(__FMA__)
#define LANES_AVX2 1
#define LANES_BYTES 32
#define ROWS_BUDGET 12
#elif defined(__aarch64__)
#define LANES_NEON 1
#define LANES_BYTES 16
#define ROWS_BUDGET 24
#elif defined(__x86_64__)
#define LANES_GENERIC 1
#define LANES_BYTES 16
#define ROWS_BUDGET 12
#else
#error "lanes.h knows x86-64 and 64-bit Arm"
#endif

#ifdef LANES_NEON
#include <arm_neon.h>
#else
#include <immintrin.h>
#endif

#ifdef LONGLAG_F64
#define LANES_WORD uint64_t
#define LANES_INTEGER int64_t
#define LANES_NAME(prefix, op) prefix##op##_pd
#define LANES_MASK_NAME(prefix, op) prefix##op##_pd_mask
#else
#define LANES_WORD uint32_t
#define LANES_INTEGER int32_t
#define LANES_NAME(prefix, op) prefix##op##_ps
#define LANES_MASK_NAME(prefix, op) prefix##op##_ps_mask
#endif

#define LANES ((int)(LANES_BYTES / sizeof(REAL)))
#define LINE ((int)(64 / sizeof(REAL)))
#define PIECES (LINE / LANES)
#define TILE_LINES (PIECES == 1 ? 4 : 1) /* a line that fills several registers is shared best by many rows */
/* The sanitizers do not see what masked instructions read and write. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !(defined(LANES_AVX512) || defined(LANES_AVX2))
#define LANES_UNMASKED 1
#endif
#define LANES_API static inline __attribute__((always_inline, unused))

typedef REAL vec __attribute__((vector_size(LANES_BYTES)));
typedef LANES_WORD lanes_bits __attribute__((vector_size(LANES_BYTES)));
typedef LANES_INTEGER lanes_integers __attribute__((vector_size(LANES_BYTES)));
typedef REAL lanes_unaligned __attribute__((vector_size(LANES_BYTES), aligned(sizeof(REAL)), may_alias));
typedef unsigned long lanes_mode;

LANES_API vec lanes_load(const REAL *p) { return *(const lanes_unaligned *)p; }
LANES_API void lanes_store(REAL *p, vec a) { *(lanes_unaligned *)p = a; }
/* Keep a in a register: the compiler cannot load it from memory again for each use. */
LANES_API vec lanes_keep(vec a) {
#ifdef LANES_NEON
    __asm__("" : "+w"(a));
#else
    __asm__("" : "+v"(a));
#endif
    return a;
}
/* n, with its range hidden from the compiler, which then does not unroll a loop up to n. */
LANES_API int lanes_hide(int n) {
    __asm__("" : "+r"(n));
    return n;
}
LANES_API vec lanes_zero(void) { return (vec){0}; }
LANES_API vec lanes_splat(REAL a) { return a - (vec){0}; } /* a - 0 is a, for -0 too */

/* ---- One block an instruction set: fma, sqrt, lt, le (a NaN compares false), select, load_part, store_part. ---- */

#if defined(LANES_AVX512)
#define LANES_OP(op) LANES_NAME(_mm512_, op)
#define LANES_MASK(op) LANES_MASK_NAME(_mm512_, op)
#ifdef LONGLAG_F64
typedef __mmask8 lanes_mask;
#else
typedef __mmask16 lanes_mask;
#endif

LANES_API vec lanes_fma(vec a, vec b, vec c) { return LANES_OP(fmadd)(a, b, c); }
LANES_API vec lanes_sqrt(vec a) { return LANES_OP(sqrt)(a); }
LANES_API vec lanes_min(vec a, vec b) { return LANES_OP(min)(a, b); }
LANES_API vec lanes_max(vec a, vec b) { return LANES_OP(max)(a, b); }
LANES_API lanes_mask lanes_lt(vec a, vec b) { return LANES_MASK(cmp)(a, b, _CMP_LT_OQ); }
LANES_API lanes_mask lanes_le(vec a, vec b) { return LANES_MASK(cmp)(a, b, _CMP_LE_OQ); }
LANES_API vec lanes_select(lanes_mask m, vec x, vec y) { return LANES_OP(mask_blend)(m, y, x); }

LANES_API lanes_mask lanes_first(long n) {
    return (lanes_mask)(n >= LANES ? -1 : n <= 0 ? 0 : (1 << n) - 1);
}
#ifndef LANES_UNMASKED
LANES_API vec lanes_load_part(const REAL *p, long n) { return LANES_OP(maskz_loadu)(lanes_first(n), p); }
LANES_API void lanes_store_part(REAL *p, vec a, long n) { LANES_OP(mask_storeu)(p, lanes_first(n), a); }
#endif

#else /* masks are registers: all bits of a lane set, or none */
typedef lanes_bits lanes_mask;

LANES_API lanes_mask lanes_lt(vec a, vec b) { return (lanes_mask)(a < b); }
LANES_API lanes_mask lanes_le(vec a, vec b) { return (lanes_mask)(a <= b); }

#if defined(LANES_AVX2)
#define LANES_OP(op) LANES_NAME(_mm256_, op)

LANES_API vec lanes_fma(vec a, vec b, vec c) { return LANES_OP(fmadd)(a, b, c); }
LANES_API vec lanes_sqrt(vec a) { return LANES_OP(sqrt)(a); }
LANES_API vec lanes_min(vec a, vec b) { return LANES_OP(min)(a, b); }
LANES_API vec lanes_max(vec a, vec b) { return LANES_OP(max)(a, b); }
LANES_API vec lanes_select(lanes_mask m, vec x, vec y) { return LANES_OP(blendv)(y, x, (vec)m); }

LANES_API __m256i lanes_first(long n) {
#ifdef LONGLAG_F64
    const lanes_integers lane = {0, 1, 2, 3};
#else
    const lanes_integers lane = {0, 1, 2, 3, 4, 5, 6, 7};
#endif
    return (__m256i)(lane < (LANES_INTEGER)(n > 0 ? n : 0));
}
#ifndef LANES_UNMASKED
/* On some processors a masked store takes twelve times as long as a whole one; most parts are whole. */
LANES_API vec lanes_load_part(const REAL *p, long n) {
    if (n >= LANES) return lanes_load(p);
    return LANES_OP(maskload)(p, lanes_first(n));
}
LANES_API void lanes_store_part(REAL *p, vec a, long n) {
    if (n >= LANES) lanes_store(p, a);
    else LANES_OP(maskstore)(p, lanes_first(n), a);
}
#endif

#else
LANES_API vec lanes_select(lanes_mask m, vec x, vec y) {
    return (vec)((m & (lanes_bits)x) | (~m & (lanes_bits)y));
}
#if defined(LANES_NEON)
/* Neither vmin nor vminnm treats NaN and zeros as min and max of x86 do. */
LANES_API vec lanes_min(vec a, vec b) { return lanes_select(lanes_lt(a, b), a, b); }
LANES_API vec lanes_max(vec a, vec b) { return lanes_select(lanes_lt(b, a), a, b); }
#ifdef LONGLAG_F64
LANES_API vec lanes_fma(vec a, vec b, vec c) { return (vec)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b); }
LANES_API vec lanes_sqrt(vec a) { return (vec)vsqrtq_f64((float64x2_t)a); }
#else
LANES_API vec lanes_fma(vec a, vec b, vec c) { return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b); }
LANES_API vec lanes_sqrt(vec a) { return (vec)vsqrtq_f32((float32x4_t)a); }
#endif

#else
#define LANES_OP(op) LANES_NAME(_mm_, op)
LANES_API vec lanes_sqrt(vec a) { return LANES_OP(sqrt)(a); }
LANES_API vec lanes_min(vec a, vec b) { return LANES_OP(min)(a, b); }
LANES_API vec lanes_max(vec a, vec b) { return LANES_OP(max)(a, b); }

#ifdef LONGLAG_F64
LANES_API vec lanes_fma(vec a, vec b, vec c) { return (vec){fma(a[0], b[0], c[0]), fma(a[1], b[1], c[1])}; }
#else
/* Exact. The product of two floats fits a double. Its sum with c is rounded to odd: the rounding error e moves an even last
   bit one step towards the exact sum. Rounding the result to float is then the only rounding.
   Boldo, Melquiond 2008, "Emulation of FMA and correctly rounded sums: proved algorithms using rounding to odd". */
LANES_API __m128 lanes_fma_half(__m128 a, __m128 b, __m128 c) {
    typedef int64_t integers __attribute__((vector_size(16)));
    const __m128d p = _mm_cvtps_pd(a) * _mm_cvtps_pd(b), q = _mm_cvtps_pd(c), s = p + q, t = s - p;
    const __m128d e = (p - (s - t)) + (q - t);
    const __m128d outward = (__m128d)((integers)e ^ ((integers)s & INT64_MIN));
    const integers step = (integers)(outward < 0.0) - (integers)(outward > 0.0);
    const integers even = ((integers)s & 1) - 1;
    return _mm_cvtpd_ps((__m128d)((integers)s + (step & even)));
}
LANES_API vec lanes_fma(vec a, vec b, vec c) {
    return _mm_movelh_ps(lanes_fma_half(a, b, c),
                         lanes_fma_half(_mm_movehl_ps(a, a), _mm_movehl_ps(b, b), _mm_movehl_ps(c, c)));
}
#endif
#endif
#endif
#endif

/* ---- The default floating-point mode: round to nearest, denormals kept, no traps. enter returns the mode that it replaces.
   The memory clobber keeps the compiler from moving loads, stores and the computations between them across the change. ---- */

#ifdef LANES_NEON
LANES_API lanes_mode lanes_enter_mode(void) {
    lanes_mode saved;
    __asm__ volatile("mrs %0, fpcr\n\tmsr fpcr, xzr" : "=&r"(saved) : : "memory");
    return saved;
}
LANES_API void lanes_leave_mode(lanes_mode saved) { __asm__ volatile("msr fpcr, %0" : : "r"(saved) : "memory"); }
#else
LANES_API lanes_mode lanes_enter_mode(void) {
    const lanes_mode saved = _mm_getcsr();
    _mm_setcsr(0x1F80);
    __asm__ volatile("" : : : "memory");
    return saved;
}
LANES_API void lanes_leave_mode(lanes_mode saved) {
    __asm__ volatile("" : : : "memory");
    _mm_setcsr((unsigned)saved);
}
#endif

#ifdef LANES_UNMASKED
LANES_API vec lanes_load_part(const REAL *p, long n) {
    vec a = {0};
    if (n >= LANES) return lanes_load(p);
    for (int i = 0; i < LANES; i++)
        if (i < n) a[i] = p[i];
    return a;
}
LANES_API void lanes_store_part(REAL *p, vec a, long n) {
    if (n >= LANES) lanes_store(p, a);
    else for (int i = 0; i < LANES; i++)
        if (i < n) p[i] = a[i];
}
#endif

/* ---- From here on, the same for every instruction set. ---- */

/* LOG2E and LN2 are log2(e) and log(2), rounded; LN2_REST is log(2) - LN2. ROUND + x has the integer nearest to x in its
   lowest bits. Between EXP_LEAST and EXP_MOST exp(x) is a finite normal number; from TANH_MOST on tanh rounds to 1.
   EXPM1: the minimax q of exp(r) - 1 = r + r^2 q(r), |r| <= log(2) / 2, with a relative error of at most 2^-26 (float64:
   2^-60). LOG: the minimax P of lanes_log, with an error of at most 2^-35 (2^-57). */
#ifdef LONGLAG_F64
#define LANES_MANTISSA 52
#define LANES_BIAS 1023
#define LANES_SIGN 0x8000000000000000u
#define LANES_SMALLEST 0x1p-1022
#define LANES_TINY 0x1p-1000
#define LANES_ROUND 0x1.8p52
#define LANES_ROOT_HALF 0x3fe6a09e667f3bcdu /* bits of sqrt(1/2) */
#define LANES_LOG2E 0x1.71547652b82fep+0
#define LANES_LN2 0x1.62e42fefa39efp-1
#define LANES_LN2_REST 0x1.abc9e3b39803fp-56
#define LANES_EXP_MOST 0x1.62e42fefa39efp+9
#define LANES_EXP_LEAST -0x1.6232bdd7abcd2p+9
#define LANES_SIGMOID_MOST 709
#define LANES_TANH_MOST 20
static const REAL LANES_EXPM1[] = {0x1p-1, 0x1.5555555555555p-3, 0x1.5555555555557p-5, 0x1.1111111110792p-7,
    0x1.6c16c16c153d6p-10, 0x1.a01a01a9e6e76p-13, 0x1.a01a01acac54cp-16, 0x1.71de06257c0a8p-19,
    0x1.27e4cd1cd2b44p-22, 0x1.af485f0d3f772p-26, 0x1.1f8b2ae79c3d6p-29};
static const REAL LANES_LOG[] = {0x1.555555555558fp-1, 0x1.9999999980ce9p-2, 0x1.249249413e930p-2,
    0x1.c71c5287006adp-3, 0x1.746627fd1d756p-3, 0x1.39a3d23a6d4bfp-3, 0x1.2ef20c6c0084dp-3};
#else
#define LANES_MANTISSA 23
#define LANES_BIAS 127
#define LANES_SIGN 0x80000000u
#define LANES_SMALLEST 0x1p-126f
#define LANES_TINY 0x1p-100f
#define LANES_ROUND 0x1.8p23f
#define LANES_ROOT_HALF 0x3f3504f3u
#define LANES_LOG2E 0x1.715476p+0f
#define LANES_LN2 0x1.62e430p-1f
#define LANES_LN2_REST -0x1.05c610p-29f
#define LANES_EXP_MOST 0x1.62e42ep+6f
#define LANES_EXP_LEAST -0x1.5d589ep+6f
#define LANES_SIGMOID_MOST 88
#define LANES_TANH_MOST 10
static const REAL LANES_EXPM1[] = {0x1p-1f, 0x1.5554aap-3f, 0x1.555538p-5f, 0x1.122c5ep-7f, 0x1.6cd77ap-10f};
static const REAL LANES_LOG[] = {0x1.555556p-1f, 0x1.9998e2p-2f, 0x1.2494f4p-2f, 0x1.d66366p-3f};
#endif
#define LANES_COUNT(table) ((int)(sizeof(table) / sizeof(table[0])))

LANES_API vec lanes_abs(vec a) { return (vec)((lanes_bits)a & ~(LANES_WORD)LANES_SIGN); }

/* a <= 0 ? x : y; y where a is NaN. */
LANES_API vec lanes_select_le0(vec a, vec x, vec y) { return lanes_select(lanes_le(a, lanes_zero()), x, y); }

/* +0 where |a| < 2^-100 (float64: 2^-1000). */
LANES_API vec lanes_flush(vec a) {
    return lanes_select(lanes_lt(lanes_abs(a), lanes_splat(LANES_TINY)), lanes_zero(), a);
}

/* The derivatives from the function's value y, rounded once: 1 - y^2 for tanh, y (1 - y) for sigmoid. */
LANES_API vec lanes_dtanh(vec y) { return lanes_fma(-y, y, lanes_splat(1)); }
LANES_API vec lanes_dsigmoid(vec y) { return lanes_fma(-y, y, y); }

/* Largest errors in units in the last place (scripts/lanes_error): in float32 over all inputs, in float64 over a sample.
   Costs in float32 on AVX-512.

              float32  float64   instructions: on the multiply-add units, divisions, others
       exp       1.05     1.00   9  0   8
       log       0.83     0.84  11  1  15
       sigmoid   2.00     2.00   9  1   6
       tanh      1.95     1.98   8  1  10

   exp, sigmoid and tanh use exp(r) = 1 + p, p = r + r^2 q(r): p is rounded by itself and the 1 is added late. A sum with
   2^n replaces a product with 2^-n, since additions have units of their own. The error of sigmoid approaches 2 from below
   where its denominator has just passed a power of two: there the two sums of the denominator lose at most 1.5, the
   division 0.5, and p almost nothing. (1 + t) + p would lose 1.5 in all, but 2.4 at t = 2^-24.
   Rejected: rational functions of x or of r. They save up to two multiplications, but their errors exceed 2 ulp. */

LANES_API vec lanes_expm1_q(vec r) {
    const vec r2 = r * r;
    vec q = lanes_splat(LANES_EXPM1[LANES_COUNT(LANES_EXPM1) - 1]);
    for (int k = LANES_COUNT(LANES_EXPM1) - 3; k >= 0; k -= 2)
        q = lanes_fma(q, r2, lanes_fma(lanes_splat(LANES_EXPM1[k + 1]), r, lanes_splat(LANES_EXPM1[k])));
    return q;
}

LANES_API vec lanes_expm1_reduced(vec r) { return lanes_fma(lanes_expm1_q(r), r * r, r); }

/* 2^n for the integer n nearest to a * scale: correct for -bias < n <= bias, 0 for n = -bias. */
LANES_API vec lanes_power(vec a, REAL scale, vec *n) {
    const vec round = lanes_splat(LANES_ROUND + LANES_BIAS);
    const vec shifted = lanes_fma(a, lanes_splat(scale), round);
    *n = shifted - round;
    return (vec)((lanes_bits)shifted << LANES_MANTISSA);
}

/* exp(x) = 2^n exp(r), with n added to the exponent. Results below the smallest normal number are +0. */
LANES_API vec lanes_exp(vec x) {
    vec n;
    const lanes_bits power = (lanes_bits)lanes_power(x, LANES_LOG2E, &n);
    const vec r = lanes_fma(n, lanes_splat(-LANES_LN2_REST), lanes_fma(n, lanes_splat(-LANES_LN2), x));
    const vec y = (vec)((lanes_bits)(1 + lanes_expm1_reduced(r)) + (power - (lanes_bits)lanes_splat(1)));
    const vec kept = lanes_select(lanes_lt(x, lanes_splat(LANES_EXP_LEAST)), lanes_zero(), y);
    return lanes_select(lanes_le(x, lanes_splat(LANES_EXP_MOST)), kept, x + lanes_splat(INFINITY));
}

/* sigmoid(x) = t / (t + exp(r)), t = 2^n, r = n log(2) - x. Results below the smallest normal number are denormal
   down to 0.7 of it (as accurate as denormals can be), then +0. */
LANES_API vec lanes_sigmoid(vec x) {
    const vec a = lanes_min(lanes_splat(LANES_SIGMOID_MOST), lanes_max(lanes_splat(-LANES_SIGMOID_MOST), x));
    vec n;
    const vec t = lanes_power(a, LANES_LOG2E, &n);
    const vec r = lanes_fma(n, lanes_splat(LANES_LN2_REST), lanes_fma(n, lanes_splat(LANES_LN2), -a));
    return t / (1 + (t + lanes_expm1_reduced(r)));
}

/* tanh(x) = (t - exp(r)) / (t + exp(r)), t = 2^n, r = n log(2) - 2|x|, with the sign of x. n is small here, so float32
   needs no LN2_REST; float64 adds it where it is rounded least. */
LANES_API vec lanes_tanh(vec x) {
    const vec a = lanes_min(lanes_splat(LANES_TANH_MOST), lanes_abs(x)), twice = a + a;
    vec n;
    const vec t = lanes_power(a, 2 * LANES_LOG2E, &n);
    const vec r = lanes_fma(n, lanes_splat(LANES_LN2), -twice);
#ifdef LONGLAG_F64
    const vec rest = n * LANES_LN2_REST;
    const vec p = r + lanes_fma(lanes_expm1_q(r), r * r, lanes_fma(rest, r, rest));
#else
    const vec p = lanes_expm1_reduced(r);
#endif
    const vec y = ((t - 1) - p) / ((t + 1) + p);
    return (vec)((lanes_bits)y | ((lanes_bits)x & (LANES_WORD)LANES_SIGN));
}

/* x = 2^n (1 + f), 1 + f from sqrt(1/2) to sqrt(2), s = f / (2 + f), h = f^2 / 2:
   log(1 + f) = f - h + s (h + s^2 P(s^2)). log(+-0) = -inf, log(x < 0) = NaN. */
LANES_API vec lanes_log(vec x) {
    const lanes_mask denormal = lanes_lt(x, lanes_splat(LANES_SMALLEST));
    const vec lift = lanes_splat(LANES_MANTISSA + 1);
    const vec normal = lanes_select(denormal, x * (REAL)((uint64_t)1 << (LANES_MANTISSA + 1)), x);
    const lanes_integers whole = (lanes_integers)((lanes_bits)normal - (LANES_WORD)LANES_ROOT_HALF) >> LANES_MANTISSA;
    const vec shifted = (vec)((lanes_integers)lanes_splat(LANES_ROUND) + whole);
    const vec n = shifted - lanes_splat(LANES_ROUND) - lanes_select(denormal, lift, lanes_zero());
    const vec f = (vec)((lanes_bits)normal - ((lanes_bits)whole << LANES_MANTISSA)) - 1;
    const vec s = f / (2 + f), s2 = s * s, h = (REAL)0.5 * f * f;
    vec p = lanes_splat(LANES_LOG[LANES_COUNT(LANES_LOG) - 1]);
    for (int k = LANES_COUNT(LANES_LOG) - 2; k >= 0; k--) p = lanes_fma(p, s2, lanes_splat(LANES_LOG[k]));
    const vec tail = lanes_fma(s, lanes_fma(p, s2, h), n * LANES_LN2_REST);
    const vec y = lanes_fma(n, lanes_splat(LANES_LN2), f - (h - tail));
    const vec edge = lanes_select(lanes_lt(x, lanes_zero()), lanes_splat(NAN), lanes_splat(-INFINITY));
    return lanes_select(lanes_lt(x, lanes_splat(INFINITY)), lanes_select_le0(x, edge, y), x);
}

#endif
