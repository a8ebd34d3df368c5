// The CUDA engine as a plug-in: `aladdin worker --engine plugin:libaladdin-cuda.so --model DIR`.
//
// It serves what the CPU engine serves, Llama-family models in Hugging Face's layout, in bfloat16. The worker makes the
// tokens and the text. Options: device (0), max-sequences (64), chunk-tokens (1024), context-length (the model's).
#include "../CEngine/include/CEngine.h"
#include "Decoder.h"

#include <algorithm>
#include <memory>

namespace {

struct Sequence {
    std::vector<int32_t> tokens; // prompt, then output
    size_t promptTokens;
    size_t computed = 0; // leading tokens whose keys and values are in the cache
    std::vector<int> blocks;
    int slot = -1;
    Draw draw;
    uint64_t seed;
};

// The n-th number of a seed, uniform in [0, 1): a sequence that goes on elsewhere draws what it would have drawn.
float uniform(uint64_t seed, uint64_t index) {
    auto mix = [](uint64_t z) {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
        return z ^ (z >> 31);
    };
    return (float)(mix(mix(seed + 0x9E3779B97F4A7C15ull) ^ (index * 0xD1B54A32D192ED03ull)) >> 40) * 0x1p-24f;
}

// What a request or a step got wrong.
struct Refusal {
    int32_t code;
    std::string words;
};

} // namespace

struct aladdin_engine {
    std::string model, device;
    std::unique_ptr<Decoder> decoder;
    cudaStream_t stream = nullptr;
    std::map<uint64_t, Sequence> sequences;
    std::vector<int> freeBlocks, freeSlots;
    int chunkTokens = 1024;
    size_t lastYielding = 0;

    ~aladdin_engine() {
        decoder.reset();
#ifndef ALADDIN_ON_CPU
        if (stream) cudaStreamDestroy(stream);
#endif
    }
};

namespace {

int number(const char *key, const char *value, int low, int high) {
    char *rest = nullptr;
    long number = strtol(value, &rest, 10);
    if (*value == 0 || *rest || number < low || number > high) {
        std::string range = std::to_string(low) + " to " + std::to_string(high);
        throw Refusal{ALADDIN_INVALID, std::string("option ") + key + " is '" + value + "'; it must be " + range};
    }
    return (int)number;
}

// Takes a device and says its name and the memory that is free there.
std::pair<std::string, size_t> useDevice(aladdin_engine &engine, int device) {
#ifdef ALADDIN_ON_CPU
    (void)engine, (void)device;
    return {"CUDA kernels on a CPU", 4ull << 30};
#else
    int count = 0;
    cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorInsufficientDriver || code == cudaErrorNoDevice || (code == cudaSuccess && count == 0))
        throw Refusal{
            ALADDIN_FAILED, std::string("no NVIDIA GPU can be used here: ") + cudaGetErrorString(code)
                                + " (is the driver installed, and new enough for CUDA "
                                + std::to_string(CUDART_VERSION / 1000) + "?)"
        };
    check(code, "looking for devices");
    if (device >= count)
        throw Refusal{ALADDIN_INVALID, "option device is " + std::to_string(device) + "; there are " + std::to_string(count)};
    check(cudaSetDevice(device), "taking the device");
    check(cudaStreamCreateWithFlags(&engine.stream, cudaStreamNonBlocking), "making a stream");
    cudaDeviceProp properties;
    size_t free = 0, all = 0;
    check(cudaGetDeviceProperties(&properties, device), "the device's properties");
    check(cudaMemGetInfo(&free, &all), "the device's memory");
    return {properties.name, free};
#endif
}

// Tokens that fit into what weights and activations leave of the free memory.
size_t cacheTokens(const ModelShape &shape, size_t free, int sequences) {
    size_t layer = (size_t)shape.width * (shape.qkvWidth() + shape.queryWidth() + 3 * (size_t)shape.inner);
    size_t weights = 2 * (layer * shape.layers + (size_t)shape.vocabulary * shape.width * (shape.tiesEmbeddings ? 1 : 2));
    size_t others = (size_t)sequences * shape.vocabulary * 4 + (2ull << 30);
    size_t used = weights + others, most = free / 10 * 9;
    if (used + 1024 * shape.keyValueBytes() > most)
        throw Refusal{ALADDIN_OUT_OF_MEMORY, "the model needs about " + std::to_string(used >> 20) + " MiB and a cache; "
                                                 + std::to_string(free >> 20) + " MiB of the device are free"};
    return (most - used) / shape.keyValueBytes();
}

