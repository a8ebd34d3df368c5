// A model in Hugging Face's layout: config.json, and model.safetensors or its shards.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <memory>

#include "Json.h"

// A file in memory, for as long as this lives.
class MappedFile {
  public:
    explicit MappedFile(const std::string &path) : path(path) {
        int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
        struct stat status;
        if (file < 0 || fstat(file, &status) != 0) throw Failure(path + ": " + strerror(errno));
        size = (size_t)status.st_size;
        void *memory = size ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0) : nullptr;
        close(file);
        if (memory == MAP_FAILED) throw Failure(path + ": cannot be mapped");
        bytes = (const char *)memory;
    }
    MappedFile(const MappedFile &) = delete;
    ~MappedFile() {
        if (bytes) munmap((void *)bytes, size);
    }
    static bool exists(const std::string &path) { return access(path.c_str(), R_OK) == 0; }

    const std::string path;
    const char *bytes = nullptr;
    size_t size = 0;
};

// The decoder's shape and constants; the same rules as the CPU engine's.
struct ModelShape {
    int vocabulary = 0, width = 0, inner = 0, layers = 0, heads = 0, keyHeads = 0, dimension = 0, context = 0;
    float epsilon = 1e-6f;
    bool tiesEmbeddings = false, hasInputBias = false;
    std::vector<float> frequencies; // radians per position of each pair

    int queryWidth() const { return heads * dimension; }
    int qkvWidth() const { return (heads + 2 * keyHeads) * dimension; }
    size_t keyValueBytes() const { return (size_t)layers * 2 * keyHeads * dimension * 2; } // of a token

    static ModelShape read(const std::string &directory) {
        MappedFile file(directory + "/config.json");
        return ModelShape(Json::parse(file.bytes, file.size, file.path), file.path);
    }

    ModelShape() = default;
    ModelShape(const Json &raw, const std::string &path) {
        auto positive = [&](const char *name, double fallback = 0) {
            double value = raw[name].numberOr(fallback);
            if (!(value >= 1 && value <= 1 << 30) || value != std::floor(value))
                throw Failure(path + ": " + name + " must be a whole number of at least 1");
            return (int)value;
        };
        const Json &names = raw["architectures"];
        std::string name = names.items.empty() ? raw["model_type"].text : names.items[0].text;
        bool isQwen2 = name == "Qwen2ForCausalLM" || name == "qwen2";
        bool isKnown = isQwen2;
        for (const char *known : {"LlamaForCausalLM", "llama", "MistralForCausalLM", "mistral"}) isKnown |= name == known;
        if (!isKnown) throw Failure(path + ": architecture \"" + name + "\" is not supported; Llama, Mistral and Qwen2 are");
        if (raw["hidden_act"] && raw["hidden_act"].text != "silu") throw Failure(path + ": hidden_act must be silu");
        vocabulary = positive("vocab_size");
        width = positive("hidden_size");
        inner = positive("intermediate_size");
        layers = positive("num_hidden_layers");
        heads = positive("num_attention_heads");
        keyHeads = positive("num_key_value_heads", heads);
        dimension = positive("head_dim", width / heads);
        context = positive("max_position_embeddings");
        bool usesWindow = isQwen2 ? raw["use_sliding_window"].isTrue() : true;
        if (usesWindow && raw["sliding_window"].numberOr(0) > 0)
            context = std::min(context, (int)raw["sliding_window"].value); // where both kinds of attention are the same
        if (raw["mlp_bias"].isTrue()) throw Failure(path + ": mlp_bias is not supported");
        if (raw["attention_bias"].isTrue()) throw Failure(path + ": attention_bias is not supported");
        hasInputBias = isQwen2;
        tiesEmbeddings = raw["tie_word_embeddings"].isTrue();
        epsilon = (float)raw["rms_norm_eps"].numberOr(1e-6);
        checkKernels(path);
        readRotary(raw, path);
    }

  private:
    // What the kernels are made for.
    void checkKernels(const std::string &path) const {
        if (heads % keyHeads != 0) throw Failure(path + ": num_attention_heads is no multiple of num_key_value_heads");
        if (dimension % 16 != 0 || dimension > 128) throw Failure(path + ": head_dim must be a multiple of 16, at most 128");
        if (width % 8 != 0 || inner % 8 != 0)
            throw Failure(path + ": hidden_size and intermediate_size must be multiples of 8");
        if (heads / keyHeads > 32) throw Failure(path + ": more than 32 query heads share a key head");
    }

