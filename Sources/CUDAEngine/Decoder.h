// A Llama-family decoder on a device: weights, cache, and the forward pass over rows of any sequences.
#pragma once

#include <map>

#include "Attention.h"
#include "ModelFiles.h"
#include "Multiply.h"
#include "Sampling.h"

// A step's rows as the kernels see them: decodes first, then chunks.
struct Rows {
    std::vector<int> tokens, positions, slots;
    int decodes = 0;
    int longest = 0;             // context of the longest decode
    std::vector<RowTile> tiles;  // of the chunks
    std::vector<int> yielding;   // rows whose scores are drawn from
    std::vector<Draw> draws;     // for each of those

    int count() const { return (int)tokens.size(); }
};

struct DecoderLimits {
    int rows;      // in one pass
    int sequences; // resident at once, and drawn from in one pass
    int context;   // of one sequence
    size_t cacheTokens;
};

class Decoder {
  public:
    // Loads the weights of `files`; random ones if it is NULL.
    Decoder(const ModelShape &shape, const TensorFiles *files, DecoderLimits limits, cudaStream_t stream)
        : shape(shape), limits(limits), stream_(stream), multiply_(stream) {
        attention_ = {shape.heads, shape.keyHeads, shape.dimension, (limits.context + kBlockTokens - 1) / kBlockTokens};
        loadWeights(files);
        size_t rows = limits.rows, sequences = limits.sequences, blocks = limits.cacheTokens / kBlockTokens;
        cache_ = Buffer<bf16>(blocks * attention_.blockElements() * shape.layers);
        check(cudaMemsetAsync(cache_.get(), 0, cache_.count() * sizeof(bf16), stream), "clearing the cache");
        layerStride_ = blocks * attention_.blockElements();
        tables_ = Buffer<int>(sequences * attention_.tableWidth);
        meta_ = Buffer<int>(3 * rows);
        tiles_ = Buffer<RowTile>(rows);
        yielding_ = Buffer<int>(sequences);
        draws_ = Buffer<Draw>(sequences);
        drawn_ = Buffer<int>(sequences);
        residual_ = Buffer<float>(rows * shape.width);
        normed_ = Buffer<bf16>(rows * shape.width);
        qkv_ = Buffer<bf16>(rows * shape.qkvWidth());
        attended_ = Buffer<bf16>(rows * shape.queryWidth());
        gateUp_ = Buffer<bf16>(rows * 2 * shape.inner);
        activated_ = Buffer<bf16>(rows * shape.inner);
        scores_ = Buffer<float>(sequences * shape.vocabulary);
        size_t splits = padded((limits.context + kSplitTokens - 1) / kSplitTokens);
        partial_ = Buffer<float>(sequences * shape.heads * splits * (shape.dimension + 2));
#ifndef ALADDIN_ON_CPU
        int bytes = (int)attendTileBytes(attention_), rowBytes = (int)attendRowBytes(attention_);
        check(cudaFuncSetAttribute(attendTile, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes), "shared memory");
        check(cudaFuncSetAttribute(attendRow, cudaFuncAttributeMaxDynamicSharedMemorySize, rowBytes), "shared memory");
#endif
    }

    ~Decoder() {
#ifndef ALADDIN_ON_CPU
        for (auto &graph : graphs_) cudaGraphExecDestroy(graph.second);
#endif
    }

    // Which blocks a slot's sequence has, from the `from`th on.
    void setTable(int slot, const int *blocks, size_t from, size_t count) {
        tables_.upload(blocks, count, stream_, (size_t)slot * attention_.tableWidth + from);
    }

    // One pass, and a token for each yielding row.
    std::vector<int> step(const Rows &rows) {
        bool isDecode = rows.tiles.empty() && rows.count() == rows.decodes;
        // Graphs are recorded for a few sizes only; what is missing is padding.
        int count = isDecode ? padded(rows.decodes) : rows.count();
        uploadRows(rows, count);
        int splits = padded((rows.longest + kSplitTokens - 1) / kSplitTokens);
        if (isDecode) runDecode(count, splits);
        else enqueue(count, rows.decodes, splits, (int)rows.tiles.size(), (int)rows.yielding.size());
        std::vector<int> tokens(rows.yielding.size());
        drawn_.download(tokens.data(), tokens.size(), stream_);
        finish();
        return tokens;
    }

    // Scores of the last step's yielding rows, [row][vocabulary].
    std::vector<float> scores(size_t rows) {
        std::vector<float> out(rows * shape.vocabulary);
        scores_.download(out.data(), out.size(), stream_);
        finish();
        return out;
    }

    void finish() {
        check(cudaGetLastError(), "a kernel");
        check(cudaStreamSynchronize(stream_), "the device");
    }

    // Bytes that decoding one token reads of the weights.
    size_t weightBytes() const { return weightBytes_; }

