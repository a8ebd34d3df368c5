// What the portable and the AVX2 variant both provide.
#ifndef ALADDIN_VARIANTS_H
#define ALADDIN_VARIANTS_H

#include "CKernels.h"

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
