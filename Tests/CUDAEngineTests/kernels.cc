// The CUDA engine's kernels against plain loops, on the CPU. Prints what is wrong and ends with 1, or prints how many numbers
// were compared.
//
//     g++ -std=c++20 -O1 -DALADDIN_ON_CPU -I Sources/CUDAEngine Tests/CUDAEngineTests/kernels.cc -o kernels && ./kernels
#include "Attention.h"
#include "Multiply.h"
#include "Sampling.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include <sys/wait.h>
#include <unistd.h>

namespace {

int failures = 0;
long compared = 0;

void expect(bool isTrue, const std::string &what) {
    compared++;
    if (isTrue) return;
    if (failures++ < 20) fprintf(stderr, "wrong: %s\n", what.c_str());
}

void near(float value, float wanted, float tolerance, const std::string &what) {
    bool isNear = std::abs(value - wanted) <= tolerance * std::max(1.0f, std::abs(wanted));
    expect(isNear, what + ": " + std::to_string(value) + " instead of " + std::to_string(wanted));
}

uint64_t state = 42;

float noise(float scale = 1) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (float)(int32_t)(state >> 32) * 0x1p-31f * scale;
}

std::vector<bf16> halves(size_t count, float scale = 1) {
    std::vector<bf16> out(count);
    for (bf16 &value : out) value = rounded(noise(scale));
    return out;
}

std::vector<float> floats(size_t count, float scale = 1) {
    std::vector<float> out(count);
    for (float &value : out) value = noise(scale);
    return out;
}

void testFibers() {
    // Every thread sees what the others wrote before a barrier, across two rounds.
    std::vector<int> sums(3);
    auto kernel = [](int *out) {
        __shared__ int values[100];
        values[threadIdx.x] = (int)(threadIdx.x * (blockIdx.x + 1));
        __syncthreads();
        int sum = std::accumulate(values, values + 100, 0);
        __syncthreads();
        values[threadIdx.x] = sum;
        __syncthreads();
        if (threadIdx.x == 99) out[blockIdx.x] = values[0];
    };
    LAUNCH(kernel, 3, 100, 0, nullptr, sums.data());
    for (int i = 0; i < 3; i++) expect(sums[i] == 4950 * (i + 1), "a barrier");
    std::vector<float> shuffled(64);
    auto shuffle = [](float *out) { out[threadIdx.x] = warpSum((float)threadIdx.x); };
    LAUNCH(shuffle, 1, 64, 0, nullptr, shuffled.data());
    expect(shuffled[0] == 496 && shuffled[31] == 496 && shuffled[32] == 1520 && shuffled[63] == 1520, "a shuffle");
    // Threads that leave a block early are not waited for; those that wait for each other are found.
    auto leaves = [] { if (threadIdx.x < 32) __syncthreads(); };
    LAUNCH(leaves, 1, 64, 0, nullptr);
    if (pid_t child = fork(); child == 0) {
        fclose(stderr);
        auto stuck = [] { threadIdx.x == 0 ? __syncwarp() : __syncthreads(); };
        LAUNCH(stuck, 1, 64, 0, nullptr);
        _exit(0);
    } else {
        int status = 0;
        waitpid(child, &status, 0);
        expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "threads that wait for each other");
    }
}

void testRounding() {
    expect(rounded(1.0f).bits == 0x3F80 && rounded(-2.0f).bits == 0xC000, "exact values");
    expect(rounded(1.00390625f).bits == 0x3F80, "a half goes to even, down"); // 1 + 2^-8
    expect(rounded(1.01171875f).bits == 0x3F82, "a half goes to even, up");   // 1 + 3·2^-8
    expect(std::isnan((float)rounded(NAN)) && std::isinf((float)rounded(INFINITY)), "NaN and infinity");
    expect(std::isinf((float)rounded(3.4e38f)), "what is too large");
}

