// Causal attention over the paged cache: for single rows (decode), split over the context, and for tiles of rows (prefill),
// on tensor cores. Both keep a running maximum and sum, so that scores are never stored as a whole.
#pragma once

#include "Kernels.h"

enum {
    kSplitTokens = 256, // positions that one block of a decode works through
    kDecodeTile = 32,   // positions at a time; a lane each
    kDecodeThreads = 128,
    kTileRows = 64, // rows of a prefill tile, 16 for each warp
    kTileKeys = 32, // so that a block fits into the 99 KiB of shared memory that smaller GPUs have
    kPad = 8, // elements between rows in shared memory, so that their starts are in different banks
};

// 16 bytes of bfloat16.
__device__ __forceinline__ void expand(const bf16 *source, float *target) {
    uint4 packed = *(const uint4 *)source;
    unsigned words[4] = {packed.x, packed.y, packed.z, packed.w};
    for (int i = 0; i < 4; i++) {
        target[2 * i] = __uint_as_float(words[i] << 16);
        target[2 * i + 1] = __uint_as_float(words[i] & 0xFFFF0000u);
    }
}

// Copies keys or values of `count` positions into rows of dimension + kPad; zeros up to `rows`.
__device__ __forceinline__ void loadTile(
    bf16 *tile, const bf16 *cache, AttentionShape shape, const int *table, int start, int count, int rows, int head,
    size_t offset
) {
    int vectors = shape.dimension / 8;
    for (int i = threadIdx.x; i < rows * vectors; i += blockDim.x) {
        int row = i / vectors, column = i % vectors * 8;
        uint4 packed = {0, 0, 0, 0};
        if (row < count) packed = *(const uint4 *)(cache + cacheOffset(shape, table, start + row, head) + offset + column);
        *(uint4 *)(tile + row * (shape.dimension + kPad) + column) = packed;
    }
}

// Bytes of shared memory that a block of `attendRow` needs.
inline size_t attendRowBytes(AttentionShape shape) {
    size_t group = shape.heads / shape.keyHeads;
    size_t floats = group * (2 * shape.dimension + kDecodeTile + 3);
    return 2 * kDecodeTile * (shape.dimension + kPad) * sizeof(bf16) + floats * sizeof(float);
}