void openEngine(const aladdin_open_parameters &parameters, aladdin_engine &engine) {
    int device = 0, sequences = 64, context = 0;
    for (uint32_t i = 0; i < parameters.option_count; i++) {
        const char *value = parameters.options[i].value;
        std::string key = parameters.options[i].key;
        if (key == "device") device = number("device", value, 0, 1024);
        else if (key == "max-sequences") sequences = number("max-sequences", value, 1, 1024);
        else if (key == "chunk-tokens") engine.chunkTokens = number("chunk-tokens", value, 16, 1 << 16);
        else if (key == "context-length") context = number("context-length", value, 16, 1 << 24);
        else
            throw Refusal{
                ALADDIN_INVALID,
                "there is no option " + key + "; there are device, max-sequences, chunk-tokens, context-length"
            };
    }
    if (!parameters.model_directory) throw Refusal{ALADDIN_INVALID, "this engine needs --model DIR"};
    std::string directory = parameters.model_directory;
    engine.model = parameters.model_name ? parameters.model_name : directory.substr(directory.find_last_of('/') + 1);
    ModelShape shape = ModelShape::read(directory);
    auto [name, free] = useDevice(engine, device);
    engine.device = name;

    DecoderLimits limits;
    limits.sequences = 1; // a power of two, for graphs of padded sizes
    while (limits.sequences < sequences) limits.sequences *= 2;
    limits.rows = engine.chunkTokens + limits.sequences;
    limits.cacheTokens = parameters.kv_capacity_tokens ? parameters.kv_capacity_tokens : cacheTokens(shape, free, sequences);
    limits.cacheTokens = std::max<size_t>(limits.cacheTokens / kBlockTokens, 1) * kBlockTokens;
    limits.context = (int)std::min<size_t>(context ? std::min(context, shape.context) : shape.context, limits.cacheTokens);
    TensorFiles files(directory);
    engine.decoder = std::make_unique<Decoder>(shape, &files, limits, engine.stream);
    for (int i = (int)(limits.cacheTokens / kBlockTokens); i-- > 0;) engine.freeBlocks.push_back(i);
    for (int i = limits.sequences; i-- > 0;) engine.freeSlots.push_back(i);
}

void freeMemory(aladdin_engine &engine, Sequence &sequence) {
    engine.freeBlocks.insert(engine.freeBlocks.end(), sequence.blocks.rbegin(), sequence.blocks.rend());
    sequence.blocks.clear();
    sequence.computed = 0;
    if (sequence.slot >= 0) engine.freeSlots.push_back(sequence.slot);
    sequence.slot = -1;
}

Sequence &find(aladdin_engine &engine, uint64_t name) {
    auto found = engine.sequences.find(name);
    if (found == engine.sequences.end())
        throw Refusal{ALADDIN_FAILED, "sequence " + std::to_string(name) + " was not admitted"};
    return found->second;
}

// Takes the blocks that positions up to `end` need.
void extend(aladdin_engine &engine, Sequence &sequence, size_t end) {
    size_t before = sequence.blocks.size(), needed = (end + kBlockTokens - 1) / kBlockTokens;
    if (sequence.slot < 0) {
        if (engine.freeSlots.empty()) throw Refusal{ALADDIN_OUT_OF_MEMORY, "more sequences are resident than max-sequences"};
        sequence.slot = engine.freeSlots.back();
        engine.freeSlots.pop_back();
    }
    if (needed <= before) return;
    if (needed - before > engine.freeBlocks.size()) throw Refusal{ALADDIN_OUT_OF_MEMORY, "no KV blocks are left"};
    for (size_t i = before; i < needed; i++) {
        sequence.blocks.push_back(engine.freeBlocks.back());
        engine.freeBlocks.pop_back();
    }
    engine.decoder->setTable(sequence.slot, sequence.blocks.data() + before, before, needed - before);
}

