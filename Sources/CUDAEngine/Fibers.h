// CUDA's threads on this processor, for tests: a block's threads are fibers that take turns at barriers, blocks run one after
// another. Together with stand-ins for the few functions of the runtime that the engine calls, the engine's sources compile
// as they are, with g++ and ALADDIN_ON_CPU. It checks arithmetic and indices, and finds blocks whose threads wait for each
// other; it says nothing about time, and little about races.
#pragma once

#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <type_traits>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__
#define __shared__ static // one block at a time

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct uint4 {
    unsigned x, y, z, w;
};

inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace fibers {

struct Barrier {
    unsigned arrived = 0, generation = 0;
};

// A thread of whatever block runs; it lives on and takes its part in the next block.
struct Fiber {
    std::vector<char> stack;
    ucontext_t start; // used once: switching by it would cost a system call each time
    jmp_buf place;
    bool hasStarted = false, isDone = false;
};

struct Block {
    std::vector<std::unique_ptr<Fiber>> threads;
    std::vector<unsigned> living; // of each warp; the last is the block's
    std::vector<Barrier> barriers; // the same
    std::vector<uint32_t> exchanged;
    jmp_buf scheduler;
    unsigned current = 0;
    bool advanced = false; // anything but waiting, in this round
    const std::function<void()> *kernel = nullptr;
};

inline Block block;
inline bool isReversed = false; // takes the threads from the last to the first: what depends on their order differs
alignas(128) inline unsigned char shared[256 << 10];

inline void yield() {
    if (_setjmp(block.threads[block.current]->place) == 0) _longjmp(block.scheduler, 1);
}

inline void release(unsigned group) {
    Barrier &barrier = block.barriers[group];
    if (barrier.arrived == 0 || barrier.arrived < block.living[group]) return;
    barrier.arrived = 0;
    barrier.generation++;
}

inline void wait(unsigned group) {
    Barrier &barrier = block.barriers[group];
    unsigned generation = barrier.generation;
    barrier.arrived++;
    block.advanced = true;
    release(group);
    while (block.barriers[group].generation == generation) yield();
}

inline unsigned warp() { return block.current / 32; }

inline void run() {
    for (;;) {
        (*block.kernel)();
        unsigned last = (unsigned)block.barriers.size() - 1;
        block.threads[block.current]->isDone = true;
        block.advanced = true;
        for (unsigned group : {warp(), last}) {
            block.living[group]--;
            release(group);
        }
        yield();
    }
}

// Runs a thread until it waits or ends.
inline void resume(unsigned index) {
    Fiber &fiber = *block.threads[index];
    block.current = index;
    threadIdx = dim3(index % blockDim.x, index / blockDim.x % blockDim.y, index / blockDim.x / blockDim.y);
    if (_setjmp(block.scheduler) != 0) return;
    if (fiber.hasStarted) _longjmp(fiber.place, 1);
    fiber.hasStarted = true;
    setcontext(&fiber.start);
}

inline void runBlock(unsigned count) {
    unsigned warps = (count + 31) / 32;
    block.barriers.assign(warps + 1, {});
    block.living.assign(warps + 1, 32);
    block.living[warps - 1] = count - 32 * (warps - 1);
    block.living[warps] = count;
    block.exchanged.assign(32 * warps, 0);
    while (block.threads.size() < count) {
        auto fiber = std::make_unique<Fiber>();
        fiber->stack.resize(64 << 10);
        getcontext(&fiber->start);
        fiber->start.uc_stack.ss_sp = fiber->stack.data();
        fiber->start.uc_stack.ss_size = fiber->stack.size();
        makecontext(&fiber->start, run, 0);
        block.threads.push_back(std::move(fiber));
    }
    for (unsigned i = 0; i < count; i++) block.threads[i]->isDone = false;
    for (unsigned left = count; left > 0;) {
        block.advanced = false;
        for (unsigned turn = 0; turn < count; turn++) {
            unsigned i = isReversed ? count - 1 - turn : turn;
            if (block.threads[i]->isDone) continue;
            resume(i);
            left -= block.threads[i]->isDone;
        }
        if (left > 0 && !block.advanced) {
            fprintf(stderr, "the threads of a block wait for each other\n");
            abort();
        }
    }
}

inline void launch(dim3 grid, dim3 threads, size_t sharedBytes, const std::function<void()> &kernel) {
    static std::mutex device; // there is one, whoever uses it
    std::lock_guard<std::mutex> guard(device);
    if (sharedBytes > sizeof shared) abort();
    gridDim = grid;
    blockDim = threads;
    block.kernel = &kernel;
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                blockIdx = dim3(x, y, z);
                memset(shared, 0xFF, sharedBytes); // NaN: what is read before it is written shows
                runBlock(threads.x * threads.y * threads.z);
            }
}

} // namespace fibers