    const ModelShape shape;
    const DecoderLimits limits;

  private:
    struct Layer {
        Buffer<float> inputNorm, innerNorm, bias;
        Buffer<bf16> qkv, output, gateUp, down;
    };

    static int padded(int count) {
        int size = 1;
        while (size < count) size *= 2;
        return size;
    }

    void uploadRows(const Rows &rows, int count) {
        if (count > limits.rows || (int)rows.yielding.size() > limits.sequences) throw Failure("a step is too large");
        std::vector<int> meta(3 * count, 0);
        for (int i = 0; i < count; i++) {
            bool isPadding = i >= rows.count();
            meta[i] = isPadding ? 0 : rows.tokens[i];
            meta[count + i] = isPadding ? -1 : rows.positions[i];
            meta[2 * count + i] = isPadding ? 0 : rows.slots[i];
        }
        meta_.upload(meta.data(), meta.size(), stream_);
        tiles_.upload(rows.tiles.data(), rows.tiles.size(), stream_);
        std::vector<int> yielding = rows.yielding;
        std::vector<Draw> draws = rows.draws;
        if (rows.tiles.empty() && count <= limits.sequences) {
            yielding.resize(count, 0);
            draws.resize(count, Draw{0, 1, 0, 0});
        }
        yielding_.upload(yielding.data(), yielding.size(), stream_);
        draws_.upload(draws.data(), draws.size(), stream_);
    }

