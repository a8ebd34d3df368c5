// What the portable and the AVX2 variant both provide.
#ifndef ALADDIN_VARIANTS_H
#define ALADDIN_VARIANTS_H

#include "CKernels.h"

struct aladdin_variant {
    void (*multiply_rows)(aladdin_element, const void *, size_t, size_t, const float *, size_t, size_t, float *,
                          size_t);
    void (*expand)(aladdin_element, const void *, size_t, float *);
    void (*add_weighted_rows)(const float *, const float *, size_t, size_t, float *);
    uint64_t (*read_words)(const uint64_t *, size_t);
};

extern const struct aladdin_variant aladdin_portable;

#if defined(__x86_64__)
extern const struct aladdin_variant aladdin_avx2;
#endif

/// One stored element as a float, exactly.
float aladdin_widen_f16(uint16_t bits);

static inline float aladdin_widen_bf16(uint16_t bits) {
    union {
        uint32_t bits;
        float value;
    } word = {(uint32_t)bits << 16};
    return word.value;
}

#endif