inline void __syncthreads() { fibers::wait((unsigned)fibers::block.barriers.size() - 1); }
inline void __syncwarp() { fibers::wait(fibers::warp()); }

template <class T> T __shfl_xor_sync(unsigned, T value, int lanes) {
    static_assert(sizeof(T) == 4);
    memcpy(&fibers::block.exchanged[fibers::block.current], &value, 4);
    __syncwarp();
    memcpy(&value, &fibers::block.exchanged[fibers::block.current ^ (unsigned)lanes], 4);
    __syncwarp();
    return value;
}

using std::max;
using std::min;
inline float rsqrtf(float value) { return 1 / std::sqrt(value); }
inline uint32_t __float_as_uint(float value) {
    uint32_t bits;
    return memcpy(&bits, &value, 4), bits;
}
inline float __uint_as_float(uint32_t bits) {
    float value;
    return memcpy(&value, &bits, 4), value;
}

// Tensor cores: a warp's first lane has the whole tile.
namespace nvcuda::wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };

template <class Use, int M, int N, int K, class T, class Layout = void> struct fragment {
    float values[16][16];
};

inline bool leads() { return fibers::block.current % 32 == 0; }

template <class Use, class T, class Layout>
void load_matrix_sync(fragment<Use, 16, 16, 16, T, Layout> &tile, const T *source, unsigned stride) {
    constexpr bool isColumns = std::is_same_v<Layout, col_major>;
    for (unsigned i = 0; leads() && i < 16; i++)
        for (unsigned j = 0; j < 16; j++)
            tile.values[i][j] = (float)source[isColumns ? j * stride + i : i * stride + j];
}

inline void load_matrix_sync(
    fragment<accumulator, 16, 16, 16, float> &tile, const float *source, unsigned stride, layout_t
) {
    for (unsigned i = 0; leads() && i < 16; i++)
        for (unsigned j = 0; j < 16; j++) tile.values[i][j] = source[i * stride + j];
}

inline void store_matrix_sync(
    float *target, const fragment<accumulator, 16, 16, 16, float> &tile, unsigned stride, layout_t
) {
    for (unsigned i = 0; leads() && i < 16; i++)
        for (unsigned j = 0; j < 16; j++) target[i * stride + j] = tile.values[i][j];
}

inline void fill_fragment(fragment<accumulator, 16, 16, 16, float> &tile, float value) {
    for (auto &row : tile.values)
        for (float &element : row) element = value;
}

template <class A, class B>
void mma_sync(
    fragment<accumulator, 16, 16, 16, float> &sum, const A &a, const B &b,
    const fragment<accumulator, 16, 16, 16, float> &addend
) {
    for (unsigned i = 0; leads() && i < 16; i++)
        for (unsigned j = 0; j < 16; j++) {
            float value = addend.values[i][j];
            for (unsigned k = 0; k < 16; k++) value += a.values[i][k] * b.values[k][j];
            sum.values[i][j] = value;
        }
}

} // namespace nvcuda::wmma

// The runtime: one device, whose memory is the host's.
using cudaError_t = int;
using cudaStream_t = void *;
enum { cudaSuccess = 0 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost };
inline cudaError_t cudaMalloc(void **memory, size_t bytes) { return (*memory = malloc(bytes ? bytes : 1)) ? 0 : 2; }
inline cudaError_t cudaFree(void *memory) { return free(memory), 0; }
inline cudaError_t cudaMemsetAsync(void *memory, int value, size_t bytes, cudaStream_t) {
    return memset(memory, value, bytes), 0;
}
inline cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
    return memcpy(to, from, bytes), 0;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return 0; }
inline cudaError_t cudaGetLastError() { return 0; }
inline const char *cudaGetErrorString(cudaError_t) { return "out of memory"; }