// One row's queries of one key head over kSplitTokens positions. Grid: rows, key heads, splits.
//
// partial: for each row, head and split, `dimension` sums of weighted values, the maximum and the sum of weights.
__global__ void attendRow(
    const bf16 *qkv, const bf16 *cache, const int *positions, const int *slots, const int *tables, float *partial,
    AttentionShape shape
) {
    DYNAMIC_SHARED(memory);
    int row = blockIdx.x, head = blockIdx.y, split = blockIdx.z;
    int start = split * kSplitTokens, end = min(positions[row] + 1, start + kSplitTokens);
    if (start >= end) return; // all threads alike
    int dimension = shape.dimension, group = shape.heads / shape.keyHeads, stride = dimension + kPad;
    const int *table = tables + (size_t)slots[row] * shape.tableWidth;
    bf16 *keys = (bf16 *)memory, *values = keys + kDecodeTile * stride;
    float *queries = (float *)(values + kDecodeTile * stride), *sums = queries + group * dimension;
    float *scores = sums + group * dimension, *maxima = scores + group * kDecodeTile, *totals = maxima + group;
    float *factors = totals + group;
    const bf16 *source = qkv + (size_t)row * shape.rowWidth() + head * group * dimension;
    for (int i = threadIdx.x; i < group * dimension; i += blockDim.x) {
        queries[i] = (float)source[i] * rsqrtf((float)dimension);
        sums[i] = 0;
    }
    for (int i = threadIdx.x; i < group; i += blockDim.x) {
        maxima[i] = -INFINITY;
        totals[i] = 0;
    }
    for (int tile = start; tile < end; tile += kDecodeTile) {
        int count = min((int)kDecodeTile, end - tile);
        __syncthreads(); // the last tile has been read
        loadTile(keys, cache, shape, table, tile, count, kDecodeTile, head, 0);
        loadTile(values, cache, shape, table, tile, count, kDecodeTile, head, valueOffset(shape));
        __syncthreads();
        for (int i = threadIdx.x; i < group * kDecodeTile; i += blockDim.x) {
            int query = i / kDecodeTile, token = i % kDecodeTile;
            float score = 0, key[8];
            for (int j = 0; j < dimension; j += 8) {
                expand(keys + token * stride + j, key);
                for (int k = 0; k < 8; k++) score += queries[query * dimension + j + k] * key[k];
            }
            scores[i] = token < count ? score : -INFINITY;
        }
        __syncthreads();
        int lane = threadIdx.x % 32;
        for (int query = threadIdx.x / 32; query < group; query += blockDim.x / 32) {
            float score = scores[query * kDecodeTile + lane], before = maxima[query];
            float maximum = max(before, warpMaximum(score)), weight = expf(score - maximum);
            float total = warpSum(weight), factor = expf(before - maximum);
            scores[query * kDecodeTile + lane] = weight;
            __syncwarp(); // every lane has read the maximum
            if (lane == 0) {
                maxima[query] = maximum;
                totals[query] = totals[query] * factor + total;
                factors[query] = factor;
            }
        }
        __syncthreads();
        for (int i = threadIdx.x; i < group * dimension; i += blockDim.x) {
            int query = i / dimension, column = i % dimension;
            float sum = sums[i] * factors[query];
            for (int token = 0; token < count; token++)
                sum += scores[query * kDecodeTile + token] * (float)values[token * stride + column];
            sums[i] = sum;
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < group * dimension; i += blockDim.x) {
        int query = i / dimension, column = i % dimension;
        size_t entry = ((size_t)row * shape.heads + head * group + query) * gridDim.z + split;
        float *target = partial + entry * (dimension + 2);
        target[column] = sums[i];
        if (column == 0) {
            target[dimension] = maxima[query];
            target[dimension + 1] = totals[query];
        }
    }
}

// Puts the splits of a row's heads together. Grid: rows, heads. `out` is [row][head][dimension].
__global__ void combine(const float *partial, const int *positions, bf16 *out, AttentionShape shape, int splits) {
    int row = blockIdx.x, head = blockIdx.y, dimension = shape.dimension;
    bf16 *target = out + ((size_t)row * shape.heads + head) * dimension;
    const float *entries = partial + ((size_t)row * shape.heads + head) * splits * (dimension + 2);
    int used = (positions[row] + kSplitTokens) / kSplitTokens; // none for padding
    float maximum = -INFINITY, total = 0;
    for (int i = 0; i < used; i++) maximum = max(maximum, entries[i * (dimension + 2) + dimension]);
    for (int i = 0; i < used; i++) {
        const float *entry = entries + i * (dimension + 2);
        total += entry[dimension + 1] * expf(entry[dimension] - maximum);
    }
    for (int column = threadIdx.x; column < dimension; column += blockDim.x) {
        float sum = 0;
        for (int i = 0; i < used; i++) {
            const float *entry = entries + i * (dimension + 2);
            sum += entry[column] * expf(entry[dimension] - maximum);
        }
        target[column] = rounded(used ? sum / total : 0);
    }
}

// Consecutive rows of one sequence.
struct RowTile {
    int firstRow, rows; // at most kTileRows
};

inline size_t attendTileBytes(AttentionShape shape) {
    size_t wide = shape.dimension + kPad, narrow = kTileKeys + kPad;
    size_t halves = kTileRows * wide + 2 * kTileKeys * wide + kTileRows * narrow;
    size_t floats = kTileRows * wide + kTileRows * narrow + 2 * kTileRows;
    return halves * sizeof(bf16) + floats * sizeof(float);
}

// A tile's queries of one head over all positions that they see. Grid: tiles, heads; 128 threads, of which each warp has
// 16 rows. The dimension is a multiple of 16.
__global__ void __launch_bounds__(128) attendTile(
    const bf16 *qkv, const bf16 *cache, const RowTile *tiles, const int *positions, const int *slots, const int *tables,
    bf16 *out, AttentionShape shape
) {
    using namespace nvcuda;
    using Sum = wmma::fragment<wmma::accumulator, 16, 16, 16, float>;
    using Left = wmma::fragment<wmma::matrix_a, 16, 16, 16, tensor_bf16, wmma::row_major>;
    DYNAMIC_SHARED(memory);
    RowTile tile = tiles[blockIdx.x];
    int head = blockIdx.y, keyHead = head / (shape.heads / shape.keyHeads), dimension = shape.dimension;
    int wide = dimension + kPad, narrow = kTileKeys + kPad;
    bf16 *queries = (bf16 *)memory, *keys = queries + kTileRows * wide, *values = keys + kTileKeys * wide;
    bf16 *weights = values + kTileKeys * wide;
    float *sums = (float *)(weights + kTileRows * narrow), *scores = sums + kTileRows * wide;
    float *maxima = scores + kTileRows * narrow, *totals = maxima + kTileRows;
    const int *table = tables + (size_t)slots[tile.firstRow] * shape.tableWidth;
    int first = positions[tile.firstRow], end = first + tile.rows;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, top = warp * 16;
    float scale = rsqrtf((float)dimension);

    for (int i = threadIdx.x; i < kTileRows * dimension; i += blockDim.x) {
        int row = i / dimension, column = i % dimension;
        const bf16 *source = qkv + (size_t)(tile.firstRow + row) * shape.rowWidth() + head * dimension;
        queries[row * wide + column] = row < tile.rows ? source[column] : bf16{0};
        sums[row * wide + column] = 0;
    }
    for (int row = threadIdx.x; row < kTileRows; row += blockDim.x) {
        maxima[row] = -INFINITY;
        totals[row] = 0;
    }
    for (int start = 0; start < end; start += kTileKeys) {
        int count = min((int)kTileKeys, end - start);
        __syncthreads(); // the last keys and values have been read
        loadTile(keys, cache, shape, table, start, count, kTileKeys, keyHead, 0);
        loadTile(values, cache, shape, table, start, count, kTileKeys, keyHead, valueOffset(shape));
        __syncthreads();
        for (int column = 0; column < kTileKeys; column += 16) {
            Sum sum;
            wmma::fill_fragment(sum, 0.0f);
            for (int k = 0; k < dimension; k += 16) {
                Left left;
                wmma::fragment<wmma::matrix_b, 16, 16, 16, tensor_bf16, wmma::col_major> right;
                wmma::load_matrix_sync(left, (const tensor_bf16 *)(queries + top * wide + k), wide);
                wmma::load_matrix_sync(right, (const tensor_bf16 *)(keys + column * wide + k), wide);
                wmma::mma_sync(sum, left, right, sum);
            }
            wmma::store_matrix_sync(scores + top * narrow + column, sum, narrow, wmma::mem_row_major);
        }
        __syncwarp();
        // Two lanes for each of the warp's rows.
        int row = top + lane / 2, seen = min(count, first + row + 1 - start), left = lane % 2 * (kTileKeys / 2);
        float maximum = -INFINITY;
        for (int i = left; i < left + kTileKeys / 2; i++)
            if (i < seen) maximum = max(maximum, scores[row * narrow + i] * scale);
        maximum = max(maximum, __shfl_xor_sync(0xFFFFFFFFu, maximum, 1));
        float before = maxima[row];
        maximum = max(maximum, before);
        // Nothing seen yet, as in rows of padding: weights of 0, not of NaN.
        float shift = maximum == -INFINITY ? 0 : maximum, total = 0, factor = expf(before - shift);
        for (int i = left; i < left + kTileKeys / 2; i++) {
            // What is summed is what is multiplied: the rounded weight.
            bf16 weight = rounded(i < seen ? expf(scores[row * narrow + i] * scale - shift) : 0);
            weights[row * narrow + i] = weight;
            total += (float)weight;
        }
        total += __shfl_xor_sync(0xFFFFFFFFu, total, 1);
        __syncwarp(); // both lanes have read the maximum
        if (lane % 2 == 0) {
            maxima[row] = maximum;
            totals[row] = totals[row] * factor + total;
        }
        for (int column = lane % 2; column < dimension; column += 2) sums[row * wide + column] *= factor;
        __syncwarp();
        for (int column = 0; column < dimension; column += 16) {
            Sum sum;
            wmma::load_matrix_sync(sum, sums + top * wide + column, wide, wmma::mem_row_major);
            for (int k = 0; k < kTileKeys; k += 16) {
                Left weight;
                wmma::fragment<wmma::matrix_b, 16, 16, 16, tensor_bf16, wmma::row_major> value;
                wmma::load_matrix_sync(weight, (const tensor_bf16 *)(weights + top * narrow + k), narrow);
                wmma::load_matrix_sync(value, (const tensor_bf16 *)(values + k * wide + column), wide);
                wmma::mma_sync(sum, weight, value, sum);
            }
            wmma::store_matrix_sync(sums + top * wide + column, sum, wide, wmma::mem_row_major);
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < tile.rows * dimension; i += blockDim.x) {
        int row = i / dimension, column = i % dimension;
        bf16 *target = out + ((size_t)(tile.firstRow + row) * shape.heads + head) * dimension;
        target[column] = rounded(sums[row * wide + column] / totals[row]);
    }
}
