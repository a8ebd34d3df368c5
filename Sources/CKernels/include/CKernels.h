// The engine's inner loops. Portable C with an AVX2/FMA variant that is chosen when the processor has it.
//
// Every result is reduced in an order that depends on its own length alone: a row's product is bit for bit the same
// whether it is computed by itself, in a batch or by another thread.
#ifndef ALADDIN_CKERNELS_H
#define ALADDIN_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// How a weight is stored.
typedef enum aladdin_element {
    aladdin_element_f32 = 0,
    aladdin_element_f16 = 1,
    aladdin_element_bf16 = 2,
} aladdin_element;

/// y[r * y_stride + o] = sum over c of w[o * columns + c] * x[r * x_stride + c], for o in [0, weight_rows) and r in
/// [0, x_rows). Weights are read once for up to four rows of x. `w` must be aligned to its element.
void aladdin_multiply_rows(aladdin_element element, const void *w, size_t weight_rows, size_t columns, const float *x,
                           size_t x_stride, size_t x_rows, float *y, size_t y_stride);

/// Widens `count` stored elements to 32-bit floats.
void aladdin_expand(aladdin_element element, const void *source, size_t count, float *destination);

/// out[c] += sum over r of weights[r] * rows[r * columns + c], rows in ascending order.
void aladdin_add_weighted_rows(const float *weights, const float *rows, size_t row_count, size_t columns, float *out);

/// The sum of 64-bit words at `words`: reads memory as fast as the processor can and does nothing else with it.
uint64_t aladdin_read_words(const uint64_t *words, size_t count);

/// The functions above for one kind of processor; tests compare the kinds.
struct aladdin_variant {
    void (*multiply_rows)(aladdin_element, const void *, size_t, size_t, const float *, size_t, size_t, float *,
                          size_t);
    void (*expand)(aladdin_element, const void *, size_t, float *);
    void (*add_weighted_rows)(const float *, const float *, size_t, size_t, float *);
    uint64_t (*read_words)(const uint64_t *, size_t);
};

/// The variant that this processor gets.
struct aladdin_variant aladdin_chosen_variant(void);

/// The variant that every processor can run.
struct aladdin_variant aladdin_portable_variant(void);

/// Tells the processor that the caller spins.
static inline void aladdin_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

#endif
