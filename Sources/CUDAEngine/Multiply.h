// Products with a weight matrix [outputs][inputs]: own kernel for a few rows, where reading the weights is all the time, cuBLAS
// for many. cuBLAS is looked for at run time, so that the library loads where it is not.
#pragma once

#include "Kernels.h"

#ifndef ALADDIN_ON_CPU
#include <dlfcn.h>
#endif

enum { kFewRows = 4 };

// out[row][output] (+)= weights[output] · in[row], a warp for each output. `inputs` is a multiple of 8.
template <int Rows, bool Adds, class Out>
__global__ void multiplyFew(const bf16 *weights, const bf16 *in, Out *out, int outputs, int inputs) {
    int output = (blockIdx.x * blockDim.x + threadIdx.x) / 32, lane = threadIdx.x % 32;
    if (output >= outputs) return; // whole warps
    const bf16 *row = weights + (size_t)output * inputs;
    float sums[Rows] = {};
#ifndef ALADDIN_ON_CPU
#pragma unroll 4
#endif
    for (int i = lane * 8; i < inputs; i += 32 * 8) {
        uint4 packed = *(const uint4 *)(row + i);
        unsigned words[4] = {packed.x, packed.y, packed.z, packed.w};
        for (int r = 0; r < Rows; r++) {
            uint4 other = *(const uint4 *)(in + (size_t)r * inputs + i);
            unsigned others[4] = {other.x, other.y, other.z, other.w};
            for (int k = 0; k < 4; k++) {
                sums[r] += __uint_as_float(words[k] << 16) * __uint_as_float(others[k] << 16);
                sums[r] += __uint_as_float(words[k] & 0xFFFF0000u) * __uint_as_float(others[k] & 0xFFFF0000u);
            }
        }
    }
    for (int r = 0; r < Rows; r++) {
        float sum = warpSum(sums[r]);
        if (lane != 0) continue;
        Out *target = out + (size_t)r * outputs + output;
        if constexpr (sizeof(Out) == 2) *target = rounded(sum);
        else *target = Adds ? *target + sum : sum;
    }
}

#ifndef ALADDIN_ON_CPU
// The five functions of cuBLAS that are used, with its numbers.
class Blas {
  public:
    Blas() {
        const char *chosen = getenv("ALADDIN_CUBLAS");
        std::vector<std::string> names = {"libcublas.so.13", "libcublas.so.12", "libcublas.so.11", "libcublas.so"};
        if (chosen) names = {chosen};
        void *library = nullptr;
        for (size_t i = 0; i < names.size() && !library; i++) library = dlopen(names[i].c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!library)
            throw Failure("cuBLAS is not found (libcublas.so.13, .12 or .11); put it on LD_LIBRARY_PATH or name it in "
                          "ALADDIN_CUBLAS");
        find(library, create_, "cublasCreate_v2");
        find(library, setStream_, "cublasSetStream_v2");
        find(library, setWorkspace_, "cublasSetWorkspace_v2");
        find(library, gemm_, "cublasGemmEx");
        check(create_(&handle_), "cublasCreate");
    }

    // A workspace of its own, so that products can be recorded into graphs.
    void use(cudaStream_t stream) {
        if (!workspace_.get()) workspace_ = Buffer<char>(32 << 20);
        check(setStream_(handle_, stream), "cublasSetStream");
        check(setWorkspace_(handle_, workspace_.get(), workspace_.count()), "cublasSetWorkspace");
    }

    // Row by row: out[rows][outputs] = in[rows][inputs] · weightsᵀ (+ out).
    void multiply(const bf16 *weights, const bf16 *in, void *out, bool isFloat, bool adds, int rows, int outputs, int inputs) {
        enum { kTransposed = 1, kPlain = 0, kReal16BF = 14, kReal32F = 0, kCompute32F = 68, kDefault = -1 };
        float one = 1, other = adds ? 1 : 0;
        int code = gemm_(
            handle_, kTransposed, kPlain, outputs, rows, inputs, &one, weights, kReal16BF, inputs, in, kReal16BF, inputs,
            &other, out, isFloat ? kReal32F : kReal16BF, outputs, kCompute32F, kDefault
        );
        check(code, "cublasGemmEx");
    }

  private:
    template <class Function> static void find(void *library, Function &function, const char *name) {
        function = (Function)dlsym(library, name);
        if (!function) throw Failure(std::string("cuBLAS has no ") + name);
    }
    static void check(int code, const char *name) {
        if (code != 0) throw Failure(std::string(name) + " failed with status " + std::to_string(code));
    }

    void *handle_ = nullptr;
    Buffer<char> workspace_;
    int (*create_)(void **) = nullptr;
    int (*setStream_)(void *, cudaStream_t) = nullptr;
    int (*setWorkspace_)(void *, void *, size_t) = nullptr;
    int (*gemm_)(
        void *, int, int, int, int, int, const void *, const void *, int, int, const void *, int, int, const void *, void *,
        int, int, int, int
    ) = nullptr;
};
#else
// The same products, one number after the other.
class Blas {
  public:
    void use(cudaStream_t) {}
    void multiply(const bf16 *weights, const bf16 *in, void *out, bool isFloat, bool adds, int rows, int outputs, int inputs) {
        for (int row = 0; row < rows; row++)
            for (int output = 0; output < outputs; output++) {
                float sum = 0;
                for (int i = 0; i < inputs; i++)
                    sum += (float)weights[(size_t)output * inputs + i] * (float)in[(size_t)row * inputs + i];
                size_t index = (size_t)row * outputs + output;
                if (isFloat) ((float *)out)[index] = adds ? ((float *)out)[index] + sum : sum;
                else ((bf16 *)out)[index] = rounded(sum);
            }
    }
};
#endif

// Chooses between the two.
class Multiplier {
  public:
    explicit Multiplier(cudaStream_t stream) : stream_(stream) { blas_.use(stream); }

    void operator()(const bf16 *weights, const bf16 *in, bf16 *out, int rows, int outputs, int inputs) {
        if (rows <= kFewRows) few<false>(weights, in, out, rows, outputs, inputs);
        else blas_.multiply(weights, in, out, false, false, rows, outputs, inputs);
    }
    void operator()(const bf16 *weights, const bf16 *in, float *out, int rows, int outputs, int inputs) {
        if (rows <= kFewRows) few<false>(weights, in, out, rows, outputs, inputs);
        else blas_.multiply(weights, in, out, true, false, rows, outputs, inputs);
    }
    void add(const bf16 *weights, const bf16 *in, float *out, int rows, int outputs, int inputs) {
        if (rows <= kFewRows) few<true>(weights, in, out, rows, outputs, inputs);
        else blas_.multiply(weights, in, out, true, true, rows, outputs, inputs);
    }

  private:
    template <bool Adds, class Out>
    void few(const bf16 *weights, const bf16 *in, Out *out, int rows, int outputs, int inputs) {
        dim3 grid((outputs + 7) / 8), block(256);
        auto kernel = rows == 1   ? multiplyFew<1, Adds, Out>
                      : rows == 2 ? multiplyFew<2, Adds, Out>
                      : rows == 3 ? multiplyFew<3, Adds, Out>
                                  : multiplyFew<4, Adds, Out>;
        if (rows > 0) LAUNCH(kernel, grid, block, 0, stream_, weights, in, out, outputs, inputs);
    }

    cudaStream_t stream_;
    Blas blas_;
};