void testRows() {
    int width = 200, rows = 5;
    std::vector<bf16> table = halves(10 * width), out(rows * width);
    std::vector<int> tokens = {3, 9, 0, 3, 7}, which = {4, 1};
    std::vector<float> residual(rows * width), weight = floats(width);
    LAUNCH(embed, rows, kThreads, 0, nullptr, table.data(), tokens.data(), residual.data(), width);
    for (int i = 0; i < rows * width; i++)
        expect(residual[i] == (float)table[tokens[i / width] * width + i % width], "an embedding");
    LAUNCH(normalise, 2, kThreads, 0, nullptr, residual.data(), which.data(), weight.data(), out.data(), width, 1e-5f);
    for (int i = 0; i < 2 * width; i++) {
        const float *row = residual.data() + which[i / width] * width;
        double squares = 0;
        for (int j = 0; j < width; j++) squares += row[j] * row[j];
        near((float)out[i], row[i % width] / (float)std::sqrt(squares / width + 1e-5) * weight[i % width], 0.01f, "a norm");
    }
    int inner = 100;
    std::vector<bf16> gateUp = halves(rows * 2 * inner, 4), activated(rows * inner);
    LAUNCH(activate, 2, kThreads, 0, nullptr, gateUp.data(), activated.data(), rows, inner);
    for (int i = 0; i < rows * inner; i++) {
        int place = i / inner * 2 * inner + i % inner;
        float gate = (float)gateUp[place], up = (float)gateUp[place + inner];
        near((float)activated[i], gate / (1 + std::exp(-gate)) * up, 0.01f, "an activation");
    }
}

void testProducts() {
    for (int rows = 1; rows <= kFewRows + 1; rows++) {
        int outputs = 37, inputs = 320;
        std::vector<bf16> weights = halves(outputs * inputs), in = halves(rows * inputs), half(rows * outputs);
        std::vector<float> plain(rows * outputs), sum = floats(rows * outputs), before = sum;
        Multiplier multiply(nullptr);
        multiply(weights.data(), in.data(), half.data(), rows, outputs, inputs);
        multiply(weights.data(), in.data(), plain.data(), rows, outputs, inputs);
        multiply.add(weights.data(), in.data(), sum.data(), rows, outputs, inputs);
        for (int i = 0; i < rows * outputs; i++) {
            double wanted = 0;
            for (int j = 0; j < inputs; j++)
                wanted += (float)weights[i % outputs * inputs + j] * (float)in[i / outputs * inputs + j];
            near(plain[i], (float)wanted, 1e-4f, "a product");
            near((float)half[i], (float)wanted, 0.01f, "a product in bfloat16");
            near(sum[i], before[i] + (float)wanted, 1e-4f, "a product that is added");
        }
    }
}

// Sequences of some lengths, with their blocks scattered over a cache.
struct Paged {
    AttentionShape shape;
    std::vector<int> tables;
    std::vector<bf16> cache;

    Paged(AttentionShape shape, int slots) : shape(shape), tables(slots * shape.tableWidth) {
        std::iota(tables.begin(), tables.end(), 0);
        for (size_t i = tables.size(); i > 1; i--) std::swap(tables[i - 1], tables[(size_t)(std::abs(noise()) * (float)i)]);
        cache = halves(tables.size() * shape.blockElements());
    }
    const bf16 *key(int slot, int position, int head) const {
        return cache.data() + cacheOffset(shape, tables.data() + slot * shape.tableWidth, position, head);
    }
    const bf16 *value(int slot, int position, int head) const { return key(slot, position, head) + valueOffset(shape); }

    // What attention over positions 0 to `position` gives.
    std::vector<float> attended(const bf16 *query, int slot, int position, int head) const {
        std::vector<double> weights;
        std::vector<float> out(shape.dimension);
        double total = 0;
        for (int i = 0; i <= position; i++) {
            double score = 0;
            for (int j = 0; j < shape.dimension; j++) score += (float)query[j] * (float)key(slot, i, head)[j];
            weights.push_back(std::exp(score / std::sqrt(shape.dimension)));
            total += weights.back();
        }
        for (int i = 0; i <= position; i++)
            for (int j = 0; j < shape.dimension; j++) out[j] += (float)(weights[i] / total * (float)value(slot, i, head)[j]);
        return out;
    }
};

