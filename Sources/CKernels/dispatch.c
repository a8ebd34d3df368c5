// Chooses the variant once. Plain function pointers rather than ifuncs: those need the dynamic linker's help, which
// musl and some sanitizers do not give.
#include "variants.h"

static const struct aladdin_variant *chosen = &aladdin_portable;

#if defined(__x86_64__)
__attribute__((constructor)) static void choose(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")) {
        chosen = &aladdin_avx2;
    }
}
#endif

void aladdin_multiply_rows(aladdin_element element, const void *w, size_t weight_rows, size_t columns, const float *x,
                           size_t x_stride, size_t x_rows, float *y, size_t y_stride) {
    chosen->multiply_rows(element, w, weight_rows, columns, x, x_stride, x_rows, y, y_stride);
}

void aladdin_expand(aladdin_element element, const void *source, size_t count, float *destination) {
    chosen->expand(element, source, count, destination);
}

void aladdin_add_weighted_rows(const float *weights, const float *rows, size_t row_count, size_t columns, float *out) {
    chosen->add_weighted_rows(weights, rows, row_count, columns, out);
}

uint64_t aladdin_read_words(const uint64_t *words, size_t count) { return chosen->read_words(words, count); }

struct aladdin_variant aladdin_chosen_variant(void) { return *chosen; }

struct aladdin_variant aladdin_portable_variant(void) { return aladdin_portable; }
