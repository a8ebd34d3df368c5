// The variant for every processor: eight running sums that a compiler can keep in vector registers.
#include "variants.h"

float aladdin_widen_f16(uint16_t bits) {
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    const uint32_t exponent = (bits >> 10) & 0x1F;
    const uint32_t fraction = bits & 0x3FF;
    union {
        uint32_t bits;
        float value;
    } word;
    if (exponent == 0) {
        // Zero or subnormal: fraction * 2^-24 is exact in a float.
        word.value = (float)fraction * 0x1p-24f;
        word.bits |= sign;
    } else if (exponent == 31) {
        word.bits = sign | 0x7F800000 | (fraction << 13);
    } else {
        word.bits = sign | ((exponent + 112) << 23) | (fraction << 13);
    }
    return word.value;
}

static inline float widen(aladdin_element element, const void *source, size_t index) {
    switch (element) {
    case aladdin_element_f16:
        return aladdin_widen_f16(((const uint16_t *)source)[index]);
    case aladdin_element_bf16:
        return aladdin_widen_bf16(((const uint16_t *)source)[index]);
    default:
        return ((const float *)source)[index];
    }
}

static inline __attribute__((always_inline)) float dot_of(aladdin_element element, const void *w, const float *x,
                                                          size_t count) {
    float sums[8] = {0};
    size_t index = 0;
    for (; index + 8 <= count; index += 8) {
        for (size_t lane = 0; lane < 8; lane++) {
            sums[lane] += widen(element, w, index + lane) * x[index + lane];
        }
    }
    float tail = 0;
    for (; index < count; index++) {
        tail += widen(element, w, index) * x[index];
    }
    return (((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))) + tail;
}

// Not inlined: one body for each element, so that no caller gets a differently contracted one.
__attribute__((noinline)) static float dot_f32(const void *w, const float *x, size_t count) {
    return dot_of(aladdin_element_f32, w, x, count);
}

__attribute__((noinline)) static float dot_f16(const void *w, const float *x, size_t count) {
    return dot_of(aladdin_element_f16, w, x, count);
}

__attribute__((noinline)) static float dot_bf16(const void *w, const float *x, size_t count) {
    return dot_of(aladdin_element_bf16, w, x, count);
}

static void multiply_rows(aladdin_element element, const void *w, size_t weight_rows, size_t columns, const float *x,
                          size_t x_stride, size_t x_rows, float *y, size_t y_stride) {
    const size_t bytes = columns * (element == aladdin_element_f32 ? 4 : 2);
    for (size_t o = 0; o < weight_rows; o++) {
        const void *row = (const char *)w + o * bytes;
        for (size_t r = 0; r < x_rows; r++) {
            const float *input = x + r * x_stride;
            float *output = y + r * y_stride + o;
            switch (element) {
            case aladdin_element_f16:
                *output = dot_f16(row, input, columns);
                break;
            case aladdin_element_bf16:
                *output = dot_bf16(row, input, columns);
                break;
            default:
                *output = dot_f32(row, input, columns);
            }
        }
    }
}

static void expand(aladdin_element element, const void *source, size_t count, float *destination) {
    for (size_t index = 0; index < count; index++) {
        destination[index] = widen(element, source, index);
    }
}

static void add_weighted_rows(const float *weights, const float *rows, size_t row_count, size_t columns, float *out) {
    for (size_t r = 0; r < row_count; r++) {
        for (size_t c = 0; c < columns; c++) {
            out[c] += weights[r] * rows[r * columns + c];
        }
    }
}

static uint64_t read_words(const uint64_t *words, size_t count) {
    uint64_t sums[4] = {0};
    size_t index = 0;
    for (; index + 4 <= count; index += 4) {
        for (size_t lane = 0; lane < 4; lane++) {
            sums[lane] += words[index + lane];
        }
    }
    for (; index < count; index++) {
        sums[0] += words[index];
    }
    return sums[0] + sums[1] + sums[2] + sums[3];
}

const struct aladdin_variant aladdin_portable = {multiply_rows, expand, add_weighted_rows, read_words};
