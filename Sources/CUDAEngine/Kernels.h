// The kernels between the matrix products. A row is a token of a sequence; the residual stream is float, what goes into a
// product is bfloat16.
#pragma once

#include "Device.h"

enum { kBlockTokens = 16, kThreads = 256 };

__device__ __forceinline__ float warpSum(float value) {
    for (int lanes = 16; lanes > 0; lanes /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, lanes);
    return value;
}

__device__ __forceinline__ float warpMaximum(float value) {
    for (int lanes = 16; lanes > 0; lanes /= 2) value = max(value, __shfl_xor_sync(0xFFFFFFFFu, value, lanes));
    return value;
}

// Of all threads, in all threads. `scratch` is shared and has 33 floats.
__device__ __forceinline__ float blockSum(float value, float *scratch) {
    value = warpSum(value);
    __syncthreads(); // what an earlier call left may still be read
    if (threadIdx.x % 32 == 0) scratch[threadIdx.x / 32] = value;
    __syncthreads();
    if (threadIdx.x < 32) {
        float sum = warpSum(threadIdx.x < (blockDim.x + 31) / 32 ? scratch[threadIdx.x] : 0);
        if (threadIdx.x == 0) scratch[32] = sum;
    }
    __syncthreads();
    return scratch[32];
}

// residual[row] = embedding[tokens[row]]. A block for each row.
__global__ void embed(const bf16 *embedding, const int *tokens, float *residual, int width) {
    const bf16 *source = embedding + (size_t)tokens[blockIdx.x] * width;
    float *target = residual + (size_t)blockIdx.x * width;
    for (int i = threadIdx.x; i < width; i += blockDim.x) target[i] = (float)source[i];
}

// out[i] = norm of residual[rows[i]]; all rows in order if `rows` is NULL. A block for each.
__global__ void normalise(
    const float *residual, const int *rows, const float *weight, bf16 *out, int width, float epsilon
) {
    __shared__ float scratch[33];
    const float *source = residual + (size_t)(rows ? rows[blockIdx.x] : blockIdx.x) * width;
    bf16 *target = out + (size_t)blockIdx.x * width;
    float squares = 0;
    for (int i = threadIdx.x; i < width; i += blockDim.x) squares += source[i] * source[i];
    float factor = rsqrtf(blockSum(squares, scratch) / width + epsilon);
    for (int i = threadIdx.x; i < width; i += blockDim.x) target[i] = rounded(source[i] * factor * weight[i]);
}

// Shape of the attention of one layer.
struct AttentionShape {
    int heads, keyHeads, dimension;
    int tableWidth; // blocks in a row of the table

    __host__ __device__ int rowWidth() const { return (heads + 2 * keyHeads) * dimension; }
    // A block of the cache: keys of all heads, [head][token][dimension], then values.
    __host__ __device__ size_t blockElements() const { return (size_t)2 * keyHeads * kBlockTokens * dimension; }
};

// Where a position's key of one head lies; its value is `valueOffset` further.
__device__ __forceinline__ size_t cacheOffset(AttentionShape shape, const int *table, int position, int head) {
    size_t block = table[position / kBlockTokens];
    return block * shape.blockElements() + ((size_t)head * kBlockTokens + position % kBlockTokens) * shape.dimension;
}
__device__ __forceinline__ size_t valueOffset(AttentionShape shape) {
    return (size_t)shape.keyHeads * kBlockTokens * shape.dimension;
}

// Adds the biases, if there are any, turns queries (in place) and keys by their position, and stores keys and values.
// A block for each row; rows at a negative position are padding.
__global__ void rotateAndStore(
    bf16 *qkv, const float *bias, const float *frequencies, const int *positions, const int *slots, const int *tables,
    bf16 *cache, AttentionShape shape
) {
    int position = positions[blockIdx.x];
    if (position < 0) return;
    bf16 *row = qkv + (size_t)blockIdx.x * shape.rowWidth();
    const int *table = tables + (size_t)slots[blockIdx.x] * shape.tableWidth;
    int half = shape.dimension / 2, turned = shape.heads + shape.keyHeads;
    for (int i = threadIdx.x; i < (turned + shape.keyHeads) * half; i += blockDim.x) {
        int head = i / half, pair = i % half;
        int first = head * shape.dimension + pair, second = first + half;
        float a = (float)row[first] + (bias ? bias[first] : 0), b = (float)row[second] + (bias ? bias[second] : 0);
        if (head < turned) {
            float angle = position * frequencies[pair], cosine = cosf(angle), sine = sinf(angle), turn = a;
            a = a * cosine - b * sine;
            b = b * cosine + turn * sine;
        }
        if (head < shape.heads) {
            row[first] = rounded(a);
            row[second] = rounded(b);
            continue;
        }
        bool isKey = head < turned;
        size_t offset = cacheOffset(shape, table, position, isKey ? head - shape.heads : head - turned);
        bf16 *target = cache + offset + (isKey ? 0 : valueOffset(shape));
        target[pair] = rounded(a);
        target[pair + half] = rounded(b);
    }
}

// out = silu(gate) · up, where a row of `gateUp` is a gate and an up of `width` each. Blocks of threads over rows · width.
__global__ void activate(const bf16 *gateUp, bf16 *out, int rows, int width) {
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < (size_t)rows * width;
         i += (size_t)gridDim.x * blockDim.x) {
        size_t row = i / width, column = i % width;
        float gate = (float)gateUp[row * 2 * width + column], up = (float)gateUp[row * 2 * width + width + column];
        out[i] = rounded(gate / (1 + expf(-gate)) * up);
    }
}

// Random weights, uniform in ±0.04, for measuring without a model.
__global__ void scatter(bf16 *out, size_t count, uint64_t seed) {
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (size_t)gridDim.x * blockDim.x) {
        uint64_t word = (i + seed * 0x9E3779B97F4A7C15ull) * 0xBF58476D1CE4E5B9ull;
        word = (word ^ word >> 31) * 0x94D049BB133111EBull;
        out[i] = rounded((float)(int32_t)(word >> 32) * 0x1p-31f * 0.04f);
    }
}