// Adds positions of a sequence to the rows.
void addRows(aladdin_engine &engine, Rows &rows, uint64_t name, size_t start, size_t end, bool yields) {
    Sequence &sequence = find(engine, name);
    if (start != sequence.computed || start >= end || end > sequence.tokens.size() || (yields && end < sequence.tokens.size()))
        throw Refusal{
            ALADDIN_FAILED, "sequence " + std::to_string(name) + " is asked for " + std::to_string(start) + " to "
                                + std::to_string(end) + " and has " + std::to_string(sequence.computed) + " of "
                                + std::to_string(sequence.tokens.size()) + " tokens computed"
        };
    extend(engine, sequence, end);
    sequence.computed = end; // if the step fails, the sequence is released
    for (size_t position = start; position < end; position++) {
        rows.tokens.push_back(sequence.tokens[position]);
        rows.positions.push_back((int)position);
        rows.slots.push_back(sequence.slot);
    }
    if (!yields) return;
    rows.yielding.push_back(rows.count() - 1);
    rows.draws.push_back(sequence.draw);
    rows.draws.back().uniform = uniform(sequence.seed, sequence.tokens.size() - sequence.promptTokens);
}

// A step, in as many passes as its rows need: a whole prompt may be longer than chunk-tokens.
class StepRun {
  public:
    StepRun(aladdin_engine &engine, aladdin_output *outputs, int64_t *count)
        : engine_(engine), outputs_(outputs), count_(count) {}

    void decode(uint64_t name) {
        size_t length = find(engine_, name).tokens.size();
        addRows(engine_, rows_, name, length - 1, length, true);
        rows_.longest = std::max(rows_.longest, (int)length);
        rows_.decodes++;
        yielding_.push_back(name);
    }

    void prefill(const aladdin_chunk &chunk) {
        for (size_t start = chunk.start, end; start < chunk.end; start = end) {
            if (rows_.count() == engine_.decoder->limits.rows) flush();
            end = std::min<size_t>(chunk.end, start + (size_t)(engine_.decoder->limits.rows - rows_.count()));
            bool yields = chunk.completes_prompt && end == chunk.end;
            int first = rows_.count();
            addRows(engine_, rows_, chunk.sequence, start, end, yields);
            for (; first < rows_.count(); first += kTileRows)
                rows_.tiles.push_back({first, std::min((int)kTileRows, rows_.count() - first)});
            if (yields) yielding_.push_back(chunk.sequence);
        }
    }

    void flush() {
        if (rows_.count() == 0) return;
        std::vector<int> tokens = engine_.decoder->step(rows_);
        engine_.lastYielding = tokens.size();
        for (size_t i = 0; i < yielding_.size(); i++) {
            find(engine_, yielding_[i]).tokens.push_back(tokens[i]);
            outputs_[(*count_)++] = aladdin_output{yielding_[i], tokens[i], ALADDIN_GOES_ON, {}};
        }
        rows_ = Rows();
        yielding_.clear();
    }

  private:
    aladdin_engine &engine_;
    aladdin_output *outputs_;
    int64_t *count_;
    Rows rows_;
    std::vector<uint64_t> yielding_;
};

void runStep(aladdin_engine &engine, const aladdin_step &step, aladdin_output *outputs, int64_t *count) {
    for (size_t i = 0; i < step.preempted_count; i++) freeMemory(engine, find(engine, step.preempted[i]));
    StepRun run(engine, outputs, count);
    for (size_t i = 0; i < step.decode_count; i++) run.decode(step.decodes[i]);
    for (size_t i = 0; i < step.chunk_count; i++) run.prefill(step.chunks[i]);
    run.flush();
}