void testStoring() {
    AttentionShape shape = {4, 2, 32, 4};
    Paged paged(shape, 2);
    std::vector<int> positions = {17, -1, 0, 40}, slots = {1, 0, 0, 1};
    std::vector<float> frequencies = floats(16, 0.3f), bias = floats(shape.rowWidth());
    for (const float *biases : {(const float *)nullptr, (const float *)bias.data()}) {
        std::vector<bf16> qkv = halves(4 * shape.rowWidth()), before = qkv, cache = paged.cache;
        LAUNCH(
            rotateAndStore, 4, kThreads, 0, nullptr, qkv.data(), biases, frequencies.data(), positions.data(), slots.data(),
            paged.tables.data(), paged.cache.data(), shape
        );
        for (int row = 0; row < 4; row++)
            for (int i = 0; i < shape.rowWidth(); i++) {
                int head = i / 32, column = i % 32, pair = column % 16, first = head * 32 + pair, base = row * shape.rowWidth();
                float a = (float)before[base + first] + (biases ? bias[first] : 0);
                float b = (float)before[base + first + 16] + (biases ? bias[first + 16] : 0);
                float angle = (float)positions[row] * frequencies[pair], wanted = column < 16 ? a : b;
                float cosine = std::cos(angle), sine = std::sin(angle);
                if (head < 6) wanted = column < 16 ? a * cosine - b * sine : b * cosine + a * sine;
                if (positions[row] < 0) expect(qkv[base + i].bits == before[base + i].bits, "padding");
                else if (head < 4) near((float)qkv[base + i], wanted, 0.01f, "a turned query");
                else if (head < 6) near((float)paged.key(slots[row], positions[row], head - 4)[column], wanted, 0.01f, "a key");
                else near((float)paged.value(slots[row], positions[row], head - 6)[column], wanted, 0.01f, "a value");
            }
        size_t changed = 0;
        for (size_t i = 0; i < cache.size(); i++) changed += cache[i].bits != paged.cache[i].bits;
        expect(changed <= 3 * 2 * 2 * 32, "nothing else is stored");
    }
}

void testDecodeAttention(AttentionShape shape) {
    std::vector<int> positions = {0, 30, 31, 32, -1, 255, 256, 599}, slots = {0, 1, 0, 1, 0, 1, 0, 1};
    int rows = (int)positions.size(), splits = 4;
    Paged paged(shape, 2);
    std::vector<bf16> qkv = halves(rows * shape.rowWidth(), 2), out(rows * shape.heads * shape.dimension);
    std::vector<float> partial((size_t)rows * shape.heads * splits * (shape.dimension + 2), NAN);
    dim3 grid(rows, shape.keyHeads, splits), heads(rows, shape.heads);
    LAUNCH(
        attendRow, grid, kDecodeThreads, attendRowBytes(shape), nullptr, qkv.data(), paged.cache.data(), positions.data(),
        slots.data(), paged.tables.data(), partial.data(), shape
    );
    LAUNCH(combine, heads, kDecodeThreads, 0, nullptr, partial.data(), positions.data(), out.data(), shape, splits);
    for (int row = 0; row < rows; row++)
        for (int head = 0; head < shape.heads; head++) {
            const bf16 *query = qkv.data() + row * shape.rowWidth() + head * shape.dimension;
            std::vector<float> wanted(shape.dimension);
            int keyHead = head / (shape.heads / shape.keyHeads);
            if (positions[row] >= 0) wanted = paged.attended(query, slots[row], positions[row], keyHead);
            for (int i = 0; i < shape.dimension; i++)
                near((float)out[(row * shape.heads + head) * shape.dimension + i], wanted[i], 0.01f, "attention of a decode");
        }
}