    void runDecode(int count, int splits) {
#ifndef ALADDIN_ON_CPU
        auto found = graphs_.find({count, splits});
        if (found == graphs_.end()) {
            enqueue(count, count, splits, 0, count); // once without: the first use of a kernel loads it
            cudaGraph_t graph;
            check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "recording a graph");
            enqueue(count, count, splits, 0, count);
            check(cudaStreamEndCapture(stream_, &graph), "recording a graph");
            cudaGraphExec_t executable;
            check(cudaGraphInstantiate(&executable, graph, 0), "making a graph");
            cudaGraphDestroy(graph);
            found = graphs_.insert({{count, splits}, executable}).first;
            return; // the step itself has been computed
        }
        check(cudaGraphLaunch(found->second, stream_), "starting a graph");
#else
        enqueue(count, count, splits, 0, count);
#endif
    }

    void enqueue(int count, int decodes, int splits, int tiles, int yielding) {
        const int *tokens = meta_.get(), *positions = tokens + count, *slots = positions + count;
        LAUNCH(embed, count, kThreads, 0, stream_, embedding_.get(), tokens, residual_.get(), shape.width);
        for (size_t i = 0; i < layers_.size(); i++) {
            Layer &layer = layers_[i];
            bf16 *cache = cache_.get() + i * layerStride_;
            norm(count, nullptr, layer.inputNorm);
            multiply_(layer.qkv.get(), normed_.get(), qkv_.get(), count, shape.qkvWidth(), shape.width);
            LAUNCH(
                rotateAndStore, count, kThreads, 0, stream_, qkv_.get(), layer.bias.get(), frequencies_.get(), positions, slots,
                tables_.get(), cache, attention_
            );
            attend(cache, positions, slots, decodes, splits, tiles);
            multiply_.add(layer.output.get(), attended_.get(), residual_.get(), count, shape.width, shape.queryWidth());
            norm(count, nullptr, layer.innerNorm);
            multiply_(layer.gateUp.get(), normed_.get(), gateUp_.get(), count, 2 * shape.inner, shape.width);
            int blocks = (int)(((size_t)count * shape.inner + kThreads - 1) / kThreads);
            LAUNCH(activate, blocks, kThreads, 0, stream_, gateUp_.get(), activated_.get(), count, shape.inner);
            multiply_.add(layer.down.get(), activated_.get(), residual_.get(), count, shape.width, shape.inner);
        }
        if (yielding == 0) return;
        norm(yielding, yielding_.get(), finalNorm_);
        const bf16 *head = shape.tiesEmbeddings ? embedding_.get() : head_.get();
        multiply_(head, normed_.get(), scores_.get(), yielding, shape.vocabulary, shape.width);
        LAUNCH(sample, yielding, kSampleThreads, 0, stream_, scores_.get(), draws_.get(), drawn_.get(), shape.vocabulary);
    }

    void norm(int rows, const int *which, const Buffer<float> &weight) {
        LAUNCH(
            normalise, rows, kThreads, 0, stream_, residual_.get(), which, weight.get(), normed_.get(), shape.width,
            shape.epsilon
        );
    }

    void attend(const bf16 *cache, const int *positions, const int *slots, int decodes, int splits, int tiles) {
        if (decodes > 0) {
            dim3 grid(decodes, shape.keyHeads, splits), heads(decodes, shape.heads);
            size_t bytes = attendRowBytes(attention_);
            LAUNCH(
                attendRow, grid, kDecodeThreads, bytes, stream_, qkv_.get(), cache, positions, slots, tables_.get(),
                partial_.get(), attention_
            );
            LAUNCH(combine, heads, kDecodeThreads, 0, stream_, partial_.get(), positions, attended_.get(), attention_, splits);
        }
        if (tiles > 0) {
            dim3 grid(tiles, shape.heads);
            LAUNCH(
                attendTile, grid, 128, attendTileBytes(attention_), stream_, qkv_.get(), cache, tiles_.get(), positions, slots,
                tables_.get(), attended_.get(), attention_
            );
        }
    }

    void loadWeights(const TensorFiles *files) {
        frequencies_ = uploaded(shape.frequencies);
        embedding_ = matrix(files, {"model.embed_tokens"}, {shape.vocabulary}, shape.width);
        if (!shape.tiesEmbeddings) head_ = matrix(files, {"lm_head"}, {shape.vocabulary}, shape.width);
        finalNorm_ = vector(files, {"model.norm.weight"}, {shape.width});
        int keys = shape.keyHeads * shape.dimension;
        weightBytes_ = (size_t)shape.vocabulary * shape.width * 2;
        for (int i = 0; i < shape.layers; i++) {
            std::string prefix = "model.layers." + std::to_string(i) + ".", self = prefix + "self_attn.", mlp = prefix + "mlp.";
            Layer layer;
            layer.inputNorm = vector(files, {prefix + "input_layernorm.weight"}, {shape.width});
            layer.innerNorm = vector(files, {prefix + "post_attention_layernorm.weight"}, {shape.width});
            std::vector<int> parts = {shape.queryWidth(), keys, keys};
            layer.qkv = matrix(files, {self + "q_proj", self + "k_proj", self + "v_proj"}, parts, shape.width);
            if (shape.hasInputBias)
                layer.bias = vector(files, {self + "q_proj.bias", self + "k_proj.bias", self + "v_proj.bias"}, parts);
            layer.output = matrix(files, {self + "o_proj"}, {shape.width}, shape.queryWidth());
            layer.gateUp = matrix(files, {mlp + "gate_proj", mlp + "up_proj"}, {shape.inner, shape.inner}, shape.width);
            layer.down = matrix(files, {mlp + "down_proj"}, {shape.width}, shape.inner);
            weightBytes_ += 2 * (layer.qkv.count() + layer.output.count() + layer.gateUp.count() + layer.down.count());
            layers_.push_back(std::move(layer));
        }
        check(cudaStreamSynchronize(stream_), "loading the weights");
    }

    template <class T> Buffer<T> uploaded(const std::vector<T> &values) {
        Buffer<T> buffer(values.size());
        buffer.upload(values.data(), values.size(), stream_);
        check(cudaStreamSynchronize(stream_), "loading the weights");
        return buffer;
    }

    // Matrices below each other, as one.
    Buffer<bf16> matrix(const TensorFiles *files, std::vector<std::string> names, std::vector<int> rows, int columns) {
        std::vector<bf16> all;
        size_t total = 0;
        for (int count : rows) total += (size_t)count * columns;
        if (!files) {
            Buffer<bf16> random(total);
            LAUNCH(scatter, 1024, kThreads, 0, stream_, random.get(), total, seed_++);
            return random;
        }
        for (size_t i = 0; i < names.size(); i++) {
            std::vector<bf16> part = files->halves(names[i] + ".weight", (size_t)rows[i] * columns);
            all.insert(all.end(), part.begin(), part.end());
        }
        return uploaded(all);
    }

    Buffer<float> vector(const TensorFiles *files, std::vector<std::string> names, std::vector<int> counts) {
        std::vector<float> all;
        for (size_t i = 0; i < names.size(); i++) {
            std::vector<float> part = files ? files->floats(names[i], counts[i]) : std::vector<float>(counts[i], 1.0f);
            all.insert(all.end(), part.begin(), part.end());
        }
        return uploaded(all);
    }

    cudaStream_t stream_;
    Multiplier multiply_;
    AttentionShape attention_;
    std::vector<Layer> layers_;
    Buffer<bf16> embedding_, head_, cache_, normed_, qkv_, attended_, gateUp_, activated_;
    Buffer<float> finalNorm_, frequencies_, residual_, scores_, partial_;
    Buffer<int> tables_, meta_, yielding_, drawn_;
    Buffer<RowTile> tiles_;
    Buffer<Draw> draws_;
    size_t layerStride_ = 0, weightBytes_ = 0;
    uint64_t seed_ = 1;
#ifndef ALADDIN_ON_CPU
    std::map<std::pair<int, int>, cudaGraphExec_t> graphs_;
#endif
};