// Runs what may fail, and says how it did.
template <class Body> int32_t guarded(char *error, bool endsProcess, Body body) {
    try {
        body();
        return ALADDIN_OK;
    } catch (const Refusal &refusal) {
        snprintf(error, ALADDIN_ERROR_SIZE, "%s", refusal.words.c_str());
        return refusal.code;
    } catch (const OutOfMemory &failure) {
        snprintf(error, ALADDIN_ERROR_SIZE, "%s", failure.what());
        return ALADDIN_OUT_OF_MEMORY;
    } catch (const std::exception &failure) {
        snprintf(error, ALADDIN_ERROR_SIZE, "%s", failure.what());
        if (!endsProcess) return ALADDIN_FAILED;
        // A device that has failed does not come back within this process.
        fprintf(stderr, "aladdin-cuda: %s\n", failure.what());
        abort();
    }
}

int32_t open(const aladdin_open_parameters *parameters, aladdin_engine **out, char *error) {
    auto engine = std::make_unique<aladdin_engine>();
    int32_t code = guarded(error, false, [&] { openEngine(*parameters, *engine); });
    if (code == ALADDIN_OK) *out = engine.release();
    return code;
}

void describe(aladdin_engine *engine, aladdin_description *description) {
    const DecoderLimits &limits = engine->decoder->limits;
    description->flags = ALADDIN_RESUMES | ALADDIN_TEXT_BY_WORKER;
    description->model = engine->model.c_str();
    description->device = engine->device.c_str();
    description->context_length = (uint32_t)limits.context;
    description->kv_capacity_tokens = limits.cacheTokens;
    description->kv_block_tokens = kBlockTokens;
    description->max_sequences = (uint32_t)limits.sequences;
    description->max_batched_tokens = description->chunk_tokens = (uint32_t)engine->chunkTokens;
}

int32_t admit(aladdin_engine *engine, const aladdin_request *request, int64_t *promptTokens, char *error) {
    return guarded(error, false, [&] {
        Sequence sequence;
        sequence.tokens.assign(request->tokens, request->tokens + request->token_count);
        sequence.promptTokens = request->token_count;
        sequence.tokens.insert(sequence.tokens.end(), request->resumed, request->resumed + request->resumed_count);
        for (int32_t token : sequence.tokens)
            if (token < 0 || token >= engine->decoder->shape.vocabulary)
                throw Refusal{ALADDIN_INVALID, "a token is not in the vocabulary"};
        if (request->token_count == 0) throw Refusal{ALADDIN_INVALID, "the prompt is empty"};
        if ((int)sequence.tokens.size() >= engine->decoder->limits.context)
            throw Refusal{ALADDIN_PROMPT_TOO_LONG, "the context must also hold a token of output"};
        sequence.draw = {(float)request->temperature, (float)request->top_p, (int)std::min(request->top_k, 1u << 30), 0};
        sequence.seed = request->seed;
        engine->sequences[request->sequence] = std::move(sequence);
        *promptTokens = (int64_t)request->token_count;
    });
}

int32_t step(aladdin_engine *engine, const aladdin_step *step, aladdin_output *outputs, int64_t *count, char *error) {
    return guarded(error, true, [&] { runStep(*engine, *step, outputs, count); });
}

void release(aladdin_engine *engine, uint64_t name) {
    auto found = engine->sequences.find(name);
    if (found == engine->sequences.end()) return;
    freeMemory(*engine, found->second);
    engine->sequences.erase(found);
}

void close(aladdin_engine *engine) { delete engine; }

} // namespace

extern "C" {

const aladdin_engine_api *aladdin_engine_plugin(uint32_t) {
    static const aladdin_engine_api api = {
        ALADDIN_ENGINE_VERSION, sizeof api, open, describe, admit, step, release, close,
    };
    return &api;
}

// For tests: the scores of the last step's outputs, in the order of decodes and chunks. Returns how many rows there are.
__attribute__((visibility("default"))) int64_t aladdin_cuda_scores(aladdin_engine *engine, float *out, size_t capacity) {
    size_t rows = engine->lastYielding, count = rows * engine->decoder->shape.vocabulary;
    if (count > capacity) return -1;
    std::vector<float> scores = engine->decoder->scores(rows);
    memcpy(out, scores.data(), count * sizeof(float));
    return (int64_t)rows;
}
}
