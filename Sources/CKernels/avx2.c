// The variant for x86-64 with AVX2, FMA and F16C.
//
// A product is one chain of 8-lane fused multiply-adds over the columns, then the lanes, then the last columns one by
// one. Tiles of several rows run several such chains beside each other, which hides the latency of each.
#include "variants.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma,f16c")))
#define INLINE static inline __attribute__((always_inline)) TARGET

INLINE __m256 load_f32(const float *p) { return _mm256_loadu_ps(p); }

INLINE __m256 load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }

INLINE __m256 load_bf16(const uint16_t *p) {
    const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

INLINE float one_f32(const float *p) { return *p; }

INLINE float one_f16(const uint16_t *p) { return _cvtsh_ss(*p); }

INLINE float one_bf16(const uint16_t *p) { return aladdin_widen_bf16(*p); }

INLINE float lane_sum(__m256 v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

// Eight columns of a tile.
#define STEP(SUFFIX, WEIGHT_TILE, INPUT_TILE, C)                                                                       \
    __m256 weights[WEIGHT_TILE];                                                                                       \
    _Pragma("unroll") for (int o = 0; o < WEIGHT_TILE; o++) {                                                          \
        weights[o] = load_##SUFFIX(w + o * columns + (C));                                                             \
    }                                                                                                                  \
    _Pragma("unroll") for (int r = 0; r < INPUT_TILE; r++) {                                                           \
        const __m256 input = _mm256_loadu_ps(x + r * x_stride + (C));                                                  \
        _Pragma("unroll") for (int o = 0; o < WEIGHT_TILE; o++) {                                                      \
            sums[o][r] = _mm256_fmadd_ps(weights[o], input, sums[o][r]);                                               \
        }                                                                                                              \
    }

// WEIGHT_TILE rows of weights by INPUT_TILE rows of input, unrolled by the compiler.
// Steps of eight columns in one 64-byte line of weights, with one prefetch for each. It fetches the tile after next: a
// tile's rows are several short streams, which the processor's own prefetcher loses at the end of every row.
#define AHEAD (64 / (8 * (int)sizeof(*w)))

#define DEFINE_TILE(SUFFIX, TYPE, WEIGHT_TILE, INPUT_TILE)                                                             \
    TARGET static void tile_##SUFFIX##_##WEIGHT_TILE##x##INPUT_TILE(const TYPE *w, size_t columns, const float *x,     \
                                                                    size_t x_stride, float *y, size_t y_stride) {      \
        __m256 sums[WEIGHT_TILE][INPUT_TILE];                                                                          \
        float tails[WEIGHT_TILE][INPUT_TILE];                                                                          \
        _Pragma("unroll") for (int o = 0; o < WEIGHT_TILE; o++) {                                                      \
            _Pragma("unroll") for (int r = 0; r < INPUT_TILE; r++) {                                                   \
                sums[o][r] = _mm256_setzero_ps();                                                                      \
                tails[o][r] = 0;                                                                                       \
            }                                                                                                          \
        }                                                                                                              \
        size_t c = 0;                                                                                                  \
        for (; c + 8 * AHEAD <= columns; c += 8 * AHEAD) {                                                             \
            _Pragma("unroll") for (int o = 0; o < WEIGHT_TILE; o++) {                                                  \
                __builtin_prefetch(w + (2 * WEIGHT_TILE + o) * columns + c);                                           \
            }                                                                                                          \
            _Pragma("unroll") for (int k = 0; k < AHEAD; k++) {                                                        \
                STEP(SUFFIX, WEIGHT_TILE, INPUT_TILE, c + 8 * k)                                                       \
            }                                                                                                          \
        }                                                                                                              \
        for (; c + 8 <= columns; c += 8) {                                                                             \
            STEP(SUFFIX, WEIGHT_TILE, INPUT_TILE, c)                                                                   \
        }                                                                                                              \
        for (; c < columns; c++) {                                                                                     \
            _Pragma("unroll") for (int o = 0; o < WEIGHT_TILE; o++) {                                                  \
                _Pragma("unroll") for (int r = 0; r < INPUT_TILE; r++) {                                               \
                    tails[o][r] = __builtin_fmaf(one_##SUFFIX(w + o * columns + c), x[r * x_stride + c], tails[o][r]); \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("unroll") for (int o = 0; o < WEIGHT_TILE; o++) {                                                      \
            _Pragma("unroll") for (int r = 0; r < INPUT_TILE; r++) {                                                   \
                y[r * y_stride + o] = lane_sum(sums[o][r]) + tails[o][r];                                              \
            }                                                                                                          \
        }                                                                                                              \
    }

#define DEFINE_MULTIPLY(SUFFIX, TYPE)                                                                                  \
    DEFINE_TILE(SUFFIX, TYPE, 4, 1)                                                                                    \
    DEFINE_TILE(SUFFIX, TYPE, 2, 4)                                                                                    \
    DEFINE_TILE(SUFFIX, TYPE, 1, 4)                                                                                    \
    DEFINE_TILE(SUFFIX, TYPE, 1, 1)                                                                                    \
    TARGET static void multiply_##SUFFIX(const TYPE *w, size_t weight_rows, size_t columns, const float *x,            \
                                         size_t x_stride, size_t x_rows, float *y, size_t y_stride) {                  \
        size_t o = 0;                                                                                                  \
        while (o < weight_rows) {                                                                                      \
            const TYPE *row = w + o * columns;                                                                         \
            const size_t left = weight_rows - o;                                                                       \
            size_t r = 0;                                                                                              \
            const size_t step = left >= 4 ? 4 : 1;                                                                     \
            for (; r + 4 <= x_rows; r += 4) {                                                                          \
                const float *input = x + r * x_stride;                                                                 \
                float *output = y + r * y_stride + o;                                                                  \
                if (step == 4) {                                                                                       \
                    tile_##SUFFIX##_2x4(row, columns, input, x_stride, output, y_stride);                              \
                    tile_##SUFFIX##_2x4(row + 2 * columns, columns, input, x_stride, output + 2, y_stride);            \
                } else {                                                                                               \
                    tile_##SUFFIX##_1x4(row, columns, input, x_stride, output, y_stride);                              \
                }                                                                                                      \
            }                                                                                                          \
            for (; r < x_rows; r++) {                                                                                  \
                const float *input = x + r * x_stride;                                                                 \
                float *output = y + r * y_stride + o;                                                                  \
                if (step == 4) {                                                                                       \
                    tile_##SUFFIX##_4x1(row, columns, input, x_stride, output, y_stride);                              \
                } else {                                                                                               \
                    tile_##SUFFIX##_1x1(row, columns, input, x_stride, output, y_stride);                              \
                }                                                                                                      \
            }                                                                                                          \
            o += step;                                                                                                 \
        }                                                                                                              \
    }

DEFINE_MULTIPLY(f32, float)
DEFINE_MULTIPLY(f16, uint16_t)
DEFINE_MULTIPLY(bf16, uint16_t)

static void multiply_rows(aladdin_element element, const void *w, size_t weight_rows, size_t columns, const float *x,
                          size_t x_stride, size_t x_rows, float *y, size_t y_stride) {
    switch (element) {
    case aladdin_element_f16:
        multiply_f16(w, weight_rows, columns, x, x_stride, x_rows, y, y_stride);
        break;
    case aladdin_element_bf16:
        multiply_bf16(w, weight_rows, columns, x, x_stride, x_rows, y, y_stride);
        break;
    default:
        multiply_f32(w, weight_rows, columns, x, x_stride, x_rows, y, y_stride);
    }
}

#define DEFINE_EXPAND(SUFFIX, TYPE)                                                                                    \
    TARGET static void expand_##SUFFIX(const TYPE *source, size_t count, float *destination) {                         \
        size_t index = 0;                                                                                              \
        for (; index + 8 <= count; index += 8) {                                                                       \
            _mm256_storeu_ps(destination + index, load_##SUFFIX(source + index));                                      \
        }                                                                                                              \
        for (; index < count; index++) {                                                                               \
            destination[index] = one_##SUFFIX(source + index);                                                         \
        }                                                                                                              \
    }

DEFINE_EXPAND(f32, float)
DEFINE_EXPAND(f16, uint16_t)
DEFINE_EXPAND(bf16, uint16_t)

static void expand(aladdin_element element, const void *source, size_t count, float *destination) {
    switch (element) {
    case aladdin_element_f16:
        expand_f16(source, count, destination);
        break;
    case aladdin_element_bf16:
        expand_bf16(source, count, destination);
        break;
    default:
        expand_f32(source, count, destination);
    }
}

TARGET static void add_weighted_rows(const float *weights, const float *rows, size_t row_count, size_t columns,
                                     float *out) {
    size_t c = 0;
    for (; c + 32 <= columns; c += 32) {
        __m256 sums[4];
        _Pragma("unroll") for (int k = 0; k < 4; k++) sums[k] = _mm256_loadu_ps(out + c + 8 * k);
        for (size_t r = 0; r < row_count; r++) {
            const __m256 weight = _mm256_broadcast_ss(weights + r);
            const float *row = rows + r * columns + c;
            _Pragma("unroll") for (int k = 0; k < 4; k++) {
                sums[k] = _mm256_fmadd_ps(weight, _mm256_loadu_ps(row + 8 * k), sums[k]);
            }
        }
        _Pragma("unroll") for (int k = 0; k < 4; k++) _mm256_storeu_ps(out + c + 8 * k, sums[k]);
    }
    for (; c < columns; c++) {
        float sum = out[c];
        for (size_t r = 0; r < row_count; r++) sum = __builtin_fmaf(weights[r], rows[r * columns + c], sum);
        out[c] = sum;
    }
}

TARGET static uint64_t read_words(const uint64_t *words, size_t count) {
    __m256i sums[4];
    _Pragma("unroll") for (int k = 0; k < 4; k++) sums[k] = _mm256_setzero_si256();
    size_t index = 0;
    for (; index + 16 <= count; index += 16) {
        _Pragma("unroll") for (int k = 0; k < 4; k++) {
            const __m256i *p = (const __m256i *)(words + index + 4 * k);
            sums[k] = _mm256_add_epi64(sums[k], _mm256_loadu_si256(p));
        }
    }
    const __m256i sum = _mm256_add_epi64(_mm256_add_epi64(sums[0], sums[1]), _mm256_add_epi64(sums[2], sums[3]));
    uint64_t lanes[4];
    _mm256_storeu_si256((__m256i *)lanes, sum);
    uint64_t total = lanes[0] + lanes[1] + lanes[2] + lanes[3];
    for (; index < count; index++) total += words[index];
    return total;
}

const struct aladdin_variant aladdin_avx2 = {multiply_rows, expand, add_weighted_rows, read_words};

#endif
