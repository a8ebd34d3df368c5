// What the engine reaches on a GPU, with random weights: decode against the memory's bandwidth, prefill against the rate of
// cuBLAS, both measured in the same run; and a grid of step times for `aladdin calibrate`. `make cuda-bench` runs it.
//
//     cuda-bench [--csv DIRECTORY] [--tiny]
#include "Decoder.h"

#include <algorithm>
#include <chrono>
#include <fstream>

namespace {

ModelShape llama8B(bool isTiny) {
    ModelShape shape;
    shape.vocabulary = isTiny ? 512 : 128256;
    shape.width = isTiny ? 64 : 4096;
    shape.inner = isTiny ? 128 : 14336;
    shape.layers = isTiny ? 2 : 32;
    shape.heads = isTiny ? 4 : 32;
    shape.keyHeads = isTiny ? 2 : 8;
    shape.dimension = isTiny ? 16 : 128;
    shape.context = isTiny ? 256 : 32768;
    shape.epsilon = 1e-5f;
    for (int pair = 0; pair < shape.dimension / 2; pair++)
        shape.frequencies.push_back(1 / powf(500000, 2.0f * pair / shape.dimension));
    return shape;
}

// The best of some runs, in milliseconds.
template <class Body> double best(int runs, Body body) {
    double shortest = INFINITY;
    for (int i = 0; i < runs; i++) {
        auto start = std::chrono::steady_clock::now();
        body();
        std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
        shortest = std::min(shortest, time.count());
    }
    return shortest;
}

// The middle of some runs, after three to warm up.
template <class Body> double typical(int runs, Body body) {
    std::vector<double> times;
    for (int i = 0; i < runs + 3; i++) {
        double time = best(1, body);
        if (i >= 3) times.push_back(time);
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

__global__ void readAll(const uint4 *memory, size_t count, unsigned *out) {
    unsigned sum = 0;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += (size_t)gridDim.x * blockDim.x) {
        uint4 words = memory[i];
        sum ^= words.x ^ words.y ^ words.z ^ words.w;
    }
    if (sum == 1) *out = sum; // never, but the compiler does not know
}

class Bench {
  public:
    Bench(bool isTiny, cudaStream_t stream, std::string device)
        : isTiny_(isTiny), device_(std::move(device)), shape_(llama8B(isTiny)), stream_(stream),
          limits_{isTiny ? 128 + 8 : 4096 + 64, isTiny ? 8 : 64, shape_.context, isTiny ? 2048u : 262144u} {}

    void run(const std::string &directory) {
        double bandwidth = measureBandwidth(), rate = measureProducts();
        decoder_ = std::make_unique<Decoder>(shape_, nullptr, limits_, stream_);
        double step = decode(1, isTiny_ ? 16 : 128), bytes = (double)decoder_->weightBytes();
        printf("decode, batch 1: %.3f ms; reading the weights takes %.3f ms: %.1f %% of the bound (aim: 60 %%)\n", step,
               bytes / bandwidth * 1e3, 100 * bytes / bandwidth * 1e3 / step);
        int tokens = isTiny_ ? 128 : 4096;
        // Two operations for each weight, which has two bytes; the head is for the last token only.
        double pass = prefill(1, tokens), work = (bytes - 2.0 * shape_.vocabulary * shape_.width) * tokens;
        printf("prefill, %d tokens: %.2f ms, %.1f Tflop/s: %.1f %% of cuBLAS (aim: 40 %%)\n", tokens, pass,
               work / pass / 1e9, 100 * work / pass * 1e3 / rate);
        if (!directory.empty()) grid(directory);
    }

  private:
    // Bytes per second.
    double measureBandwidth() {
        size_t count = isTiny_ ? 1 << 12 : (size_t)4 << 30 >> 4;
        Buffer<uint4> memory(count);
        Buffer<unsigned> out(1);
        check(cudaMemsetAsync(memory.get(), 0, count * sizeof(uint4), stream_), "clearing memory");
        double time = best(10, [&] {
            LAUNCH(readAll, 2048, 512, 0, stream_, memory.get(), count, out.get());
            check(cudaStreamSynchronize(stream_), "reading memory");
        });
        double bandwidth = (double)count * sizeof(uint4) / time * 1e3;
        printf("memory: %.0f GB/s read\n", bandwidth / 1e9);
        return bandwidth;
    }

    // Operations per second of the largest product of a layer.
    double measureProducts() {
        int rows = isTiny_ ? 16 : 4096, outputs = 2 * shape_.inner, inputs = shape_.width;
        Buffer<bf16> weights((size_t)outputs * inputs), in((size_t)rows * inputs), out((size_t)rows * outputs);
        LAUNCH(scatter, 1024, kThreads, 0, stream_, weights.get(), weights.count(), (uint64_t)1);
        LAUNCH(scatter, 1024, kThreads, 0, stream_, in.get(), in.count(), (uint64_t)2);
        Multiplier multiply(stream_);
        double time = best(10, [&] {
            multiply(weights.get(), in.get(), out.get(), rows, outputs, inputs);
            check(cudaStreamSynchronize(stream_), "a product");
        });
        double rate = 2.0 * rows * outputs * inputs / time * 1e3;
        printf("cuBLAS, %d x %d x %d: %.1f Tflop/s\n", rows, outputs, inputs, rate / 1e12);
        return rate;
    }

    // Gives every sequence blocks of its own.
    void layOut(int sequences, int tokens) {
        int width = (tokens + kBlockTokens - 1) / kBlockTokens;
        if ((size_t)width * sequences * kBlockTokens > limits_.cacheTokens) throw Failure("the grid exceeds the cache");
        for (int i = 0; i < sequences; i++) {
            std::vector<int> blocks;
            for (int j = 0; j < width; j++) blocks.push_back(i * width + j);
            decoder_->setTable(i, blocks.data(), 0, blocks.size());
        }
    }

    // A step of `batch` sequences, each with `context` tokens.
    double decode(int batch, int context) {
        layOut(batch, context + 1);
        Rows rows;
        for (int i = 0; i < batch; i++) {
            rows.tokens.push_back(i);
            rows.positions.push_back(context);
            rows.slots.push_back(i);
            rows.yielding.push_back(i);
            rows.draws.push_back({0, 1, 0, 0});
        }
        rows.decodes = batch;
        rows.longest = context + 1;
        return typical(isTiny_ ? 1 : 30, [&] { decoder_->step(rows); });
    }

    // `tokens` in all, in prompts of equal length.
    double prefill(int batch, int tokens) {
        int length = tokens / batch;
        layOut(batch, length);
        Rows rows;
        for (int i = 0; i < batch; i++) {
            for (int start = 0; start < length; start += kTileRows)
                rows.tiles.push_back({rows.count() + start, std::min((int)kTileRows, length - start)});
            for (int j = 0; j < length; j++) {
                rows.tokens.push_back(j % shape_.vocabulary);
                rows.positions.push_back(j);
                rows.slots.push_back(i);
            }
            rows.yielding.push_back(rows.count() - 1);
            rows.draws.push_back({0, 1, 0, 0});
        }
        return typical(isTiny_ ? 1 : 10, [&] { decoder_->step(rows); });
    }

    void grid(const std::string &directory) {
        std::ofstream prefills(directory + "/prefill.csv"), decodes(directory + "/decode.csv");
        std::string model = isTiny_ ? "tiny" : "llama-8b";
        prefills << "device,model,tp,batch,input_tokens_total,latency_ms\n";
        decodes << "device,model,tp,batch,context_tokens_total,latency_ms\n";
        int most = limits_.rows - limits_.sequences, top = isTiny_ ? 100 : 16384;
        for (int batch : {1, 2, 4})
            for (int tokens = 32 * batch; tokens <= most; tokens *= 2)
                prefills << device_ << ',' << model << ",1," << batch << ',' << tokens << ',' << prefill(batch, tokens) << '\n';
        for (int batch = 1; batch <= limits_.sequences; batch *= 2)
            for (int context = isTiny_ ? 25 : 128; context <= top; context *= 4)
                if ((size_t)batch * (context + kBlockTokens + 1) <= limits_.cacheTokens)
                    decodes << device_ << ',' << model << ",1," << batch << ',' << batch * context << ','
                            << decode(batch, context) << '\n';
        if (!prefills.flush() || !decodes.flush()) throw Failure(directory + ": cannot be written");
        printf("grid: %s/prefill.csv, %s/decode.csv\n", directory.c_str(), directory.c_str());
    }

    bool isTiny_;
    std::string device_;
    ModelShape shape_;
    cudaStream_t stream_;
    DecoderLimits limits_;
    std::unique_ptr<Decoder> decoder_;
};

} // namespace

int main(int count, char **arguments) {
    std::string directory, name = "cpu";
    bool isTiny = false;
    for (int i = 1; i < count; i++) {
        if (!strcmp(arguments[i], "--tiny")) isTiny = true;
        else if (!strcmp(arguments[i], "--csv") && i + 1 < count) directory = arguments[++i];
        else return fprintf(stderr, "usage: cuda-bench [--csv DIRECTORY] [--tiny]\n"), 2;
    }
    try {
        cudaStream_t stream = nullptr;
#ifndef ALADDIN_ON_CPU
        int devices = 0;
        check(cudaGetDeviceCount(&devices), "no NVIDIA GPU can be used here");
        check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
        cudaDeviceProp properties;
        check(cudaGetDeviceProperties(&properties, 0), "the device's properties");
        name = properties.name;
        std::replace(name.begin(), name.end(), ',', ' ');
        printf("%s, CUDA %d.%d\n", properties.name, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
#endif
        Bench(isTiny, stream, name).run(directory);
        return 0;
    } catch (const std::exception &failure) {
        fprintf(stderr, "cuda-bench: %s\n", failure.what());
        return 1;
    }
}
