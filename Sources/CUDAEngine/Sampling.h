// Draws a token from each row of scores, on the device, without sorting: top-k and top-p are thresholds, found bit by bit.
#pragma once

#include "Kernels.h"

enum { kSampleThreads = 512 };

// How one row is drawn; `uniform` is in [0, 1).
struct Draw {
    float temperature, topP;
    int topK;
    float uniform;
};

// The order of floats as that of unsigned integers.
__device__ __forceinline__ uint32_t ordered(float value) {
    uint32_t bits = __float_as_uint(value);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

// The highest threshold for which `measure(threshold)`, which falls as the threshold rises, still reaches `target`.
template <class Measure> __device__ __forceinline__ uint32_t threshold(float target, Measure measure) {
    uint32_t bits = 0;
    for (int bit = 31; bit >= 0; bit--) {
        uint32_t candidate = bits | 1u << bit;
        if (measure(candidate) >= target) bits = candidate;
    }
    return bits;
}

// A block for each row of `scores`, [rows][count]. Ties go to the lowest token; top-k and top-p keep all that tie with their
// last. The draw walks the tokens in their order.
__global__ void sample(const float *scores, const Draw *draws, int *tokens, int count) {
    __shared__ float scratch[33];
    __shared__ float parts[kSampleThreads];
    __shared__ float bestScores[kSampleThreads];
    __shared__ int bestTokens[kSampleThreads];
    const float *row = scores + (size_t)blockIdx.x * count;
    Draw draw = draws[blockIdx.x];
    int self = threadIdx.x;

    float best = -INFINITY;
    int token = 0;
    for (int i = self; i < count; i += blockDim.x)
        if (row[i] > best) best = row[i], token = i;
    bestScores[self] = best;
    bestTokens[self] = token;
    __syncthreads();
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (self < half) {
            float score = bestScores[self + half];
            int other = bestTokens[self + half];
            if (score > bestScores[self] || (score == bestScores[self] && other < bestTokens[self])) {
                bestScores[self] = score;
                bestTokens[self] = other;
            }
        }
        __syncthreads();
    }
    best = bestScores[0];
    token = bestTokens[0];
    if (!(draw.temperature > 0) || draw.topK == 1) {
        if (self == 0) tokens[blockIdx.x] = token;
        return;
    }

    float inverse = 1 / draw.temperature;
    auto sumOver = [&](uint32_t bound, auto value) {
        float sum = 0;
        for (int i = self; i < count; i += blockDim.x)
            if (ordered(row[i]) >= bound) sum += value(row[i]);
        return blockSum(sum, scratch);
    };
    auto weight = [&](float score) { return expf((score - best) * inverse); };
    uint32_t bound = 0;
    if (draw.topK > 0 && draw.topK < count)
        bound = threshold((float)draw.topK, [&](uint32_t candidate) { return sumOver(candidate, [](float) { return 1.0f; }); });
    if (draw.topP < 1) {
        float target = draw.topP * sumOver(bound, weight);
        bound = threshold(target, [&](uint32_t candidate) { return sumOver(candidate, weight); });
    }

    // Each thread has a stretch of the tokens; the one in whose stretch the target falls walks it.
    int stretch = (count + blockDim.x - 1) / blockDim.x, start = min(count, self * stretch);
    int end = min(count, start + stretch);
    float part = 0;
    for (int i = start; i < end; i++)
        if (ordered(row[i]) >= bound) part += weight(row[i]);
    parts[self] = part;
    __syncthreads();
    if (self != 0) return;
    float total = 0;
    for (int i = 0; i < (int)blockDim.x; i++) total += parts[i];
    float target = draw.uniform * total, sum = 0;
    int owner = 0;
    while (owner + 1 < (int)blockDim.x && sum + parts[owner] <= target) sum += parts[owner++];
    for (int i = min(count, owner * stretch); i < min(count, (owner + 1) * stretch); i++) {
        if (ordered(row[i]) < bound) continue;
        sum += weight(row[i]);
        token = i; // rounding may leave the target beyond the last
        if (sum > target) break;
    }
    tokens[blockIdx.x] = token;
}
