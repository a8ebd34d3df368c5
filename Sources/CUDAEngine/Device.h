// What the engine needs of a device: CUDA, or, where ALADDIN_ON_CPU is defined, this processor (Fibers.h).
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#ifdef ALADDIN_ON_CPU
#include "Fibers.h"
#define LAUNCH(kernel, grid, block, shared, stream, ...) \
    ((void)(stream), fibers::launch(grid, block, shared, [&] { kernel(__VA_ARGS__); }))
#define DYNAMIC_SHARED(name) unsigned char *name = fibers::shared
#else
#include <cuda_bf16.h>
#include <cuda_runtime.h>
#include <mma.h>
#define LAUNCH(kernel, grid, block, shared, stream, ...) kernel<<<grid, block, shared, stream>>>(__VA_ARGS__)
#define DYNAMIC_SHARED(name) extern __shared__ __align__(128) unsigned char name[]
#endif

// Bfloat16 as it lies in memory.
struct bf16 {
    uint16_t bits;

    __host__ __device__ __forceinline__ explicit operator float() const {
        union {
            uint32_t bits;
            float value;
        } wide = {(uint32_t)bits << 16};
        return wide.value;
    }
};

// Rounds to the nearest, halves to even; NaN stays NaN.
__host__ __device__ __forceinline__ bf16 rounded(float value) {
    union {
        float value;
        uint32_t bits;
    } wide = {value};
    if ((wide.bits & 0x7FFFFFFFu) > 0x7F800000u) return bf16{(uint16_t)((wide.bits >> 16) | 0x40)};
    return bf16{(uint16_t)((wide.bits + 0x7FFFu + ((wide.bits >> 16) & 1)) >> 16)};
}

#ifdef ALADDIN_ON_CPU
using tensor_bf16 = bf16;
#else
using tensor_bf16 = __nv_bfloat16; // the same bits
#endif

// Something that the engine cannot do, in words for whoever started it.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};
struct OutOfMemory : Failure {
    using Failure::Failure;
};

inline void check(cudaError_t code, const char *what) {
    if (code == cudaSuccess) return;
    std::string words = std::string(what) + ": " + cudaGetErrorString(code);
    if (code == 2) throw OutOfMemory(words); // cudaErrorMemoryAllocation
    throw Failure(words);
}

// Memory of the device.
template <class T> class Buffer {
  public:
    Buffer() = default;
    explicit Buffer(size_t count) : count_(count) {
        check(cudaMalloc((void **)&data_, count * sizeof(T)), "memory of the device");
    }
    Buffer(Buffer &&other) noexcept { swap(other); }
    Buffer &operator=(Buffer &&other) noexcept {
        swap(other);
        return *this;
    }
    ~Buffer() {
        if (data_) cudaFree(data_);
    }

    T *get() const { return data_; }
    size_t count() const { return count_; }

    void upload(const T *source, size_t count, cudaStream_t stream, size_t offset = 0) {
        if (count == 0) return;
        if (offset + count > count_) throw Failure("a copy beyond a buffer's end");
        check(
            cudaMemcpyAsync(data_ + offset, source, count * sizeof(T), cudaMemcpyHostToDevice, stream), "copying to the device"
        );
    }
    void download(T *target, size_t count, cudaStream_t stream) const {
        if (count > count_) throw Failure("a copy beyond a buffer's end");
        check(cudaMemcpyAsync(target, data_, count * sizeof(T), cudaMemcpyDeviceToHost, stream), "copying from the device");
    }

  private:
    void swap(Buffer &other) {
        std::swap(data_, other.data_);
        std::swap(count_, other.count_);
    }
    T *data_ = nullptr;
    size_t count_ = 0;
};