void testPrefillAttention(AttentionShape shape) {
    // Two chunks: a whole prompt that takes more than a tile, and the middle of a longer one.
    std::vector<int> positions, slots;
    for (int i = 0; i < 70; i++) positions.push_back(i), slots.push_back(0);
    for (int i = 0; i < 21; i++) positions.push_back(150 + i), slots.push_back(1);
    std::vector<RowTile> tiles = {{0, 64}, {64, 6}, {70, 21}};
    int rows = (int)positions.size();
    Paged paged(shape, 2);
    std::vector<bf16> qkv = halves(rows * shape.rowWidth(), 2), out(rows * shape.heads * shape.dimension);
    dim3 grid((unsigned)tiles.size(), shape.heads);
    LAUNCH(
        attendTile, grid, 128, attendTileBytes(shape), nullptr, qkv.data(), paged.cache.data(), tiles.data(), positions.data(),
        slots.data(), paged.tables.data(), out.data(), shape
    );
    for (int row = 0; row < rows; row++)
        for (int head = 0; head < shape.heads; head++) {
            const bf16 *query = qkv.data() + row * shape.rowWidth() + head * shape.dimension;
            int keyHead = head / (shape.heads / shape.keyHeads);
            std::vector<float> wanted = paged.attended(query, slots[row], positions[row], keyHead);
            for (int i = 0; i < shape.dimension; i++)
                near((float)out[(row * shape.heads + head) * shape.dimension + i], wanted[i], 0.015f, "attention of a prefill");
        }
}

// The tokens that may be drawn and their weights, by sorting.
std::vector<std::pair<int, double>> kept(const std::vector<float> &scores, Draw draw) {
    std::vector<int> order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return scores[a] > scores[b]; });
    auto weight = [&](int token) { return std::exp(((double)scores[token] - scores[order[0]]) / draw.temperature); };
    if (draw.topK > 0 && draw.topK < (int)order.size()) order.resize(draw.topK);
    double total = 0, sum = 0;
    for (int token : order) total += weight(token);
    size_t count = 0;
    while (count < order.size() && (count == 0 || sum < draw.topP * total)) sum += weight(order[count++]);
    order.resize(draw.topP < 1 ? count : order.size());
    std::sort(order.begin(), order.end());
    std::vector<std::pair<int, double>> out;
    for (int token : order) out.push_back({token, weight(token)});
    return out;
}

void testSampling() {
    int count = 1100;
    std::vector<Draw> draws = {{0, 1, 0, 0.7f}, {0.8f, 1, 1, 0.7f}};
    for (float uniform : {0.0f, 0.1f, 0.37f, 0.5f, 0.9f, 0.999f})
        for (Draw draw : {Draw{1, 1, 0, 0}, Draw{0.7f, 1, 20, 0}, Draw{1.3f, 0.9f, 0, 0}, Draw{1, 0.5f, 40, 0},
                          Draw{0.2f, 0.01f, 0, 0}})
            draw.uniform = uniform, draws.push_back(draw);
    int rows = (int)draws.size();
    std::vector<float> scores = floats((size_t)rows * count, 6);
    scores[300] = scores[77] = scores[900] = 9; // a tie: the lowest token
    std::vector<int> tokens(rows, -1);
    LAUNCH(sample, rows, kSampleThreads, 0, nullptr, scores.data(), draws.data(), tokens.data(), count);
    expect(tokens[0] == 77, "a greedy draw takes the lowest of those that tie");
    for (int row = 1; row < rows; row++) {
        std::vector<float> own(scores.begin() + (size_t)row * count, scores.begin() + (size_t)(row + 1) * count);
        std::vector<std::pair<int, double>> choices = kept(own, draws[row]);
        double total = 0, before = 0;
        for (auto &choice : choices) total += choice.second;
        bool isRight = false;
        for (auto &choice : choices) {
            // Float sums may put a target that is near a border on its other side.
            double low = before / total - 1e-5, high = (before += choice.second) / total + 1e-5;
            isRight |= choice.first == tokens[row] && draws[row].uniform >= low && draws[row].uniform <= high;
        }
        expect(isRight, "draw " + std::to_string(row) + " gave token " + std::to_string(tokens[row]));
    }
}

} // namespace

int main() {
    // In both orders of a block's threads: where a barrier is missing, one of them is wrong.
    for (bool isReversed : {false, true}) {
        fibers::isReversed = isReversed;
        testFibers();
        testRounding();
        testRows();
        testProducts();
        testStoring();
        for (auto shape : {AttentionShape{2, 2, 16, 40}, AttentionShape{6, 2, 32, 40}, AttentionShape{8, 1, 128, 40}}) {
            testDecodeAttention(shape);
            testPrefillAttention(shape);
        }
        testSampling();
    }
    if (failures) return fprintf(stderr, "%d of %ld are wrong\n", failures, compared), 1;
    printf("%ld numbers compared\n", compared);
    return 0;
}