    void readRotary(const Json &raw, const std::string &path) {
        const Json &fields = raw["rope_parameters"] ? raw["rope_parameters"] : raw["rope_scaling"];
        float theta = (float)fields["rope_theta"].numberOr(raw["rope_theta"].numberOr(10000));
        std::string kind = fields["rope_type"] ? fields["rope_type"].text : fields["type"] ? fields["type"].text : "default";
        float factor = (float)fields["factor"].numberOr(1), low = (float)fields["low_freq_factor"].numberOr(1);
        float high = (float)fields["high_freq_factor"].numberOr(4);
        float original = (float)fields["original_max_position_embeddings"].numberOr(8192);
        if (kind != "default" && kind != "linear" && kind != "llama3")
            throw Failure(path + ": rope_type \"" + kind + "\" is not supported; default, linear and llama3 are");
        for (int pair = 0; pair < dimension / 2; pair++) {
            float frequency = 1 / powf(theta, (float)(2 * pair) / (float)dimension);
            float length = 2 * (float)M_PI / frequency;
            if (kind == "linear" || (kind == "llama3" && length > original / low)) {
                frequency /= factor;
            } else if (kind == "llama3" && length >= original / high) {
                float smooth = (original / length - low) / (high - low);
                frequency = (1 - smooth) * frequency / factor + smooth * frequency;
            }
            frequencies.push_back(frequency);
        }
    }
};

// The tensors of a model by their names.
class TensorFiles {
  public:
    explicit TensorFiles(const std::string &directory) {
        std::string index = directory + "/model.safetensors.index.json";
        if (!MappedFile::exists(index)) {
            add(directory + "/model.safetensors");
            return;
        }
        MappedFile file(index);
        Json root = Json::parse(file.bytes, file.size, index);
        std::map<std::string, bool> shards;
        for (auto &entry : root["weight_map"].members) shards[entry.second.text] = true;
        for (auto &shard : shards) add(directory + "/" + shard.first);
    }

    // A tensor of `count` numbers as bfloat16, whatever it is stored as.
    std::vector<bf16> halves(const std::string &name, size_t count) const {
        std::vector<bf16> out(count);
        visit(name, count, [&](size_t i, float value) { out[i] = rounded(value); });
        return out;
    }
    std::vector<float> floats(const std::string &name, size_t count) const {
        std::vector<float> out(count);
        visit(name, count, [&](size_t i, float value) { out[i] = value; });
        return out;
    }

  private:
    struct Tensor {
        std::string type;
        const char *bytes;
        size_t size;
        const MappedFile *file;
    };

    void add(const std::string &path) {
        auto file = std::make_shared<MappedFile>(path);
        uint64_t length = 0;
        if (file->size >= 8) memcpy(&length, file->bytes, 8);
        if (file->size < 8 || length > file->size - 8) throw Failure(path + ": is no safetensors file");
        size_t space = file->size - 8 - length;
        Json header = Json::parse(file->bytes + 8, length, path);
        for (auto &entry : header.members) {
            const std::vector<Json> &offsets = entry.second["data_offsets"].items;
            if (entry.first == "__metadata__") continue;
            if (offsets.size() != 2 || !(offsets[0].value >= 0) || !(offsets[1].value >= offsets[0].value)
                || !(offsets[1].value <= (double)space))
                throw Failure(path + ": " + entry.first + " lies outside of the file");
            const char *start = file->bytes + 8 + length + (size_t)offsets[0].value;
            size_t size = (size_t)(offsets[1].value - offsets[0].value);
            tensors_[entry.first] = Tensor{entry.second["dtype"].text, start, size, file.get()};
        }
        files_.push_back(file);
    }

    template <class Take> void visit(const std::string &name, size_t count, Take take) const {
        auto found = tensors_.find(name);
        if (found == tensors_.end()) throw Failure("the model has no tensor " + name);
        const Tensor &tensor = found->second;
        size_t bytes = tensor.type == "F32" ? 4 : tensor.type == "BF16" || tensor.type == "F16" ? 2 : 0;
        if (bytes == 0)
            throw Failure(tensor.file->path + ": " + name + " is " + tensor.type + "; expected BF16, F16 or F32");
        if (tensor.size != bytes * count)
            throw Failure(tensor.file->path + ": " + name + " has another shape than config.json says");
        for (size_t i = 0; i < count; i++) {
            uint16_t bits = 0;
            float value = 0;
            memcpy(bytes == 4 ? (void *)&value : (void *)&bits, tensor.bytes + i * bytes, bytes);
            if (bytes == 2) value = tensor.type == "BF16" ? (float)bf16{bits} : half(bits);
            take(i, value);
        }
    }

    static float half(uint16_t bits) {
        int exponent = bits >> 10 & 31, fraction = bits & 1023;
        float value = exponent == 31 ? (fraction ? NAN : INFINITY)
                      : exponent     ? ldexpf((float)(fraction + 1024), exponent - 25)
                                     : ldexpf((float)fraction, -24);
        return bits & 0x8000 ? -value : value;
    }

    std::map<std::string, Tensor> tensors_;
    std::vector<std::shared_ptr<MappedFile>> files_;
};
